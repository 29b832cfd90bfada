"""The record: nothing that was recorded is lost, nothing that is damaged crashes, and it is private."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecoach import record
from voicecoach.errors import BadInput, DiskError
from voicecoach.nouns import SAMPLE_RATE_HZ, SLUG, Samples, Word, slug

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.text("abcdefgh_", min_size=3, max_size=12).filter(lambda name: name not in {"self", "kind"})


def ramp(n: int, start: int = 0) -> Samples:
    """Two channels that count, so that every sample tells where it belongs."""
    count = np.arange(start, start + n)
    return np.stack([count % 32768, (count // 32768) - 16384], axis=1).astype(np.int16)


def small_session(folder: Path, *, archive: bool = True, n: int = 3200) -> Path:
    """A whole session of a fifth of a second."""
    with record.Writer(folder, "id: x\n", "id: y\n") as writer:
        writer.event("started", wall="2026-11-21T10:00:00+01:00", seed=1)
        writer.audio(ramp(n))
        writer.event("heard", who="trainee", turn=1, text="I see – naïve ☕", words=[Word("I", 0.0, 0.1, 0.9)])
        writer.event("ended", outcome="resolved", why="")
        writer.close(archive=archive)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_session(tmp_path_factory.mktemp("whole") / "s")


# --- what is written is what is read ---------------------------------------------------------------


def expected(value: Any) -> Any:
    """What JSON of six places keeps of a value."""
    if isinstance(value, dict):
        return {expected(key): expected(item) for key, item in value.items()}
    if isinstance(value, list):
        return [expected(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


@given(st.lists(st.tuples(NAMES, st.dictionaries(NAMES, JSON, max_size=3)), max_size=4))
@settings(max_examples=60, deadline=None)
def test_events_come_back_as_they_went(tmp_path_factory: pytest.TempPathFactory, events: Any) -> None:
    """Any JSON with any text survives the round trip, one line an event, and is returned as it will be read."""
    folder = tmp_path_factory.mktemp("r") / "s"
    with record.Writer(folder, "", "") as writer:
        written = [writer.event(kind, at=index, **{f"x{key}": v for key, v in data.items()})
                   for index, (kind, data) in enumerate(events)]  # fmt: skip
    read = record.read(folder)

    assert list(read.events) == written
    assert [(e.kind, dict(e.data)) for e in read.events] == [
        (kind, {f"x{key}": expected(v) for key, v in data.items()}) for kind, data in events
    ]
    assert (folder / "events.jsonl").read_bytes().count(b"\n") == len(events)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\u2028\x85\n\r\x00", "\U0001f600", "'\"\\"])
def test_odd_text_is_written_and_read(tmp_path: Path, text: str) -> None:
    """Half a surrogate pair, line separators and control characters neither crash the writer nor tear a line."""
    with record.Writer(tmp_path / "s", "", "") as writer:
        event = writer.event("note", text=text)
        writer.event("ended", outcome="x", why="")
    read = record.read(tmp_path / "s")

    assert read.events[0] == event
    assert len(read.events) == 2
    assert read.events[0].data["text"].encode("utf-8")


def test_a_lone_surrogate_in_a_file_can_be_shown(tmp_path: Path) -> None:
    """An escape such as \\ud800 in a damaged file would break every page that shows it."""
    small_session(tmp_path / "s")
    (tmp_path / "s" / "events.jsonl").write_text('{"at":0,"kind":"note","text":"\\ud800 and NaN","x":NaN}\n')
    event = record.read(tmp_path / "s").events[0]

    assert event.data["text"].encode("utf-8").endswith(b" and NaN")
    assert event.data["x"] is None


def test_equal_values_are_equal_bytes() -> None:
    """Zero has one form, keys are sorted, numpy's values are numbers and NaN is null."""
    one = record.to_json({"b": -0.0, "a": np.float32(0.5), "c": np.int16(3), "d": np.bool_(True), "e": float("nan")})

    assert one == record.to_json({"e": float("inf"), "d": True, "c": 3, "a": 0.5, "b": 0.0})
    assert one == '{"a":0.5,"b":0.0,"c":3,"d":true,"e":null}'


