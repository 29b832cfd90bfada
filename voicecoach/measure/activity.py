"""Voice activity: from a probability per frame to stretches of speech and the pauses between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from voicecoach.nouns import SAMPLE_RATE_HZ, Pause

FRAME = 512
"""Samples per voice-activity frame (32 ms): the hop of Silero VAD at 16 kHz."""
THRESHOLD = 0.5
"""Probability at which speech begins (docs/delivery.md, VAD settings)."""
THRESHOLD_END = 0.35
"""Probability below which it may end; Silero's own hysteresis of 0.15."""
MIN_SPEECH_S = 0.1
MIN_SILENCE_S = 0.15
"""Shorter gaps belong to the speech around them: the closures of plosives last up to about 0.15 s."""
PAD_S = 0.03
PAUSE_S = 0.25
"""A gap in voice activity counts as a pause from here (docs/delivery.md, definitions)."""

Span = tuple[int, int]


def speech_spans(probabilities: npt.NDArray[np.float32], n_samples: int) -> tuple[Span, ...]:
    """Stretches of speech as sample spans, from `probabilities` [shape=(n_frames,)] of FRAME samples each.

    Speech starts at THRESHOLD, ends where the probability stays under THRESHOLD_END for MIN_SILENCE_S;
    stretches under MIN_SPEECH_S are dropped, the others padded by PAD_S without touching.
    """
    gap = round(MIN_SILENCE_S * SAMPLE_RATE_HZ)
    spans: list[Span] = []
    start: int | None = None
    quiet_from: int | None = None
    for index, probability in enumerate(probabilities):
        at = index * FRAME
        if probability >= THRESHOLD:
            start = at if start is None else start
            quiet_from = None
        elif probability < THRESHOLD_END and start is not None:
            quiet_from = at if quiet_from is None else quiet_from
            if at - quiet_from >= gap:
                spans.append((start, quiet_from))
                start = quiet_from = None
    if start is not None:
        spans.append((start, n_samples if quiet_from is None else quiet_from))
    return _pad([span for span in spans if span[1] - span[0] > MIN_SPEECH_S * SAMPLE_RATE_HZ], n_samples)


def _pad(spans: Sequence[Span], n_samples: int) -> tuple[Span, ...]:
    pad = round(PAD_S * SAMPLE_RATE_HZ)
    padded = []
    for index, (start, end) in enumerate(spans):
        before = spans[index - 1][1] if index else None
        after = spans[index + 1][0] if index + 1 < len(spans) else None
        left = pad if before is None else min(pad, (start - before) // 2)
        right = pad if after is None else min(pad, (after - end) // 2)
        padded.append((max(0, start - left), min(n_samples, end + right)))
    return tuple(padded)


def pauses(spans: Sequence[Span], offset_s: float = 0.0) -> tuple[Pause, ...]:
    """The gaps of at least PAUSE_S between stretches of speech, in seconds."""
    return tuple(
        Pause(offset_s + a[1] / SAMPLE_RATE_HZ, offset_s + b[0] / SAMPLE_RATE_HZ)
        for a, b in pairwise(spans)
        if b[0] - a[1] >= PAUSE_S * SAMPLE_RATE_HZ
    )


def total(spans: Sequence[Span]) -> int:
    """Samples in all stretches together."""
    return sum(end - start for start, end in spans)


def intersect(a: Sequence[Span], b: Sequence[Span]) -> tuple[Span, ...]:
    """The parts that two sets of spans have in common."""
    common = ((max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b)
    return tuple(sorted(span for span in common if span[0] < span[1]))


def without(a: Sequence[Span], b: Sequence[Span]) -> tuple[Span, ...]:
    """The parts of the spans `a` that lie in none of `b`."""
    parts = list(a)
    for start, end in b:
        parts = [
            piece
            for first, last in parts
            for piece in ((first, min(last, start)), (max(first, end), last))
            if piece[0] < piece[1]
        ]
    return tuple(parts)
