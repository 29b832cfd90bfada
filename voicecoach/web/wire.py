"""What goes over the WebSocket as bytes, little-endian; everything else is JSON text.

    up    first u32, done u32, n u16, from u16, to u16, dry u16, flags u8, 3 x 0, mic i16 x n[, out i16 x n]
    down  first u32, more u32, samples i16 x n

Up: the frame holds samples `first` to `first + n` of the browser's own clock (its audio context, at the rate that the
page named; where that stood still, the time of day has been added): the microphone and, where anything was played, what
the loudspeaker really got in the same stretch, the customer between `from` and `to` of it. `done` counts the samples of
the customer that are behind the listener, and `dry` how often the loudspeaker ran out in mid-line. Flags: 1, `out` is
there; 2, there is no microphone, and the zeros stand in for it. Down: samples of the customer at the same rate, counted
through the call; `more` is 1 where the same line goes on in the next message.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from voicecoach.nouns import Samples

_UP = struct.Struct("<IIHHHHB3x")
_DOWN = struct.Struct("<II")
HAS_OUT, DEAF = 1, 2
MAX_FRAME = 9600
"""Samples in one frame: 50 ms at the highest rate. The page sends about 21 ms."""
CHUNK = 4800
"""Samples of the customer in one message."""


@dataclass(frozen=True)
class Frame:
    """One stretch of both channels from the browser; see the top."""

    first: int
    done: int
    spoken: tuple[int, int]
    dry: int
    mic: Samples
    out: Samples
    deaf: bool = False
    """There is no microphone."""


def unpack(data: bytes) -> Frame:
    """A frame from its bytes; raises ValueError where they do not add up."""
    if len(data) < _UP.size:
        raise ValueError("a frame is too short")
    first, done, n, start, end, dry, flags = _UP.unpack_from(data)
    has_out, deaf = flags & HAS_OUT, bool(flags & DEAF)
    if not 0 < n <= MAX_FRAME or not start <= end <= n or flags > HAS_OUT + DEAF:
        raise ValueError("a frame's header does not add up")
    if len(data) != _UP.size + 2 * n * (1 + has_out):
        raise ValueError("a frame is not as long as it says")
    samples = np.frombuffer(data, "<i2", offset=_UP.size).astype(np.int16)
    return Frame(first, done, (start, end), dry, samples[:n], samples[n:] if has_out else np.zeros(n, np.int16), deaf)


def chunks(first: int, samples: Samples) -> list[bytes]:
    """The customer's samples as messages."""
    return [
        _DOWN.pack(first + at, at + CHUNK < len(samples)) + samples[at : at + CHUNK].astype("<i2").tobytes()
        for at in range(0, len(samples), CHUNK)
    ]
