"""The state of a call just before one of its turns, from the record alone: what a retry of that turn begins with.

Everything is taken as recorded: the moods, the verdicts of that day, the customer's words. Only the mood of the
opening, which no event holds, is made again from the persona and the seed on record; it depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from voicecoach import persona as customer
from voicecoach.errors import BadInput
from voicecoach.judge.context import next_context
from voicecoach.judge.silence import Announcements, announced
from voicecoach.measure.observe import PROVISIONAL_TURNS
from voicecoach.nouns import Baseline, Delivery, Event, Moment, Mood, Observation, Reply, TurnContext
from voicecoach.persona import Persona
from voicecoach.persona.engine import CUTS_IN, ENDINGS
from voicecoach.report.facts import Facts, Reacted, TurnFacts, gather, read, text
from voicecoach.report.values import CustomerLine


def moment_before(
    events: Sequence[Event], persona: Persona, turn: int, announcements: Announcements | None = None
) -> tuple[Moment, Baseline | None]:
    """What customer, judge and loop remembered when the trainee began turn `turn`, and the baseline at that time.

    Steps of the procedure (`Moment.done`) are left to the caller. Raises BadInput where there is no such turn, where
    it came after the end, or where the record has lost what is needed.
    """
    facts = gather(events)
    start = moment_of(facts.started)
    turns = {one.number: one for one in facts.turns}
    places = {number: place for place, number in facts.spoke}
    if turn not in turns:
        raise BadInput(f"There is no turn {turn} in this session.", _which(turns))
    before = sorted(number for number in turns if number < turn)
    cut_ins, reactions = _reactions(facts, turns[turn], places[turn])
    lines = _lines_by_turn(facts, turns, places)
    if cut_ins:
        lines[turn] = [line for line in lines.get(turn, ()) if line.start_s < cut_ins[0].at_s]
    mood = _mood(facts, persona, start, reactions)
    if mood.state in ENDINGS:
        raise BadInput(f"Turn {turn} came after the customer had ended the call.", _which(turns, turn - 1))
    answered = _answered(lines, turn)
    lost = answered is None or not mood.used or answered.id != mood.used[-1]
    if lost or answered is None or _lost(start, before, reactions):
        raise BadInput(
            f"The record has lost what the customer was like before turn {turn}, so it cannot be begun from there.",
            "Choose an earlier turn.",
        )
    began_s = turns[turn].start_s
    said = {number: _said(facts, start, lines.get(number, ()), began_s) for number in (*before, turn)}
    since = places[before[-1]] if before else -1
    asked = any(reacted.turn is None and reacted.place > since for reacted in reactions)
    last = turns[before[-1]] if before else None
    baseline, since_moved = _baseline(events, places[turn]), _same_microphone(events, places[turn])
    here = [turns[number] for number in before if places[number] > since_moved]
    moment = Moment(
        mood=mood,
        reply=Reply(answered.text, answered.id, answered.level if answered.level is not None else round(mood.anger)),
        context=_context(persona, start, [(turns[number], said[number]) for number in before]),
        said=said[turn],
        delivery=_delivery(last, start),
        own=() if baseline else _own(None if since_moved else start, here),
        patient=_patient(last, start, announcements) and not asked,
    )
    return moment, baseline


def moment_of(started: Mapping[str, Any]) -> Moment | None:
    """The moment that a session began with, from its `started`; None where it began at the beginning."""
    moment = read(Moment, started.get("moment"))
    return replace(moment, mood=replace(moment.mood, seed=seed_of(started))) if moment else None


def seed_of(started: Mapping[str, Any]) -> int:
    """The seed of a session; any whole number."""
    seed = started.get("seed")
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else 0


def _which(turns: Mapping[int, TurnFacts], until: int | None = None) -> str:
    """Which turns there are, as a sentence."""
    numbers = sorted(number for number in turns if until is None or number <= until)
    if not numbers:
        return "No turn of it can be retried: nothing was said."
    if numbers == list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 1:
        return f"There are turns {numbers[0]} to {numbers[-1]}."
    return f"There {'are turns' if len(numbers) > 1 else 'is turn'} {', '.join(map(str, numbers))}."


def _reactions(facts: Facts, turn: TurnFacts, place: int) -> tuple[list[Reacted], list[Reacted]]:
    """(how the customer cut into this very turn, every reaction before it)."""
    onset_s = turn.speech[0][0] if turn.speech else turn.start_s
    earlier = [reacted for reacted in facts.reacted if reacted.place < place]
    inside = [r for r in earlier if r.turn is None and r.mood and r.mood.state == CUTS_IN and r.at_s >= onset_s]
    return inside, [reacted for reacted in earlier if reacted not in inside]


def _lines_by_turn(
    facts: Facts, turns: Mapping[int, TurnFacts], places: Mapping[int, int]
) -> dict[int, list[CustomerLine]]:
    """The customer's lines by the turn that came next; a line that a turn spoke over belongs to that turn."""
    found: dict[int, list[CustomerLine]] = {}
    for (place, _), line in zip(facts.said, facts.lines, strict=True):
        following = (n for n in sorted(turns) if place < places[n] or line.start_s < turns[n].end_s)
        if (number := next(following, None)) is not None:
            found.setdefault(number, []).append(line)
    return found


