"""Progress over many sessions: trends with their noise, bests, what improved, and which drill is due. Pure.

Only whole calls with a simulated customer are compared; retries, drills and reviewed recordings are counted apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from voicecoach.judge.delivery import BRISK_SPS
from voicecoach.judge.drills import VOICE, Drill
from voicecoach.nouns import Event
from voicecoach.report import words
from voicecoach.report.facts import instant, read, text
from voicecoach.report.head import CUT_OFF, Kind, head_of
from voicecoach.report.points import made
from voicecoach.report.values import Mark, Report, ReportTurn

HALF_LIFE_CALLS = 5
"""A call counts half as much in the weighted mean as one that came so many calls later. Our judgement: a week's worth of
practice."""
BAND_Z = 1.96
"""The band holds a call's true mean with about 95 % certainty, if its turns scatter as all turns do."""
RECENT_CALLS = 3
"""The newest calls, at most so many and at most half of all, are compared with those before them. Our judgement."""
FEWEST_CALLS = 5
"""Of fewer no change can exceed the noise: two against two, even a clean jump is no more than chance brings."""
BEST_TURNS = 3
"""A best takes so many measured turns: one turn may be luck. Our judgement."""
T_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
"""Student's t, two-sided 95 %, for 1 to 15 degrees of freedom; more are taken as 15 (2.13, where the limit is 1.96)."""
MOVING_RANGE = 1.128
"""Mean range of two normal values over their standard deviation (Shewhart's d2 for n = 2)."""

INTERVALS_DAYS = (1, 2, 4, 8, 16)
"""Leitner's boxes (S. Leitner, So lernt man lernen, 1972): what passed when it was due moves a box up and waits twice as
long, what did not pass goes back to the first. That spaced practice keeps better than massed practice: Cepeda et al. 2006,
Psychological Bulletin 132(3); the days are our judgement."""
SLACK_DAYS = 0.5
"""Due half a day early: who practised yesterday evening may practise this morning. Our judgement."""
WEAK = 0.5
"""From here on a call counts as one that missed what a drill trains."""


# --- what is kept of a session -------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What is kept of one session: no words of anybody, only codes and numbers."""

    session: str
    wall: str
    kind: Kind
    trainee: str
    demo: bool
    persona: str
    scenario: str
    level: str
    procedure: str
    procedure_name: str
    outcome: str
    minutes: float
    turns: int
    anger: tuple[float, float] | None
    """At the first and after the last step."""
    values: tuple[tuple[str, tuple[float, ...]], ...]
    """Of each measure its values turn by turn, by the ids of MEASURES; and of VOICE, 1 where that was the verdict."""
    steps: tuple[tuple[str, str, str], ...]
    """(id, name, outcome) of the procedure's steps."""
    moves: tuple[str, ...]
    """Codes of the moves that were made, and `faults` of those that were shown, each once."""
    faults: tuple[str, ...]
    drill: str = ""
    passed: int = 0
    levels: int = 0
    """Of a drill: how many of its levels were passed."""
    rounds: int = 0
    """Of a drill: how many turns were marked."""

    def of(self, measure: str) -> tuple[float, ...]:
        """The values of one measure."""
        return next((values for name, values in self.values if name == measure), ())


@dataclass(frozen=True)
class Measure:
    """Something that is followed over calls."""

    id: str
    name: str
    unit: str
    better: Literal["higher", "lower"]
    of_turn: bool = True
    """One value a turn; else one a call."""
    goal: float | None = None
    """Beyond it there is nothing to gain."""
    share: bool = False
    """Shown in percent."""


MEASURES = (
    Measure("quiet", "Turns said quietly", "% of judged turns", "higher", share=True),
    Measure("slow", "Turns said slowly", "% of judged turns", "higher", share=True),
    Measure("effort_db", "Vocal effort", "dB above your calm voice", "lower", goal=0.0),
    Measure("articulation_sps", "Articulation", "syllables a second", "lower", goal=BRISK_SPS),
    Measure("held", "Held steady against anger", "% of heated turns", "higher", share=True),
    Measure("moves", "Good moves", "a turn", "higher"),
    Measure("faults", "Faults", "a turn", "lower", goal=0.0),
    Measure("steps", "Steps of the procedure done", "% of its steps", "higher", of_turn=False, share=True),
    Measure("anger_fall", "The customer's anger came down", "points of 5", "higher", of_turn=False),
)
_QUIET = {"quiet": 1.0, "raised": 0.0, "shouting": 0.0}
_SLOW = {"slow": 1.0, "brisk": 0.0, "rushed": 0.0}
_RAISED = {name: 1 - value for name, value in _QUIET.items()}
_RUSHED = {"slow": 0.0, "brisk": 0.0, "rushed": 1.0}
_HELD = {"held": 1.0, "drifted": 0.0, "matched the anger": 0.0}


