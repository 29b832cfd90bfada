"""The session folder: the only writer and the only reader.

    <session>/events.jsonl    one event a line, in order
    <session>/audio.wav       16 kHz, two channels: 0 trainee, 1 customer (audio.flac after a clean end)
    <session>/persona.yaml    the persona as it was
    <session>/procedure.yaml  the procedure as it was
    <session>/trainer.jsonl   what a trainer wrote about it, a line each; never part of the record itself
    <session>/copies.jsonl    where copies of it were put: submitted, exported

Events. *Facts* are never recomputed; *judgements* are recomputed by every report under the rules of today.
Positions (`start`, `end`, `speech`, `overlap`) are sample indices of `audio.wav`.

    fact       data
    started    wall, voicecoach, rules, trainee, persona {id, name, person, level, sha256}, procedure, seed, mode,
               patience_s, patience {name, finished_s, unfinished_s}, sound {port, input,
               output, device_rate_hz, latency_s, echo, echo_test; of a page also what the browser did to the voice; of a
               recorded call the channel that was taken as the agent's: left, right, only, both (the same)},
               ears {model, sha256, source}, voice, words, vad, tracker, weights {name: sha256},
               baseline | null, recent, and in some sessions: moment (where it began), retry {session, turn, take},
               drill
    said       line, text, level, anger, voice, start, end      a line of the customer, with its planned end (of a recorded
               call the end, and neither level nor anger)
    spoke      turn, start, end, speech, overlap                an utterance of the trainee
    heard      turn, text, words [{text, start_s, end_s, probability}], model, who ("trainee" | "customer"), again
    measured   who ("trainee" | "customer"), turn | line, observation
               a turn that was heard twice has both twice: first what the customer answered to, then (`again`) what the
               careful pass heard after the answer; the last one counts
    withdrawn  turn, line, start, end                           a line that the customer took back: the trainee had only paused
    calibrated baseline                                         the first turns, where there was no calibration; after `moved` or
               `resumed`, the calm voice on the microphone of then
    interrupted  by ("trainee" | "customer"), line, start, end, played_s, stopped; of a line that was stopped also noticed_s,
               of_s (its length, as far as it was made), words (those spoken so far), told (points of the story told so far), together (true
               where both had begun at the same time: nobody has interrupted)
    nodded     turn, line, start, end, played_s                 a verbal nod over a line that went on: good listening
    echo       start, end                                       a turn that was nothing but the customer's voice, come back
    wordless   start, end, speech, what, do                     the trainee's voice, in which no words were found: no turn; of a
               recorded call that of either side (`who`), without what to do
    held       line, start, end                                 the line stood still (false alarm, no device) and went on
    moved      input, output, echo                              the sound went to other devices without a pause
    resumed    start, end, input, output, latency_s, echo, other    the sound device was away from start to end
    cue        text, turn, effort_db, nuclei_ratio              the numbers that called for it (effort, pace)
    after_cue  turn, cue, observation                           from the cue (its sample) to the end of the turn
    timed      turn, speech_end, speculated, committed, chosen, first_out (samples), endpoint_ms, recognise_ms, judge_ms,
               voice_ms, answer_ms, withdrawn          end of speech (or of the customer's own line, where that ended
               later) to the customer's first sample, and its parts
    note       text                                             the trainee's own notes
    hold       on                                               the trainee put the customer on hold, or came back (the page)
    worksheet  outcome ("done" | "skipped"), goal, can, cannot, problems, win_wins    before the call
    focus      outcome ("done" | "skipped")                     one breath
    recovery   outcome ("done" | "skipped"), after              the pause after the call before, and why that was a hard one
    consent    line, how ("asked" | "earlier" | "told"), given  what was agreed to, and when, before anything was recorded
    assignment assignment, attempt                              what the call was set as (`report.desk.Assignment`)
    fault      what, do, detail
    ended      outcome, why; of a call also lost_blocks, xruns  blocks dropped; times that the device ran dry or over

    judgement  data
    assessed   turn, assessment
    reacted    turn | null, mood, causes, line
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import io
import json
import math
import os
import re
import shutil
import stat
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import numpy as np

from voicecoach.errors import BadInput, DiskError
from voicecoach.nouns import SAMPLE_RATE_HZ, Event, Samples, slug

T = TypeVar("T")

INDEX = ".history.sqlite3"
"""Beside the session folders: the index of `history`, which can be thrown away and is, with any session."""
MAX_SECONDS = 6 * 3600
"""Longer recordings are refused; at 16 kHz stereo this is 1.4 GB, far below the 4 GB limit of WAV."""
ROOM_NEEDED_BYTES = 200 * 1024 * 1024
"""Free space asked for before the first word: 50 minutes of recording (3.8 MB a minute)."""
MAX_EVENTS_BYTES = 64 * 1024 * 1024
"""Of events.jsonl that are read: six hours of talk are about 20 MB."""
MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Of one line; the longest turn there can be has 150 kB."""
MAX_EVENTS = 500_000
"""Lines that are read; six hours of talk have some 50,000."""
MAX_TEXT_BYTES = 256 * 1024
"""Of a persona or a procedure; `yamlfile` takes a quarter of it."""
MAX_LINES_BYTES = 4 * 1024 * 1024
"""Of a trainer's file, or of the list of copies."""
TRAINER, COPIES, PAGE = "trainer.jsonl", "copies.jsonl", "debrief.html"
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FRAME_BYTES = 4
"""Two channels of int16."""
_HEADER_BYTES = 44
_DAMAGED_BYTES = 8
"""Of the 36 fixed bytes of the header; more, and the file is something else."""
MAX_LOSS_S = 0.2
"""What a crash may cost; a recording that is shorter than its events by more is told."""
_TOLD_LINES = 5
"""Damaged lines that are named one by one; the rest are counted."""


