"""Device rates down to 16 kHz: true to the sound, in step with it, and hardly late."""

from __future__ import annotations

import numpy as np
import pytest

from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world.down import Decimator, down


def tone(hz: float, rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(np.rint(10_000 * np.sin(2 * np.pi * hz * t)), np.int16)


def streamed(x: np.ndarray, rate_hz: int, sizes: list[int], channels: int = 1) -> tuple[np.ndarray, list[float]]:
    """The result of blocks of these sizes in turn, and how late (s) it was after each."""
    stream, parts, late, at, n = down(rate_hz, channels), [], [], 0, 0
    while at < len(x):
        block = x[at : at + sizes[n % len(sizes)]]
        at, n = at + len(block), n + 1
        parts.append(stream.resample_chunk(block, last=at == len(x)))
        late.append(at / rate_hz - sum(map(len, parts)) / SAMPLE_RATE_HZ)
    return np.concatenate(parts), late[:-1]


@pytest.mark.parametrize("rate_hz", [16_000, 32_000, 48_000])
@pytest.mark.parametrize("hz", [100.0, 1000.0, 5000.0, 6900.0])
def test_what_is_heard_stays_as_it_is(rate_hz: int, hz: float) -> None:
    """The same tone, at the same place, to 0.1 % of its power, whatever the blocks."""
    x = tone(hz, rate_hz)
    y, _ = streamed(x, rate_hz, [rate_hz // 50, 7, 1, rate_hz // 100 + 3])
    true = tone(hz, SAMPLE_RATE_HZ)

    assert len(y) == len(true)
    inner = slice(400, -400)
    assert np.mean((y[inner] - true[inner].astype(float)) ** 2) < 1e-3 * np.mean(true[inner].astype(float) ** 2)


@pytest.mark.parametrize("hz", [8100.0, 9000.0, 15_000.0, 23_000.0])
def test_what_has_no_place_at_16_khz_is_gone(hz: float) -> None:
    """By 75 dB and more; else it would come back as another tone."""
    y, _ = streamed(tone(hz, 48_000), 48_000, [960])

    assert 20 * np.log10(np.sqrt(np.mean(y[400:-400].astype(float) ** 2)) / 7071 + 1e-9) < -75


def test_it_is_late_by_three_milliseconds() -> None:
    """However small the blocks."""
    for size in (960, 480, 37):
        _, late = streamed(tone(440, 48_000), 48_000, [size])

        assert max(late) < 0.0033


def test_two_channels_are_two_of_one(rng: np.random.Generator) -> None:
    both = rng.integers(-9000, 9000, (4800, 2)).astype(np.int16)
    y, _ = streamed(both, 48_000, [960, 480], channels=2)

    assert y.shape == (1600, 2)
    for side in (0, 1):
        one, _ = streamed(both[:, side], 48_000, [4800])
        assert np.array_equal(y[:, side], one)


def test_nothing_comes_of_nothing() -> None:
    """A stream that ends at once, or twice."""
    stream = down(48_000)

    assert len(stream.resample_chunk(np.zeros(0, np.int16), last=True)) == 0
    assert len(down(48_000, 2).resample_chunk(np.zeros((0, 2), np.int16))) == 0


def test_loud_sound_does_not_wrap_around() -> None:
    """A full-scale square wave rings over full scale, and is cut there."""
    square = np.asarray(np.where(np.arange(48_000) // 120 % 2, 32767, -32768), np.int16)
    y = Decimator(3).resample_chunk(square, last=True)

    assert y.max() == 32767
    assert y.min() == -32768
    assert np.mean(y[10:30]) < -25_000


def test_other_rates_go_through_the_library() -> None:
    y, _ = streamed(tone(1000, 44_100), 44_100, [882])

    assert len(y) == pytest.approx(SAMPLE_RATE_HZ, abs=1)
    assert np.sqrt(np.mean(y[400:-400].astype(float) ** 2)) == pytest.approx(7071, rel=0.01)