def row_of(report: Report, events: Sequence[Event]) -> Row:
    """A session as a row, from its report and the events that it tells of."""
    head = head_of(events)
    started: Mapping[str, Any] = next((event.data for event in events if event.kind == "started"), {})
    who = started.get("persona")
    drill = started.get("drill")
    who = who if isinstance(who, Mapping) else {}
    anger = (report.anger[0].after, report.anger[-1].after) if report.anger else None
    passed = {one.level for one in report.rounds if one.verdict == "passed"}
    marks = [mark for turn in report.turns for mark in turn.marks]
    procedure = started.get("procedure")
    return Row(
        session=report.name,
        wall=head.wall,
        kind=head.kind,
        trainee=head.trainee,
        demo=head.demo,
        persona=report.persona,
        scenario=text(who.get("id")),
        level=head.level,
        procedure=text(procedure) if isinstance(procedure, str) else "",
        procedure_name=report.procedure,
        outcome=head.outcome,
        minutes=round(head.minutes, 2),
        turns=head.turns,
        anger=anger,
        values=tuple((name, values) for name, values in _values(report, anger).items() if values),
        steps=tuple((step.id, step.name, step.outcome) for step in report.steps),
        moves=tuple(sorted({mark.code for turn in report.turns for mark in made(turn)})),
        faults=tuple(sorted({mark.code for mark in marks if mark.outcome == "shown"})),
        drill=text(drill.get("id")) if isinstance(drill, Mapping) else "",
        passed=len(passed),
        levels=len(levels) if isinstance(drill, Mapping) and isinstance(levels := drill.get("levels"), list) else 0,
        rounds=len(report.rounds),
    )


def _values(report: Report, anger: tuple[float, float] | None) -> dict[str, tuple[float, ...]]:
    """Every measure of a session, turn by turn, to four places."""
    turns = [turn for turn in report.turns if turn.text]
    measured = [o for turn in turns if (o := turn.observation) and o.quality.ok]

    def verdicts(table: Mapping[str, float], verdict: Callable[[ReportTurn], str]) -> tuple[float, ...]:
        return tuple(table[name] for turn in turns if (name := verdict(turn)) in table)

    def counts(marks: Callable[[ReportTurn], Iterable[Mark]]) -> tuple[float, ...]:
        return tuple(float(len({mark.code for mark in marks(turn)})) for turn in turns)

    asked = [step for step in report.steps if step.outcome != "before"]
    return {
        "quiet": verdicts(_QUIET, lambda turn: turn.delivery.loudness if turn.delivery else ""),
        "slow": verdicts(_SLOW, lambda turn: turn.delivery.pace if turn.delivery else ""),
        "raised": verdicts(_RAISED, lambda turn: turn.delivery.loudness if turn.delivery else ""),
        "rushed": verdicts(_RUSHED, lambda turn: turn.delivery.pace if turn.delivery else ""),
        "effort_db": tuple(round(o.relative.effort_db, 4) for o in measured if o.relative),
        "articulation_sps": tuple(round(o.rate.articulation_sps, 4) for o in measured if o.rate),
        "held": verdicts(_HELD, lambda turn: turn.in_kind.verdict if turn.in_kind else ""),
        "moves": counts(made),
        "faults": counts(lambda turn: (m for m in turn.marks if (m.kind, m.outcome) == ("fault", "shown"))),
        "steps": (round(sum(s.outcome == "done" for s in asked) / len(asked), 4),) if asked and turns else (),
        "anger_fall": (round(anger[0] - anger[1], 4),) if anger and turns else (),
    }


# --- trends --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrendPoint:
    """A call's mean of one measure; `band` is the half-width of its noise, None where no scatter was seen to tell it from."""

    session: str
    wall: str
    value: float
    count: int
    band: float | None


@dataclass(frozen=True)
class Trend:
    """One measure over the calls, oldest first."""

    measure: Measure
    points: tuple[TrendPoint, ...]
    weighted: float
    """Mean of the calls, the recent ones weighing more (HALF_LIFE_CALLS)."""
    scatter: float | None
    """Standard deviation from turn to turn within a call; from call to call where there is one value a call."""
    best: TrendPoint | None
    change: float | None
    """Mean of the newest calls less the mean of those before."""
    noise: float | None
    """What a change has to exceed."""
    verdict: Literal["improved", "slipped", "no change beyond noise", "too few calls"]


