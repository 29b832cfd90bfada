"""Audio files in and out: any recording to 16 kHz channels, and a recording to something a browser plays."""

from __future__ import annotations

import base64
import io
from itertools import chain
from pathlib import Path

import numpy as np

from voicecoach.errors import BadInput, DiskError
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.record import MAX_SECONDS, Samples

RATES_HZ = (4_000, 384_000)
"""Sample rates outside are mistakes of a damaged header."""
MAX_CHANNELS = 32
PIECE_SAMPLES = 1 << 20
"""Samples of all channels that are read at once."""
CONTAINERS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,gsm,m4a,matroska,mov,mp3,mp4,ogg,tta,w64,wav,webm,wv"
"""What FFmpeg may open. Its playlists (hls, concat, dash, sdp...) can name any file or address and are not here."""
MP3_COMPRESSION = 0.8
"""libsndfile's scale; gives 40 kbit/s for 16 kHz stereo, at which its MP3 keeps the length to the sample."""
MAX_EMBEDDED_S = 2 * 3600
"""Longer recordings would make a page of over 50 MB."""


def read(path: Path) -> list[Floats]:
    """The channels of an audio file, each float32 at 16 kHz [shape=(n,)]. Raises BadInput as `_read`."""
    samples = _read(path, mix=False)
    return [np.ascontiguousarray(samples[:, channel]) for channel in range(samples.shape[1])]


def read_mono(path: Path) -> Floats:
    """All channels of a file mixed to one, without ever holding more than that one. Raises BadInput as `_read`."""
    return _read(path, mix=True).reshape(-1)


def _read(path: Path, mix: bool) -> Floats:
    """An audio file as float32 at 16 kHz [shape=(n, channels)], or `mix`ed to one channel.

    WAV, FLAC, OGG and MP3 through libsndfile; M4A and whatever else FFmpeg knows through PyAV. It is read and resampled
    piece by piece, so that memory follows the result and not what a header says.
    Raises BadInput with a sentence for what is no audio, holds nothing, or is over four hours long.
    """
    try:
        there = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise BadInput(f"{path} does not exist or is not a file.", "Check the path.")
    try:
        samples = _read_by_libsndfile(path, mix)
    except (RuntimeError, OSError) as error:  # soundfile's LibsndfileError is a RuntimeError
        samples = _read_by_ffmpeg(path, mix, str(error))
    if not len(samples):
        raise BadInput(f"{path} holds no audio.", "Record it again.")
    return samples


