"""A second look for the live loop: shouts above what the voice detector knows as speech.

From about 500 Hz on the detector gives no frames, although it does for the same sound played slower (`hearing`, for
files). So while the microphone is loud and the detector silent, a second detector hears it slowed. A dog, a siren or a
whistle are neither to the one nor to the other.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from voicecoach.measure.activity import FRAME, THRESHOLD
from voicecoach.nouns import Floats
from voicecoach.world import vad
from voicecoach.world.hearing import SLOWED

OVER_NOISE_DB = 20.0
"""Only sound this far above the quietest of late is a shout: a calm voice lies 20 to 40 dB above a room's noise. Our
judgement."""
SURE = 0.65
"""Probability that the slowed sound must reach: more than the 0.5 of ordinary speech, because a false start would
interrupt the customer. No tone, harmonic tone, noise, click, chord, siren or bark reached it (tests/world/
test_shouts.py); of four shouts that open no turn without it, three do (RAVDESS, strong anger). Our judgement."""
LEAD = 16
"""Frames before the loud one that the second detector hears first (0.5 s), so that it is warm."""
QUIET = 20
"""Frames (0.64 s) without loud sound after which the second detector rests again."""
_RISE_DB = 0.03
"""How fast the estimate of the noise rises, a frame: 1 dB a second."""


class SecondLook:
    """Takes each frame with the first detector's probability; gives the probability to go by."""

    def __init__(self) -> None:
        self._noise_db = 0.0
        self._before: deque[Floats] = deque(maxlen=LEAD)
        self._stream: Any = None
        self._detector = vad.VoiceActivity()
        self._rest = np.zeros(0, np.float32)
        self._quiet = 0

    def push(self, frame: Floats, probability: float) -> float:
        """`frame` [shape=(FRAME,)] float32, 16 kHz; `probability` is what the first detector made of it."""
        level_db = 10 * float(np.log10(np.mean(frame.astype(np.float64) ** 2) + 1e-10))
        self._noise_db = min(level_db, self._noise_db + _RISE_DB)
        loud = level_db > self._noise_db + OVER_NOISE_DB
        missed = loud and probability < THRESHOLD
        if missed and self._stream is None:
            self._begin()
        slowed = self._hear(frame) if self._stream is not None else 0.0
        self._quiet = 0 if loud else self._quiet + 1
        if self._quiet > QUIET:
            self._stream = None
        self._before.append(frame)
        return max(probability, slowed) if missed and slowed >= SURE else probability

    def _begin(self) -> None:
        import soxr

        self._stream = soxr.ResampleStream(1.0, SLOWED, 1, dtype="float32")
        self._detector, self._rest = vad.VoiceActivity(), np.zeros(0, np.float32)
        for frame in self._before:
            self._hear(frame)

    def _hear(self, frame: Floats) -> float:
        """The highest probability of what the slowed frame adds."""
        self._rest = np.concatenate([self._rest, self._stream.resample_chunk(frame)])
        whole = len(self._rest) - len(self._rest) % FRAME
        found = self._detector.push(self._rest[:whole])
        self._rest = self._rest[whole:]
        return float(found.max()) if len(found) else 0.0
