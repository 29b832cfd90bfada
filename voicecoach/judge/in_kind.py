"""Not in kind: whether the trainee kept the calm voice while the customer was heated (001.3).

The trainee is compared with the own calm voice, the customer with the level at which the line was to be spoken and,
where it was measured, with the own calmest line. Nothing here says who moved whom: one voice moved after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from voicecoach.judge.delivery import BRISK_RATIO, FEW_WORDS, RAISED_DB, RAISED_FEW_DB, SETTLED_DB, too_few_words
from voicecoach.measure.observe import EFFORT_DB_PER_OCTAVE, EFFORT_DB_PER_ST, baseline_from, relate
from voicecoach.measure.validity import MIN_WORDS
from voicecoach.nouns import CallInKind, InKind, Observation, Relative

HEATED_LEVEL = 3
"""Spoken anger (0 calm to 5 shouting) from which the customer is heated: "angry" and up. Our judgement."""
LIFTED_ST = 1.3
"""Pitch in semitones over the calm voice up to which it is held (docs/delivery.md section 10)."""
HIGH_ST = 2.0
"""Above this the pitch is high: none of 120 calm and neutral clips lie above, 46 % of the angry and all of the strongly
angry ones (docs/delivery.md section 10). Pitch alone is weaker than effort, so it counts only together with a faster rate."""
QUIETER_DB = 4.0
"""A turn this many dB of effort under the turn before it became quieter: beyond the 3.5 dB mean error of the measure
(docs/delivery.md). Our judgement."""
RISEN_DB = 4.0
"""A recorded customer, whose spoken anger nobody wrote down, is heated from this effort over the own quieter voice: as
much as 1 % of calm turns reach by chance (docs/delivery.md section 5), since there is no calibration to go by."""
MIN_OWN = 3
"""With fewer lines measured well there is no telling which of them is the customer's own voice. Our judgement."""
MIN_PAIRS = 5
"""Fewer pairs give no rank correlation. Our judgement: even five only hint."""


@dataclass(frozen=True)
class Heat:
    """How heated a line of the customer was; `change` is against the customer's calmest line before it.

    `over_db` stands in for the level in a recorded call: the line's effort over the customer's own quieter voice.
    """

    level: int | None
    change: Relative | None = None
    over_db: float | None = None

    @property
    def heated(self) -> bool:
        """Whether there was anything to hold against."""
        if self.level is not None:
            return self.level >= HEATED_LEVEL
        return self.over_db is not None and self.over_db >= RISEN_DB

    @property
    def height(self) -> float | None:
        """What is compared over the call: the level, or else the effort."""
        return self.level if self.level is not None else self.over_db

    def above(self, later: Heat) -> bool:
        """Whether the customer came down from here: to a lower level, or by more effort than the measure errs."""
        if self.level is not None and later.level is not None:
            return later.level < self.level
        known = self.over_db is not None and later.over_db is not None
        return known and (self.over_db or 0.0) - (later.over_db or 0.0) >= QUIETER_DB


@dataclass(frozen=True)
class Exchange:
    """A line of the customer, the trainee's answer to it, and the level of the line that came next (None: no line did)."""

    heat: Heat
    observation: Observation | None
    in_kind: InKind
    next_level: int | None = None
    next_db: float | None = None
    """As `next_level`, in a recorded call: the effort of the next line over the customer's own quieter voice."""

    @property
    def following(self) -> Heat | None:
        """How heated the line was that came next; None where none came, or it was not measured."""
        known = self.next_level is not None or self.next_db is not None
        return Heat(self.next_level, over_db=self.next_db) if known else None


def judge_in_kind(observation: Observation | None, heat: Heat) -> InKind:
    """The verdict on one turn, spoken after a line of that heat."""
    missing = _not_heated(heat) or _not_measured(observation)
    relative = observation.relative if observation else None
    if missing or observation is None or relative is None:
        return InKind("unsure", missing, level=heat.level)
    if too_few_words(observation):
        few = f"effort {relative.effort_db:+.1f} dB in under {FEW_WORDS} words: up to +{RAISED_FEW_DB:g} that says nothing"
        return InKind("unsure", (few,), level=heat.level)
    ratio = _ratio(observation)
    effort, f0 = relative.effort_db, relative.f0_st
    faster = ratio is not None and ratio > BRISK_RATIO
    evidence = (*_trainee_evidence(effort, f0, ratio), *_customer_evidence(heat))
    if effort > RAISED_DB or (f0 > HIGH_ST and faster):
        return InKind("matched the anger", evidence, level=heat.level)
    if effort > SETTLED_DB or f0 > LIFTED_ST or faster:
        return InKind("drifted", evidence, level=heat.level)
    return InKind("held", evidence, level=heat.level)


def _not_heated(heat: Heat) -> tuple[str, ...]:
    if heat.level is None and heat.over_db is None:
        return ("how heated the customer was is not on record",)
    if heat.level is None and not heat.heated:
        return (
            f"nothing to hold against: the customer's effort was {heat.over_db:+.1f} dB, heated from +{RISEN_DB:g}",
        )
    if not heat.heated:
        return (f"nothing to hold against: the customer spoke at {heat.level} of 5, heated from {HEATED_LEVEL}",)
    return ()


def _not_measured(observation: Observation | None) -> tuple[str, ...]:
    if observation is None:
        return ("there is no recording of this turn",)
    if not observation.quality.ok:
        return observation.quality.reasons or ("the recording does not carry a verdict",)
    return () if observation.relative else ("there is no calibration of your calm voice",)


