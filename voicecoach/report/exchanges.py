"""Both voices side by side: which line each turn answered, what the customer said next, and what came after a cue."""

from __future__ import annotations

from collections.abc import Sequence

from voicecoach.judge.context import TOGETHER_S
from voicecoach.judge.delivery import RAISED_DB, SOFTER
from voicecoach.judge.in_kind import Exchange, Heat, changes, effort_db, judge_in_kind
from voicecoach.report import words
from voicecoach.report.facts import CueFacts, TurnFacts
from voicecoach.report.values import AfterCue, CustomerLine


def exchanges(lines: Sequence[CustomerLine], turns: Sequence[TurnFacts]) -> tuple[Exchange, ...]:
    """Each turn with the line that it answers and the level of the line that came next."""
    told = sorted(lines, key=lambda line: line.start_s)
    heats = [
        (line.start_s, Heat(line.level, change))
        for line, change in zip(told, changes([line.observation for line in told]), strict=True)
    ]
    starts = sorted(turn.start_s for turn in turns)
    return tuple(_exchange(turn, heats, starts) for turn in turns)


def _exchange(turn: TurnFacts, heats: Sequence[tuple[float, Heat]], starts: Sequence[float]) -> Exchange:
    # A line that began together with the turn was not yet heard when the trainee began to speak.
    heat = next((heat for at_s, heat in reversed(heats) if at_s <= turn.start_s - TOGETHER_S), Heat(None))
    until_s = next((start for start in starts if start > turn.start_s), float("inf"))
    following = next((heat.level for at_s, heat in heats if turn.start_s < at_s < until_s), None)
    return Exchange(heat, turn.observation, judge_in_kind(turn.observation, heat), following)


# --- after a cue -------------------------------------------------------------------------------------


def after_cues(turn: TurnFacts, following: TurnFacts | None) -> tuple[AfterCue, ...]:
    """Whether the voice came back under the line for raised, in the rest of the turn or in the next one."""
    return tuple(_after_cue(cue, turn, following) for cue in turn.cues)


def _after_cue(cue: CueFacts, turn: TurnFacts, following: TurnFacts | None) -> AfterCue:
    before_db, whole = cue.effort_db, ""
    if before_db is None:  # older records lack it
        before_db, whole = effort_db(turn.observation), " (the whole turn)"
    measured = [
        (db, where)
        for db, where in (
            (effort_db(cue.rest), "in the rest of the turn"),
            (effort_db(following.observation if following else None), "in the next turn"),
        )
        if db is not None
    ]
    if cue.text != SOFTER or before_db is None or not measured:
        return AfterCue(cue.text, None, f"on your screen: “{cue.text}”; what came after it was not measured")
    db, where = next((entry for entry in measured if entry[0] <= RAISED_DB), measured[0])
    went, came_back = "fell" if db < before_db else "went", db <= RAISED_DB
    told = (
        f"after the cue “{cue.text}” your effort {went} from {words.signed(before_db)}{whole} to {words.signed(db)} dB {where}, "
        f"{'back under' if came_back else 'not back under'} +{RAISED_DB:g}"
    )
    return AfterCue(cue.text, came_back, told)
