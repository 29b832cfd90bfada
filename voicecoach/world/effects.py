"""Anger for any voice: pitch, spectral tilt, drive and level of speech that has already been synthesised.

Hot anger raises F0 and its range, flattens the spectrum and raises the level (`persona/style.py` has the figures and
their sources); most offline voices offer rate and volume only, so the rest is done here, on float32 mono of shape (n,).

Why own code. `librosa.effects.pitch_shift`, the only shifter among our dependencies, resamples: it moves the formants
with the pitch (a chipmunk, not an angry person) and cannot widen the range. Praat's PSOLA (parselmouth) and Rubber
Band (pedalboard) are GPL-3. WORLD with its own F0 moved a creaky male voice by 6 to 9 semitones when asked for none.
TD-PSOLA driven by the pitch tracker that the product has anyway needs numpy only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from voicecoach.nouns import Floats, Style

Numbers = npt.NDArray[np.floating[Any]]

TRACK_HOP_S = 256 / 16_000
"""Frame period of the F0 tracks taken here (swift-f0: frame i is centred on i * 16 ms)."""
PEAK_DB = -1.0
"""Ceiling of every sample, dB re full scale: headroom for lossy coding and for the listener's ears."""
SHELF_HZ = 1000.0
DRIVE_MAX_DB = 6.0
"""Beyond this the drive evens out the loudness of syllables, and anger loses its stress pattern."""
TELEPHONE_HZ = (300.0, 3400.0)
"""The narrow telephone band of ITU-T G.712."""
F0_HZ = (60.0, 600.0)
"""Pitch targets stay inside the range of speech, whatever is asked."""
_FRAME_S = 0.02
_ACTIVE_DB = 25.0
_SILENCE_DB = -80.0
_MAKEUP_DB = 12.0


def apply(
    samples: npt.ArrayLike,
    rate_hz: int,
    style: Style,
    f0_hz: npt.ArrayLike | None = None,
    voiced: npt.ArrayLike | None = None,
) -> Floats:
    """`samples` as `style` asks for them, in the order F0, shelf, drive, level; the rate is the voice's own business.

    `f0_hz` and `voiced`, both (frames,) at `TRACK_HOP_S`, are the pitch track of `samples`. Without them the pitch
    is left alone (the voice has moved it itself, or there is no tracker).
    """
    x = clean(samples)
    if f0_hz is not None and voiced is not None:
        x = shift_f0(x, rate_hz, f0_hz, voiced, style.f0_st, style.f0_range)
    x = drive(high_shelf(x, rate_hz, style.tilt_db), style.drive_db)
    return set_level(x, rate_hz, style.level_db)


def clean(samples: npt.ArrayLike) -> Floats:
    """`samples` as float32 (n,), with 0 for what is not a finite number."""
    x = np.asarray(samples, dtype=np.float32).reshape(-1)
    return x if np.isfinite(x).all() else np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)


# --- spectrum --------------------------------------------------------------------------------------


def high_shelf(samples: npt.ArrayLike, rate_hz: int, gain_db: float, corner_hz: float = SHELF_HZ) -> Floats:
    """Raise (or lower) everything above `corner_hz` by `gain_db`, half of it (in dB) at the corner; zero phase."""
    if gain_db == 0:
        return clean(samples)
    return _filtered(samples, rate_hz, lambda hz: 10 ** (gain_db / 20 / (1 + (corner_hz / np.maximum(hz, 1e-3)) ** 4)))


def telephone_band(samples: npt.ArrayLike, rate_hz: int, band_hz: tuple[float, float] = TELEPHONE_HZ) -> Floats:
    """What is left of a voice on a telephone line: 4th-order Butterworth slopes at both edges, then the old level."""
    low_hz, high_hz = band_hz
    level = speech_level_db(samples, rate_hz)
    x = _filtered(
        samples,
        rate_hz,
        lambda hz: 1 / np.sqrt((1 + (low_hz / np.maximum(hz, 1e-3)) ** 8) * (1 + (hz / high_hz) ** 8)),
    )
    return x if level is None else set_level(x, rate_hz, level)


def _filtered(samples: npt.ArrayLike, rate_hz: int, gain: Callable[[Numbers], Numbers]) -> Floats:
    """`samples` filtered with the zero-phase response `gain(frequencies in Hz)`, without wrap-around."""
    x = clean(samples)
    if x.size == 0:
        return x
    size = 1 << int(x.size + 0.1 * rate_hz).bit_length()
    spectrum = np.fft.rfft(x, size) * gain(np.fft.rfftfreq(size, 1 / rate_hz))
    return np.asarray(np.fft.irfft(spectrum, size)[: x.size], dtype=np.float32)


# --- amplitude -------------------------------------------------------------------------------------