@dataclass(frozen=True)
class Group:
    """The calls of one procedure or of one scenario."""

    id: str
    name: str
    calls: int
    resolved: int
    trends: tuple[Trend, ...]
    rarest: tuple[tuple[str, int], ...]
    """Of a procedure: (step, in how many calls it was done) of the steps that were done least."""


@dataclass(frozen=True)
class Progress:
    """Everything that the history page shows of one trainee."""

    trainee: str
    rows: tuple[Row, ...]
    """Every session of the trainee, oldest first."""
    trends: tuple[Trend, ...]
    procedures: tuple[Group, ...]
    scenarios: tuple[Group, ...]
    schedule: tuple[Due, ...]
    now: str
    """What "due" is counted from."""
    skipped: tuple[str, ...]
    """Folders that could not be read, and why."""
    others: tuple[tuple[str, int], ...]
    """Other trainees with their sessions, which are left out."""

    @property
    def calls(self) -> tuple[Row, ...]:
        """The whole calls in which something was said."""
        return tuple(filter(whole, self.rows))


BROKEN = frozenset({"fault", CUT_OFF})
"""Outcomes of what a device or the program has broken off."""


def whole(row: Row) -> bool:
    """Whether this is a call in which something was said and which was held to its end.

    What was not heard in one that a device or the program broke off might have come yet.
    """
    return row.kind == "call" and row.turns > 0 and row.outcome not in BROKEN


def progress(
    rows: Sequence[Row],
    drills: Sequence[Drill],
    *,
    trainee: str = "",
    now: str = "",
    skipped: Sequence[str] = (),
) -> Progress:
    """The history of `trainee` (default: whoever called last); `now` (ISO 8601) defaults to the newest session."""
    ordered = in_order(rows)
    name, demo = _whose(ordered, trainee)
    own = tuple(row for row in ordered if (row.trainee, row.demo) == (name, demo))
    calls = list(filter(whole, own))
    now = now or max((row.wall for row in own if instant(row.wall)), key=_seconds, default="")
    rest: dict[str, int] = {}
    for row in ordered:
        if (row.trainee, row.demo) != (name, demo):
            label = f"{row.trainee or 'nobody named'}{' (recorded)' if row.demo else ''}"
            rest[label] = rest.get(label, 0) + 1
    return Progress(
        trainee=name,
        rows=own,
        trends=trends(calls),
        procedures=_groups(calls, lambda row: (row.procedure, row.procedure_name)),
        scenarios=_groups(calls, lambda row: (row.scenario, row.persona)),
        schedule=schedule(own, drills, now=now),
        now=now,
        skipped=tuple(skipped),
        others=tuple(sorted(rest.items())),
    )


