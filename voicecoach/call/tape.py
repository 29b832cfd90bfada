"""The last seconds of one channel of the call, by their place on the session clock."""

from __future__ import annotations

from collections import deque

import numpy as np

from voicecoach.nouns import Floats, Samples


class Tape:
    """Blocks, one after the other without gaps; old ones are forgotten."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, Samples]] = deque()
        """As (first sample, samples)."""

    @property
    def start(self) -> int:
        """The first sample that is kept; 0 where nothing is."""
        return self._blocks[0][0] if self._blocks else 0

    def add(self, at: int, samples: Samples) -> None:
        """Append the block that begins at `at`."""
        self._blocks.append((at, samples))

    def forget(self, before: int) -> None:
        """Drop the blocks that begin before the sample `before`."""
        while self._blocks and self._blocks[0][0] < before:
            self._blocks.popleft()

    def all(self) -> Samples:
        """All that is kept [shape=(n,)], from `start` on."""
        return self.last(len(self._blocks))

    def last(self, blocks: int) -> Samples:
        """The last so many blocks [shape=(n,)]."""
        kept = [samples for _, samples in self._blocks]
        return np.concatenate(kept[max(0, len(kept) - blocks) :]) if kept else np.zeros(0, np.int16)

    def between(self, start: int, end: int | None = None) -> Floats:
        """From `start` to `end`, or to the last sample, as far as it is kept [shape=(n,)], -1 to 1."""
        first = self.start
        part = self.all()[max(0, start - first) : None if end is None else max(0, end - first)]
        return np.asarray(part.astype(np.float32) / 32768, np.float32)
