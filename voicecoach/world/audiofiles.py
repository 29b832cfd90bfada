"""Audio files in and out: any recording to 16 kHz channels, and a recording to something a browser plays."""

from __future__ import annotations

import base64
import contextlib
import io
import math
import re
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import IO, Any, Protocol, Self

import numpy as np

from voicecoach.errors import BadInput, DiskError
from voicecoach.nouns import SAMPLE_RATE_HZ, Floats, Samples
from voicecoach.record import MAX_SECONDS

RATES_HZ = (4_000, 384_000)
"""Sample rates outside are mistakes of a damaged header."""
MAX_CHANNELS = 32
PIECE_SAMPLES = 1 << 20
"""Samples of all channels that are read at once."""
CONTAINERS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,gsm,m4a,matroska,mov,mp3,mp4,ogg,tta,w64,wav,webm,wv"
"""What FFmpeg may open. Its playlists (hls, concat, dash, sdp...) can name any file or address and are not here."""
OPUS = {"b": "32k", "compression_level": "0"}
"""Two voices at 16 kHz. Its quickest setting is still better than MP3 of 40 kbit/s, and takes a seventh of the time."""
MP3_COMPRESSION = 0.8
"""libsndfile's scale; gives 40 kbit/s for 16 kHz stereo, at which its MP3 keeps the length to the sample."""
HELD_SECONDS = 4 * 3600
"""Longer recordings are not taken into memory (0.9 GB a channel); `spooled` ones may last MAX_SECONDS."""
_MINUTE = 60 * SAMPLE_RATE_HZ
WHOLE_NUMBERS = (2.0**15, 2.0**23, 2.0**31)
"""Full scale of floating-point files that hold whole numbers of 16, 24 or 32 bits."""
NO_LOUDER = 4.0
"""Times full scale (12 dB): the headroom of floating-point recordings. A file with more holds whole numbers. Our judgement."""
LOUDEST = WHOLE_NUMBERS[-1]
"""Beyond this it is an error."""
FLAT_RUN = 3
SAME = 1e-4
FLAT_FROM = 1e-3
"""Runs of three and more samples within 0.01 % of the extreme of a channel are flat; at -60 dB and less that is rounding."""
FLAT_EVERY_S = 0.25
"""Flat samples are counted for each stretch of this length, so that their number in every turn is known."""
CUT_S = 0.5
"""A file that is shorter than its header says by more than this has been cut off."""
MAX_EMBEDDED_S = 2 * 3600
"""Longer recordings would make a page of over 50 MB."""


def read_with_flat(path: Path) -> tuple[Floats, float]:
    """An audio file mixed to one channel, float32 at 16 kHz [shape=(n,)], and the share of samples cut flat (`_Flat`).

    WAV, FLAC, OGG and MP3 through libsndfile; M4A and whatever else FFmpeg knows through PyAV. It is read and resampled
    piece by piece, so that memory follows the result and not what a header says.
    Raises BadInput with a sentence for what is no audio, holds nothing, or is over four hours long.
    """
    kept = _Kept()
    intake = _take(path, True, HELD_SECONDS, kept)
    if not kept.data:
        raise BadInput(f"{path} holds no audio.", "Record it again.")
    return _to_full_scale(np.frombuffer(kept.data, np.float32)), intake.flat


def read_start(path: Path, longest_s: float) -> tuple[Floats, bool, float]:
    """As `read_with_flat`, but no more than the first `longest_s`: (samples, whether there was more, share of flat samples).

    If there was more, the share is not known, and 0. Raises BadInput as `read_with_flat`.
    """
    wanted = round(longest_s * SAMPLE_RATE_HZ)
    start = _Start(wanted)
    more, flat = False, 0.0
    try:
        flat = _take(path, True, MAX_SECONDS, start).flat
    except _EnoughError:
        more = True
    samples = _to_full_scale(np.frombuffer(start.data, np.float32)[:wanted])
    if not len(samples):
        raise BadInput(f"{path} holds no audio.", "Record it again.")
    return samples, more, flat


