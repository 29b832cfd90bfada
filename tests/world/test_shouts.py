"""The second look keeps quiet for everything that is no voice, and changes nothing of what was found at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voicecoach.measure.activity import FRAME, THRESHOLD
from voicecoach.measure.observe import Floats
from voicecoach.measure.turns import START_S
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world import audiofiles, vad
from voicecoach.world.shouts import SecondLook

DATA = Path(__file__).parents[1] / "data"
SEED = 4
T = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


def harmonic(f0_hz: float) -> Floats:
    return np.asarray(sum(0.2 / k * np.sin(2 * np.pi * f0_hz * k * T) for k in range(1, 6)), np.float32)


def pink() -> Floats:
    spectrum = np.fft.rfft(np.random.default_rng(SEED).normal(size=len(T)))
    shaped = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), len(T))
    return np.asarray(0.5 * shaped / np.abs(shaped).max(), np.float32)


def clicks() -> Floats:
    rng = np.random.default_rng(SEED)
    return np.asarray(np.where(rng.random(len(T)) < 0.001, rng.normal(0, 0.5, len(T)), 0), np.float32)


def barks() -> Floats:
    t = T[:3200]
    bark = sum((0.3 / k * np.sin(2 * np.pi * 650 * k * t * (1 - 0.3 * t))) for k in range(1, 6)) * np.hanning(3200)
    return np.asarray(np.concatenate([bark, np.zeros(3200)] * 8), np.float32)


NO_VOICES: dict[str, Callable[[], Floats]] = {
    **{f"tone {hz} Hz": lambda hz=hz: np.asarray(0.2 * np.sin(2 * np.pi * hz * T), np.float32)  # type: ignore[misc]
       for hz in (150, 200, 250, 300, 350, 400, 450, 500, 600, 800, 1000, 2000)},
    **{f"harmonics of {hz} Hz": lambda hz=hz: harmonic(hz) for hz in (400, 520, 700)},  # type: ignore[misc]
    "white noise": lambda: np.asarray(np.random.default_rng(SEED).normal(0, 0.1, len(T)), np.float32),
    "pink noise": pink,
    "clicks": clicks,
    "siren": lambda: np.asarray(
        0.2 * np.sin(2 * np.pi * np.cumsum(600 + 200 * np.sin(5 * T)) / SAMPLE_RATE_HZ), np.float32
    ),
    "chord": lambda: np.asarray(sum(0.1 * np.sin(2 * np.pi * hz * T) for hz in (523, 659, 784)), np.float32),
    "barks": barks,
}  # fmt: skip


def looks(samples: Floats) -> tuple[list[float], list[float]]:
    """What the first detector says frame by frame, and what the loop goes by."""
    room = np.asarray(np.random.default_rng(SEED).normal(0, 3e-4, 2 * SAMPLE_RATE_HZ), np.float32)
    everything = np.concatenate([room, samples, room])
    first, second = vad.VoiceActivity(), SecondLook()
    before, after = [], []
    for at in range(0, len(everything) - FRAME + 1, FRAME):
        frame = everything[at : at + FRAME]
        before.append(float(first.push(frame)[0]))
        after.append(second.push(frame, before[-1]))
    return before, after


def longest(probabilities: list[float]) -> float:
    """Seconds of the longest run of voice."""
    best = run = 0
    for probability in probabilities:
        run = run + 1 if probability >= THRESHOLD else 0
        best = max(best, run)
    return best * FRAME / SAMPLE_RATE_HZ


@pytest.mark.models
@pytest.mark.parametrize("name", NO_VOICES)
def test_what_is_no_voice_opens_no_turn(name: str) -> None:
    assert longest(looks(NO_VOICES[name]())[1]) < START_S


@pytest.mark.models
def test_ordinary_speech_is_found_as_before() -> None:
    """Nothing is taken away, and hardly anything is added to a voice that was heard at once."""
    before, after = looks(audiofiles.read_with_flat(DATA / "jfk.flac")[0])

    assert all(b <= a for b, a in zip(before, after, strict=True))
    assert sum((b < THRESHOLD) != (a < THRESHOLD) for b, a in zip(before, after, strict=True)) < 0.05 * len(before)


@pytest.mark.models
def test_a_voice_above_the_detectors_range_is_found() -> None:
    """A reading played so high that the detector hears hardly anything: the second look hears more of it."""
    voice = audiofiles.read_with_flat(DATA / "LJ001-0002.flac")[0]
    high = np.asarray(np.interp(np.arange(0, len(voice) - 1, 2.4), np.arange(len(voice)), voice), np.float32)
    before, after = (sum(p >= THRESHOLD for p in look) for look in looks(high))

    assert after > before + 3