def _ratio(observation: Observation) -> float | None:
    """The rate against the own calm rate, where there were words enough to judge it."""
    rate, relative = observation.rate, observation.relative
    return relative.rate_ratio if relative and rate and rate.words >= MIN_WORDS else None


def _trainee_evidence(effort: float, f0: float, ratio: float | None) -> tuple[str, ...]:
    """The trainee's three changes; the rate only where it was judged."""
    rate = () if ratio is None else (f"rate {ratio:.2f} times your calm rate, held up to {BRISK_RATIO:.2f}",)
    return (
        f"effort {effort:+.1f} dB, held up to +{SETTLED_DB:g}, matched above +{RAISED_DB:g}",
        f"pitch {f0:+.1f} semitones, held up to +{LIFTED_ST:g}",
        *rate,
    )


def _customer_evidence(heat: Heat) -> tuple[str, ...]:
    if heat.level is None:
        return (f"the customer's effort was {heat.over_db:+.1f} dB over the own quieter voice",)
    level, change = f"the customer spoke at {heat.level} of 5", heat.change
    if change is None:
        return (level,)
    return (f"{level}, {change.effort_db:+.1f} dB and {change.f0_st:+.1f} semitones from the calmest line before",)


def changes(lines: Sequence[Observation | None]) -> tuple[Relative | None, ...]:
    """The customer's own change, line by line, against the calmest line measured before it; None where there is none."""
    calmest: Observation | None = None
    result = []
    for line in lines:
        usable = replace(line, relative=None) if line is not None and _usable(line) else None
        result.append(relate(usable, baseline_from([calmest], "")).relative if usable and calmest else None)
        if usable and (calmest is None or _strain_db(usable) < _strain_db(calmest)):
            calmest = usable
    return tuple(result)


def own_changes(lines: Sequence[Observation | None]) -> tuple[Relative | None, ...]:
    """A recorded customer's own change, line by line, against the own first or median line, whichever was the quieter.

    A customer who calls in anger has a loud first line, and one who becomes angry a loud median. None for lines that
    were not measured well, and for all of them where under MIN_OWN were.
    """
    usable = [replace(line, relative=None) if line is not None and _usable(line) else None for line in lines]
    known = [line for line in usable if line is not None]
    if len(known) < MIN_OWN:
        return (None,) * len(usable)
    median = sorted(known, key=_strain_db)[(len(known) - 1) // 2]
    baseline = baseline_from([min(known[0], median, key=_strain_db)], "")
    return tuple(relate(line, baseline).relative if line is not None else None for line in usable)


def measured_well(lines: Sequence[Observation | None]) -> int:
    """How many of the customer's lines `own_changes` can go by."""
    return sum(line is not None and _usable(line) for line in lines)


def _usable(line: Observation) -> bool:
    """Whether pitch and spectrum were measured well; a foreign record may hold numbers without a logarithm."""
    f0, effort = line.f0, line.effort
    return line.quality.ok and f0 is not None and effort is not None and min(f0.median_hz, effort.centroid_hz) >= 1.0


def _strain_db(line: Observation) -> float:
    """Vocal effort in dB but for a constant, to order the lines of one voice."""
    if line.f0 is None or line.effort is None:
        return float("inf")
    st, octaves = 12 * np.log2(line.f0.median_hz), np.log2(line.effort.centroid_hz)
    return float(EFFORT_DB_PER_ST * st + EFFORT_DB_PER_OCTAVE * octaves)


# --- over the call -----------------------------------------------------------------------------------


def entrainment(turns: Sequence[Exchange]) -> CallInKind:
    """Both voices over the call: how often the trainee held, and whether the customer came down after that."""
    verdicts = [turn.in_kind.verdict for turn in turns]
    pairs = [
        (height, effort)
        for turn in turns
        if (height := turn.heat.height) is not None and (effort := effort_db(turn.observation)) is not None
    ]
    fell = [turn.following is not None and turn.heat.above(turn.following) for turn in _came_down(turns)]
    return CallInKind(
        held=verdicts.count("held"),
        drifted=verdicts.count("drifted"),
        matched=verdicts.count("matched the anger"),
        correlation=spearman(pairs) if len(pairs) >= MIN_PAIRS else None,
        pairs=len(pairs),
        came_down=sum(fell),
        chances=len(fell),
        measured=any(turn.heat.level is None and turn.heat.over_db is not None for turn in turns),
    )


def _came_down(turns: Sequence[Exchange]) -> list[Exchange]:
    """The answers to heated lines that held or became clearly quieter, and after which the customer spoke."""
    befores = [None, *(effort_db(turn.observation) for turn in turns)]
    return [
        turn
        for turn, before in zip(turns, befores, strict=False)
        if turn.heat.heated and turn.following is not None and (turn.in_kind.verdict == "held" or _fell(before, turn))
    ]


def _fell(before_db: float | None, turn: Exchange) -> bool:
    now_db = effort_db(turn.observation)
    return before_db is not None and now_db is not None and before_db - now_db >= QUIETER_DB


def effort_db(observation: Observation | None) -> float | None:
    """The effort over the calm voice where it was measured well."""
    good = observation is not None and observation.quality.ok and observation.relative is not None
    return observation.relative.effort_db if good and observation and observation.relative else None


def spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Spearman's rank correlation; None where one side never changes."""
    x, y = (_ranks([pair[side] for pair in pairs]) - (len(pairs) - 1) / 2 for side in (0, 1))
    norm = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / norm if norm else None


def _ranks(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Ranks from 0; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    edges = [0, *np.cumsum(counts)]
    means = np.array([(first + last - 1) / 2 for first, last in pairwise(edges)])
    return np.asarray(means[inverse], np.float64)
