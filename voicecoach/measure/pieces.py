"""A long turn in pieces: what is finished is recognised while the trainee still talks, so that little is left at the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicecoach.measure.activity import FRAME, Span
from voicecoach.measure.observe import HOP, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats

PIECE_S = 4.0
"""A stretch up to a pause becomes a piece from here; shorter ones are heard better together with what follows."""
LONGEST_S = 9.0
"""Without a pause, a piece is cut after this long: the rest of a window of 12 s is the silence that it needs behind it."""
LOOK_S = 4.0
"""The cut is where it is quietest in the last seconds: between words, or in the closure of a plosive."""
QUIET_S = 0.128
"""What has to be quiet (4 frames)."""


def cut(samples: Floats) -> int:
    """Where to cut `samples` [shape=(n,)], 16 kHz, in two: the middle of the quietest QUIET_S of the last LOOK_S."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    width = round(QUIET_S * SAMPLE_RATE_HZ / FRAME)
    if len(power) <= width:
        return len(samples) // 2
    around = np.convolve(power, np.ones(width), "valid")
    first = max(0, len(around) - round(LOOK_S * SAMPLE_RATE_HZ / FRAME))
    return (first + int(np.argmin(around[first:])) + width // 2) * FRAME


def joined_speech(parts: Sequence[tuple[int, Sequence[Span]]]) -> tuple[Span, ...]:
    """The stretches of speech of the pieces of a turn, each (where it begins in the turn, its spans), as one."""
    spans: list[Span] = []
    for at, found in parts:
        for start, end in found:
            begin = max(at + start, spans[-1][1] if spans else 0)
            if begin < at + end:
                spans.append((begin, at + end))
    return tuple(spans)


def joined_track(parts: Sequence[tuple[int, PitchTrack]]) -> PitchTrack:
    """The pitch tracks of the pieces of a turn, each (where it begins in the turn, its track), as one on one grid."""
    f0_hz, confidence = np.zeros(0), np.zeros(0)
    for at, track in parts:
        first = round(at / HOP)
        gap = np.zeros(max(0, first - len(f0_hz)))
        f0_hz = np.concatenate([f0_hz[:first], gap, track.f0_hz])
        confidence = np.concatenate([confidence[:first], gap, track.confidence])
    return PitchTrack(f0_hz, confidence, parts[0][1].name)
