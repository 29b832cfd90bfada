"""Both voices side by side: which line each turn answered, what the customer said next, and what came after a cue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voicecoach.judge.context import TOGETHER_S
from voicecoach.judge.delivery import RAISED_DB, SOFTER
from voicecoach.judge.in_kind import Exchange, Heat, changes, effort_db, judge_in_kind
from voicecoach.judge.live import CALM_RATIO, SLOWER
from voicecoach.nouns import Observation
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
    """Whether the voice came back to its line, in the rest of the turn or in the next one."""
    return tuple(_after_cue(cue, turn, following) for cue in turn.cues)


def _after_cue(cue: CueFacts, turn: TurnFacts, following: TurnFacts | None) -> AfterCue:
    later = ((cue.rest, "in the rest of the turn"), (following.observation if following else None, "in the next turn"))
    if cue.text == SOFTER:
        before, whole = cue.effort_db, ""
        if before is None:  # older records lack it
            before, whole = effort_db(turn.observation), " (the whole turn)"
        measured = [(db, where) for seen, where in later if (db := effort_db(seen)) is not None]
        return _told(cue.text, "effort", before, whole, measured, (RAISED_DB, f"+{RAISED_DB:g}"), _decibels)
    measured = [(ratio, where) for seen, where in later if (ratio := _nuclei_ratio(seen)) is not None]
    line = (CALM_RATIO, f"{CALM_RATIO:.2f}")
    before = cue.nuclei_ratio if cue.text == SLOWER else None
    return _told(cue.text, "pace", before, "", measured, line, _times)


def _told(
    cue: str,
    what: str,
    before: float | None,
    whole: str,
    measured: Sequence[tuple[float, str]],
    line: tuple[float, str],
    unit: Callable[[float, float], tuple[str, str]],
) -> AfterCue:
    """The value at the cue and the one after it: the first that came back, or else the first."""
    if before is None or not measured:
        return AfterCue(cue, None, f"on your screen: “{cue}”; what came after it was not measured")
    after, where = next((entry for entry in measured if entry[0] <= line[0]), measured[0])
    went, came_back = "fell" if after < before else "went", after <= line[0]
    first, second = unit(before, after)
    told = (
        f"after the cue “{cue}” your {what} {went} from {first}{whole} to {second} {where}, "
        f"{'back under' if came_back else 'not back under'} {line[1]}"
    )
    return AfterCue(cue, came_back, told)


def _decibels(before: float, after: float) -> tuple[str, str]:
    return words.signed(before), f"{words.signed(after)} dB"


def _times(before: float, after: float) -> tuple[str, str]:
    return f"{before:.2f}", f"{after:.2f} times your calm rate"


def _nuclei_ratio(observation: Observation | None) -> float | None:
    """The pace counted in the sound, against the calm voice's, where it was measured well."""
    good = observation is not None and observation.quality.ok and observation.relative is not None
    return observation.relative.nuclei_ratio if good and observation and observation.relative else None