def test_audio_comes_back_sample_for_sample(whole: Path) -> None:
    """A clean end leaves a FLAC, no WAV, and the very same samples."""
    read = record.read(whole)

    assert sorted(path.name for path in whole.iterdir()) == [
        "audio.flac", "events.jsonl", "persona.yaml", "procedure.yaml",
    ]  # fmt: skip
    assert np.array_equal(record.read_audio(read), ramp(3200))
    assert read.problems == ()
    assert (read.persona, read.procedure) == ("id: x\n", "id: y\n")


def test_while_recording_every_reader_can_open_the_wav(tmp_path: Path) -> None:
    """The header is right after every block, so other programs read the recording at any moment."""
    with record.Writer(tmp_path / "s", "", "") as writer:
        for index in range(4):
            writer.audio(ramp(512, index * 512))
            samples, rate = soundfile.read(tmp_path / "s" / "audio.wav", dtype="int16")

            assert rate == SAMPLE_RATE_HZ
            assert np.array_equal(samples, ramp((index + 1) * 512))


def test_the_wav_stays_where_no_true_flac_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that is not equal, or cannot be written, never replaces the recording."""
    real = soundfile.SoundFile.write
    monkeypatch.setattr(soundfile.SoundFile, "write", lambda self, data: real(self, np.maximum(data, -16000)))
    small_session(tmp_path / "unequal")
    monkeypatch.setattr(soundfile.SoundFile, "write", lambda self, data: (_ for _ in ()).throw(OSError(28, "full")))
    small_session(tmp_path / "full")

    for name in ("unequal", "full"):
        names = {path.name for path in (tmp_path / name).iterdir()}

        assert "audio.wav" in names
        assert not {"audio.flac", "audio.flac.tmp"} & names
        assert np.array_equal(record.read_audio(record.read(tmp_path / name)), ramp(3200))


def test_the_archive_is_on_the_disk_before_the_wav_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: a power cut right after a clean end must not find the WAV deleted and the FLAC unwritten."""
    done: list[str] = []
    fsync, unlink = os.fsync, Path.unlink
    monkeypatch.setattr(
        os, "fsync", lambda fd: (done.append(str(Path(f"/proc/self/fd/{fd}").readlink())), fsync(fd))[1]
    )
    monkeypatch.setattr(
        Path, "unlink", lambda self, missing_ok=False: (done.append(f"-{self}"), unlink(self, missing_ok))[1]
    )
    folder = small_session(tmp_path / "s")
    wav_gone = done.index(f"-{folder / 'audio.wav'}")

    assert done.index(str(folder / "audio.flac.tmp")) < wav_gone
    assert done.index(str(folder)) < wav_gone


# --- damage ----------------------------------------------------------------------------------------


def test_every_prefix_of_the_events_opens(tmp_path: Path, whole: Path) -> None:
    """However short the file was cut: whole lines are there, the torn one is not, and the reader says so."""
    raw = (whole / "events.jsonl").read_bytes()
    events = record.read(whole).events
    path = tmp_path / "events.jsonl"
    for cut in range(len(raw)):
        path.write_bytes(raw[:cut])
        read = record.read(tmp_path)

        assert read.events == events[: raw[:cut].count(b"\n")]
        assert any("cut off before its end" in problem for problem in read.problems)
        assert any("last event was cut off" in problem for problem in read.problems) == (
            raw[cut - 1 : cut] != b"\n" and cut > 0
        )


