"""The pitch tracker: swift-f0 (MIT), with librosa's pYIN behind it where swift-f0 cannot be loaded.

swift-f0 had the lowest frame error of ten trackers against laryngograph references (docs/delivery.md). pYIN misses
more and calls more noise voiced, so it gets an energy gate and its name is shown in the report.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from voicecoach.measure.observe import HOP, Floats, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ

F0_MIN_HZ = 60.0
F0_MAX_HZ = 700.0
"""Strong anger reaches medians of 566 Hz, so a ceiling of 500 or 600 Hz would cut it (docs/delivery.md)."""


@lru_cache(maxsize=1)
def _tracker() -> Any:
    import swift_f0

    return swift_f0.SwiftF0(threads=1, spin=False)


def track(samples: Floats) -> PitchTrack:
    """F0 of `samples` [shape=(n,)], 16 kHz, prepared by `measure.observe.for_models`."""
    if len(samples) < HOP:
        return PitchTrack(np.zeros(0), np.zeros(0), name())
    try:
        tracker = _tracker()
    except ImportError:
        return track_pyin(samples)
    result = tracker.detect(samples, SAMPLE_RATE_HZ, F0_MIN_HZ, F0_MAX_HZ)
    return PitchTrack(result.pitch_hz, result.confidence, name())


def name() -> str:
    """The tracker in use and its version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"swift-f0 {version('swift-f0')}"
    except PackageNotFoundError:
        return f"librosa pyin {version('librosa')} (fallback: more pitch errors)"


def track_pyin(samples: Floats) -> PitchTrack:
    """The fallback: pYIN at 1024/256, coarse resolution, with a 25 dB energy gate."""
    import librosa

    f0_hz, voiced, _ = librosa.pyin(
        samples, fmin=F0_MIN_HZ, fmax=500.0, sr=SAMPLE_RATE_HZ, frame_length=1024, hop_length=HOP, resolution=0.2
    )
    rms = librosa.feature.rms(y=samples, frame_length=1024, hop_length=HOP)[0][: len(f0_hz)]
    loud = rms > rms.max() * 10 ** (-25 / 20)
    known = voiced & loud & np.isfinite(f0_hz)
    return PitchTrack(np.where(known, f0_hz, F0_MIN_HZ), known.astype(np.float64), name())
