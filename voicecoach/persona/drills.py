"""The customer of a drill: an authored line at each level of anger, and the next one by the mark of the turn. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from voicecoach.judge.drills import TRIES, Drill, mark
from voicecoach.nouns import Assessment, Cause, Drilled, Moment, Mood, Reaction, Reply, TurnContext
from voicecoach.persona.model import Line, Persona, fill, lines_for

STATE = "DRILL"
CUE = "drill"
"""The cue of the cause that carries a turn's mark."""
TELLING = 1
"""Points of the story that have been told where the drill wants more to come."""


def begin(persona: Persona, drill: Drill, seed: int) -> Moment:
    """Where a drill begins: at its first level, with what the drill takes for granted."""
    told = len(persona.story) if drill.story == "told" else min(TELLING, len(persona.story) - 1)
    mood = Mood(
        anger=float(drill.levels[0]),
        state=STATE,
        told=told,
        met=("acknowledged", "solution") if drill.settled else (),
        seed=seed,
    )
    reply = _line(persona, drill, mood, drill.levels[0])
    story = " ".join(fill(point.lines[0].say, persona.facts) for point in persona.story[:told])
    context = TurnContext(
        customer_name=persona.full_name,
        story=story,
        history=drill.before,
        cannot=persona.brief.cannot,
        can=persona.brief.can,
    )
    return Moment(replace(mood, used=(reply.line,)), reply, context, said=(reply.text,))


def react(drill: Drill, names: Mapping[str, str]) -> Callable[[Persona, Mood, Assessment, str], Reaction]:
    """As `persona.react`, by the drill's marks: passed, and the next line is angrier; else the same anger again."""

    def answer(persona: Persona, mood: Mood, said: Assessment, text: str) -> Reaction:
        verdict = mark(drill, said, text, names)
        level, tries = mood.drill.passed, mood.drill.tries
        if level >= len(drill.levels):  # judged anew, it was over before
            return Reaction(mood, _closing(persona, drill, mood, True), ())
        passed = verdict.verdict == "passed"
        was = drill.levels[level]
        level, tries = (level + 1, 0) if passed else (level, tries + 1)
        over = level == len(drill.levels) or tries == TRIES
        anger = mood.anger if over else float(drill.levels[level])
        cause = Cause(CUE, round(anger - mood.anger, 3), f"{verdict.verdict} at anger {was}", "; ".join(verdict.why))
        result = _told(drill, level) if over else ""
        after = replace(mood, anger=anger, state=STATE, turn=mood.turn + 1, drill=Drilled(level, tries, result))
        if over:
            reply = _closing(persona, drill, after, level == len(drill.levels))
        else:
            reply = _line(persona, drill, after, drill.levels[level])
        return Reaction(replace(after, used=(*after.used, reply.line)), reply, (cause,))

    return answer


def _told(drill: Drill, passed: int) -> str:
    total = len(drill.levels)
    if passed == total:
        return f"Passed at every level of anger, {drill.levels[0]} to {drill.levels[-1]} of 5."
    return f"Passed {passed} of {total} levels; anger {drill.levels[passed]} of 5 comes next time."


def _line(persona: Persona, drill: Drill, mood: Mood, level: int) -> Reply:
    """A line at a level of anger: of those that may be spoken there, or else the nearest, the least used.

    Of these the drill's first keys come first, and the seed chooses among what is left.
    """
    choices = list(_choices(persona, drill))

    def rank(choice: tuple[str, Line]) -> tuple[int, int, int]:
        name, line = choice
        key = "story" if name.startswith("story.") else name.rpartition(".")[0]
        far = max(line.anger[0] - level, level - line.anger[1], 0)
        return far, mood.used.count(name), drill.keys.index(key)

    best = min(map(rank, choices))
    name, line = random.Random(f"{mood.seed}/{mood.turn}").choice([one for one in choices if rank(one) == best])
    return Reply(fill(line.say, persona.facts), name, min(max(level, line.anger[0]), line.anger[1]))


def _choices(persona: Persona, drill: Drill) -> Iterator[tuple[str, Line]]:
    """(id, line) of every line that the drill draws from."""
    for key in drill.keys:
        points = [f"story.{point.id}" for point in persona.story] if key == "story" else [key]
        for point in points:
            if key == "story" or point in persona.lines:
                yield from ((f"{point}.{at}", line) for at, line in enumerate(lines_for(persona, point), 1))


def _closing(persona: Persona, drill: Drill, mood: Mood, passed: bool) -> Reply:
    key = drill.thanks if passed and drill.thanks in persona.lines else "goodbye"
    line = persona.lines[key][0]
    level = min(max(round(mood.anger), line.anger[0]), line.anger[1])
    return Reply(fill(line.say, persona.facts), f"{key}.1", level, "drill over")