def _read_by_libsndfile(path: Path, mix: bool) -> Floats:
    import soundfile

    with soundfile.SoundFile(path) as file:
        intake = _Intake(path, file.samplerate, file.channels, file.frames / max(file.samplerate, 1), mix)
        while len(block := file.read(max(1, PIECE_SAMPLES // file.channels), dtype="float32", always_2d=True)):
            intake.add(block)
    return intake.done()


class _Intake:
    """Takes a file's samples [shape=(n, channels)] piece by piece and gives them back at 16 kHz, or `mix`ed to one channel."""

    def __init__(self, path: Path, rate_hz: int, channels: int, seconds: float, mix: bool) -> None:
        import soxr

        if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
            raise BadInput(
                f"{path} says that it was sampled at {rate_hz} Hz, which no recording is.", "Export it again."
            )
        if not 1 <= channels <= MAX_CHANNELS:
            raise BadInput(f"{path} says that it has {channels} channels, which no call has.", "Export it again.")
        self._path, self._rate_hz, self._taken = path, rate_hz, 0
        self._refuse_long(seconds)
        self._bytes = bytearray()  # grows in place: a list of pieces would be held twice while they are joined
        self._channels = 1 if mix else channels
        same = rate_hz == SAMPLE_RATE_HZ
        self._stream = None if same else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, self._channels, dtype="float32")

    def _refuse_long(self, seconds: float) -> None:
        if seconds > MAX_SECONDS:
            raise BadInput(
                f"{self._path} is {seconds / 3600:.1f} hours long; {MAX_SECONDS // 3600} are the most.",
                "Cut it into calls.",
            )

    def add(self, block: Floats) -> None:
        """The next piece."""
        if not np.isfinite(block).all():
            raise BadInput(
                f"{self._path} holds values that are not numbers (NaN or infinity).", "Export it again as 16-bit WAV."
            )
        self._taken += len(block)
        self._refuse_long(self._taken / self._rate_hz)
        if block.shape[1] > self._channels:
            block = block.mean(axis=1, keepdims=True)
        self._keep(self._stream.resample_chunk(np.ascontiguousarray(block)) if self._stream else block)

    def _keep(self, samples: Floats) -> None:
        self._bytes += np.asarray(samples, np.float32).tobytes()

    def done(self) -> Floats:
        """All of it."""
        if self._stream and self._taken:
            self._keep(self._stream.resample_chunk(np.zeros((0, self._channels), np.float32), last=True))
        return np.frombuffer(self._bytes, np.float32).reshape(-1, self._channels)


def _read_by_ffmpeg(path: Path, mix: bool, first: str) -> Floats:
    """As PyAV (FFmpeg, which faster-whisper brings) reads it; `first` is what libsndfile had to say.

    FFmpeg also reads playlists, which name other files and addresses: only plain containers are opened, and nothing
    but this file.
    """
    import av

    wrong = (av.FFmpegError, LookupError, ValueError, TypeError, AttributeError, OSError, MemoryError)
    try:
        with av.open(str(path), options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}) as container:
            stream = container.streams.audio[0]
            rate_hz = int(stream.rate or 0)
            seconds = float((container.duration or 0) / av.time_base)
            intake = _Intake(path, rate_hz, int(stream.channels or 0), seconds, mix)
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate_hz)
            for frame in chain(container.decode(stream), (None,)):
                for piece in resampler.resample(frame):
                    intake.add(np.ascontiguousarray(piece.to_ndarray().T, np.float32))
    except wrong as error:  # AttributeError: PyAV, for a stream without a decoder
        raise BadInput(
            f"{path} is not an audio file that can be read.",
            "Convert it to WAV, FLAC, MP3 or M4A.",
            f"{first}; {error}",
        ) from error
    return intake.done()


def write_wav(path: Path, samples: Samples) -> None:
    """Write int16 mono at 16 kHz; raises DiskError."""
    import wave

    try:
        with open(path, "wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(samples.astype("<i2").tobytes())
    except OSError as error:
        raise DiskError(f"{path} cannot be written ({error.strerror}).", "Choose another place with --out.") from error


def as_data_uri(samples: Samples) -> str | None:
    """A recording [shape=(n, 2)], int16, 16 kHz, as a `data:` URI of MP3, which every browser plays.

    Constant bit rate, so that a jump to a moment lands there; the same samples give the same bytes. None where the
    recording is empty or too long, or where this libsndfile makes no MP3.
    """
    import soundfile

    if not len(samples) or len(samples) > MAX_EMBEDDED_S * SAMPLE_RATE_HZ:
        return None
    buffer = io.BytesIO()
    try:
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
                # As floats: libsndfile 1.2 makes noise of two channels of int16.
                file.write(samples[start : start + SAMPLE_RATE_HZ * 60].astype(np.float32) / 32768)
    except RuntimeError:
        return None
    return "data:audio/mpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def envelope(samples: Samples, points: int = 1200) -> tuple[tuple[float, ...], ...]:
    """Peaks 0 to 1 of each channel of a recording [shape=(n, 2)] in `points` equal stretches, for drawing."""
    n = len(samples)
    if not n:
        return ((), ())
    edges = np.linspace(0, n, min(points, n) + 1).astype(int)[:-1]
    peaks = np.maximum.reduceat(np.abs(samples.astype(np.int32)), edges, axis=0) / 32768
    return tuple(tuple(round(float(peak), 3) for peak in peaks[:, channel]) for channel in range(2))
