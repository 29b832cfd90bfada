"""What to say first: up to three things done well and up to three to work on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from voicecoach.judge.delivery import is_flat
from voicecoach.judge.silence import LONG_GAP_S, LONG_PAUSE_S, Silence
from voicecoach.judge.sources import OF_SILENCE
from voicecoach.judge.steps import premature
from voicecoach.nouns import Delivery, InKind
from voicecoach.report import words
from voicecoach.report.values import AngerStep, Mark, Point, ReportTurn, StepLine

MOST = 3
"""A debrief that names more is not acted on."""
MIN_MEASURED = 2
"""One turn may be luck; a way of speaking takes two that were measured."""
WEIGHTS = [
    "empathise",
    "restate_facts",
    "restate_feelings",
    "apologise",
    "check_understanding",
    "resolution",
    "checkback",
    "clarify",
    "work_together",
    "alternatives",
    "res_when",
    "res_who",
    "willingness",
    "follow_up",
    "explain",
    "referral",
    "use_name",
    "verbal_nod",
]
"""Moves, weightiest first, for equal effect on the customer: what the five procedures share stands before what one asks."""
SEVERITY = [
    "blame_customer",
    "argue",
    "interrupt",
    "calm_down",
    "admit_liability",
    "overpromise",
    "insincere",
    "excuse",
    "premature_solution",
    "policy_hiding",
    "negative_language",
    "jargon",
]
"""Faults, gravest first, for equal effect on the customer (our judgement)."""


def well(turns: Sequence[ReportTurn], anger: Sequence[AngerStep], *, provisional: bool = False) -> tuple[Point, ...]:
    """Up to three things done well, the most telling first.

    Candidates are each move that was clearly made (`made`; one Point a code, its best instance), and quiet,
    slow delivery where no turn was strained, or a calm voice held against a heated customer. Moves rank by how far they calmed the customer in this very
    call (the fall of anger that names them as its cause, before the limits of one turn), then by `WEIGHTS`, then by time. Quiet, slow delivery
    stands second at best: what was said comes first. The second and third prefer turns not yet quoted. Where the calm voice
    is `provisional` (the first turns), nobody knows whether it was quiet: only that it did not rise.
    """
    effect, taken = _effects(anger), _effects(map(felt, anger))
    moves = [mark for turn in turns for mark in made(turn)]
    ranked = sorted(moves, key=lambda mark: (effect(mark), _rank(WEIGHTS, mark.code), mark.start_s))
    chosen = _spread(_first_of_each_code(ranked))
    points = [_point(mark, _changed("fell", -taken(mark))) for mark in chosen]
    calm = _held_steady(turns) or _calm_voice(turns, provisional)
    return tuple(([*points[:1], calm, *points[1:]] if calm else points)[:MOST])


def made(turn: ReportTurn) -> tuple[Mark, ...]:
    """The moves that were clearly made in a turn; words that are the fault of a premature solution are none."""
    return tuple(m for m in turn.marks if (m.kind, m.outcome) == ("move", "done") and not premature(m, turn.marks))


def work(
    turns: Sequence[ReportTurn], anger: Sequence[AngerStep], steps: Sequence[StepLine], silences: Sequence[Silence] = ()
) -> tuple[Point, ...]:
    """Up to three things to work on, the gravest first.

    In this order: the two gravest faults that were clearly shown; a voice that matched the customer's anger, or else
    was raised or hurried; further shown faults;
    steps of the procedure that were not heard, in the procedure's order; the longest silence that was not announced; last, and marked as
    uncertain, faults on weaker evidence. Faults go by how far they angered the customer in this call, then by
    `SEVERITY`, then by time; of each code only the gravest instance.
    """
    effect, taken = _effects(anger), _effects(map(felt, anger))
    faults = [mark for turn in turns for mark in turn.marks if mark.kind == "fault"]
    ranked = _first_of_each_code(
        sorted(
            faults, key=lambda mark: (mark.outcome != "shown", -effect(mark), _rank(SEVERITY, mark.code), mark.start_s)
        )
    )
    points = [_point(mark, _changed("rose", taken(mark))) for mark in ranked]
    shown = [point for point in points if point.certain]
    candidates = [
        *shown[: MOST - 1],
        *(_matched_anger(turns) or _strained_voice(turns)),
        *shown[MOST - 1 :],
        *(_missing(step) for step in steps if step.outcome == "not heard" and step.looked_for),
        *_waits(turns, silences),
        *(point for point in points if not point.certain),
    ]
    return tuple(candidates[:MOST])


def felt(step: AngerStep) -> AngerStep:
    """The step with what the limits took (`cap`) shared out over the causes that it was taken from, by their sizes."""
    cap = math.fsum(cause.delta for cause in step.causes if cause.cue == "cap")
    causes = [cause for cause in step.causes if cause.cue != "cap"]
    whole = math.fsum(cause.delta for cause in causes if cause.delta * cap < 0)
    left = max(0.0, (whole + cap) / whole) if whole else 1.0
    return replace(
        step,
        causes=tuple(replace(one, delta=one.delta * left) if one.delta * cap < 0 else one for one in causes),
    )


def _changed(how: str, by: float) -> str:
    """That the anger rose or fell by so much; empty where that shows as nothing."""
    return f"The customer's anger {how} by {by:.1f}." if round(by, 1) > 0 else ""


def _effects(anger: Iterable[AngerStep]) -> Callable[[Mark], float]:
    """A function from a mark to the change of anger that names it as its cause, 0 where none does."""
    table: dict[tuple[int | None, str], float] = {}
    for step in anger:
        for cause in step.causes:
            table[step.turn, cause.cue] = table.get((step.turn, cause.cue), 0.0) + cause.delta
    return lambda mark: table.get((mark.turn, mark.code), 0.0)


def _rank(order: Sequence[str], code: str) -> int:
    return order.index(code) if code in order else len(order)


def _first_of_each_code(marks: Iterable[Mark]) -> list[Mark]:
    first: dict[str, Mark] = {}
    for mark in marks:
        first.setdefault(mark.code, mark)
    return list(first.values())


def _spread(marks: Sequence[Mark]) -> list[Mark]:
    """The best mark of each turn before the second best of any; otherwise in the order given."""
    seen: dict[int, int] = {}
    order = []
    for place, mark in enumerate(marks):
        seen[mark.turn] = seen.get(mark.turn, 0) + 1
        order.append((seen[mark.turn], place, mark))
    return [mark for _, _, mark in sorted(order, key=lambda entry: entry[:2])]


def _point(mark: Mark, evidence: str) -> Point:
    return Point(
        title=words.code(mark.code),
        quote=mark.quote,
        evidence=evidence,
        advice=mark.advice,
        source=mark.source,
        turn=mark.turn,
        start_s=mark.start_s,
        end_s=mark.end_s,
        certain=mark.outcome in ("done", "shown"),
        rule=mark.rule,
    )


def _in_kind(turns: Sequence[ReportTurn], verdict: str) -> list[tuple[ReportTurn, InKind]]:
    """The turns with that verdict against a heated customer, the most heated first."""
    found = [(turn, turn.in_kind) for turn in turns if turn.in_kind and turn.in_kind.verdict == verdict]
    return sorted(found, key=lambda entry: (-(entry[1].level or 0), entry[0].number))


def _held_steady(turns: Sequence[ReportTurn]) -> Point | None:
    """The calm voice held against a heated customer, at least twice and never lost; a flat voice is no example of it."""
    held = _in_kind(turns, "held")
    natural = [entry for entry in held if not is_flat(entry[0].observation)]
    if len(held) < MIN_MEASURED or not natural or _in_kind(turns, "matched the anger"):
        return None
    best, in_kind = natural[0]
    return _in_kind_point(best, in_kind, "Held steady", _of_judged(len(held), turns))


def _matched_anger(turns: Sequence[ReportTurn]) -> list[Point]:
    """The turn that matched the anger of the most heated line, with how many did."""
    matched = _in_kind(turns, "matched the anger")
    return [
        _in_kind_point(turn, in_kind, "Matched the anger", _of_judged(len(matched), turns))
        for turn, in_kind in matched[:1]
    ]


def _of_judged(count: int, turns: Sequence[ReportTurn]) -> str:
    judged = sum(turn.in_kind is not None and turn.in_kind.verdict != "unsure" for turn in turns)
    return f"{count} of {words.count(judged, 'turn')} after a heated line."


def _in_kind_point(turn: ReportTurn, in_kind: InKind, title: str, evidence: str) -> Point:
    point = _delivery_point(turn, f"{title} while the customer was {words.heat(in_kind.level)}", evidence)
    shown = f"{evidence} Turn {turn.number}: {words.evidence(in_kind.evidence)}."
    return replace(point, evidence=shown, source=in_kind.source)


def _calm_voice(turns: Sequence[ReportTurn], provisional: bool) -> Point | None:
    """Quiet in every turn whose loudness was judged, and none rushed; the longest with a natural range is the one to hear.

    It was so throughout only where every turn but nods was judged.
    """
    if any(turn.delivery and _strain(turn.delivery) for turn in turns) or _in_kind(turns, "matched the anger"):
        return None
    measured = [turn for turn in turns if turn.delivery and turn.delivery.loudness != "unsure"]
    verdicts = {(turn.delivery.loudness, turn.delivery.pace) for turn in measured if turn.delivery}
    if len(measured) < MIN_MEASURED or not verdicts <= {("quiet", "slow"), ("quiet", "brisk"), ("quiet", "unsure")}:
        return None
    natural = [turn for turn in measured if not is_flat(turn.observation)]
    if not natural:
        return None  # a monotone is never rewarded
    best = max(natural, key=lambda turn: (turn.end_s - turn.start_s, -turn.number))
    slow = verdicts == {("quiet", "slow")}
    title = "Spoke quietly and slowly" if slow else "Kept your voice down"
    said = [turn for turn in turns if turn.text and {mark.code for mark in turn.marks} != {"verbal_nod"}]
    told = f"{words.count(len(measured), 'measured turn')}, none raised or rushed."
    if len(measured) < len(said):
        told = f"{len(measured)} of {words.count(len(said), 'turn')} could be judged, none of them raised or rushed."
    else:
        title = f"{title} throughout"
    return _delivery_point(best, "Kept to the voice of your first turns" if provisional else title, told)


def _strained_voice(turns: Sequence[ReportTurn]) -> Iterator[Point]:
    """The turn in which the voice was furthest from quiet and slow, with how often it was."""
    strained = [(turn, titles) for turn in turns if turn.delivery and (titles := _strain(turn.delivery))]
    if strained:
        worst, titles = min(strained, key=lambda entry: (_STRAIN_ORDER.index(entry[1]), entry[0].number))
        yield _delivery_point(worst, titles, f"{len(strained)} of {words.count(len(turns), 'turn')}.")


def _strain(delivery: Delivery) -> str:
    """What was wrong with the voice, as a title; empty if nothing was."""
    return _STRAINS.get((delivery.loudness, delivery.pace == "rushed"), "")


_STRAINS = {
    ("shouting", True): "Shouted, and rushed",
    ("shouting", False): "Shouted",
    ("raised", True): "Raised your voice and rushed",
    ("raised", False): "Raised your voice",
    ("quiet", True): "Rushed",
    ("unsure", True): "Rushed",
}
_STRAIN_ORDER = tuple(_STRAINS.values())


def _delivery_point(turn: ReportTurn, title: str, evidence: str) -> Point:
    spoken = turn.delivery
    shown = words.evidence(spoken.evidence) if spoken else ""
    return Point(
        title=title,
        quote=turn.text,
        evidence=" ".join(filter(None, (evidence, shown and f"Turn {turn.number}: {shown}."))),
        advice=spoken.advice if spoken else "",
        source="001.3",
        turn=turn.number,
        start_s=turn.start_s,
        end_s=turn.end_s,
    )


def _missing(step: StepLine) -> Point:
    moment = step.moment
    said = "These are the customer's words; yours could follow them. " if moment and moment.who == "customer" else ""
    return Point(
        f"“{step.name}” was not heard",
        moment.quote if moment else "",
        f"{said}Listened for: {step.looked_for}.",
        step.could or step.rule,
        step.source,
        None,
        moment.start_s if moment else None,
        moment.end_s if moment else None,
        rule=step.rule,
    )


def _waits(turns: Sequence[ReportTurn], silences: Sequence[Silence]) -> Iterator[Point]:
    """The longest silence that was hard to bear and had not been announced."""
    dead = [one for one in silences if one.verdict == "dead air"]
    known = {one.turn for one in silences}
    for turn in turns:  # a record may tell of a wait that its times do not show
        gap_s = (turn.observation.response_gap_s or 0.0) if turn.observation else 0.0
        if gap_s > LONG_GAP_S and turn.number not in known:
            start_s = max(0.0, turn.start_s - gap_s)
            dead.append(Silence("answer", start_s, start_s + gap_s, 0.0, "", turn.number, "dead air"))
    if not dead:
        return
    worst = max(dead, key=lambda one: (one.dead_s, -one.start_s))
    after = next((turn for turn in turns if turn.number == worst.turn), None)
    where = f"in turn {worst.turn}" if worst.kind == "pause" else f"before turn {worst.turn}"
    line_s = LONG_PAUSE_S if worst.kind == "pause" else LONG_GAP_S
    announced = f", {worst.explained_s:.0f} s of it announced" if worst.explained_s else ""
    yield Point(
        title="Left the customer waiting",
        quote=after.text if after else "",
        evidence=f"{worst.end_s - worst.start_s:.1f} s of silence {where if after else 'until the customer asked'}{announced} "
        f"(up to {line_s:.0f} s is easy to bear).",
        advice="Say that you are looking into it; a short sentence is enough.",
        source="house",
        turn=worst.turn,
        start_s=worst.start_s,
        end_s=after.end_s if after else worst.end_s,
        rule=OF_SILENCE,
    )