def _gain(peak: float) -> float:
    """The factor that scales a file with this peak to full scale 1: less than 1 if it holds whole numbers."""
    if peak <= NO_LOUDER:
        return 1.0
    return 1 / next(full for full in WHOLE_NUMBERS if peak <= full or full == LOUDEST)


def _to_full_scale(samples: Floats) -> Floats:
    """The same samples [shape=(n,)], changed in place where they are whole numbers."""
    gain = _gain(_peak(samples))
    if gain != 1:
        samples *= np.float32(gain)
    return samples


def _peak(samples: Floats) -> float:
    """The largest magnitude; 0 of nothing."""
    return max(float(samples.max()), -float(samples.min())) if samples.size else 0.0


class Spool:
    """A recording of any length at 16 kHz, in a file that nobody else sees and that is gone when it is closed.

    `missing_s` is how much longer its file says that it is than what can be read of it.
    """

    def __init__(self, file: IO[bytes], samples: int, intake: _Intake) -> None:
        self.channels, self.samples, self.missing_s = intake.channels, samples, intake.missing_s
        self._gain, self._flat = np.float32(_gain(intake.peak)), intake.flat_shares()
        self._file, self._lock = file, Lock()

    def flat(self, channel: int, start: int, end: int) -> float:
        """Share of samples of a channel from `start` to `end` that were cut flat before they came to 16 kHz (`_Flat`)."""
        every = SAMPLE_RATE_HZ * FLAT_EVERY_S
        found = self._flat[channel, int(start / every) : math.ceil(end / every)]
        return min(1.0, float(found.sum()) * every / (end - start)) if end > start else 0.0

    def read(self, channel: int, start: int, end: int) -> Floats:
        """Samples of a channel, float32 [shape=(end - start,)]; fewer at the end of the recording. Of any thread."""
        with self._lock:
            self._file.seek(start * self.channels * 4)
            raw = self._file.read(max(0, end - start) * self.channels * 4)
        samples = np.frombuffer(raw, np.float32).reshape(-1, self.channels)[:, channel]
        return samples * self._gain if self._gain != 1 else np.ascontiguousarray(samples)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def spooled(path: Path, folder: Path | None = None) -> Spool:
    """The channels of an audio file at 16 kHz, on disk (in `folder`): memory does not grow with its length.

    Of a file that is cut off or damaged, what is before that. Raises BadInput as `read_with_flat`, and DiskError where
    there is no room for it (230 MB an hour and channel).
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            intake = _take(path, False, MAX_SECONDS, file, torn=True)
            samples = file.seek(0, io.SEEK_END) // 4 // intake.channels
        except (OSError, _WriteError) as error:
            cause = error.__cause__ or error
            raise DiskError(
                f"{path} could not be unpacked on disk ({getattr(cause, 'strerror', None) or cause}).",
                "Free some space, or choose another folder with --data.",
            ) from error
        if not samples:
            raise BadInput(f"{path} holds no audio.", "Record it again.")
        stack.pop_all()
    return Spool(file, samples, intake)


class _Kept:
    """What is written, in memory; it grows in place: a list of pieces would be held twice while they are joined."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> object:
        """Append."""
        self.data += data
        return None

    def seek(self, offset: int) -> object:
        """Only to the beginning, and then it is empty."""
        del self.data[offset:]
        return None

    def truncate(self) -> object:
        """Nothing is left after `seek`."""
        return None


class _EnoughError(Exception):
    """The sink wants no more."""


