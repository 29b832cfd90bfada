"""Both voices side by side: which line each turn answered, what the customer said next, and what came after a cue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from voicecoach.judge.context import TOGETHER_S
from voicecoach.judge.delivery import RAISED_DB, SOFTER
from voicecoach.judge.in_kind import (
    MIN_OWN,
    RISEN_DB,
    Exchange,
    Heat,
    changes,
    effort_db,
    judge_in_kind,
    measured_well,
    own_changes,
)
from voicecoach.judge.live import CALM_RATIO, SLOWER
from voicecoach.nouns import Observation
from voicecoach.report import words
from voicecoach.report.facts import CueFacts, TurnFacts
from voicecoach.report.values import AfterCue, CustomerLine


def exchanges(lines: Sequence[CustomerLine], turns: Sequence[TurnFacts]) -> tuple[Exchange, ...]:
    """Each turn with the line that it answers and the level of the line that came next."""
    told = sorted(lines, key=lambda line: line.start_s)
    observations = [line.observation for line in told]
    own = own_changes(observations) if recorded(lines) else (None,) * len(told)
    heats = [
        (line.start_s, Heat(line.level, change, over.effort_db if over else None))
        for line, change, over in zip(told, changes(observations), own, strict=True)
    ]
    starts = sorted(turn.start_s for turn in turns)
    return tuple(_exchange(turn, heats, starts) for turn in turns)


def _exchange(turn: TurnFacts, heats: Sequence[tuple[float, Heat]], starts: Sequence[float]) -> Exchange:
    # A line that began together with the turn was not yet heard when the trainee began to speak.
    heat = next((heat for at_s, heat in reversed(heats) if at_s <= turn.start_s - TOGETHER_S), Heat(None))
    until_s = next((start for start in starts if start > turn.start_s), float("inf"))
    following = next((heat for at_s, heat in heats if turn.start_s < at_s < until_s), Heat(None))
    return Exchange(heat, turn.observation, judge_in_kind(turn.observation, heat), following.level, following.over_db)


def recorded(lines: Sequence[CustomerLine]) -> bool:
    """Whether the customer is a person on a recording: no line has a level at which it was to be spoken."""
    return bool(lines) and all(line.level is None for line in lines)


def with_own_change(lines: Sequence[CustomerLine]) -> tuple[CustomerLine, ...]:
    """A recorded customer's lines with their change from the own quieter voice; other lines as they are."""
    if not recorded(lines):
        return tuple(lines)
    told = sorted(lines, key=lambda line: line.start_s)
    own = own_changes([line.observation for line in told])
    return tuple(
        replace(line, observation=replace(line.observation, relative=change)) if line.observation and change else line
        for line, change in zip(told, own, strict=True)
    )


def why_not(lines: Sequence[CustomerLine], spoken: Sequence[Exchange], review: bool) -> str:
    """Why no turn of a recorded call could be judged against the customer; empty where one was, or it was no such call."""
    if any(one.in_kind.verdict != "unsure" for one in spoken) or not (recorded(lines) or (review and not lines)):
        return ""
    if not lines:
        return "there is no customer on record."
    well = measured_well([line.observation for line in lines])
    if well < MIN_OWN:
        return (
            f"{well} of {words.count(len(lines), 'turn')} of the customer could be measured; {MIN_OWN} are needed to know "
            "the customer's own voice."
        )
    heated = [one for one in spoken if one.heat.heated]
    if not heated:
        return f"no turn of yours answered a voice {RISEN_DB:g} dB or more over the customer's own quieter one."
    return f"{heated[0].in_kind.evidence[0].rstrip('.')}." if heated[0].in_kind.evidence else ""


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