def in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Oldest first, by the time they began and then by name; without a time, first."""
    return tuple(sorted(rows, key=lambda row: (_seconds(row.wall), row.session)))


def own_rows(rows: Iterable[Row], trainee: str = "") -> tuple[Row, ...]:
    """The rows of `trainee` (default: whoever called last), oldest first."""
    ordered = in_order(rows)
    whose = _whose(ordered, trainee)
    return tuple(row for row in ordered if (row.trainee, row.demo) == whose)


def _whose(ordered: Sequence[Row], trainee: str) -> tuple[str, bool]:
    """(trainee, recorded or not): the one named; else the last who called; else the last of a review; else the last."""
    named = (row for row in reversed(ordered) if not trainee or row.trainee == trainee)
    found = min(named, key=lambda row: (row.demo, row.kind == "review"), default=None)
    return (found.trainee, found.demo) if found else (trainee, False)


def _seconds(wall: str) -> float:
    at = instant(wall)
    return at.timestamp() if at else -math.inf


def trends(calls: Sequence[Row]) -> tuple[Trend, ...]:
    """Every measure of which there is a value, over calls given oldest first."""
    found = (_trend(measure, calls) for measure in MEASURES)
    return tuple(trend for trend in found if trend)


def _trend(measure: Measure, calls: Sequence[Row]) -> Trend | None:
    found = [(row, values) for row in calls if (values := row.of(measure.id))]
    if not found:
        return None
    means = [math.fsum(values) / len(values) for _, values in found]
    scatter = _within([values for _, values in found]) if measure.of_turn else _moving(means)
    points = tuple(
        TrendPoint(
            row.session,
            row.wall,
            mean,
            len(values),
            BAND_Z * scatter / math.sqrt(len(values)) if scatter else None,
        )
        for (row, values), mean in zip(found, means, strict=True)
    )
    change, noise = _change(measure, points, scatter)
    return Trend(
        measure,
        points,
        weighted_mean(means),
        scatter,
        _best(measure, points),
        change,
        noise,
        _verdict(measure, change, noise),
    )


def weighted_mean(values: Sequence[float]) -> float:
    """Mean of values given oldest first, each weighing half of one that came HALF_LIFE_CALLS later."""
    weights = [0.5 ** ((len(values) - 1 - at) / HALF_LIFE_CALLS) for at in range(len(values))]
    return math.fsum(w * v for w, v in zip(weights, values, strict=True)) / math.fsum(weights)


def _within(groups: Sequence[Sequence[float]]) -> float | None:
    """Standard deviation within groups, pooled over them; None where no group has two values."""
    freedom = sum(len(values) - 1 for values in groups)
    if freedom < 1:
        return None
    squares = (sum((v - math.fsum(values) / len(values)) ** 2 for v in values) for values in groups)
    return math.sqrt(math.fsum(squares) / freedom)


def _moving(values: Sequence[float]) -> float | None:
    """Standard deviation from one value to the next (Shewhart's moving range); None under three values."""
    if len(values) < 3:
        return None
    return math.fsum(abs(b - a) for a, b in pairwise(values)) / (len(values) - 1) / MOVING_RANGE


def _worth(measure: Measure, value: float) -> float:
    """A value as far as it counts: beyond the goal there is nothing to gain."""
    if measure.goal is None:
        return value
    return max(value, measure.goal) if measure.better == "lower" else min(value, measure.goal)


def _change(measure: Measure, points: Sequence[TrendPoint], scatter: float | None) -> tuple[float | None, float | None]:
    """(change, noise) of the newest calls against those before.

    The noise is the larger of two: what the scatter of the turns alone would bring (BAND_Z standard errors), and what
    the calls' own differences would (Student's t, two-sided 95 %), because calls differ by more than their turns. For
    these the scatter from call to call stands where it is larger than that within both sides, which a few equal shares
    make 0.
    """
    if len(points) < FEWEST_CALLS:
        return None, None
    recent = min(RECENT_CALLS, len(points) // 2)
    sides = points[-recent:], points[:-recent]
    values = [[_worth(measure, point.value) for point in side] for side in sides]
    change = math.fsum(values[0]) / len(values[0]) - math.fsum(values[1]) / len(values[1])
    freedom = len(points) - 2
    scatters = _within(values), _moving([*values[1], *values[0]])
    spread = max(one or 0.0 for one in scatters) * math.sqrt(1 / len(values[0]) + 1 / len(values[1]))
    noise = T_95[min(freedom, len(T_95)) - 1] * spread
    if measure.of_turn and scatter is not None:
        turns = [math.fsum(1 / point.count for point in side) / len(side) ** 2 for side in sides]
        noise = max(noise, BAND_Z * scatter * math.sqrt(turns[0] + turns[1]))
    return change, noise


def _verdict(
    measure: Measure, change: float | None, noise: float | None
) -> Literal["improved", "slipped", "no change beyond noise", "too few calls"]:
    if change is None or noise is None:
        return "too few calls"
    if abs(change) <= noise:
        return "no change beyond noise"
    return "improved" if (change > 0) == (measure.better == "higher") else "slipped"


def _best(measure: Measure, points: Sequence[TrendPoint]) -> TrendPoint | None:
    """The best call so far, the first of equals."""
    fit = [point for point in points if point.count >= BEST_TURNS or not measure.of_turn]
    sign = 1 if measure.better == "higher" else -1
    return max(fit, key=lambda point: sign * _worth(measure, point.value), default=None)


def _groups(calls: Sequence[Row], key: Callable[[Row], tuple[str, str]]) -> tuple[Group, ...]:
    table: dict[str, list[Row]] = {}
    for row in calls:
        if key(row)[0]:
            table.setdefault(key(row)[0], []).append(row)
    return tuple(
        Group(
            id=name,
            name=key(rows[-1])[1],
            calls=len(rows),
            resolved=sum(row.outcome == "resolved" for row in rows),
            trends=trends(rows),
            rarest=_rarest(rows),
        )
        for name, rows in sorted(table.items())
    )


def _rarest(rows: Sequence[Row]) -> tuple[tuple[str, int], ...]:
    """The steps that were done least, as they are called in the newest call; those done in every call are left out."""
    done = {step: 0 for step, _, _ in rows[-1].steps}
    for row in rows:
        for step, _, outcome in row.steps:
            if step in done and outcome == "done":
                done[step] += 1
    least = min(done.values(), default=0)
    return tuple((name, done[step]) for step, name, _ in rows[-1].steps if done[step] == least < len(rows))


# --- drills --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """A drill with its place in the schedule."""

    drill: Drill
    weakness: float | None
    """0 to 1: how far recent calls missed what it trains, the newest weighing most; None without calls."""
    missed: int
    calls: int
    box: int
    """0 before it was ever practised, else Leitner's box from 1."""
    last: str
    days: float | None
    """Until it is due, below 0 where it is over; None where it was never practised."""

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return self.days is None or self.days <= SLACK_DAYS


def schedule(rows: Sequence[Row], drills: Sequence[Drill], *, now: str) -> tuple[Due, ...]:
    """All drills, the next one first: what is due before what is not, then the weakest, then the longest waiting."""
    ordered = in_order(rows)
    calls = list(filter(whole, ordered))
    plan = [_due(drill, calls, ordered, now) for drill in drills]

    def rank(entry: tuple[int, Due]) -> tuple[bool, float, float, int]:
        place, one = entry
        waits = 0.0 if one.due or one.days is None else one.days
        return not one.due, waits, -(one.weakness or 0.0), place

    return tuple(one for _, one in sorted(enumerate(plan), key=rank))


def _due(drill: Drill, calls: Sequence[Row], rows: Sequence[Row], now: str) -> Due:
    misses = [miss for row in calls if (miss := missed(drill, row)) is not None]
    box, since, last = 0, "", ""
    for row in rows:
        whole = row.levels > 0 and row.passed >= row.levels
        if row.kind != "drill" or row.drill != drill.id or not row.turns or (_broken_off(row) and not whole):
            continue
        last, left = row.wall, _days_left(box, since, row.wall)
        if not whole:
            box, since = 1, row.wall
        elif left is None or left <= SLACK_DAYS:
            box, since = min(box + 1, len(INTERVALS_DAYS)), row.wall
        # what was passed before it was due neither moves up nor waits anew: that is massed practice
    days = _days_left(box, since, now)
    recent = misses[-HALF_LIFE_CALLS:]
    return Due(
        drill,
        weighted_mean(misses) if misses else None,
        sum(miss >= WEAK for miss in recent),
        len(recent),
        box,
        last,
        None if days is None else round(days, 2),
    )


def _broken_off(row: Row) -> bool:
    """Whether a drill ended before anything was marked, or because a device or the program failed: it shows nothing."""
    return not row.rounds or row.outcome in BROKEN


def _days_left(box: int, since: str, now: str) -> float | None:
    """Days from `now` until what is in its box `since` then is due; None where that is not known."""
    then, today = instant(since), instant(now)
    if not box or then is None or today is None:
        return None
    return INTERVALS_DAYS[box - 1] - (today - then).total_seconds() / 86400


def missed(drill: Drill, row: Row) -> float | None:
    """How far a call missed what a drill trains, 0 to 1: the worst of its moves, its faults and its voice."""
    trained = set(drill.trains)
    parts = [float(code not in row.moves) for code in drill.all_of if code in trained]
    parts += [float(not trained & set(row.moves))] if trained & set(drill.any_of) else []
    parts += [float(code in row.faults) for code in drill.none_of if code in trained]
    for verdict in trained & set(VOICE):
        if turns := row.of(verdict):
            parts.append(math.fsum(turns) / len(turns))
    return max(parts, default=None)


def due_line(one: Due) -> str:
    """When a drill is due and why, as a phrase."""
    if one.calls:
        why = f"missed in {one.missed} of the last {words.count(one.calls, 'call')}"
    else:
        why = "no calls to go by yet"
    if one.days is None:
        when = "never practised"
    elif one.due:
        when = "due now"
    else:
        when = f"due in {math.ceil(one.days)} day{'s' if math.ceil(one.days) != 1 else ''}"
    return f"{when}; {why}"


def schedule_lines(plan: Sequence[Due]) -> list[str]:
    """The drills as lines for a terminal, the next one first."""
    return [f"{one.drill.id:22} {one.drill.name}: {due_line(one)}" for one in plan]


# --- JSON ----------------------------------------------------------------------------------------------


def row_from(data: Any) -> Row | None:
    """A row from its JSON form; None where it is none."""
    return read(Row, data)


def shown(measure: Measure, value: float) -> str:
    """A value of a measure for people."""
    places = 0 if measure.share else 2 if measure.id == "articulation_sps" else 1
    scaled = 100 * value if measure.share else value
    scaled = round(scaled, places) or 0.0  # never -0.0
    return f"{scaled:.{places}f}".replace("-", "−") + ("%" if measure.share else "")
