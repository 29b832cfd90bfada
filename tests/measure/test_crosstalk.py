"""Crosstalk: one side's voice on the other's channel is found, whatever it sounds like; two people at once are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from voicecoach.measure.crosstalk import come_through, left
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats

RATE = SAMPLE_RATE_HZ


def babble(seed: int, seconds: float) -> Floats:
    """Noise with the spectrum and the syllables of speech, RMS about 0.1."""
    rng = np.random.default_rng(seed)
    noise = np.convolve(rng.normal(0, 1, round(seconds * RATE)), np.hanning(9), "same")
    time_s = np.arange(len(noise)) / RATE
    syllables = 0.05 + np.abs(np.sin(np.pi * (3.5 + 0.4 * seed) * time_s + seed))
    sound = noise * syllables
    return np.asarray(0.1 * sound / np.sqrt(np.mean(sound**2)), np.float32)


def reader(samples: Floats):  # type: ignore[no-untyped-def]
    return lambda start, end: samples[max(0, start) : end]


def room(samples: Floats, delay_s: float, level_db: float) -> Floats:
    """What comes through: later, duller, with a tail, fainter."""
    rng = np.random.default_rng(9)
    tail = rng.normal(0, 1, round(0.05 * RATE)) * np.exp(-np.arange(round(0.05 * RATE)) / (0.008 * RATE))
    tail[0] = 3.0
    through = np.convolve(samples, tail)[: len(samples)]
    through *= 10 ** (level_db / 20) * np.sqrt(np.mean(samples**2) / np.mean(through**2))
    return np.asarray(np.concatenate([np.zeros(round(delay_s * RATE)), through])[: len(samples)], np.float32)


@pytest.mark.parametrize("delay_s", [0.0, 0.004, 0.25, 0.7])
@pytest.mark.parametrize("level_db", [-12.0, -25.0, -35.0])
def test_what_came_through_is_found_up_to_the_own_voice(delay_s: float, level_db: float) -> None:
    """Four seconds of the other side, then two of the own voice, in one stretch without a gap."""
    other = np.concatenate([babble(1, 4.0), np.zeros(3 * RATE, np.float32)])
    own = np.zeros_like(other)
    begins = round((4.0 + delay_s) * RATE)
    own[begins : begins + 2 * RATE] = babble(2, 2.0)
    noise = np.random.default_rng(5).normal(0, 2e-4, len(own))
    channel = np.asarray(room(other, delay_s, level_db) + own + noise, np.float32)
    span = (round(delay_s * RATE), begins + 2 * RATE)

    through = come_through([span], [(0, 4 * RATE)], reader(channel), reader(other))
    (mine,) = left([span], through)

    assert mine[0] == pytest.approx(begins, abs=0.25 * RATE)
    assert mine[1] == span[1]
    assert come_through([(0, 4 * RATE)], [span], reader(other), reader(channel)) == ()


def test_two_people_at_once_are_two_people() -> None:
    """The same moment, another voice: as loud, or 20 dB softer; also on a line with hum and an offset on both sides."""
    other = babble(1, 6.0)
    hum = 0.002 * np.sin(2 * np.pi * 50 * np.arange(6 * RATE) / RATE) + 0.01
    for level in (1.0, 0.1):
        mine = np.asarray(level * babble(3, 6.0) + hum, np.float32)
        spans = [(RATE, 2 * RATE), (3 * RATE, 6 * RATE)]

        through = come_through(spans, [(0, 6 * RATE)], reader(mine), reader(np.asarray(other + hum, np.float32)))

        assert left(spans, through) == tuple(spans)


def test_an_equal_voice_on_both_channels_is_not_taken_away() -> None:
    """Of two as loud as each other nobody can tell which one came through."""
    both = babble(1, 4.0)

    assert come_through([(0, 4 * RATE)], [(0, 4 * RATE)], reader(both), reader(both)) == ()


def test_edges_are_no_speech_and_stretches_elsewhere_stay_as_they_are() -> None:
    """What is left between two windows is dropped where it is under a fifth of a second; a short "yes" elsewhere is not."""
    spans = [(0, 2 * RATE), (5 * RATE, 5 * RATE + 2000)]

    assert left(spans, [(0, RATE), (RATE + 1000, 2 * RATE - 8000)]) == ((2 * RATE - 8000, 2 * RATE), spans[1])
    assert left(spans, [(0, 2 * RATE)]) == (spans[1],)
    assert left(spans, ()) == tuple(spans)