def to_json(value: Any) -> str:
    """One line of JSON: sorted keys, no NaN, numbers to six places, so that equal values are equal bytes."""
    return json.dumps(tidy(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def tidy(value: Any) -> Any:
    """A value as plain JSON that can be written: lists, finite numbers to six places, text without half characters."""
    if value is None or type(value) in (bool, int):  # what most of a record is made of comes first
        return value
    if type(value) is float:
        return round(value, 6) + 0.0 if math.isfinite(value) else None  # + 0.0: never -0.0
    if type(value) is str and value.isascii():
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return tidy(asdict(value))
    if isinstance(value, Mapping):
        return {tidy(str(key)): tidy(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [tidy(item) for item in value]
    if isinstance(value, float | np.floating):
        return tidy(float(value))
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, str):  # half a surrogate pair is no text and could not be written
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def from_json(kind: type[T], data: Any) -> T:
    """A frozen dataclass of `nouns` from its JSON form. Raises ValueError where the data does not fit."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(data)


class Writer:
    """Writes one session. Nothing that was handed over is lost by a crash but the last block.

    Raises DiskError when the disk is full, read-only or failing; what was written before stays readable.
    """

    def __init__(self, folder: Path, persona: str, procedure: str) -> None:
        self.folder = folder
        self.samples = 0
        self._closed = False
        self._lock: Callable[[], None] = lambda: None
        old = os.umask(0o077)
        try:
            make_room(folder.parent)
            folder.mkdir()
            self._lock = _lock(folder)
            self._events = _create(folder / "events.jsonl")
            self._events_bytes = 0
            self._audio = _create(folder / "audio.wav")
            _write_all(self._audio, _wav_header(0))
            for name, text in (("persona.yaml", persona), ("procedure.yaml", procedure)):
                if text:
                    (folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            self._lock()
            raise _disk_error(folder, error) from error
        finally:
            os.umask(old)

    def event(self, kind: str, at: int | None = None, **data: Any) -> Event:
        """Append one event; `at` defaults to now (the samples recorded so far)."""
        event = Event(kind, self.samples if at is None else at, cast(Mapping[str, Any], json.loads(to_json(data))))
        line = (to_json({"at": event.at, "kind": kind, **data}) + "\n").encode()
        try:
            _write_all(self._events, line)
        except OSError as error:
            with contextlib.suppress(OSError):  # a torn line would spoil the next one too
                os.ftruncate(self._events, self._events_bytes)
                os.lseek(self._events, self._events_bytes, os.SEEK_SET)
            raise _disk_error(self.folder, error) from error
        self._events_bytes += len(line)
        return event

    def audio(self, block: Samples) -> None:
        """Append samples [shape=(n, 2)], int16: trainee, customer. The header is right after every block."""
        try:
            os.lseek(self._audio, _HEADER_BYTES + self.samples * _FRAME_BYTES, os.SEEK_SET)
            _write_all(self._audio, np.ascontiguousarray(block, dtype="<i2").tobytes())
            os.lseek(self._audio, 0, os.SEEK_SET)
            _write_all(self._audio, _wav_header(self.samples + len(block)))
        except OSError as error:
            raise _disk_error(self.folder, error) from error
        self.samples += len(block)

    def sync(self) -> None:
        """Make what was written survive a power cut; call about once a second, never from the audio thread."""
        try:
            os.fsync(self._events)
            os.fsync(self._audio)
        except OSError as error:
            raise _disk_error(self.folder, error) from error

    def close(self, archive: bool = True) -> None:
        """End the recording; with `archive`, keep it as FLAC once that is proved equal, sample for sample."""
        if self._closed:
            return
        self._closed = True
        failure: OSError | None = None
        for step in (os.fsync, os.close):
            for handle in (self._audio, self._events):
                try:
                    step(handle)
                except OSError as error:
                    failure = failure or error
        try:
            if failure:
                raise _disk_error(self.folder, failure) from failure
            if archive and self.samples:
                archive_audio(self.folder)
        finally:
            self._lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(archive=kind is None)


def make_room(sessions: Path) -> None:
    """Make the folder where sessions are kept, if need be, and raise DiskError where there is too little space in it."""
    try:
        sessions.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(sessions).free
    except OSError as error:
        raise _disk_error(sessions, error) from error
    if free < ROOM_NEEDED_BYTES:
        raise DiskError(
            f"There is less than {ROOM_NEEDED_BYTES // 2**20} MB free where sessions are kept ({sessions}).",
            "Free some space, or choose another folder with --data.",
        )


def _create(path: Path) -> int:
    """A new file that only its owner may read, for writing."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)


def _write_all(handle: int, data: bytes) -> None:
    """Write `data` whole: one write may be short."""
    while data:
        data = data[os.write(handle, data) :]


def _wav_header(samples: int) -> bytes:
    """The header of a WAV file of `samples` two-channel samples."""
    size = samples * _FRAME_BYTES
    chunk = struct.pack("<HHIIHH", 1, 2, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * _FRAME_BYTES, _FRAME_BYTES, 16)
    return struct.pack("<4sI4s4sI16s4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, chunk, b"data", size)


def _lock(folder: Path) -> Callable[[], None]:
    """Hold the folder for one writer; returns the release. Windows relies on the exclusive mkdir alone."""
    try:
        import fcntl
    except ImportError:
        return lambda: None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return lambda: os.close(handle)


def _disk_error(folder: Path, error: OSError) -> DiskError:
    if isinstance(error, FileExistsError):
        return DiskError(
            f"The session folder {folder} already exists.", "Start again: a new folder gets a new name.", str(error)
        )
    return DiskError(
        f"The recording in {folder} could not be written ({error.strerror or error}).",
        "What was recorded before is kept. Free some space or choose another folder with --data.",
        str(error),
    )


def archive_audio(folder: Path) -> None:
    """Replace audio.wav by audio.flac, if and only if the FLAC holds the very same samples."""
    import soundfile

    source, target, draft = folder / "audio.wav", folder / "audio.flac", folder / "audio.flac.tmp"
    try:
        with (
            soundfile.SoundFile(source) as wav,
            soundfile.SoundFile(draft, "w", wav.samplerate, wav.channels, "PCM_16", format="FLAC") as flac,
        ):
            for block in wav.blocks(1 << 18, dtype="int16"):
                flac.write(block)
        with soundfile.SoundFile(source) as wav, soundfile.SoundFile(draft) as flac:
            same = wav.frames == flac.frames and all(
                np.array_equal(a, b)
                for a, b in zip(wav.blocks(1 << 18, dtype="int16"), flac.blocks(1 << 18, dtype="int16"), strict=True)
            )
        if same:
            draft.chmod(0o600)
            _sync(draft)
            draft.replace(target)
            _sync(folder)  # only now would a power cut not lose both
            source.unlink()
    except (OSError, RuntimeError):
        pass  # the WAV is the record; the archive is only smaller
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows has no handle on a folder
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Record:
    """A session as read: its events, the files beside them, and what was found to be missing or damaged."""

    folder: Path
    events: tuple[Event, ...]
    persona: str
    procedure: str
    audio: Path | None
    problems: tuple[str, ...] = ()
    trainer: tuple[Mapping[str, Any], ...] = ()
    """The lines of the trainer's file, oldest first."""

    def of(self, kind: str) -> Iterator[Event]:
        """The events of one kind, in order."""
        return (event for event in self.events if event.kind == kind)

    def first(self, kind: str) -> Event | None:
        """The first event of a kind, or None."""
        return next(self.of(kind), None)


def read(folder: Path) -> Record:
    """Open a session, torn or whole. Raises BadInput only where there is nothing to read."""
    told = read_events(folder)
    problems = list(told.problems)
    if told.audio is None:
        problems.append("The recording is missing: nothing can be played back.")
    else:
        problems += _missing_sound(told.audio, max((event.at for event in told.events), default=0))
    return replace(told, problems=tuple(problems))


def read_events(folder: Path) -> Record:
    """As `read`, without a look into the recording."""
    path = folder / "events.jsonl"
    problems: list[str] = []
    try:
        raw = _read_some(path, MAX_EVENTS_BYTES)
    except OSError as error:
        raise BadInput(
            f"{folder} is not a session that can be read ({error.strerror or error}: events.jsonl).",
            "See `voicecoach history` for the sessions on this machine.",
        ) from error
    if len(raw) > MAX_EVENTS_BYTES:
        problems.append(f"events.jsonl is over {MAX_EVENTS_BYTES >> 20} MB, as no call is; the rest is left out.")
        raw = raw[: raw.rindex(b"\n") + 1] if b"\n" in raw else b""
    elif raw and not raw.endswith(b"\n"):
        problems.append("The last event was cut off while it was written; it is left out.")
    events, damaged = [], []
    for number, line in enumerate(io.BytesIO(raw), 1):
        if number > MAX_EVENTS:
            problems.append(f"events.jsonl has over {MAX_EVENTS:,} lines, as no call has; the rest is left out.")
            break
        if not line.endswith(b"\n"):
            break
        event = _parse(line) if len(line) <= MAX_EVENT_BYTES else None
        if event is None:
            damaged.append(number)
        else:
            events.append(event)
    problems += [f"Line {number} of events.jsonl is damaged and left out." for number in damaged[:_TOLD_LINES]]
    if len(damaged) > _TOLD_LINES:
        problems.append(f"{len(damaged) - _TOLD_LINES} more lines of events.jsonl are damaged and left out.")
    if not any(event.kind == "started" for event in events):
        problems.append("The beginning of the session is missing.")
    if not any(event.kind == "ended" for event in events):
        problems.append("The session was cut off before its end; what was recorded until then is shown.")
    audio = next((folder / name for name in ("audio.flac", "audio.wav") if (folder / name).is_file()), None)
    trainer, odd = read_lines(folder / TRAINER)
    if odd:
        problems.append(f"{odd} lines of {TRAINER} are damaged and left out.")
    return Record(
        folder, tuple(events), _text(folder / "persona.yaml"), _text(folder / "procedure.yaml"), audio, tuple(problems),
        trainer,
    )  # fmt: skip


def stamp(folder: Path, *, trainer: bool = True) -> str:
    """What changes when a session does, or what a trainer says of it: size and time of its files but the recording."""
    parts = []
    for name in ("events.jsonl", "persona.yaml", "procedure.yaml", *((TRAINER,) if trainer else ())):
        try:
            found = os.stat(folder / name)  # noqa: PTH116 - four calls a session, and Path.stat is slower
            parts.append(f"{found.st_size}:{found.st_mtime_ns}")
        except OSError:
            parts.append("-")
    return " ".join(parts)


def opening(folder: Path) -> Event | None:
    """The `started` of a session where it is the first event, without reading the rest; else None."""
    try:
        with open(folder / "events.jsonl", "rb") as file:
            line = file.readline(_OPENING_BYTES)
    except OSError:
        return None
    event = _parse(line) if line.endswith(b"\n") else None
    return event if event and event.kind == "started" else None


_OPENING_BYTES = 1 << 20
"""The first event is some kilobytes, in a retry some tens of them."""


def _missing_sound(audio: Path, needed: int) -> list[str]:
    """What of the recording is missing, when its events go on to the sample `needed`."""
    held = _held(audio)
    if not held and needed:
        return ["The recording cannot be read: nothing can be played back."]
    if needed - held > MAX_LOSS_S * SAMPLE_RATE_HZ:
        lost_s = (needed - held) / SAMPLE_RATE_HZ
        return [
            f"The recording ends after {held / SAMPLE_RATE_HZ:.1f} s; the last {lost_s:.1f} s of sound are missing."
        ]
    return []


def _held(audio: Path) -> int:
    """Samples that can be had of the recording; a sound FLAC is not decoded for that."""
    if audio.suffix == ".wav":
        return len(_read_wav(audio))
    import soundfile

    try:
        with soundfile.SoundFile(audio) as file:
            frames = min(int(file.frames), MAX_SECONDS * SAMPLE_RATE_HZ)
            file.seek(max(0, frames - 1))
            if len(file.read(1, dtype="int16")):
                return frames
    except (OSError, RuntimeError):
        pass
    return sum(map(len, _flac_blocks(audio)))


def _parse(line: bytes) -> Event | None:
    try:
        data = json.loads(line)
        kind, at = data.pop("kind"), data.pop("at")
        data = tidy(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    known = isinstance(kind, str) and type(at) is int and 0 <= at <= MAX_SECONDS * SAMPLE_RATE_HZ
    return Event(tidy(kind), at, data) if known else None


def _text(path: Path) -> str:
    try:
        raw = _read_some(path, MAX_TEXT_BYTES)
        return raw.decode("utf-8") if len(raw) <= MAX_TEXT_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _read_some(path: Path, limit: int) -> bytes:
    """A file's first `limit` bytes and one more, so that who asks can tell; a pipe or a device is refused, not waited for."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        return file.read(limit + 1)


# --- files of lines beside the record ------------------------------------------------------------------


def read_lines(path: Path) -> tuple[tuple[Mapping[str, Any], ...], int]:
    """The JSON objects of a file of lines, and how many lines are no such thing; a missing file has none."""
    try:
        raw = _read_some(path, MAX_LINES_BYTES)
    except OSError:
        return (), 0
    found, odd = [], int(len(raw) > MAX_LINES_BYTES)
    for line in raw[:MAX_LINES_BYTES].split(b"\n"):
        try:
            value = tidy(json.loads(line)) if line.strip() else {}
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found += [value] if value else []
        else:
            odd += 1
    return tuple(found), odd


def append_line(path: Path, entry: Mapping[str, Any], mode: int = 0o600) -> None:
    """Append one line to a file of lines, on disk when this returns; what is there is never changed. Raises DiskError."""
    try:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags, mode)
        try:
            end = os.lseek(handle, 0, os.SEEK_END)
            torn = end > 0 and (os.lseek(handle, end - 1, os.SEEK_SET), os.read(handle, 1))[1] != b"\n"
            _write_all(handle, (b"\n" if torn else b"") + to_json(entry).encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise DiskError(
            f"{path} could not be written ({error.strerror or error}).",
            "Free some space, or ask for permission to write there.",
        ) from error


def read_audio(record: Record) -> Samples:
    """The recording [shape=(n, 2)], int16; as much of it as can be read, empty where it is missing."""
    return np.concatenate([np.zeros((0, 2), np.int16), *audio_blocks(record)])


def audio_blocks(record: Record) -> Iterator[Samples]:
    """As `read_audio`, in blocks [shape=(m, 2)], so that a long recording is never held whole."""
    if record.audio is None:
        return
    if record.audio.suffix == ".wav":
        mapped = _read_wav(record.audio)
        for start in range(0, len(mapped), _BLOCK):
            yield np.array(mapped[start : start + _BLOCK], np.int16)
        return
    yield from _flac_blocks(record.audio)


def audio_between(record: Record, start: int, end: int) -> Samples:
    """The samples from `start` to `end` [shape=(n, 2)], as far as they are there; of a long recording only those."""
    pieces, at = [np.zeros((0, 2), np.int16)], 0
    for block in audio_blocks(record):
        pieces.append(block[max(0, start - at) : max(0, end - at)])
        at += len(block)
        if at >= end:
            break
    return np.concatenate(pieces)


def audio_samples(record: Record) -> int:
    """Samples that `audio_blocks` gives."""
    return 0 if record.audio is None else _held(record.audio)


_BLOCK = 1 << 16


def _flac_blocks(path: Path) -> Iterator[Samples]:
    """What can be decoded, block by block, up to the first damage."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            if file.channels == 2 and file.samplerate == SAMPLE_RATE_HZ:
                left = MAX_SECONDS * SAMPLE_RATE_HZ
                while left > 0 and len(block := file.read(min(_BLOCK, left), dtype="int16", always_2d=True)):
                    left -= len(block)
                    yield block
    except (OSError, RuntimeError):
        pass


def _read_wav(path: Path) -> Samples:
    """Our own WAV by its layout, not by its header: a crash or a flipped bit there costs nothing."""
    try:
        if not _is_our_wav(path):
            return np.zeros((0, 2), np.int16)
        whole = min((path.stat().st_size - _HEADER_BYTES) // _FRAME_BYTES, MAX_SECONDS * SAMPLE_RATE_HZ)
        mapped = np.memmap(path, "<i2", "r", _HEADER_BYTES, (whole, 2)) if whole > 0 else np.zeros((0, 2), np.int16)
    except OSError:
        return np.zeros((0, 2), np.int16)
    return mapped


def _is_our_wav(path: Path) -> bool:
    """Whether a file begins as the writer began it, but for its sizes and a few damaged bytes."""
    with open(path, "rb") as file:
        head = file.read(_HEADER_BYTES)
    ours = _wav_header(0)
    fixed = (*range(4), *range(8, 40))
    return len(head) == len(ours) and sum(head[at] != ours[at] for at in fixed) <= _DAMAGED_BYTES


def new_folder(root: Path, wall: str, name: str) -> Path:
    """A session folder's path that is not taken: date, time and name; `wall` is ISO 8601."""
    stamp = re.sub(r"[^0-9T]", "", wall)[:15].replace("T", "-")
    stamp = stamp.strip("-") or "session"
    called = slug(name) or "call"
    folder, count = root / f"{stamp}-{called}", 1
    while folder.exists():
        count += 1
        folder = root / f"{stamp}-{called}-{count}"
    return folder


def find(root: Path, name: str) -> Path:
    """The session that `name` means: a folder's path, a session's id, its unique beginning, or "last"."""
    given = Path(name)
    if _is_session(given):
        return given
    sessions = list_sessions(root)
    if name in {"last", "latest"} and sessions:
        return max(sessions[-_NEWEST:], key=lambda folder: (_began(folder), folder.name))
    matches = [folder for folder in sessions if folder.name == name] or (
        [folder for folder in sessions if folder.name.startswith(name)] if _SESSION_ID.fullmatch(name) else []
    )
    if len(matches) == 1:
        return matches[0]
    if len(matches) > 1:
        raise BadInput(
            f"'{name}' is the beginning of {len(matches)} sessions.",
            f"Write more of it, for example {matches[-1].name}.",
        )
    hint = (
        f"The newest is {sessions[-1].name}."
        if sessions
        else "There is none yet: `voicecoach rehearse` makes the first."
    )
    raise BadInput(f"There is no session '{name}' in {root}.", hint)


_NEWEST = 50
"""Sessions among whose names the last one's is: names go by the clock on the wall, which a journey or the end of summer time
puts back by some hours. Our judgement: nobody holds as many in these."""


def _began(folder: Path) -> float:
    """When a session began (s), wherever the clock on the wall was then; as its file says where the record does not."""
    started = opening(folder)
    try:
        return dt.datetime.fromisoformat(str(started.data.get("wall")) if started else "").timestamp()
    except (ValueError, OverflowError):
        with contextlib.suppress(OSError):
            return (folder / "events.jsonl").stat().st_mtime
    return 0.0


def list_sessions(root: Path) -> Sequence[Path]:
    """The session folders under `root`, oldest first by their names."""
    if not root.is_dir():
        return []
    return sorted((path for path in root.iterdir() if _is_session(path)), key=lambda path: path.name)


def is_session_name(name: str) -> bool:
    """Whether a session's folder may be called so."""
    return _SESSION_ID.fullmatch(name) is not None


def _is_session(folder: Path) -> bool:
    try:
        return (folder / "events.jsonl").is_file()
    except (OSError, ValueError):  # a name that no file can have, or a folder that may not be entered
        return False


def _forget(index: Path, session: str) -> None:
    """Take the numbers of a session out of the index, bytes and all; one that cannot be changed goes as a whole."""
    import sqlite3

    if not index.is_file():
        return
    try:
        with contextlib.closing(sqlite3.connect(index, timeout=5)) as table, table:
            table.execute("PRAGMA secure_delete = ON")
            table.execute("DELETE FROM rows WHERE session = ?", (session,))
    except sqlite3.Error:
        index.unlink(missing_ok=True)


def delete(folder: Path) -> None:
    """Remove a session and everything in it. Refuses what is not a session or is being recorded."""
    if not _is_session(folder) or folder.is_symlink():
        raise BadInput(f"{folder} is not a session folder; nothing was deleted.")
    if any(path.is_dir() for path in folder.iterdir()):
        raise BadInput(
            f"{folder} holds other folders, which no session does; nothing was deleted.",
            "Delete it by hand if you are sure.",
        )
    try:
        _lock(folder)()
    except OSError as error:
        raise BadInput(
            f"{folder} is being recorded at this moment; nothing was deleted.", "End the call first.", str(error)
        ) from error
    try:
        _forget(folder.parent / INDEX, folder.name)
        shutil.rmtree(folder)
    except OSError as error:
        raise DiskError(
            f"{folder} could not be deleted completely ({error.strerror or error}).",
            "Close what uses it and try again.",
        ) from error
