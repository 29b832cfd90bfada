"""The pitch tracker: swift-f0 (MIT), with librosa's pYIN behind it where swift-f0 cannot be loaded.

swift-f0 had the lowest frame error of ten trackers against laryngograph references (docs/delivery.md). pYIN misses
more and calls more noise voiced, so it gets an energy gate and its name is shown in the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach.measure.observe import HOP, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats

F0_MIN_HZ = 60.0
F0_MAX_HZ = 700.0
"""Strong anger reaches medians of 566 Hz, so a ceiling of 500 or 600 Hz would cut it (docs/delivery.md)."""
_PYIN_FRAME = 1024


@lru_cache(maxsize=1)
def _tracker() -> Any:
    """swift-f0, or None where it is not installed or cannot be loaded."""
    try:
        import swift_f0

        return swift_f0.SwiftF0(threads=1, spin=False)
    except (ImportError, OSError, RuntimeError):
        return None


def track(samples: Floats) -> PitchTrack:
    """F0 of `samples` [shape=(n,)], 16 kHz, prepared by `measure.observe.for_models`."""
    return track_of((samples,) if len(samples) >= HOP else ())


def track_of(pieces: Iterable[Floats]) -> PitchTrack:
    """As `track`, for a recording that comes in pieces, each but the last a multiple of HOP long."""
    tracker = _tracker()
    if tracker is None:
        return _join([track_pyin(piece) for piece in pieces], _pyin_name())
    stream = tracker.stream(F0_MIN_HZ, F0_MAX_HZ)
    results = [stream.push(piece, SAMPLE_RATE_HZ) for piece in pieces]
    parts = [PitchTrack(one.pitch_hz, one.confidence, "") for one in (*results, stream.flush())]
    return _join(parts, _swift_name())


def _join(parts: Sequence[PitchTrack], name: str) -> PitchTrack:
    f0_hz = np.concatenate([np.zeros(0), *(part.f0_hz for part in parts)])
    return PitchTrack(f0_hz, np.concatenate([np.zeros(0), *(part.confidence for part in parts)]), name)


def name() -> str:
    """The tracker that `track` uses here, and its version."""
    return _pyin_name() if _tracker() is None else _swift_name()


def model_path() -> Path | None:
    """The tracker's weights, inside the package swift-f0; None for the fallback, which has none."""
    if _tracker() is None:
        return None
    import swift_f0

    return Path(swift_f0.__file__).with_name("model.onnx")


def _swift_name() -> str:
    return f"swift-f0 {version('swift-f0')}"


def _pyin_name() -> str:
    return f"librosa pyin {version('librosa')} (fallback: more pitch errors)"


def track_pyin(samples: Floats) -> PitchTrack:
    """The fallback: pYIN at 1024/256, coarse resolution, with a 25 dB energy gate."""
    import librosa

    if len(samples) < _PYIN_FRAME:
        return PitchTrack(np.zeros(0), np.zeros(0), _pyin_name())
    f0_hz, voiced, _ = librosa.pyin(
        samples, fmin=F0_MIN_HZ, fmax=500.0, sr=SAMPLE_RATE_HZ, frame_length=_PYIN_FRAME, hop_length=HOP, resolution=0.2
    )
    rms = librosa.feature.rms(y=samples, frame_length=_PYIN_FRAME, hop_length=HOP)[0][: len(f0_hz)]
    loud = rms > rms.max() * 10 ** (-25 / 20)
    known = voiced & loud & np.isfinite(f0_hz)
    known = known[: len(samples) // HOP]  # pYIN gives a frame more, which the next piece begins with
    return PitchTrack(np.where(known, f0_hz[: len(known)], F0_MIN_HZ), known.astype(np.float64), _pyin_name())
