"""One side's voice on the other side's channel of a recorded call, fainter: through a handset, a headset or the line.

It is nobody's speech there. Taken for speech, the agent would say the customer's words, and speak over all of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from voicecoach.measure.activity import Span, intersect, total, without
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats

WINDOW_S = 0.5
HOP_S = 0.1
"""Speech is looked at in windows, so often that where the own voice begins is known to a tenth of a second."""
LATEST_S = 0.8
"""A voice comes through at most so much later (the far end's echo, as in world/echo.py)..."""
EARLIEST_S = 0.05
"""...or so much earlier: two recorders do not begin at the very same sample."""
SURE = 0.35
"""Correlation (pre-emphasised) of half a second with what the other side said then, from which it is that: unrelated clips
reached 0.33 (2,600 windows, full band and telephone band); direct crosstalk lies above in 99 of 100 windows, the echoes of
made rooms of 0.1 and 0.3 s in a third to nine of ten (docs/delivery.md, section 12)."""
SAME = 0.18
"""Where a channel is known to let the other side through: 19 of 20 such windows lie above."""
OFTEN_S = 1.0
SHARE = 0.1
"""It is known by as many sure windows, and by their share of those that are fainter than the other side: a leak does not come
once. Our judgement: of unrelated clips none was sure."""
FAINTER_DB = 6.0
"""What comes through is weaker than what it comes from by more than this: a voice that is as strong is one's own. Our
judgement; headsets and lines take 20 dB and more."""
STEADY_DB = 6.0
"""What comes through comes through at one level: a window this much louder than the middle one holds the own voice too. Our
judgement: of made calls with nobody else speaking nine windows of ten lie within 2 dB."""
LEAST_S = 0.2
"""What is left between two such windows and shorter is their edge."""

Read = Callable[[int, int], Floats]
"""The samples of a channel from one place to another; fewer at its end."""


def come_through(spans: Sequence[Span], others: Sequence[Span], read: Read, read_other: Read) -> tuple[Span, ...]:
    """The parts of the stretches of speech `spans` of one channel that are the other one's voice, come through.

    `others` are the stretches of the other channel; all in samples at 16 kHz.
    """
    late = round(LATEST_S * SAMPLE_RATE_HZ)
    heard = [(max(0, start - late), end + late) for start, end in others]
    windows = [
        window
        for span, near in _each_with(spans, heard)
        if near
        for window in _within(span, intersect([span], near), read, read_other)
    ]
    sure = [level_db for _, likeness, level_db in windows if likeness >= SURE]
    if len(sure) * HOP_S < OFTEN_S or len(sure) < SHARE * len(windows):
        return ()
    loudest_db = float(np.median(sure)) + STEADY_DB
    found: list[Span] = []
    for (start, end), likeness, level_db in windows:
        if likeness < SAME or level_db > loudest_db:
            continue
        if found and found[-1][1] >= start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def left(spans: Sequence[Span], through: Sequence[Span]) -> tuple[Span, ...]:
    """The stretches of speech without what came through, and without the edges that this leaves."""
    kept: list[Span] = []
    least = round(LEAST_S * SAMPLE_RATE_HZ)
    for span, here in _each_with(spans, through):
        kept += [piece for piece in without([span], here) if not here or piece[1] - piece[0] >= least]
    return tuple(kept)


def _each_with(spans: Sequence[Span], others: Sequence[Span]) -> Iterator[tuple[Span, Sequence[Span]]]:
    """Each span with those of the others, which are in order, that touch it."""
    starts, ends = [start for start, _ in others], [end for _, end in others]
    for span in spans:
        yield span, others[bisect_right(ends, span[0]) : bisect_left(starts, span[1])]


def _within(span: Span, near: Sequence[Span], read: Read, read_other: Read) -> Iterator[tuple[Span, float, float]]:
    """Of one stretch of speech: the windows that are fainter than the other side, with likeness and level (see `_compared`)."""
    size, hop = round(WINDOW_S * SAMPLE_RATE_HZ), round(HOP_S * SAMPLE_RATE_HZ)
    start, end = span
    for at in range(start, max(start + 1, end - size + 1), hop):
        last = min(end, at + size)
        if total(intersect([(at, last)], near)):
            likeness, level_db = _compared(read(at, last), read_other, at)
            if level_db < -FAINTER_DB:
                yield (at, last), likeness, level_db


def _compared(samples: Floats, read_other: Read, at: int) -> tuple[float, float]:
    """`samples`, which begin at the sample `at`, against what the other side said around then that is most like them.

    (correlation, level in dB); (0, 0) where there is nothing to compare.
    """
    late, early = round(LATEST_S * SAMPLE_RATE_HZ), round(EARLIEST_S * SAMPLE_RATE_HZ)
    first = max(0, at - late)
    near, far = _emphasised(samples), _emphasised(read_other(first, at + len(samples) + early))
    n = len(near)
    if n < 2 or len(far) < n:
        return 0.0, 0.0
    size = 1 << int(np.ceil(np.log2(len(far) + n)))
    products = np.fft.irfft(np.fft.rfft(far, size) * np.conj(np.fft.rfft(near, size)), size)[: len(far) - n + 1]
    sums = np.cumsum(np.concatenate([[0.0], far**2]))
    source, power = np.maximum(sums[n:] - sums[:-n], 0.0), float(np.sum(near**2))
    if not power:
        return 0.0, 0.0
    likeness = np.abs(products) / np.sqrt(np.maximum(source * power, _SILENT))
    best = int(np.argmax(likeness))
    return float(likeness[best]), 10 * float(np.log10(power / max(source[best], _SILENT)))


_SILENT = 1e-18
"""Power that no sound is below, so that nothing is divided by zero."""


def _emphasised(samples: Floats) -> npt.NDArray[np.float64]:
    floats = samples.astype(np.float64)
    floats -= floats.mean() if len(floats) else 0.0
    return floats[1:] - 0.95 * floats[:-1] if len(floats) else floats