def drive(samples: npt.ArrayLike, drive_db: float) -> Floats:
    """Soft (tanh) saturation that lowers the highest peak by `drive_db` (at most 6) and leaves quiet samples alone."""
    x = clean(samples)
    peak = float(np.max(np.abs(x), initial=0.0))
    drive_db = min(drive_db, DRIVE_MAX_DB)
    if drive_db <= 0 or peak == 0:
        return x
    bend = _bend(10 ** (-drive_db / 20))
    return np.asarray(np.tanh(x * (bend / peak)) * (peak / bend), dtype=np.float32)


def _bend(ratio: float) -> float:
    """The `a` for which tanh(a) / a is `ratio` (0 < ratio < 1), by bisection."""
    low, high = 0.0, 1 / ratio
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh(middle) > ratio * middle else (low, middle)
    return high


def speech_level_db(samples: npt.ArrayLike, rate_hz: int) -> float | None:
    """RMS of the active 20 ms frames (within 25 dB of the loudest) in dB re full scale; None for silence."""
    x = clean(samples).astype(np.float64)
    size = min(max(1, round(_FRAME_S * rate_hz)), max(1, x.size))
    frames = x[: x.size // size * size].reshape(-1, size)
    power = (frames**2).mean(axis=1)
    loudest = float(power.max(initial=0.0))
    if loudest <= 10 ** (_SILENCE_DB / 10):
        return None
    return float(10 * np.log10(power[power >= loudest * 10 ** (-_ACTIVE_DB / 10)].mean()))


def set_level(samples: npt.ArrayLike, rate_hz: int, level_db: float, peak_db: float = PEAK_DB) -> Floats:
    """`samples` at the speech level `level_db`, with no sample above `peak_db`; silence stays silence.

    Where both cannot be had, the peak wins: at most 12 dB are made up for what the limiter takes away.
    """
    x = clean(samples)
    level = speech_level_db(x, rate_hz)
    if level is None:
        return x
    first = gain = level_db - level
    y = limit(x * np.float32(10 ** (gain / 20)), rate_hz, peak_db)
    for _ in range(12):
        short = level_db - (speech_level_db(y, rate_hz) or level_db)
        if abs(short) < 0.02 or gain + short > first + _MAKEUP_DB:
            break
        gain += short
        y = limit(x * np.float32(10 ** (gain / 20)), rate_hz, peak_db)
    return y


def limit(samples: npt.ArrayLike, rate_hz: int, peak_db: float = PEAK_DB) -> Floats:
    """`samples` with their peaks turned down to `peak_db`, by a gain that moves smoothly over 10 ms each way."""
    x = clean(samples)
    ceiling = 10 ** (peak_db / 20)
    wanted = np.minimum(1.0, ceiling / np.maximum(np.abs(x).astype(np.float64), 1e-9))
    if x.size == 0 or wanted.min() >= 1:
        return x
    reach = max(1, round(0.005 * rate_hz))
    # The smallest gain within +-reach, averaged over +-reach: nowhere larger than the sample itself needs.
    lowest = _lowest(np.pad(wanted, 2 * reach, mode="edge"), 2 * reach + 1)
    total = np.cumsum(np.concatenate([[0.0], lowest]))
    smooth = (total[2 * reach + 1 :] - total[: -2 * reach - 1]) / (2 * reach + 1)
    return np.asarray(np.clip(x * smooth, -ceiling, ceiling), dtype=np.float32)


def _lowest(x: Numbers, width: int) -> Numbers:
    """The smallest of each `width` neighbours, in about log2(width) steps: a call waits for it."""
    have = 1
    while have < width:
        step = min(have, width - have)
        x = np.minimum(x[:-step], x[step:])
        have += step
    return x


# --- pitch -----------------------------------------------------------------------------------------


def shift_f0(
    samples: npt.ArrayLike,
    rate_hz: int,
    f0_hz: npt.ArrayLike,
    voiced: npt.ArrayLike,
    st: float,
    range_factor: float = 1.0,
) -> Floats:
    """Move the pitch by `st` semitones and stretch its excursions from the median by `range_factor`; same duration.

    `f0_hz` and `voiced`, both (frames,) at `TRACK_HOP_S`, are the pitch track of `samples`. Time-domain PSOLA
    (Moulines and Charpentier 1990): one grain around each glottal period, laid down again at the new period, so the
    formants stay. Grains are no wider than the new period on either side, as in Praat.
    """
    x = clean(samples)
    f0 = np.nan_to_num(np.asarray(f0_hz, dtype=np.float64).reshape(-1))
    frames = min(f0.size, np.asarray(voiced).size)
    on = np.asarray(voiced, dtype=bool).reshape(-1)[:frames] & (f0[:frames] > 0)
    if not on.any() or (st == 0 and range_factor == 1):
        return x
    hop = TRACK_HOP_S * rate_hz
    at, source = np.flatnonzero(on) * hop, f0[:frames][on]
    reference = float(np.median(source))
    target = np.clip(reference * 2 ** (st / 12) * (source / reference) ** range_factor, *F0_HZ)

    out, keep = np.zeros(x.size), np.ones(x.size)
    for start, end in _runs(on, hop, x.size):
        marks = _pitch_marks(x, start, end, lambda t: rate_hz / float(np.interp(t, at, source)))
        if len(marks) >= 2:
            _overlap_add(x, marks, lambda t: rate_hz / float(np.interp(t, at, target)), out, keep)
    return (out + keep * x).astype(np.float32)


def _runs(on: npt.NDArray[np.bool_], hop: float, size: int) -> Iterator[tuple[int, int]]:
    """The voiced stretches of a track as sample ranges; frame i reaches from i - 1/2 to i + 1/2 hops."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    for first, last in edges.reshape(-1, 2):
        yield max(0, round((first - 0.5) * hop)), min(size, round((last - 0.5) * hop))


def _pitch_marks(x: Floats, start: int, end: int, period: Callable[[float], float]) -> list[int]:
    """One sample index per glottal period in [start, end): the strongest peak, and walks from it to both sides.

    Each step goes to where the waveform around the last mark fits best, within 20 % of the tracked `period(t)`.
    """
    # A walk needs a whole period on either side of where it begins.
    room = round(period((start + end) / 2))
    low, high = max(start, room), min(end, x.size - room)
    if low >= high:
        return []
    first = low + int(np.argmax(np.abs(x[low:high])))
    ways: dict[int, list[int]] = {-1: [], 1: []}
    for way, marks in ways.items():
        mark = _next_mark(x, first, way, period(first))
        while mark is not None and start <= mark < end:
            marks.append(mark)
            mark = _next_mark(x, mark, way, period(mark))
    return [*reversed(ways[-1]), first, *ways[1]]


def _next_mark(x: Floats, mark: int, way: int, period: float) -> int | None:
    """The mark about one `period` (samples) from `mark`, or None at the ends of the signal."""
    half, slack = max(1, round(period / 2)), max(1, round(period * 0.2))
    middle = mark + way * round(period)
    low = middle - slack - half
    if mark - half < 0 or mark + half >= x.size or low < 0 or middle + slack + half >= x.size:
        return None
    template = x[mark - half : mark + half + 1].astype(np.float64)
    field = x[low : middle + slack + half + 1].astype(np.float64)
    energy = np.cumsum(np.concatenate([[0.0], field**2]))
    fit = np.correlate(field, template, "valid") / np.sqrt(energy[template.size :] - energy[: -template.size] + 1e-9)
    return low + half + int(np.argmax(fit))


def _overlap_add(x: Floats, marks: list[int], period: Callable[[float], float], out: Numbers, keep: Numbers) -> None:
    """Lay the grains of one voiced stretch into `out` at the new `period(t)`, and fade `keep` out beneath them."""
    source = np.asarray(marks)
    places = [float(source[0])]
    while (following := places[-1] + period(places[-1])) <= source[-1]:
        places.append(following)
    target = np.round(places).astype(int)
    nearest = np.clip(np.searchsorted(source, target), 1, source.size - 1)
    nearest -= target - source[nearest - 1] < source[nearest] - target
    gaps = np.diff(source)
    for k, (place, i) in enumerate(zip(target, nearest, strict=True)):
        before, after = int(gaps[max(i - 1, 0)]), int(gaps[min(i, gaps.size - 1)])
        rise = min(before, int(place - target[k - 1])) if k else before
        fall = min(after, int(target[k + 1] - place)) if k + 1 < target.size else after
        window = np.concatenate([_fade(rise), [1.0], _fade(fall)[::-1]])
        low, high = max(0, rise - place, rise - source[i]), min(rise + fall + 1, x.size - place + rise)
        high = min(high, x.size - source[i] + rise)
        grain = slice(place - rise + low, place - rise + high)
        out[grain] += window[low:high] * x[source[i] - rise + low : source[i] - rise + high]
        if k == 0:
            keep[grain] = 1 - window[low:high]
            keep[place : place + fall + 1] = 0
        if k + 1 == target.size:
            tail = keep[place : min(place + fall + 1, x.size)]
            tail[:] = 1 - window[rise : rise + tail.size]
    keep[target[0] : target[-1]] = 0


def _fade(size: int) -> Numbers:
    """The rising half of a Hann window, `size` samples, ending one step before 1."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(size) / max(1, size)))