def test_flipped_bytes_never_crash_the_reader(tmp_path: Path, whole: Path) -> None:
    """Random damage loses at most the lines that it hit, and the others are untouched."""
    raw = (whole / "events.jsonl").read_bytes()
    lines, path = raw.split(b"\n"), tmp_path / "events.jsonl"
    good = {event.kind: event for event in record.read(whole).events}
    random_ = random.Random(20261121)
    for _ in range(600):
        damaged = bytearray(raw)
        hit = {random_.randrange(len(raw)) for _ in range(random_.randint(1, 6))}
        for at in hit:
            damaged[at] ^= 1 << random_.randrange(8)
        path.write_bytes(damaged)
        read = record.read(tmp_path)
        ends = np.cumsum([len(line) + 1 for line in lines])
        untouched = len(lines) - 1 - len({int(np.searchsorted(ends, at, side="right")) for at in hit})

        assert sum(event in good.values() for event in read.events) >= untouched - sum(raw[at] == 10 for at in hit)
        assert all(event.at >= 0 and record.to_json(event.data).encode() for event in read.events)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n" * 100_000, b"\0" * 5000 + b"\n", b"[" * 100_000 + b"\n", b'{"at":true,"kind":"x"}\n', b"null\n[]\n7\n",
     b'{"at":-5,"kind":"x"}\n', b'{"at":' + b"9" * 400 + b',"kind":"x"}\n', b'{"at":1.5,"kind":"x"}\n', b'{"kind":"x"}\n',
     b'{"at":1,"kind":7}\n', b'{"at":1,"kind":"x","d":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}\n"],
)  # fmt: skip
def test_rubbish_is_told_in_a_few_sentences(tmp_path: Path, raw: bytes) -> None:
    """A file of rubbish gives a record without those events and a list of problems that a person can read."""
    (tmp_path / "events.jsonl").write_bytes(raw)
    read = record.read(tmp_path)

    assert len(read.events) <= 1
    assert 1 <= len(read.problems) <= 10
    assert "The recording is missing: nothing can be played back." in read.problems


def test_what_is_no_session_is_bad_input(tmp_path: Path) -> None:
    """A folder without events, a file, or nothing at all is refused with the command that lists sessions."""
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(BadInput, match=r"not a session that can be read.*voicecoach history"):
            record.read(path)


@pytest.mark.parametrize("archive", [True, False])
def test_torn_and_flipped_recordings_open(tmp_path: Path, archive: bool) -> None:
    """Whatever happens to the audio: what is left of it is right, and what is missing is told."""
    folder = small_session(tmp_path / "s", archive=archive, n=32_000)
    path = next(folder.glob("audio.*"))
    raw, truth = path.read_bytes(), ramp(32_000)
    random_ = random.Random(7)
    for cut in [0, 1, 43, 44, 45, 47, *(random_.randrange(len(raw)) for _ in range(30))]:
        path.write_bytes(raw[:cut])
        read = record.read(folder)
        samples = record.read_audio(read)

        assert np.array_equal(samples, truth[: len(samples)])
        assert archive or len(samples) == max(0, cut - 44) // 4
        assert any("recording" in problem for problem in read.problems) == (len(truth) - len(samples) > 3200)
    for _ in range(60):
        damaged = bytearray(raw)
        damaged[random_.randrange(min(len(raw), 400))] ^= 1 << random_.randrange(8)
        path.write_bytes(damaged)
        samples = record.read_audio(record.read(folder))

        assert samples.dtype == np.int16
        assert samples.shape[1:] == (2,)
        assert archive or (samples == truth).mean() > 0.999


def test_a_header_that_a_crash_left_behind_costs_nothing(tmp_path: Path) -> None:
    """Killed between a block and its header, the block is read all the same."""
    writer = record.Writer(tmp_path / "s", "", "")
    writer.audio(ramp(512))
    with open(tmp_path / "s" / "audio.wav", "ab") as file:
        file.write(ramp(512, 512).astype("<i2").tobytes() + b"\x01\x02\x03")
    samples = record.read_audio(record.read(tmp_path / "s"))
    writer.close(archive=False)

    assert np.array_equal(samples, ramp(1024))


def test_something_else_called_audio_wav_is_not_played_as_noise(tmp_path: Path) -> None:
    """A file that our writer did not begin is not taken for a recording."""
    folder = small_session(tmp_path / "s", archive=False)
    (folder / "audio.wav").write_bytes(b"This is a text file about a lighthouse keeper.\n" * 50)
    read = record.read(folder)

    assert not len(record.read_audio(read))
    assert any("recording cannot be read" in problem for problem in read.problems)


# --- P1: kill -9 -----------------------------------------------------------------------------------

CHILD = """
import sys
import numpy as np
from pathlib import Path
from voicecoach import record
from tests_ramp import ramp
writer = record.Writer(Path(sys.argv[1]), "id: x", "")
writer.event("started", wall="", seed=0)
sys.stdin.readline()
print("ready", flush=True)
for block in range(1_000_000):
    writer.audio(ramp(512, block * 512))
    if block % 3 == 0:
        writer.event("note", text="n" * (block % 200), block=block)
        print(writer.samples, flush=True)
"""