class _Start(_Kept):
    """As `_Kept`, until there are more than so many samples."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self._wanted = wanted

    def write(self, data: bytes) -> object:
        """Append."""
        super().write(data)
        if len(self.data) > 4 * self._wanted:
            raise _EnoughError
        return None


class _Sink(Protocol):
    """Where samples go."""

    def write(self, data: bytes, /) -> object: ...
    def seek(self, offset: int, /) -> object: ...
    def truncate(self) -> object: ...


def _take(path: Path, mix: bool, longest_s: float, sink: _Sink, *, torn: bool = False) -> _Intake:
    """Read a file into `sink`, float32 at 16 kHz. With `torn`, what comes before a damage is enough."""
    try:
        there = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise BadInput(f"{path} does not exist or is not a file.", "Check the path.")
    try:
        return _read_by_libsndfile(path, mix, longest_s, sink)
    except (RuntimeError, OSError) as error:  # soundfile's LibsndfileError is a RuntimeError
        sink.seek(0)
        sink.truncate()
        return _read_by_ffmpeg(path, mix, longest_s, sink, str(error), torn)


class _WriteError(Exception):
    """The sink failed, not the file that is read."""


def _read_by_libsndfile(path: Path, mix: bool, longest_s: float, sink: _Sink) -> _Intake:
    import soundfile

    with soundfile.SoundFile(path) as file:
        seconds = file.frames / max(file.samplerate, 1)
        intake = _Intake(path, file.samplerate, file.channels, seconds, mix, longest_s, sink)
        intake.promised_s = _promised(file) / file.samplerate
        while len(block := file.read(max(1, PIECE_SAMPLES // file.channels), dtype="float32", always_2d=True)):
            intake.add(block)
    return intake.done()


def _promised(file: Any) -> int:
    """Frames that a file says it has: libsndfile corrects the header of a WAV that was cut off, and keeps a note of it."""
    cut = re.search(r"data : (\d+) \(should be (\d+)\)", file.extra_info)
    written, there = map(int, cut.groups()) if cut else (0, 0)
    streamed = written >= 0x7FFFF000  # whoever wrote it did not know the length yet
    return round(file.frames * written / there) if there and not streamed else int(file.frames)


class _Intake:
    """Takes a file's samples [shape=(n, channels)] piece by piece and hands them on at 16 kHz, or `mix`ed to one channel."""

    def __init__(
        self, path: Path, rate_hz: int, channels: int, seconds: float, mix: bool, longest_s: float, sink: _Sink
    ) -> None:
        import soxr

        if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
            raise BadInput(
                f"{path} claims a sampling rate of {rate_hz} Hz, which no recording has.", "Export it again."
            )
        if not 1 <= channels <= MAX_CHANNELS:
            raise BadInput(f"{path} claims to have {channels} channels, which no call has.", "Export it again.")
        self._path, self._rate_hz, self._taken = path, rate_hz, 0
        self._flat, self.peak = _Flat(channels, rate_hz), 0.0
        self._longest_s, self._sink = longest_s, sink
        self.promised_s = seconds
        self._refuse_long(seconds)
        self.channels = 1 if mix else channels
        same = rate_hz == SAMPLE_RATE_HZ
        self._stream = None if same else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, self.channels, dtype="float32")

    def _refuse_long(self, seconds: float) -> None:
        if seconds > self._longest_s:
            raise BadInput(
                f"{self._path} is {seconds / 3600:.1f} hours long; the limit is {self._longest_s / 3600:.0f} hours.",
                "Cut it into calls.",
            )

    @property
    def flat(self) -> float:
        """Share of samples that were cut flat, in the worst channel."""
        return self._flat.samples / self._taken if self._taken else 0.0

    def flat_shares(self) -> Floats:
        """The same of each channel and each stretch of FLAT_EVERY_S [shape=(channels, n)]."""
        return np.asarray(self._flat.counts.sum(axis=0) / (self._rate_hz * FLAT_EVERY_S), np.float32)

    @property
    def missing_s(self) -> float:
        """Seconds that the file claims to hold but did not give; 0 if that is only a matter of frames and rounding."""
        missing_s = self.promised_s - self._taken / self._rate_hz
        return missing_s if missing_s > CUT_S else 0.0

    @property
    def taken(self) -> int:
        """Samples that came, at the file's own rate."""
        return self._taken

    def add(self, block: Floats) -> None:
        """The next piece."""
        if not np.isfinite(block).all():
            raise BadInput(
                f"{self._path} holds values that are not numbers (NaN or infinity).", "Export it again as 16-bit WAV."
            )
        self.peak = max(self.peak, _peak(block))
        if self.peak > LOUDEST:
            raise BadInput(
                f"{self._path} holds values {LOUDEST:.0g} times above full scale.", "Export it again as 16-bit WAV."
            )
        self._taken += len(block)
        self._flat.add(block)
        self._refuse_long(self._taken / self._rate_hz)
        if block.shape[1] > self.channels:
            block = block.mean(axis=1, keepdims=True)
        self._keep(self._stream.resample_chunk(np.ascontiguousarray(block)) if self._stream else block)

    def _keep(self, samples: Floats) -> None:
        try:
            self._sink.write(np.asarray(samples, np.float32).tobytes())
        except OSError as error:
            raise _WriteError from error

    def done(self) -> _Intake:
        """The last of it."""
        if self._stream and self._taken:
            self._keep(self._stream.resample_chunk(np.zeros((0, self.channels), np.float32), last=True))
        return self


