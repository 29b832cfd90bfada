"""The customer's view: what the simulated customer felt, when, and at which words of the trainee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from voicecoach.persona.engine import MEETS
from voicecoach.persona.model import NEEDS
from voicecoach.report import words
from voicecoach.report.values import AngerStep, Events, Feeling, ReportTurn

RISE = 0.5
"""Anger that rises by less at once is not told here (our judgement); every step is in the picture."""
MET = {
    "heard": "I felt heard",
    "acknowledged": "I felt that you knew how this was for me",
    "apologised": "I felt that you were sorry",
    "clarified": "I felt that you wanted to know what had happened",
    "solution": "I felt that this would help me",
}
NEVER = {
    "heard": "I never felt heard",
    "acknowledged": "I never felt that you knew how this was for me",
    "apologised": "I never felt that you were sorry",
    "clarified": "I never felt that you wanted to know what had happened",
    "solution": "I was never offered what would help me",
}


def feelings(anger: Sequence[AngerStep], turns: Sequence[ReportTurn]) -> tuple[Feeling, ...]:
    """What the customer felt, in the order in which it happened; what never was, last. Empty without a simulated customer."""
    if len(anger) < 2:
        return ()
    by_number = {turn.number: turn for turn in turns}
    told = [feeling for before, step in pairwise(anger) for feeling in _felt(before, step, by_number)]
    last = anger[-1]
    never = [Feeling(f"{NEVER[need]}.", None, None, None, "", last.events) for need in NEEDS if need not in last.met]
    return (*sorted(told, key=lambda feeling: feeling.start_s or 0.0), *never)


def _felt(before: AngerStep, step: AngerStep, turns: Mapping[int, ReportTurn]) -> Iterator[Feeling]:
    turn = turns.get(step.turn) if step.turn is not None else None
    events = tuple(sorted({*step.events, *(turn.events if turn else ())}))
    for need in NEEDS:
        if need in step.met and need not in before.met:
            yield _met(need, step, turn, events)
    if step.after - before.after >= RISE:
        causes = sorted((cause for cause in step.causes if cause.delta > 0), key=lambda cause: -cause.delta)
        why = ", ".join(_mine(cause.why) for cause in causes[:3])
        start_s, end_s = (turn.start_s, turn.end_s) if turn else (step.at_s, step.at_s)
        say = f"I got angrier at {words.clock(start_s)}{why and ': ' + why}."
        yield Feeling(say, start_s, end_s if turn else None, step.turn, "", events)


def _met(need: str, step: AngerStep, turn: ReportTurn | None, events: Events) -> Feeling:
    """At the words that met the need, or else when the customer reacted."""
    marks = [mark for mark in turn.marks if mark.outcome == "done" and _meets(need, mark.code)] if turn else []
    if not marks:
        return Feeling(f"{MET[need]} at {words.clock(step.at_s)}.", step.at_s, None, step.turn, "", events)
    mark = marks[0]
    return Feeling(
        f"{MET[need]} at {words.clock(mark.start_s)}.", mark.start_s, mark.end_s, mark.turn, mark.quote, events
    )


def _meets(need: str, code: str) -> bool:
    return code == "resolution" if need == "solution" else MEETS.get(code) == need


def _mine(why: str) -> str:
    """The reason as the customer would put it."""
    return why.replace("the customer's", "my").replace("the customer", "me")