def test_killed_at_any_moment_the_record_is_a_prefix(tmp_path: Path) -> None:
    """P1: SIGKILL at seeded moments: whole events, audio sample for sample, and at most 200 ms short of what was told."""
    source = "import numpy as np\n" + "\n".join(
        ["def ramp(n, start=0):", "    count = np.arange(start, start + n)",
         "    return np.stack([count % 32768, (count // 32768) - 16384], axis=1).astype(np.int16)"]
    )  # fmt: skip
    (tmp_path / "tests_ramp.py").write_text(source)
    random_ = random.Random(1)
    children = {
        tmp_path / f"s{number}": subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / f"s{number}")], cwd=tmp_path, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )
        for number in range(12)
    }  # fmt: skip
    for folder, child in children.items():
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("begin\n")
        child.stdin.flush()
        assert child.stdout.readline() == "ready\n"

        time.sleep(random_.uniform(0.0, 0.2))
        child.send_signal(signal.SIGKILL)
        told = [int(line) for line in child.communicate()[0].split("\n")[:-1]]
        read = record.read(folder)
        samples = record.read_audio(read)
        notes = list(read.of("note"))

        assert np.array_equal(samples, ramp(len(samples)))
        assert len(samples) >= (told[-1] if told else 0) - record.MAX_LOSS_S * SAMPLE_RATE_HZ
        assert len(notes) >= len(told)
        assert [note.data["block"] for note in notes] == list(range(0, 3 * len(notes), 3))
        assert all(note.at <= len(samples) for note in notes)
        assert "The session was cut off before its end; what was recorded until then is shown." in read.problems


# --- the disk --------------------------------------------------------------------------------------


def fill(writer: record.Writer, blocks: int = 1200) -> tuple[DiskError, int]:
    """Record until the disk is full; the error and the events that were told to be written."""
    events = 0
    try:
        for block in range(blocks):
            writer.audio(ramp(512, block * 512))
            writer.event("note", text="x" * 700, block=block)
            events += 1
    except DiskError as error:
        return error, events
    pytest.fail("the disk was never full")


def assert_kept(folder: Path, writer: record.Writer, error: DiskError, events: int) -> None:
    """What was written before the disk was full can be read, and the error says so."""
    assert "could not be written" in error.what
    assert "What was recorded before is kept." in error.do
    assert error.exit_code == 6

    read = record.read(folder)
    samples = record.read_audio(read)

    assert len(list(read.of("note"))) == events > 100
    assert not any("damaged" in problem or "last event" in problem for problem in read.problems)
    assert np.array_equal(samples, ramp(len(samples)))
    assert len(samples) >= writer.samples
    assert soundfile.info(folder / "audio.wav").frames == writer.samples


def test_a_full_disk_is_a_sentence_and_keeps_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P4: on a file system of 1 MiB everything up to the last whole block and event stays readable."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting needs root; the size limit is tested below")
    monkeypatch.setattr(record, "ROOM_NEEDED_BYTES", 0)
    try:
        writer = record.Writer(disk / "s", "", "")
        error, events = fill(writer)
        with pytest.raises(DiskError):
            writer.event("fault", what="x" * 9000)

        assert_kept(disk / "s", writer, error, events)
        writer.close()
        assert len(record.read_audio(record.read(disk / "s"))) >= writer.samples
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    """P4 without root: RLIMIT_FSIZE fails writes the same way, here with SIGXFSZ ignored as Python does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, before[1]))
    try:
        writer = record.Writer(tmp_path / "s", "", "")
        error, events = fill(writer)
        writer.event("ended", outcome="fault", why="the disk was full")
        writer.close(archive=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert_kept(tmp_path / "s", writer, error, events)
    assert record.read(tmp_path / "s").events[-1].kind == "ended"


def test_too_little_room_is_told_before_the_first_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: a call that would not fit does not begin, and leaves no empty session behind."""
    monkeypatch.setattr(record, "ROOM_NEEDED_BYTES", 1 << 62)
    with pytest.raises(DiskError, match=r"MB free.*--data"):
        record.Writer(tmp_path / "sessions" / "s", "", "")

    assert record.list_sessions(tmp_path / "sessions") == []


