"""The customer's line on its way to the speaker: it can be played more quietly, stand still and go on, or stop."""

from __future__ import annotations

import numpy as np

from voicecoach.nouns import Samples

FADE_MS = 60
"""From full volume to silence or back: shorter clicks, longer sounds like a fault."""


class Playback:
    """Lines in a row at one rate. Not thread-safe: whoever shares it holds a lock."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._step = 1000.0 / (FADE_MS * rate_hz)
        """By how much the gain may move from one sample to the next."""
        self._rest: Samples = np.zeros(0, np.int16)
        self._at = 0
        self._gain, self._aim = 1.0, 1.0
        self._loud = 1.0
        """The gain while the line goes on."""
        self._held_at: int | None = None
        """Where the line was told to stand still: it goes on from this sample."""

    def add(self, samples: Samples) -> None:
        """Queue `samples` [shape=(n,)] behind what is there."""
        base = self._at if self._held_at is None else self._held_at
        self._rest = np.concatenate([self._rest[base:], samples])
        self._at -= base
        self._held_at = None if self._held_at is None else 0

    def change_rate(self, rate_hz: int) -> None:
        """Play on at another rate."""
        base = self._at if self._held_at is None else self._held_at
        self._rest = resampled(self._rest[base:], self.rate_hz, rate_hz)
        self._at, self._held_at = 0, None if self._held_at is None else 0
        self.rate_hz, self._step = rate_hz, 1000.0 / (FADE_MS * rate_hz)

    def pull(self, n: int) -> tuple[Samples, int]:
        """The next `n` samples, and how many of them belong to a line; silence follows it."""
        out = np.zeros(n, np.int16)
        if self._held_at is not None and self._gain == 0.0:
            self._at = self._held_at
            return out, 0
        piece = self._rest[self._at : self._at + n]
        if self._gain == self._aim == 1.0:
            out[: len(piece)] = piece
            self._at += len(piece)
            return out, len(piece)
        steps = np.arange(1, len(piece) + 1, dtype=np.float32) * self._step
        if self._aim >= self._gain:
            gains = np.minimum(self._gain + steps, self._aim)
        else:
            gains = np.maximum(self._gain - steps, self._aim)
        filled = len(piece)
        if self._held_at is not None:
            filled = min(filled, int(np.searchsorted(-gains, 0.0)) + 1)  # up to the first silent sample
        out[:filled] = piece[:filled] * gains[:filled]
        self._at += filled
        self._gain = float(gains[filled - 1]) if filled else self._aim
        return out, filled

    def duck(self, db: float) -> None:
        """Go on `db` louder or, below 0, more quietly; 0 is the line as it is."""
        self._loud = float(10 ** (db / 20))
        if self._held_at is None:
            self._aim = self._loud

    def hold(self) -> None:
        """Fade out and stand still."""
        if self._held_at is None and self.playing:
            self._held_at, self._aim = self._at, 0.0

    def go_on(self) -> None:
        """Go on from the sample at which `hold` was told, or play what is queued next at full volume."""
        if self._held_at is not None and self._gain == 0.0:
            self._at = self._held_at
        self._held_at = None
        self._loud = self._aim = 1.0
        if not self.playing:
            self._gain = 1.0

    def stop(self) -> None:
        """Fade out and forget the rest."""
        fading = round(self._gain / self._step)
        piece = self._rest[self._at : self._at + fading].astype(np.float32)
        self._rest, self._at = np.asarray(piece * np.linspace(self._gain, 0.0, len(piece)), np.int16), 0
        self._held_at = None
        self._gain = self._aim = self._loud = 1.0

    @property
    def playing(self) -> bool:
        """Whether anything is queued, also while it stands still."""
        return self._at < len(self._rest) or self._held_at is not None

    @property
    def held(self) -> bool:
        """Whether the line stands still, or fades out to do so."""
        return self._held_at is not None


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """`samples` at another rate."""
    import soxr

    return samples if from_hz == to_hz else np.asarray(soxr.resample(samples, from_hz, to_hz), np.int16)
