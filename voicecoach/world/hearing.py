"""What every measurement starts from: where somebody speaks, and at which pitch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicecoach.measure import activity, observe
from voicecoach.measure.activity import FRAME, Span
from voicecoach.measure.observe import HOP, PIECE, VOICED, PitchTrack
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats
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
    n_samples = len(samples)

    def pieces() -> Iterator[Floats]:
        return observe.pieces_for_models(samples)

    track = pitch.track_of(pieces())
    probabilities = vad.probabilities_of(pieces())
    spans = activity.speech_spans(probabilities, n_samples)
    if _missed_s(spans, track) >= MISSED_S:
        probabilities = np.maximum(probabilities, _slower(pieces(), len(probabilities)))
        spans = activity.speech_spans(probabilities, n_samples)
    if _missed_s(spans, track) >= MISSED_S:
        spans = activity.speech_spans(_raised(probabilities, track), n_samples)
    return Hearing(activity.refined(spans, activity.powers(pieces()), n_samples), track)


SOFT_DB = 30.0
"""Sound this far under the loud parts of a channel is no voice that its detector missed: the other side's, or a room's."""


def speech_in(read: Callable[[int], Floats], n_samples: int) -> tuple[Span, ...]:
    """Stretches of speech in a long recording, found as in `listen`.

    Pitch and the slower look only help where the detector misses a voice, so they are only taken where there is sound
    outside of what it found.
    `read` gives the n-th PIECE of the recording, prepared for the models; it is asked more than once.
    """
    count = -(-n_samples // PIECE)
    probabilities = vad.probabilities_of(map(read, range(count)))
    power = activity.powers(map(read, range(count)))
    spans = activity.speech_spans(probabilities, n_samples)
    places = _sounding(spans, power)
    voiced = _voiced(read, places)
    if _outside_s(spans, voiced) >= MISSED_S:
        probabilities = probabilities.copy()
        for first, last in _runs(places):
            start = max(0, first - 1)  # the detector needs to have listened for a while
            part = slice(first * PIECE // FRAME, min(last * PIECE // FRAME, len(probabilities)))
            slow = _slower(map(read, range(start, last)), part.stop - start * PIECE // FRAME)
            probabilities[part] = np.maximum(probabilities[part], slow[part.start - part.stop :])
        spans = activity.speech_spans(probabilities, n_samples)
    if _outside_s(spans, voiced) >= MISSED_S:
        inside = [np.arange(start // FRAME, end // FRAME) for start, end in spans]
        raised = _scaled(probabilities, np.concatenate([voiced * HOP // FRAME, *inside]))
        spans = activity.speech_spans(raised, n_samples)
    return activity.refined(spans, power, n_samples)


def _sounding(spans: tuple[Span, ...], power: npt.NDArray[np.float64]) -> list[int]:
    """The pieces with sound outside the stretches of speech."""
    outside = np.ones(len(power), bool)
    for start, end in spans:
        outside[max(0, start // activity.ENERGY - _NEAR) : end // activity.ENERGY + _NEAR] = False
    spoken = power[~outside] if spans else power
    loud = outside & (power > max(float(np.percentile(spoken, 95)) * 10 ** (-SOFT_DB / 10), _SILENT))
    return sorted({int(at) * activity.ENERGY // PIECE for at in np.flatnonzero(loud)})


_SILENT = 1e-12
_NEAR = 20
"""Frames of energy (0.2 s) on either side of speech: its edges, which are looked for later."""


def _runs(places: Sequence[int]) -> Iterator[Span]:
    """Neighbouring numbers as [first, last)."""
    for at, place in enumerate(places):
        if not at or places[at - 1] != place - 1:
            first = place
        if at + 1 == len(places) or places[at + 1] != place + 1:
            yield first, place + 1


def _voiced(read: Callable[[int], Floats], places: Sequence[int]) -> npt.NDArray[np.intp]:
    """Numbers of the voiced frames, HOP samples apart, of these pieces."""
    found = [np.zeros(0, np.intp)]
    for first, last in _runs(places):
        track = pitch.track_of(map(read, range(first, last)))
        found.append(first * PIECE // HOP + np.flatnonzero(track.confidence >= VOICED))
    return np.concatenate(found)


def _outside_s(spans: tuple[Span, ...], voiced: npt.NDArray[np.intp]) -> float:
    """Seconds of voiced frames outside the stretches of speech."""
    inside = sum(
        int(np.searchsorted(voiced, end // HOP, "right") - np.searchsorted(voiced, start // HOP))
        for start, end in spans
    )
    return float(len(voiced) - inside) * HOP / SAMPLE_RATE_HZ


def _raised(probabilities: Floats, track: PitchTrack) -> Floats:
    """Probabilities scaled so that voiced frames have SURE in the middle; a narrow telephone line keeps them all low."""
    return _scaled(probabilities, np.flatnonzero(track.confidence >= VOICED) * HOP // FRAME)


def _scaled(probabilities: Floats, frames: npt.NDArray[np.intp]) -> Floats:
    """Probabilities scaled so that these frames have SURE in the middle."""
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


def weights() -> Mapping[str, str]:
    """SHA-256 of the weights that voice activity and pitch are found with, by name; "" where there are none."""
    paths = {vad.NAME: vad.model_path(), pitch.name(): pitch.model_path()}
    return {name: sha256(path) if path is not None and path.is_file() else "" for name, path in paths.items()}
