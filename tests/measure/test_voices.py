"""One voice or more, on made pitch tracks with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.measure import observe, voices
from voicecoach.measure.observe import HOP, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ

HOP_S = HOP / SAMPLE_RATE_HZ


def track(*parts: tuple[float, float], wobble_st: float = 1.0) -> np.ndarray:
    """Semitones over 1 Hz of parts at (Hz, for seconds), each wandering slowly."""
    pieces = []
    for f_hz, seconds in parts:
        at_s = np.arange(round(seconds / HOP_S)) * HOP_S
        pieces.append(12 * np.log2(f_hz) + wobble_st * np.sin(2 * np.pi * 1.5 * at_s))
    return np.concatenate(pieces)


def in_turn(semitones: np.ndarray, brighter_oct: float = 0.0) -> bool:
    centroid = 9.0 + brighter_oct * (semitones > np.median(semitones))
    return voices.several(semitones, centroid, np.ones(len(semitones)), HOP_S)


@pytest.mark.parametrize(
    ("semitones", "brighter_oct", "several"),
    [
        (track((110, 2), (210, 2)), 0.1, True),
        (track((110, 1), (210, 1), (110, 1), (210, 1)), 0.1, True),
        (track((110, 2), (210, 2)), 0.6, False),  # one voice that shouts is brighter too
        (track((110, 2), (140, 2)), 0.0, False),  # two men are too close
        (track((150, 4), wobble_st=6.0), 0.0, False),  # one lively voice
        (track((110, 3), (210, 0.3)), 0.0, False),  # one exclamation
        (track(*[(110, 0.1), (210, 0.1)] * 20), 0.0, False),  # octave errors
    ],
)
def test_two_people_in_turn(semitones: np.ndarray, brighter_oct: float, several: bool) -> None:
    """A low and a high voice that each keep the word, and are about as bright as each other."""
    assert in_turn(semitones, brighter_oct) == several


@pytest.mark.parametrize(
    ("leap_every", "confidence", "f_hz", "found"),
    [
        (10, 0.75, 120, True),
        (10, 0.95, 120, False),
        (10, 0.5, 120, False),
        (40, 0.75, 120, False),
        (10, 0.75, 320, False),
    ],
)
def test_two_people_at_once(leap_every: int, confidence: float, f_hz: float, found: bool) -> None:
    """A tracker that leaps and is half sure; not one that is sure, or lost, or seldom leaps, nor a shout."""
    semitones = track((f_hz, 3.0)) + 7 * (np.arange(188)[: len(track((f_hz, 3.0)))] // leap_every % 2)

    assert voices.at_once(np.arange(len(semitones)), semitones, confidence, HOP_S) == found


def test_such_a_recording_carries_no_verdict_and_is_no_baseline() -> None:
    """The sign is a reason in the quality, and no calm voice is made of it."""
    floats = np.asarray(testing.voice_like(4.0) / 32768, np.float32)
    semitones = track((110, 2), (210, 2))
    made = PitchTrack(2 ** (semitones / 12), np.full(len(semitones), 0.95), "made")

    seen = observe.observe(floats, [(0, len(floats))], made)

    assert seen.quality.reasons == (voices.IN_TURN,)
    assert observe.baseline_from([seen], "test") is None
