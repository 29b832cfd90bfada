"""The live cue: at most one word on the screen while the trainee speaks, and when it goes again. Pure.

A cue interrupts a thought, so it waits for more than the verdict after the turn does, never comes in the first seconds
of a turn, stays until the voice has come back, and comes no more often than every CUE_GAP_S.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from voicecoach.judge.delivery import RAISED_DB, SOFTER
from voicecoach.nouns import Observation

SLOWER = "slower"
"""The live cue of a hurried voice."""
CUE_AFTER_S = 3.0
"""No live cue in the first seconds of a turn, where it would only startle."""
CUE_DB = RAISED_DB + 4.0
"""Effort over the calm voice from which "softer" is due: more than the verdict's line."""
CUE_RATIO = 1.35
"""Syllable nuclei a second over the calm voice's from which "slower" is due. Windows of 4 s at an unchanged pace scatter
by 12 % (our measurement: four readers, 187 overlapping windows), a calm voice's own count by 6.8 % (docs/delivery.md section 3):
together 13.8 %, so that 35 % are 2.5 standard deviations, and under 1 window in 100 lies above by chance (1 of the 187
did). Speech 1.4 times as fast counts 1.15 to 1.35 times as many nuclei, so a true hurry may take some seconds to show."""
CALM_RATIO = 1.15
"""A "slower" goes from here down: about one standard deviation of such a window."""
MIN_SPEECH_S = 2.5
"""Speech in the window without which no pace is told: 60 % of it. Our judgement."""
CUE_GAP_S = 10.0
"""From one cue to the next at least this long. Our judgement: about two sentences, so that it can be followed."""


@dataclass(frozen=True)
class CueState:
    """The cue on the screen ("" for none) and when the last one came, seconds on the session clock."""

    shown: str = ""
    last_s: float = float("-inf")


def next_cue(state: CueState, seen: Observation, into_turn_s: float, now_s: float) -> CueState:
    """The cue after one more look at the last seconds; `into_turn_s` is how long the turn has lasted.

    A new cue came where `last_s` is `now_s`. Of two that are due, "softer" goes first: a raised voice is the surer
    sign (docs/delivery.md section 0: pace does not tell anger) and the better measured one.
    """
    state = replace(state, shown="") if state.shown and _back(state.shown, seen) else state
    due = _due(seen)
    if state.shown or not due or into_turn_s < CUE_AFTER_S or now_s - state.last_s < CUE_GAP_S:
        return state
    return CueState(due, now_s)


def _due(seen: Observation) -> str:
    """The most pressing cue, or none."""
    if not seen.quality.ok or seen.relative is None:
        return ""
    if seen.relative.effort_db > CUE_DB:
        return SOFTER
    ratio = seen.relative.nuclei_ratio
    return SLOWER if ratio is not None and ratio > CUE_RATIO and seen.speech_s >= MIN_SPEECH_S else ""


def _back(cue: str, seen: Observation) -> bool:
    """Whether what the cue was about is over; what cannot be measured says nothing."""
    if not seen.quality.ok or seen.relative is None:
        return False
    if cue == SOFTER:
        return seen.relative.effort_db <= RAISED_DB
    return seen.relative.nuclei_ratio is not None and seen.relative.nuclei_ratio <= CALM_RATIO
