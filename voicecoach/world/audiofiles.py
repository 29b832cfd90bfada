"""Audio files in and out: any recording to 16 kHz channels, and a recording to something a browser plays."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np

from voicecoach.errors import BadInput
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.record import MAX_SECONDS, Samples

RATES_HZ = (4_000, 384_000)
"""Sample rates outside are mistakes of a damaged header."""
MP3_COMPRESSION = 0.8
"""libsndfile's scale; gives 40 kbit/s for 16 kHz stereo, at which its MP3 keeps the length to the sample."""
MAX_EMBEDDED_S = 2 * 3600
"""Longer recordings would make a page of over 50 MB."""


def read(path: Path) -> list[Floats]:
    """The channels of an audio file, each float32 at 16 kHz [shape=(n,)].

    WAV, FLAC, OGG and MP3 through libsndfile; M4A and whatever else FFmpeg knows through PyAV.
    Raises BadInput with a sentence for what is no audio, holds nothing, or is over four hours long.
    """
    import soundfile
    import soxr

    if not path.is_file():
        raise BadInput(f"{path} does not exist or is not a file.", "Check the path.")
    try:
        with soundfile.SoundFile(path) as file:
            rate_hz, frames = file.samplerate, file.frames
            _refuse(path, rate_hz, frames / max(rate_hz, 1))
            samples = file.read(dtype="float32", always_2d=True)
    except (RuntimeError, OSError) as error:  # soundfile's LibsndfileError is a RuntimeError
        samples, rate_hz = _read_by_ffmpeg(path, str(error))
    if not len(samples):
        raise BadInput(f"{path} holds no audio.", "Record it again.")
    if not np.isfinite(samples).all():
        raise BadInput(f"{path} holds values that are not numbers (NaN or infinity).", "Export it again as 16-bit WAV.")
    channels = [np.ascontiguousarray(samples[:, channel]) for channel in range(samples.shape[1])]
    if rate_hz == SAMPLE_RATE_HZ:
        return channels
    return [np.asarray(soxr.resample(channel, rate_hz, SAMPLE_RATE_HZ), np.float32) for channel in channels]


def read_mono(path: Path) -> Floats:
    """All channels of a file mixed to one."""
    channels = read(path)
    return channels[0] if len(channels) == 1 else np.asarray(np.mean(channels, axis=0), np.float32)


def _refuse(path: Path, rate_hz: int, seconds: float) -> None:
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise BadInput(f"{path} says that it was sampled at {rate_hz} Hz, which no recording is.", "Export it again.")
    if seconds > MAX_SECONDS:
        raise BadInput(
            f"{path} is {seconds / 3600:.1f} hours long; {MAX_SECONDS // 3600} are the most.", "Cut it into calls."
        )


def _read_by_ffmpeg(path: Path, first: str) -> tuple[Floats, int]:
    """As PyAV (FFmpeg, which faster-whisper brings) reads it; `first` is what libsndfile had to say."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            _refuse(path, stream.rate, float((container.duration or 0) / av.time_base))
            resampler = av.AudioResampler(format="fltp", rate=stream.rate)
            pieces = [piece.to_ndarray() for frame in container.decode(stream) for piece in resampler.resample(frame)]
            rate_hz = int(stream.rate)
    except (av.FFmpegError, IndexError, ValueError, OSError) as error:
        raise BadInput(
            f"{path} is not an audio file that can be read.",
            "Convert it to WAV, FLAC, MP3 or M4A.",
            f"{first}; {error}",
        ) from error
    if not pieces:
        raise BadInput(f"{path} holds no audio.", "Record it again.")
    return np.asarray(np.concatenate(pieces, axis=1).T, np.float32), rate_hz


def as_data_uri(samples: Samples) -> str | None:
    """A recording [shape=(n, 2)], int16, 16 kHz, as a `data:` URI of MP3, which every browser plays; None if too long.

    Constant bit rate, so that a jump to a moment lands there; the same samples give the same bytes.
    """
    import soundfile

    if not len(samples) or len(samples) > MAX_EMBEDDED_S * SAMPLE_RATE_HZ:
        return None
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer,
        "w",
        SAMPLE_RATE_HZ,
        2,
        "MPEG_LAYER_III",
        format="MP3",
        compression_level=MP3_COMPRESSION,
        bitrate_mode="CONSTANT",
    ) as file:
        for start in range(0, len(samples), SAMPLE_RATE_HZ * 60):
            file.write(samples[start : start + SAMPLE_RATE_HZ * 60])
    return "data:audio/mpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def envelope(samples: Samples, points: int = 1200) -> tuple[tuple[float, ...], ...]:
    """Peaks 0 to 1 of each channel of a recording [shape=(n, 2)] in `points` equal stretches, for drawing."""
    n = len(samples)
    if not n:
        return ((), ())
    edges = np.linspace(0, n, min(points, n) + 1).astype(int)[:-1]
    peaks = np.maximum.reduceat(np.abs(samples.astype(np.int32)), edges, axis=0) / 32768
    return tuple(tuple(round(float(peak), 3) for peak in peaks[:, channel]) for channel in range(2))
