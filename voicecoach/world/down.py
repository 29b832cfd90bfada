"""Device rates down to 16 kHz, block by block, with as little delay as possible.

soxr hands out what it is given in blocks of its own: 7 to 39 ms late at 48 kHz, which is a frame of voice activity, and with
it a frame of every answer. At 48, 32 and 16 kHz, so for nearly every device, a short filter is late by 3 ms.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voicecoach.nouns import SAMPLE_RATE_HZ

PASS_HZ, STOP_HZ = 7000.0, 8000.0
"""Kept below, removed above: all that is measured or recognised lies under 7 kHz."""
STOP_DB = 80.0
"""By how much what is above is attenuated: to less than the noise of a microphone."""

Block = npt.NDArray[np.int16]


class Down(Protocol):
    """A stream of blocks [shape=(n,) or (n, channels)] of one rate into one of 16 kHz, in step with it."""

    def resample_chunk(self, x: Block, last: bool = False) -> Any:
        """What is ready after `x`; with `last` all of it."""


def down(rate_hz: int, channels: int = 1) -> Down:
    """From `rate_hz` to 16 kHz."""
    if rate_hz in {SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 3 * SAMPLE_RATE_HZ}:
        return Decimator(rate_hz // SAMPLE_RATE_HZ, channels)
    import soxr

    stream: Down = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, channels, dtype="int16")
    return stream


def lowpass(factor: int) -> npt.NDArray[np.float64]:
    """A linear-phase filter [shape=(2 * half + 1,)] for `factor` times 16 kHz: a sinc under Kaiser's window.

    Length and window by Kaiser's formulas (Oppenheim & Schafer, Discrete-Time Signal Processing, 7.5.3).
    """
    if factor == 1:
        return np.ones(1)
    width = (STOP_HZ - PASS_HZ) / (factor * SAMPLE_RATE_HZ)
    half = int(np.ceil((STOP_DB - 8) / (2.285 * 2 * np.pi * width) / 2))
    cutoff = (STOP_HZ + PASS_HZ) / (factor * SAMPLE_RATE_HZ)
    taps = np.sinc(cutoff * np.arange(-half, half + 1)) * np.kaiser(2 * half + 1, 0.1102 * (STOP_DB - 8.7))
    return np.asarray(taps / taps.sum())


class Decimator:
    """`factor` times 16 kHz down to 16 kHz; sample n of the result lies where sample `factor` * n of the input does."""

    def __init__(self, factor: int, channels: int = 1) -> None:
        self._factor, self._taps = factor, lowpass(factor)
        self._half = len(self._taps) // 2
        self._past = np.zeros((self._half, channels))
        """What the next sample of the result still needs."""
        self._skip = 0
        """Samples of the input from there to the one on which it lies."""

    def resample_chunk(self, x: Block, last: bool = False) -> Block:
        """See Down."""
        new = (x if x.ndim > 1 else x[:, None]).astype(np.float64)
        end = np.zeros((self._half * last, new.shape[1]))
        whole = np.concatenate([self._past, new, end])
        n = len(whole) - 2 * self._half
        if n <= 0:
            self._past = whole
            return np.zeros((0, *x.shape[1:]), np.int16)
        smooth = np.stack([np.convolve(side, self._taps, "valid") for side in whole.T], axis=1)
        kept = smooth[self._skip :: self._factor]
        self._skip = (self._skip - n) % self._factor
        self._past = whole[n:]
        return np.asarray(np.clip(np.rint(kept), -32768, 32767), np.int16).reshape(-1, *x.shape[1:])
