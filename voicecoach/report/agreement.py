"""How far the machine and a trainer agree: raw agreement and Cohen's kappa with its interval, over sessions.

Counted are sessions to which the trainer gave a verdict, so that they were looked through. There every step of the
procedure, and every move or fault in every turn, was marked by both: where the trainer wrote nothing, the machine's
mark was let stand. That favours the machine (a trainer who reads its mark first tends to follow it), and is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.report import words
from voicecoach.report.trainer import machine_marks
from voicecoach.report.values import Report

RESAMPLES = 2000
SEED = 20261122
MIN_SESSIONS = 5
"""With fewer there is nothing to resample; our judgement."""
MIN_TOLD = 0.95
"""Share of the drawings that must have a kappa; of fewer, the percentiles would be those of the others. Our judgement."""
ROUNDING = 1e-6
"""A standard error below is none."""
Z_95 = 1.96
"""Standard errors from the middle to either end of a 95 % interval (normal distribution)."""
FEWEST_PER_CATEGORY = 2
"""At least 2 k^2 marks for k categories: Cicchetti 1981, doi:10.1177/014662168100500114."""


@dataclass(frozen=True)
class Agreed:
    """The agreement on one kind of mark. `kappa` is None where one answer only was ever given."""

    name: str
    marks: int
    heard: int
    """Marks that at least one of the two heard."""
    explicit: int
    """Marks that the trainer wrote down."""
    raw: float
    kappa: float | None
    low: float | None
    high: float | None
    """95 % interval, by `by`; None where there is none."""
    by: Literal["", "drawings", "standard error"] = ""
    """Percentiles over sessions drawn again with a fixed seed, or where these do not carry, the standard error of kappa as
    if all marks were independent, which makes it too narrow."""
    few: str = ""
    """Why the figures are an example and no finding; empty where they are enough."""


@dataclass(frozen=True)
class Agreement:
    """Machine and trainer over sessions: steps together, then each move and fault that either of them heard."""

    sessions: int
    waiting: int
    """Sessions without a verdict, which are not counted."""
    steps: Agreed | None
    codes: tuple[Agreed, ...]


Pair = tuple[str, str]
"""(the machine's mark, the trainer's)."""


def agreement(reports: Sequence[Report]) -> Agreement:
    """Compare the marks of all sessions with a verdict."""
    seen = [report for report in reports if report.desk and report.desk.verdict]
    steps = [_steps(report) for report in seen]
    by_code = [_codes(report) for report in seen]
    codes = []
    for code in (*MOVES, *FAULTS):
        pairs = [found[code][0] for found in by_code]
        if any(pair != ("not heard", "not heard") for session in pairs for pair in session):
            codes.append(compare(words.code(code), pairs, sum(found[code][1] for found in by_code)))
    explicit = sum(len([mark for mark in report.desk.overrides if mark.step]) for report in seen if report.desk)
    return Agreement(
        sessions=len(seen),
        waiting=len(reports) - len(seen),
        steps=compare("Steps of the procedure", steps, explicit) if any(steps) else None,
        codes=tuple(codes),
    )


def _steps(report: Report) -> list[Pair]:
    """What was done before a retry began was no question of it, unless the trainer answered it."""
    steps = report.desk.steps if report.desk else ()
    return [(step.machine, step.counts) for step in steps if step.machine != "before" or step.trainer]


def _codes(report: Report) -> Mapping[str, tuple[list[Pair], int]]:
    """For each code the pairs, one a turn, and how many the trainer wrote down."""
    machine = machine_marks(report)
    written = {(mark.turn, mark.code): mark.verdict for mark in report.desk.overrides} if report.desk else {}
    found = {}
    for code in (*MOVES, *FAULTS):
        pairs = []
        for turn in report.turns:
            ours = machine.get((turn.number, code), "not heard")
            pairs.append((ours, str(written.get((turn.number, code), ours))))
        found[code] = pairs, sum(key[1] == code for key in written)
    return found


def compare(name: str, sessions: Sequence[Sequence[Pair]], explicit: int) -> Agreed:
    """The agreement on pairs that come in sessions."""
    pairs = [pair for session in sessions for pair in session]
    kinds = sorted({kind for pair in pairs for kind in pair})
    tables = np.array([_table(session, kinds) for session in sessions if session], float).reshape(-1, *2 * [len(kinds)])
    both = tables.sum(axis=0)
    needed = FEWEST_PER_CATEGORY * max(len(kinds), 2) ** 2
    few = []
    if len(tables) < MIN_SESSIONS:
        few.append(f"{words.count(len(tables), 'session')}, at least {MIN_SESSIONS} are needed")
    if len(pairs) < needed:
        few.append(f"{words.count(len(pairs), 'mark')}, at least {needed} are needed")
    drawn = _interval(tables) if len(tables) >= MIN_SESSIONS else None
    low, high = drawn or _by_error(both) or (None, None)
    return Agreed(
        name=name,
        marks=len(pairs),
        heard=sum(pair != ("not heard", "not heard") for pair in pairs),
        explicit=explicit,
        raw=float(np.trace(both) / both.sum()) if pairs else 0.0,
        kappa=kappa_of(both),
        low=low,
        high=high,
        by="" if low is None else "drawings" if drawn else "standard error",
        few=" and ".join(few),
    )


def _table(pairs: Sequence[Pair], kinds: Sequence[str]) -> list[list[int]]:
    return [[sum(pair == (ours, theirs) for pair in pairs) for theirs in kinds] for ours in kinds]


def kappa_of(table: np.ndarray) -> float | None:
    """Cohen's kappa (1960) of a square table of counts; None where chance alone agrees always."""
    n = table.sum()
    if not n:
        return None
    by_chance = float((table.sum(axis=0) * table.sum(axis=1)).sum() / n**2)
    if by_chance >= 1:
        return None
    return float((np.trace(table) / n - by_chance) / (1 - by_chance))


