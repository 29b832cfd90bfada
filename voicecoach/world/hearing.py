"""What every measurement starts from: where somebody speaks, and at which pitch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from voicecoach.measure import activity, observe
from voicecoach.measure.activity import FRAME, Span
from voicecoach.measure.observe import HOP, VOICED, Floats, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world import pitch, vad
from voicecoach.world.models import sha256

SLOWED = 1.5
"""A shout at 500 Hz lies above what the detector knows as speech; played this much slower it is speech to it again."""
MISSED_S = 0.15
"""Voiced sound outside the found speech from which a second, slower look is taken."""

SURE = 0.8
LEAST = 0.2
"""Voiced speech has a probability of 0.8 to 1, but cut sharply at 300 and 3400 Hz a man's has 0.3 to 0.4, with its
pauses at 0.01 (FDA). Between the two the scale is raised; below the lower figure nothing speaks for speech."""


@dataclass(frozen=True)
class Hearing:
    """Stretches of speech (sample spans) and the pitch track of one recording."""

    speech: tuple[Span, ...]
    track: PitchTrack


def listen(samples: Floats) -> Hearing:
    """Voice activity and pitch of `samples` [shape=(n,)], 16 kHz, as recorded."""
    return listen_to(lambda: observe.pieces_for_models(samples), len(samples))


def listen_to(pieces: Callable[[], Iterator[Floats]], n_samples: int) -> Hearing:
    """As `listen`, for a recording that is read piece by piece, more than once; `pieces` are those for the models."""
    track = pitch.track_of(pieces())
    probabilities = vad.probabilities_of(pieces())
    spans = activity.speech_spans(probabilities, n_samples)
    if _missed_s(spans, track) >= MISSED_S:
        probabilities = np.maximum(probabilities, _slower(pieces(), len(probabilities)))
        spans = activity.speech_spans(probabilities, n_samples)
    if _missed_s(spans, track) >= MISSED_S:
        spans = activity.speech_spans(_raised(probabilities, track), n_samples)
    return Hearing(activity.refined(spans, activity.powers(pieces()), n_samples), track)


def _raised(probabilities: Floats, track: PitchTrack) -> Floats:
    """Probabilities scaled so that voiced frames have SURE in the middle; a narrow telephone line keeps them all low."""
    frames = np.flatnonzero(track.confidence >= VOICED) * HOP // FRAME
    usual = float(np.median(probabilities[np.minimum(frames, len(probabilities) - 1)])) if len(frames) else 0.0
    if not LEAST <= usual < SURE:
        return probabilities
    return np.asarray(np.minimum(probabilities * (SURE / usual), 1.0), np.float32)


def _missed_s(spans: tuple[Span, ...], track: PitchTrack) -> float:
    """Seconds of voiced frames outside the stretches of speech."""
    voiced = track.confidence >= VOICED
    for start, end in spans:
        voiced[start // HOP : end // HOP + 1] = False
    return float(voiced.sum()) * HOP / SAMPLE_RATE_HZ


def _slower(pieces: Iterator[Floats], n_frames: int) -> Floats:
    """Probabilities of voice of the same recording played SLOWED times slower, one per frame of the original."""
    slow = vad.probabilities_of(_slowed(pieces))
    centres = (np.arange(n_frames) + 0.5) * FRAME * SLOWED
    return np.asarray(slow[np.minimum((centres / FRAME).astype(int), len(slow) - 1)], np.float32)


def _slowed(pieces: Iterator[Floats]) -> Iterator[Floats]:
    import soxr

    stream = soxr.ResampleStream(1.0, SLOWED, 1, dtype="float32")
    for piece in pieces:
        yield stream.resample_chunk(piece)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


@lru_cache(maxsize=1)
def weights() -> Mapping[str, str]:
    """SHA-256 of the weights that voice activity and pitch are found with, by name; "" where there are none."""
    paths = {vad.NAME: vad.model_path(), pitch.name(): pitch.model_path()}
    return {name: sha256(path) if path is not None and path.is_file() else "" for name, path in paths.items()}