class _Flat:
    """Counts samples that were cut flat: runs of FLAT_RUN at the highest or lowest value of a channel.

    A recording that was clipped and turned down afterwards shows it no longer at full scale, and resampling rounds its
    corners; so it is looked for here. Neither shouts nor calm voices have such runs (111 clips of actors and readers:
    none); clipped by 9 dB each of them has more than 0.1 %.
    """

    def __init__(self, channels: int, rate_hz: int) -> None:
        self._extremes = np.full((2, channels), FLAT_FROM)
        self._taken, self._every = 0, rate_hz * FLAT_EVERY_S
        self.counts = np.zeros((2, channels, 0), np.int32)
        """At the highest value and at the lowest, of each channel, in each stretch of FLAT_EVERY_S and some after them."""

    @property
    def samples(self) -> int:
        """Of the worst channel."""
        return int(self.counts.sum(axis=(0, 2)).max())

    def add(self, block: Floats) -> None:
        """The next piece [shape=(n, channels)]."""
        self._make_room(int((self._taken + len(block)) / self._every) + 1)
        for side, signed in enumerate((block, -block)):
            highest = signed.max(axis=0, initial=0)
            for channel in np.flatnonzero(highest >= self._extremes[side] * (1 - SAME)):
                if highest[channel] > self._extremes[side, channel] * (1 + SAME):
                    self._extremes[side, channel], self.counts[side, channel] = highest[channel], 0
                flat = signed[:, channel] >= self._extremes[side, channel] * (1 - SAME)
                edges = np.flatnonzero(np.diff(flat, prepend=False, append=False)).reshape(-1, 2)
                edges = edges[edges[:, 1] - edges[:, 0] >= FLAT_RUN]
                stretches = ((self._taken + edges[:, 0]) / self._every).astype(int)
                np.add.at(self.counts[side, channel], stretches, edges[:, 1] - edges[:, 0])
        self._taken += len(block)

    def _make_room(self, stretches: int) -> None:
        """For at least so many stretches; it doubles, so that a file in small pieces is not copied for each."""
        sides, channels, there = self.counts.shape
        if stretches > there:
            more = np.zeros((sides, channels, max(stretches, 2 * there) - there), np.int32)
            self.counts = np.concatenate((self.counts, more), axis=2)


def _read_by_ffmpeg(path: Path, mix: bool, longest_s: float, sink: _Sink, first: str, torn: bool) -> _Intake:
    """As PyAV (FFmpeg, which faster-whisper brings) reads it; `first` is what libsndfile had to say.

    FFmpeg also reads playlists, which name other files and addresses: only plain containers are opened, and nothing
    but this file.
    """
    import av

    wrong = (av.FFmpegError, LookupError, ValueError, TypeError, AttributeError, OSError, MemoryError)
    intake: _Intake | None = None
    try:
        with av.open(str(path), options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}) as container:
            stream = container.streams.audio[0]
            rate_hz = int(stream.rate or 0)
            seconds = float((container.duration or 0) / av.time_base)
            intake = _Intake(path, rate_hz, int(stream.channels or 0), seconds, mix, longest_s, sink)
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate_hz)
            for frame in chain(container.decode(stream), (None,)):
                for piece in resampler.resample(frame):
                    intake.add(np.ascontiguousarray(piece.to_ndarray().T, np.float32))
    except wrong as error:  # AttributeError: PyAV, for a stream without a decoder
        if torn and intake is not None and intake.taken:
            return intake.done()
        raise BadInput(
            f"{path} is not an audio file that can be read.",
            "Convert it to WAV, FLAC, MP3 or M4A.",
            f"{first}; {error}",
        ) from error
    return intake.done()