def standard_error(table: np.ndarray) -> float:
    """The large-sample standard error of Cohen's kappa of a square table of counts; 0 where it cannot be told.

    Fleiss, Cohen & Everitt 1969 ("Large sample standard errors of kappa and weighted kappa", Psychological Bulletin 72,
    323-327), their formula for a kappa other than 0. It takes all marks for independent.
    """
    if kappa_of(table) is None:
        return 0.0
    shares = table / table.sum()
    ours, theirs = shares.sum(axis=1), shares.sum(axis=0)
    agreed, by_chance = float(np.trace(shares)), float((ours * theirs).sum())
    same = np.diag(shares) * ((1 - by_chance) - (ours + theirs) * (1 - agreed)) ** 2
    apart = shares * (theirs[:, None] + ours[None, :]) ** 2
    spread = same.sum() + (1 - agreed) ** 2 * (apart.sum() - np.trace(apart))
    spread -= (agreed * by_chance - 2 * by_chance + agreed) ** 2
    return float(np.sqrt(max(spread, 0.0) / table.sum()) / (1 - by_chance) ** 2)


def _by_error(table: np.ndarray) -> tuple[float, float] | None:
    """The interval by the standard error, within what a kappa can be."""
    kappa, error = kappa_of(table), standard_error(table)
    if kappa is None or error < ROUNDING:
        return None
    return max(kappa - Z_95 * error, -1.0), min(kappa + Z_95 * error, 1.0)


def _interval(tables: np.ndarray) -> tuple[float, float] | None:
    """Percentiles of kappa over sessions drawn again, for marks of one session are not independent."""
    random = np.random.default_rng(SEED)
    drawn = random.integers(0, len(tables), (RESAMPLES, len(tables)))
    kappas = [kappa for rows in drawn if (kappa := kappa_of(tables[rows].sum(axis=0))) is not None]
    if len(kappas) < MIN_TOLD * RESAMPLES or min(kappas) == max(kappas):
        return None
    low, high = np.percentile(kappas, (2.5, 97.5))
    return float(low), float(high)


def as_lines(found: Agreement) -> list[str]:
    """The agreement for a reader."""
    if not found.sessions:
        return [
            "No session has a verdict yet, so there is nothing to compare."
            f" {words.count(found.waiting, 'session')} without one.".replace(" 0 sessions without one.", ""),
        ]
    lines = [
        f"{words.count(found.sessions, 'session')} with a verdict of the trainer; {found.waiting} without one not counted.",
        "Where the trainer wrote nothing, the machine's mark was let stand; that favours agreement.",
        "",
        *(_row(one) for one in (found.steps,) if one),
    ]
    if found.codes:
        lines += ["", "Each move and fault, a mark a turn:", *map(_row, found.codes)]
    return lines


def _interval_line(one: Agreed) -> str:
    if one.low is None or one.high is None:
        why = {0.0: "the two never agree", 1.0: "the two never differ"}.get(
            one.raw, "one of the two gave only one answer"
        )
        return f"no interval ({why})"
    by = ", by its standard error, as if all marks were independent" if one.by == "standard error" else ""
    return f"95 % interval {one.low:.2f} to {one.high:.2f}{by}"


def _row(one: Agreed) -> str:
    kappa = "kappa cannot be told (only one answer was ever given)" if one.kappa is None else f"kappa {one.kappa:.2f}"
    if one.kappa is not None:
        kappa += f", {_interval_line(one)}"
    few = f"  TOO FEW: {one.few}" if one.few else ""
    return (
        f"  {one.name:45} {100 * one.raw:3.0f} % of {one.marks} marks, {kappa}; "
        f"{one.heard} heard by either, {one.explicit} written down{few}"
    )