def test_short_writes_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: a kernel that takes half of each write is asked again until all is written."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[: (len(data) + 1) // 2]))
    folder = small_session(tmp_path / "s", archive=False)
    read = record.read(folder)

    assert read.problems == ()
    assert len(read.events) == 3
    assert np.array_equal(record.read_audio(read), ramp(3200))


def test_an_event_that_failed_half_way_does_not_spoil_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """House rule 5: a torn tail is cut before anything is appended."""
    write = os.write
    writer = record.Writer(tmp_path / "s", "", "")
    writer.event("started", wall="")

    def half(fd: int, data: bytes) -> int:
        if len(data) < 30:
            raise OSError(5, "Input/output error")
        return write(fd, data[:25])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(DiskError, match="Input/output error"):
            writer.event("note", text="lost")
    writer.event("fault", what="the disk failed")
    writer.close(archive=False)

    assert [event.kind for event in record.read(tmp_path / "s").events] == ["started", "fault"]


def test_a_failing_fsync_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P5: a disk that cannot keep its promise is not ignored."""
    writer = record.Writer(tmp_path / "s", "", "")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(DiskError, match="Input/output error"):
            writer.sync()
        with pytest.raises(DiskError, match="Input/output error"):
            writer.close()
    writer.close()  # a second close does nothing


# --- one writer, private, found, deleted -----------------------------------------------------------


def test_two_writers_cannot_share_a_folder(tmp_path: Path) -> None:
    """P11: the second is told, whether the first has ended or not, and the first is unharmed."""
    first = record.Writer(tmp_path / "s", "", "")
    with pytest.raises(DiskError, match="already exists"):
        record.Writer(tmp_path / "s", "", "")
    first.event("ended", outcome="x", why="")
    first.close()
    with pytest.raises(DiskError, match="already exists"):
        record.Writer(tmp_path / "s", "", "")

    assert [event.kind for event in record.read(tmp_path / "s").events] == ["ended"]


def test_racing_processes_get_one_folder_each_or_a_sentence(tmp_path: Path) -> None:
    """P11: of several processes that want one folder at once, exactly one has it."""
    code = (
        "import sys; from pathlib import Path; from voicecoach import record; from voicecoach.errors import DiskError\n"
        "sys.stdin.read()\n"
        "for i in range(50):\n"
        "    try:\n"
        "        record.Writer(Path(sys.argv[1]) / str(i), '', '').event('started', who=sys.argv[2]); print(i)\n"
        "    except DiskError: pass\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
        for n in range(2)
    ]  # fmt: skip
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
        child.stdin = None
    won = [child.communicate()[0].split() for child in children]

    assert sorted(int(i) for i in won[0] + won[1]) == list(range(50))
    assert all(len(record.read(tmp_path / str(i)).events) == 1 for i in range(50))


def test_records_are_private(tmp_path: Path) -> None:
    """P19: folders are 0700 and files 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        folder = small_session(tmp_path / "data" / "sessions" / "s")
        torn = small_session(tmp_path / "data" / "sessions" / "t", archive=False)
    finally:
        os.umask(before)

    for path in (folder, torn, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (*folder.iterdir(), *torn.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sessions_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By path, whole name, unique beginning and `last`; everything else is a sentence with a way on."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "sessions"
    with pytest.raises(BadInput, match="none yet"):
        record.find(root, "last")
    for name in ("20261120-090000-dana", "20261121-100000-dana", "20261121-100000-dana-2"):
        small_session(root / name, archive=False, n=1)
    (root / "not-a-session").mkdir()

    assert record.find(root, "sessions/20261120-090000-dana") == Path("sessions/20261120-090000-dana")
    assert record.find(root, "20261121-100000-dana").name == "20261121-100000-dana"
    assert record.find(root, "20261120").name == "20261120-090000-dana"
    assert record.find(root, "last").name == "20261121-100000-dana-2"
    with pytest.raises(BadInput, match=r"beginning of 2 sessions.*20261121-100000-dana-2"):
        record.find(root, "20261121")
    for name in ("", "nothing", "not-a-session", "*", "..", "a\0b", "x" * 5000, "2026/../..", "\ud800"):
        with pytest.raises(BadInput, match="There is no session"):
            record.find(root, name)


def test_the_last_session_is_the_one_that_began_last(tmp_path: Path) -> None:
    """Also where the clock on the wall, after which folders are named, was put back: what is submitted or deleted is it."""
    for name, wall in (
        ("20261025-025000-dana", "2026-10-25T02:50:00+02:00"),
        ("20261025-021000-dana", "2026-10-25T02:10:00+01:00"),
        ("20261024-120000-dana", "2026-10-24T12:00:00+02:00"),
    ):
        with record.Writer(tmp_path / name, "", "") as writer:
            writer.event("started", wall=wall)

    assert record.find(tmp_path, "last").name == "20261025-021000-dana"


def test_deleting_leaves_nothing(tmp_path: Path) -> None:
    """P18: no file anywhere below holds the words or the sound of a deleted session."""
    folder = small_session(tmp_path / "sessions" / "s")
    (folder / "debrief.html").write_text("a page")
    (folder / "audio.flac.tmp").write_bytes(b"left by a crash")
    record.delete(folder)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert record.list_sessions(tmp_path / "sessions") == []


def test_only_sessions_are_deleted(tmp_path: Path) -> None:
    """A folder without events, a link to a session, and a folder that holds folders are refused and kept."""
    folder = small_session(tmp_path / "s")
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "plain").mkdir()
    home = tmp_path / "home"
    (home / "photos").mkdir(parents=True)
    (home / "events.jsonl").write_text("")
    for path in (tmp_path / "link", tmp_path / "plain", tmp_path / "nothing", home):
        with pytest.raises(BadInput, match="nothing was deleted"):
            record.delete(path)

    assert record.read(folder).problems == ()
    assert (home / "photos").is_dir()


def test_a_call_that_is_being_recorded_is_not_deleted(tmp_path: Path) -> None:
    """Deleting under the writer would lose the call without a word."""
    with record.Writer(tmp_path / "s", "", "") as writer:
        with pytest.raises(BadInput, match="being recorded"):
            record.delete(tmp_path / "s")
        writer.event("ended", outcome="x", why="")
    record.delete(tmp_path / "s")

    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("name", "made"),
    [("Dana, the printer!", "dana-the-printer"), ("Žofie", "zofie"), ("a -- b_c", "a-b-c"), ("x" * 39 + " y", "x" * 39), ("…", "")],
)  # fmt: skip
def test_a_name_becomes_an_id(name: str, made: str) -> None:
    """Letters lose their accents, all else is one dash, and none is left at an edge, also where it is cut."""
    assert slug(name) == made
    assert not made or SLUG.fullmatch(made)


@given(st.text(), st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_new_folders_never_collide_nor_leave_their_root(
    tmp_path_factory: pytest.TempPathFactory, wall: str, name: str
) -> None:
    """Whatever the clock and the persona are called, the folder is new, below the root, and can be found by name."""
    root = tmp_path_factory.mktemp("root")
    made = []
    for _ in range(3):
        folder = record.new_folder(root, wall, name)
        folder.mkdir()
        (folder / "events.jsonl").touch()
        made.append(folder)

    assert len(set(made)) == 3
    assert all(folder.parent == root and record.find(root, folder.name) == folder for folder in made)


def test_a_folder_is_named_by_date_time_and_name(tmp_path: Path) -> None:
    """Names sort by time and say who called."""
    assert record.new_folder(tmp_path, "2026-11-21T10:11:12+01:00", "Dana, the printer").name == (
        "20261121-101112-dana-the-printer"
    )


def test_json_becomes_values_or_a_value_error() -> None:
    """Borders validate: a word without its text is refused."""
    assert record.from_json(Word, json.loads(record.to_json(Word("a", 0.0, 0.5, 1.0)))) == Word("a", 0.0, 0.5, 1.0)
    with pytest.raises(ValueError, match="text"):
        record.from_json(Word, {"start_s": 0})