def _mood(facts: Facts, persona: Persona, start: Moment | None, reactions: Sequence[Reacted]) -> Mood:
    """The mood after the last reaction, or that of the beginning."""
    seed = seed_of(facts.started)
    if reactions and (mood := reactions[-1].mood):
        return replace(mood, seed=seed)
    if start is not None:
        return start.mood
    recent = facts.started.get("recent")
    later = next((reacted.mood.recent for reacted in facts.reacted if reacted.mood), ())
    avoided = [text(line) for line in recent] if isinstance(recent, list) else later
    opening = customer.begin(persona, seed, avoided).mood
    return replace(opening, used=(facts.lines[0].id,)) if facts.lines else opening


def _answered(lines: Mapping[int, Sequence[CustomerLine]], turn: int) -> CustomerLine | None:
    """The line that a turn answers: the last one before it, which may have been nodded at already."""
    return next((lines[number][-1] for number in range(turn, 0, -1) if lines.get(number)), None)


def _lost(start: Moment | None, before: Sequence[int], reactions: Sequence[Reacted]) -> bool:
    """Whether a damaged line took a turn or a reaction with it that came before."""
    first = 1 + (start.mood.turn if start else 0)
    steps = [reacted.mood.turn if reacted.mood else None for reacted in reactions]
    return steps != list(range(first, first + len(steps))) or list(before) != list(range(1, len(before) + 1))


def _said(facts: Facts, start: Moment | None, lines: Sequence[CustomerLine], until_s: float) -> tuple[str, ...]:
    """What the customer said before a turn, as far as it was heard; a line that was stopped later than `until_s` as a whole.

    The line that a retry said again is part of what was said then.
    """
    again = start is not None and lines and lines[0] is facts.lines[0]
    heard = (line.heard if line.end_s <= until_s else line.text for line in (lines[1:] if again else lines))
    return (*(start.said if start and again else ()), *filter(None, heard))


def _context(persona: Persona, start: Moment | None, told: Sequence[tuple[TurnFacts, Sequence[str]]]) -> TurnContext:
    """The judge's context after the turns in `told`, the moves of the last one in its history."""
    context = TurnContext(customer_name=persona.full_name, cannot=persona.brief.cannot, can=persona.brief.can)
    context, previous = start.context if start else context, None
    for turn, said in told:
        context = next_context(context, previous, customer_said=" ".join(said), customer_finished=True, overlap_s=0.0)
        previous = turn.assessed
    return next_context(context, previous, customer_said="", customer_finished=True, overlap_s=0.0)


def _delivery(last: TurnFacts | None, start: Moment | None) -> Delivery | None:
    if last is None:
        return start.delivery if start else None
    return last.assessed.delivery if last.assessed else None


def _patient(last: TurnFacts | None, start: Moment | None, announcements: Announcements | None) -> bool:
    """Whether the turn before announced a silence."""
    if last is None:
        return start is not None and start.patient
    return last.heard is not None and bool(announced(last.reacted_to or last.heard.text, announcements))


def _baseline(events: Sequence[Event], place: int) -> Baseline | None:
    """The calibration of the call, or the provisional one that its turns had made by then on the microphone of then."""
    found = [
        event.data.get("baseline")
        for event in events[_same_microphone(events, place) : place]
        if event.kind in {"started", "calibrated"}
    ]
    return next((baseline for data in found if (baseline := read(Baseline, data))), None)


def _same_microphone(events: Sequence[Event], place: int) -> int:
    """The event since which the trainee has spoken into the microphone of event `place`."""
    first, microphone = 0, None
    for number, event in enumerate(events[:place]):
        told = event.data.get("sound") if event.kind == "started" else event.data
        if event.kind in {"started", "moved", "resumed"} and isinstance(told, Mapping):
            if microphone is not None and told.get("input") != microphone:
                first = number
            microphone = told.get("input")
    return first


def _own(start: Moment | None, before: Sequence[TurnFacts]) -> tuple[Observation, ...]:
    """The turns that a provisional baseline will be made of, as first measured, without their words and places."""
    seen = [one for turn in before if (one := turn.first_seen or turn.observation) and one.quality.ok]
    bare = (replace(one, pauses=(), fillers=(), unspoken=()) for one in seen)
    return (*(start.own if start else ()), *bare)[: PROVISIONAL_TURNS - 1]
