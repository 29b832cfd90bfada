"""When a cue comes, stays and goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voicecoach.judge.live import CUE_GAP_S, CueState, next_cue
from voicecoach.nouns import Observation, Quality, Relative


def seen(effort_db: float = 0.0, ratio: float | None = 1.0, speech_s: float = 3.5) -> Observation:
    return Observation(4.0, 4.0, speech_s, relative=Relative(0.0, 0.0, 0.0, effort_db, nuclei_ratio=ratio))


@pytest.mark.parametrize(
    ("look", "cue"),
    [
        (seen(), ""),
        (seen(effort_db=5.9), ""),
        (seen(effort_db=6.1), "softer"),
        (seen(ratio=1.34), ""),
        (seen(ratio=1.36), "slower"),
        (seen(ratio=1.36, speech_s=2.0), ""),
        (seen(effort_db=6.1, ratio=1.8), "softer"),
        (seen(ratio=None), ""),
        (replace(seen(effort_db=20), quality=Quality(False, ("noise",))), ""),
        (replace(seen(), relative=None), ""),
    ],
)
def test_what_calls_for_a_cue(look: Observation, cue: str) -> None:
    assert next_cue(CueState(), look, 5.0, 5.0).shown == cue


def test_not_in_the_first_three_seconds() -> None:
    assert next_cue(CueState(), seen(20.0, 2.0), 2.9, 2.9).shown == ""
    assert next_cue(CueState(), seen(20.0, 2.0), 3.0, 3.0).shown == "softer"


def test_a_cue_stays_until_the_voice_is_back() -> None:
    """Between the two lines it neither goes nor comes again, and another never stands beside it."""
    state = next_cue(CueState(), seen(ratio=1.4), 5.0, 5.0)
    for ratio, effort_db in ((1.2, 0.0), (1.5, 0.0), (1.3, 9.0)):
        state = next_cue(state, seen(effort_db, ratio), 8.0, 8.0)
        assert state == CueState("slower", 5.0)
    assert next_cue(state, seen(ratio=1.1), 9.0, 9.0) == CueState("", 5.0)
    assert next_cue(state, replace(seen(), relative=None), 9.0, 9.0).shown == "slower"
    assert next_cue(CueState("softer", 5.0), seen(2.5), 9.0, 9.0).shown == "softer"
    assert next_cue(CueState("softer", 5.0), seen(1.9), 9.0, 9.0).shown == ""


def test_cues_are_sparse() -> None:
    state = CueState("", 5.0)
    assert next_cue(state, seen(9.0), 8.0, 5.0 + CUE_GAP_S - 0.1).shown == ""
    assert next_cue(state, seen(9.0), 8.0, 5.0 + CUE_GAP_S).shown == "softer"
