"""Long turns in pieces: where they are cut, and how what is measured of them is put together."""

from __future__ import annotations

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.measure import pieces
from voicecoach.measure.observe import HOP, Floats, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ


def floats(samples: testing.Samples) -> Floats:
    return np.asarray(samples / 32768, np.float32)


def test_the_cut_is_between_words() -> None:
    """Of nine seconds of voice with short gaps, one is cut in the middle of the last gap, not in a word."""
    voice, gap = testing.voice_like(1.4, syllables_per_s=0), testing.noise(0.16, -70.0)
    samples = floats(np.concatenate([voice, gap] * 5 + [voice]))
    gaps = [1.4 + n * 1.56 for n in range(5)]

    at_s = pieces.cut(samples) / SAMPLE_RATE_HZ

    assert any(start <= at_s <= start + 0.16 for start in gaps)
    assert at_s > len(samples) / SAMPLE_RATE_HZ - pieces.LOOK_S


@pytest.mark.parametrize("n", [0, 1, 511, 512, 2048, 2049])
def test_short_sounds_can_be_cut_too(n: int) -> None:
    """The cut is never outside."""
    assert 0 <= pieces.cut(np.zeros(n, np.float32)) <= n


def test_speech_of_pieces_is_not_counted_twice() -> None:
    """Pieces overlap in the pause between them; their speech does not."""
    assert pieces.joined_speech([(0, [(100, 200), (300, 500)]), (450, [(20, 100), (200, 300)])]) == (
        (100, 200),
        (300, 500),
        (500, 550),
        (650, 750),
    )


def test_tracks_of_pieces_stand_where_their_pieces_stand() -> None:
    """Each frame of the whole has the pitch of the piece that it lies in, the later piece where both have it."""
    first, second = (PitchTrack(np.full(40, f0), np.ones(40), "test") for f0 in (100.0, 200.0))

    track = pieces.joined_track([(0, first), (30 * HOP + 20, second)])

    assert track.f0_hz.tolist() == [100.0] * 30 + [200.0] * 40
    assert len(track.confidence) == 70
    assert track.name == "test"


def test_a_hole_between_pieces_is_unvoiced() -> None:
    """Nothing is claimed of sound that nobody listened to."""
    one = PitchTrack(np.full(10, 100.0), np.ones(10), "test")

    assert pieces.joined_track([(0, one), (20 * HOP, one)]).confidence.tolist() == [1.0] * 10 + [0.0] * 10 + [1.0] * 10
