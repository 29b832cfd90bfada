"""Voice activity: from a probability per frame to stretches of speech and the pauses between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
ENERGY = 160
"""Samples per frame of energy (10 ms), in which the edges of speech are looked for."""
HOLD_S = 0.2
"""The detector holds on after the last sound: by 0.08 s in the middle (EmoDB, hand labels), up to 0.18 s in noise of
15 dB (FDA). So the true end is looked for this far back."""
USUAL_HOLD_S = 0.08
"""Taken off where noise hides the end (EmoDB, 534 hand-labelled clips: median 81 ms)."""
LEAD_S = 0.06
LATE_S = 0.1
"""Speech begins at most this long before and after the frame in which the detector finds it (EmoDB: within -11 and
+35 ms of it for half of the clips, plus a frame of 32 ms)."""
BELOW_DB = 40.0
"""A sound this far below the loud parts of its stretch (95th percentile) is no longer speech. The weakest sounds of
English, [f] and [th], lie 28 to 30 dB below the strongest vowel (Fletcher 1953), and a final one fades."""
OVER_DB = 3.0
"""Sound stands out of the noise around from here: speech as strong as the noise adds 3 dB."""
LOUD_NOISE = 90.0
"""And it is louder than this percentile of the noise: 10 ms of a room's low rumble differ by more than 3 dB, and one such
frame in the detector's hold made a silence of 0.3 s look like 0.24 s (docs/delivery.md, section 3)."""
PAD_S = 0.01
"""Kept at either edge: one frame of energy, by which the edge may be off."""
PAUSE_S = 0.25
"""A gap in voice activity counts as a pause from here (docs/delivery.md, definitions)."""

Span = tuple[int, int]


def speech_spans(probabilities: npt.NDArray[np.float32], n_samples: int) -> tuple[Span, ...]:
    """Stretches of speech as sample spans, from `probabilities` [shape=(n_frames,)] of FRAME samples each.

    Speech starts at THRESHOLD, ends where the probability stays under THRESHOLD_END for MIN_SILENCE_S;
    stretches under MIN_SPEECH_S are dropped. Their edges are those of the detector; `refined` finds those of the sound.
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
    return tuple(span for span in spans if span[1] - span[0] > MIN_SPEECH_S * SAMPLE_RATE_HZ)


def refined(spans: Sequence[Span], power: npt.NDArray[np.float64], n_samples: int) -> tuple[Span, ...]:
    """The same stretches with their edges where the sound begins and ends; `power` is that of `powers`.

    An edge is the outermost frame near the detector's edge that is within BELOW_DB of the loud parts of the stretch
    and OVER_DB above the noise of the gap beside it. Gaps that are no longer there are closed.
    """
    found: list[Span] = []
    for index, span in enumerate(spans):
        before = spans[index - 1][1] if index else 0
        after = spans[index + 1][0] if index + 1 < len(spans) else n_samples
        start, end = _edges(power, (before, *span, after))
        if found and start - found[-1][1] < MIN_SILENCE_S * SAMPLE_RATE_HZ:
            start = found.pop()[0]
        found.append((start, min(end, n_samples)))
    return tuple(found)


def powers(pieces: Iterable[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
    """Mean square per ENERGY samples [shape=(ceil(n / ENERGY),)] of a recording without DC, in pieces of any length."""
    found = []
    rest = np.zeros(0, np.float32)
    for piece in pieces:
        joined = np.concatenate([rest, piece])
        whole = len(joined) - len(joined) % ENERGY
        found.append(_power(joined[:whole]))
        rest = joined[whole:]
    return np.concatenate([*found, _power(np.pad(rest, (0, -len(rest) % ENERGY)))])


def _power(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return np.asarray(np.mean(samples.reshape(-1, ENERGY).astype(np.float64) ** 2, axis=1))


def _edges(power: npt.NDArray[np.float64], around: tuple[int, int, int, int]) -> Span:
    """Where sound begins and ends in one stretch; `around` is the end before it, its start, its end, the next start."""
    before, start, end, after = around
    inside = power[start // ENERGY : -(-end // ENERGY)]
    faint = float(np.percentile(inside, 95)) * 10 ** (-BELOW_DB / 10)
    first = _sounds(power, (max(before, start - _samples(LEAD_S)), start + _samples(LATE_S)), (before, start), faint)
    last = _sounds(power, (max(start, end - _samples(HOLD_S)), end), (end, after), faint)
    pad = _samples(PAD_S)
    left = int(first[0]) * ENERGY if len(first) else start
    right = (int(last[-1]) + 1) * ENERGY if len(last) else max(left + ENERGY, end - _samples(USUAL_HOLD_S))
    return max(before, left - pad), min(after, right + pad)


def _sounds(power: npt.NDArray[np.float64], where: Span, gap: Span, faint: float) -> npt.NDArray[np.intp]:
    """Frames of `where` that are louder than `faint` and than the noise of the nearest half second of `gap`."""
    near = (max(gap[0], where[0] - SAMPLE_RATE_HZ // 2), min(gap[1], where[1] + SAMPLE_RATE_HZ // 2))
    floor = _over_noise(power[-(-near[0] // ENERGY) : near[1] // ENERGY])
    first, last = where[0] // ENERGY, -(-where[1] // ENERGY)
    piece = power[first:last]
    smooth = np.convolve(power[max(first - 1, 0) : last + 1], np.ones(3) / 3, "same")[min(first, 1) :][: len(piece)]
    return first + np.flatnonzero((piece > max(faint, floor)) & (smooth > floor))


def _over_noise(noise: npt.NDArray[np.float64]) -> float:
    """The power from which sound is more than `noise`, that of its frames; 0 where there are too few to tell."""
    if len(noise) < 5:
        return 0.0
    return max(float(np.median(noise)) * 10 ** (OVER_DB / 10), float(np.percentile(noise, LOUD_NOISE)))


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)


def gaps(spans: Sequence[Span]) -> tuple[Span, ...]:
    """What lies between stretches of speech."""
    return tuple((a[1], b[0]) for a, b in pairwise(spans))


def pauses(spans: Sequence[Span], offset_s: float = 0.0, other: Sequence[Span] = ()) -> tuple[Pause, ...]:
    """The gaps of at least PAUSE_S between stretches of speech, in seconds; who listens to the `other` does not pause."""
    return tuple(
        Pause(offset_s + start / SAMPLE_RATE_HZ, offset_s + end / SAMPLE_RATE_HZ)
        for start, end in without(gaps(spans), other)
        if end - start >= PAUSE_S * SAMPLE_RATE_HZ
    )


def total(spans: Sequence[Span]) -> int:
    """Samples in all stretches together."""
    return sum(end - start for start, end in spans)


def extended(spans: tuple[Span, ...], start: int, end: int) -> tuple[Span, ...]:
    """`spans` and one more, which makes the last one longer where it begins within or right after that."""
    if spans and spans[-1][1] >= start:
        return (*spans[:-1], (spans[-1][0], end))
    return (*spans, (start, end))


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