def as_wav(samples: Samples) -> bytes:
    """A WAV file: int16 [shape=(n,)], mono, 16 kHz."""
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def write_wav(path: Path, samples: Samples) -> None:
    """Write `as_wav`; raises DiskError."""
    try:
        path.write_bytes(as_wav(samples))
    except OSError as error:
        raise DiskError(f"{path} cannot be written ({error.strerror}).", "Choose another place with --out.") from error


def as_data_uri(samples: Samples) -> str | None:
    """As `data_uri_of`, for a recording [shape=(n, 2)] in memory."""
    return data_uri_of((samples[at : at + _MINUTE] for at in range(0, len(samples), _MINUTE)), len(samples))


def data_uri_of(blocks: Iterable[Samples], n_samples: int) -> str | None:
    """A recording of `n_samples` in blocks [shape=(m, 2)], int16, 16 kHz, as a `data:` URI that every browser plays.

    Opus in WebM, trainee left and customer right; MP3 where PyAV cannot make it. The same samples give the same bytes.
    None where the recording is empty or too long, or where neither can be made.
    """
    if not n_samples or n_samples > MAX_EMBEDDED_S * SAMPLE_RATE_HZ:
        return None
    kept = iter(blocks)
    for kind, encode in (("audio/webm;codecs=opus", _opus), ("audio/mpeg", _mp3)):
        encoded = encode(kept)
        if encoded is not None:
            return f"data:{kind};base64," + base64.b64encode(encoded).decode("ascii")
    return None


def _opus(blocks: Iterator[Samples]) -> bytes | None:
    """Opus; nothing of `blocks` is taken where that cannot be made."""
    import av

    buffer = io.BytesIO()
    options = {"fflags": "+bitexact", "cluster_time_limit": "1000"}  # no random numbers; a jump lands within a second
    try:
        container = av.open(buffer, "w", format="webm", options=options)
        stream = container.add_stream("libopus", SAMPLE_RATE_HZ, OPUS, layout="stereo")
        stream.codec_context.open()
    except (av.FFmpegError, ValueError):  # ValueError: PyAV, for a codec that this FFmpeg lacks
        return None
    with container:
        at = 0
        for block in blocks:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), "s16", "stereo")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, at
            at += len(block)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _mp3(blocks: Iterator[Samples]) -> bytes | None:
    """MP3 of constant bit rate, so that a jump to a moment lands there."""
    import soundfile

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
            for block in blocks:
                # As floats: libsndfile 1.2 makes noise of two channels of int16.
                file.write(block.astype(np.float32) / 32768)
    except RuntimeError:
        return None
    return buffer.getvalue()


def envelope_of(blocks: Iterable[Samples], n_samples: int, points: int = 1200) -> tuple[tuple[float, ...], ...]:
    """Peaks 0 to 1 of each channel of a recording in blocks [shape=(m, 2)] in `points` equal stretches, for drawing."""
    if not n_samples:
        return ((), ())
    edges = np.linspace(0, n_samples, min(points, n_samples) + 1).astype(int)[:-1]
    peaks = np.zeros((len(edges), 2), np.int32)
    at = 0
    for block in blocks:
        first, last = np.searchsorted(edges, (at, at + len(block)), "right")
        starts = np.maximum(edges[first - 1 : last] - at, 0)
        starts = starts[starts < len(block)]
        loudest = np.maximum.reduceat(np.abs(block.astype(np.int32)), starts, axis=0)
        touched = peaks[first - 1 : first - 1 + len(starts)]
        np.maximum(touched, loudest, out=touched)
        at += len(block)
    return tuple(tuple(round(float(peak), 3) for peak in peaks[:, channel] / 32768) for channel in range(2))
