"""Articulation without words: syllable nuclei in the sound, for "faster than before" while somebody is speaking.

After de Jong & Wempe 2009 (doi 10.3758/BRM.41.2.385): a nucleus is a voiced peak of intensity with a dip on either
side. The count is too low, and more so in fast speech, so it is compared with nothing but itself
(docs/delivery.md section 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voicecoach.measure.activity import Span, total
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline

HOP = 256
"""Samples between frames (16 ms): those of the pitch track."""
WINDOW = 512
"""Samples of a frame (32 ms)."""
BAND_HZ = (300.0, 3400.0)
"""Where vowels are strong: below lie hum and the voice bar of closures, above the noise of sibilants."""
DIP_DB = 2.0
"""A peak counts where the intensity falls by this much on either side of it (de Jong & Wempe 2009)."""
FLOOR_DB = 25.0
"""Peaks this far under the loudest are breath and noise (de Jong & Wempe 2009)."""
COUNTED = 0.86
"""Share of the true syllables that the count finds, averaged over utterances (docs/delivery.md section 3: 0.865, SD
6.8 %): dividing by it makes syllables a second out of nuclei a second."""
MIN_NUCLEI = 6
"""Fewer give no rate: one miscounted syllable would be over 15 %. Our judgement."""
VOICED = 0.5
"""Confidence of the pitch tracker from which a frame is voiced (`measure.observe.VOICED`)."""
_BATCH = 2048


def rate(samples: npt.NDArray[np.float32], speech: Sequence[Span], confidence: npt.NDArray[np.float64]) -> float | None:
    """Syllables a second of `samples` [shape=(n,)], 16 kHz, pauses counted out; None where there are too few.

    `speech` are the stretches of voice activity (sample spans) that count, `confidence` is the pitch track's, a frame
    every HOP samples.
    """
    spoken = total(speech)
    found = count(samples, speech, confidence)
    return found / COUNTED / (spoken / SAMPLE_RATE_HZ) if found >= MIN_NUCLEI and spoken else None


def count(samples: npt.NDArray[np.float32], speech: Sequence[Span], confidence: npt.NDArray[np.float64]) -> int:
    """Syllable nuclei inside the stretches of speech."""
    level_db = _band_db(samples)
    peaks = _peaks(level_db)
    if not len(peaks):
        return 0
    spoken = np.zeros(len(level_db), bool)
    for start, end in speech:
        spoken[-(-start // HOP) : end // HOP + 1] = True
    voiced = np.zeros(len(level_db), bool)
    n = min(len(voiced), len(confidence))
    voiced[:n] = confidence[:n] >= VOICED
    loud = level_db[peaks] > np.max(level_db[spoken], initial=-np.inf) - FLOOR_DB
    return int(np.count_nonzero(loud & spoken[peaks] & voiced[peaks]))


def _band_db(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Intensity in BAND_HZ, dB, of frames centred on every HOP-th sample."""
    hz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE_HZ)
    band = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    n_frames = len(samples) // HOP + 1
    power = np.zeros(n_frames)
    for first in range(0, n_frames, _BATCH):
        last = min(first + _BATCH, n_frames)
        start, end = first * HOP - WINDOW // 2, (last - 1) * HOP + WINDOW // 2
        piece = samples[max(start, 0) : end]
        padded = np.pad(piece, (max(-start, 0), max(0, end - start - max(-start, 0) - len(piece))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
        power[first:last] = (np.abs(np.fft.rfft(frames * window, axis=1)[:, band]) ** 2).sum(axis=1)
    # Two neighbours smooth out the beat of the pitch periods against the frames.
    smooth = np.convolve(power, (0.25, 0.5, 0.25), "same")
    return np.asarray(10 * np.log10(smooth + 1e-12), np.float64)


def _peaks(level_db: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Frames of the maxima between which the level falls by at least DIP_DB on either side."""
    peaks: list[int] = []
    top, top_at, low, rising = -np.inf, 0, np.inf, True
    for at, value in enumerate(level_db.tolist()):
        if rising:
            if value > top:
                top, top_at = value, at
            elif value < top - DIP_DB:
                peaks.append(top_at)
                rising, low = False, value
        elif value < low:
            low = value
        elif value > low + DIP_DB:
            rising, top, top_at = True, value, at
    if rising and top > low + DIP_DB:
        peaks.append(top_at)  # a syllable that the end cuts off
    return np.asarray(peaks, np.int64)


def ratio(found_sps: float | None, baseline: Baseline | None) -> float | None:
    """`found_sps` (as `rate` gives it) over the calm voice, which was counted alike, or else by its words."""
    if found_sps is None or baseline is None:
        return None
    calm = baseline.nuclei_sps or baseline.articulation_sps
    return found_sps / calm if calm else None
