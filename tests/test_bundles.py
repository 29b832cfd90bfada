"""Bundles and folders of others: opened as far as they can be read, said what is missing, never believed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import sessions
from voicecoach import bundles, debrief, desk, record
from voicecoach.errors import BadInput, VoicecoachError
from voicecoach.report.text import as_text


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle of a session."""
    root = tmp_path_factory.mktemp("whole")
    folder = sessions.write(root / "sessions")
    bundles.write(folder, bundles.whole(folder), root / "whole.zip")
    return root / "whole.zip"


def remade(source: Path, target: Path, **changed: bytes | None) -> Path:
    """The bundle with some files replaced, left out (None) or added; `__` stands for a dot."""
    named = {name.replace("__", "."): data for name, data in changed.items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = named.pop(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, data in named.items():
            new.writestr(name, data or b"")
    return target


def problems(path: Path, *, sound: bool = True) -> str:
    with bundles.opened(path, sound=sound) as session:
        assert session.first("started")
        return " ".join(session.problems)


def test_a_bundle_opens_as_the_session_it_was(bundle: Path) -> None:
    """The same report, the same sound, under its own name, and nothing stays behind."""
    folder = bundle.parent / "sessions" / "20261121-100000-dana-printer"
    with bundles.opened(bundle) as session:
        inside = session.folder
        assert session.problems == ()
        assert debrief.report_on(session) == debrief.report_on(record.read(folder))
        assert (record.read_audio(session) == record.read_audio(record.read(folder))).all()
        assert stat.S_IMODE(inside.parent.stat().st_mode) == 0o700

    assert not inside.parent.exists()


def test_without_sound_the_sound_stays_packed(bundle: Path) -> None:
    """A list of many sessions reads their words only, and does not call the recording missing."""
    with bundles.opened(bundle, sound=False) as session:
        assert session.audio is None
        assert session.problems == ()


def test_an_edited_session_is_told(bundle: Path, tmp_path: Path) -> None:
    """The words were changed and packed again: the manifest shows it. Without a manifest nobody can tell."""
    events = zipfile.ZipFile(bundle).read("events.jsonl").replace(b"so sorry", b"not sorry")
    edited = remade(bundle, tmp_path / "edited.zip", events__jsonl=events)
    bare = remade(bundle, tmp_path / "bare.zip", events__jsonl=events, manifest__json=None)
    added = remade(bundle, tmp_path / "added.zip", audio__wav=b"RIFF")

    assert "events.jsonl is not as it was when it was bundled" in problems(edited)
    assert "no manifest" in problems(bare)
    assert "audio.wav was added after" in problems(added)


def test_a_verdict_that_was_slipped_in_is_left_out(bundle: Path, tmp_path: Path) -> None:
    """Signed with the trainer's name, by who handed it in: a bundle has such words only where its manifest names them."""
    forged = b'{"kind":"verdict","verdict":"pass","text":"","trainer":"Ann","wall":"2026-11-22T09:00:00+01:00"}\n'
    added = remade(bundle, tmp_path / "added.zip", trainer__jsonl=forged)
    bare = remade(bundle, tmp_path / "bare.zip", trainer__jsonl=forged, manifest__json=None)
    folder = tmp_path / "session"
    zipfile.ZipFile(bundle).extractall(folder)
    (folder / record.TRAINER).write_bytes(forged)
    bundles.write(folder, bundles.whole(folder), tmp_path / "whole.zip")

    for path in (added, bare):
        assert "The trainer's words inside the bundle are left out" in problems(path)
        with bundles.opened(path) as session:
            assert session.trainer == ()
    assert [one.state for one in desk.submissions(tmp_path)] == ["new", "new", "pass", "pass"]
    assert problems(tmp_path / "whole.zip") == ""


def test_an_edited_folder_is_told(bundle: Path, tmp_path: Path) -> None:
    """An unpacked bundle keeps its manifest."""
    folder = tmp_path / "session"
    zipfile.ZipFile(bundle).extractall(folder)
    assert problems(folder) == ""
    (folder / "procedure.yaml").unlink()
    with open(folder / "events.jsonl", "a") as file:
        file.write('{"kind":"note","at":5,"text":"added"}\n')

    assert "events.jsonl is not as it was" in problems(folder)
    assert "procedure.yaml is missing, which was in the bundle" in problems(folder)
    told = debrief.report_on(record.read(folder)).problems
    assert sum("events.jsonl is not as it was" in problem for problem in told) == 1


def test_a_missing_recording_is_told(bundle: Path, tmp_path: Path) -> None:
    """Everything else is shown."""
    told = problems(remade(bundle, tmp_path / "x.zip", audio__flac=None))

    assert "audio.flac is missing, which was in the bundle" in told
    assert "nothing can be played back" in told


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9, 0.999])
def test_a_torn_bundle_is_read_as_far_as_it_goes(bundle: Path, tmp_path: Path, share: float) -> None:
    """Cut off while it was copied: the words come first, so they are there."""
    raw = bundle.read_bytes()
    torn = tmp_path / "torn.zip"
    torn.write_bytes(raw[: round(share * len(raw))])
    with bundles.opened(torn) as session:
        assert "The bundle is torn" in " ".join(session.problems)
        assert session.first("started")
        assert as_text(debrief.report_on(session))


def test_names_are_never_paths(bundle: Path, tmp_path: Path) -> None:
    """Traversal, absolute names, drives, backslashes: left out and said; nothing is written outside."""
    names = ["../../evil", "/tmp/evil-absolute", "C:\\evil", "..\\evil", "a/../../evil", "x\x1b[31m\u202eevil"]
    path = tmp_path / "in" / "x.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name in names:
            new.writestr(name, b"evil")
    told = problems(path)

    assert "Left out, as no session has it: ../../evil" in told
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert not Path("/tmp/evil-absolute").exists()
    assert list(tmp_path.rglob("*evil*")) == []


def test_links_are_left_out(bundle: Path, tmp_path: Path) -> None:
    """A symbolic link in a zip could show any file of the machine."""
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("persona.yaml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("events.jsonl", old.read("events.jsonl"))
        new.writestr(link, "/etc/passwd")
    with bundles.opened(path) as session:
        assert session.persona == ""
        assert "Left out, as no session has it: persona.yaml" in " ".join(session.problems)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Two readers would see two sessions."""
    path = remade(bundle, tmp_path / "x.zip")
    with zipfile.ZipFile(path, "a") as more:
        more.writestr("events.jsonl", b"{}\n")

    with pytest.raises(BadInput, match=r"holds events\.jsonl twice"), bundles.opened(path):
        pass


def test_two_sessions_in_a_zip_are_refused(bundle: Path, tmp_path: Path) -> None:
    """One in a folder of its own is opened."""
    raw = zipfile.ZipFile(bundle).read("events.jsonl")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as two, zipfile.ZipFile(tmp_path / "one.zip", "w") as one:
        for target, folders in ((two, ("a", "b")), (one, ("a",))):
            for folder in folders:
                target.writestr(f"{folder}/", b"")
                target.writestr(f"{folder}/events.jsonl", raw)
        one.writestr("__MACOSX/._events", b"junk")

    with pytest.raises(BadInput, match="2 sessions"), bundles.opened(tmp_path / "two.zip"):
        pass
    assert "Left out, as no session has it: __MACOSX/._events" in problems(tmp_path / "one.zip")


def test_a_bomb_stops_at_the_limit(bundle: Path, tmp_path: Path) -> None:
    """A persona of a hundred megabytes in a hundred kilobytes: nothing near that is written."""
    path = remade(bundle, tmp_path / "x.zip", persona__yaml=b"a" * (100 << 20))
    assert path.stat().st_size < 1 << 20
    with bundles.opened(path) as session:
        assert "persona.yaml in the bundle is over 1 MB" in " ".join(session.problems)
        assert (session.folder / "persona.yaml").stat().st_size <= bundles.LIMITS["persona.yaml"]


def test_a_disk_that_is_full_is_not_taken_for_a_damaged_bundle(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are there, the sound as far as it fits, and nobody is said to have changed it."""
    with zipfile.ZipFile(bundle) as whole:
        words = sum(entry.file_size for entry in whole.infolist() if not entry.filename.startswith("audio."))
    monkeypatch.setattr(bundles.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2 * words})())

    told = problems(bundle)

    assert "audio.flac in the bundle is larger than the free space here allows" in told
    assert "as in no session" not in told
    assert "changed afterwards" not in told


def test_claims_are_not_believed(bundle: Path, tmp_path: Path) -> None:
    """A header that claims 4 GB, a directory that claims a million names, a directory of its own size."""
    raw = bytearray(bundle.read_bytes())
    at = raw.rfind(b"PK\x01\x02")
    struct.pack_into("<II", raw, at + 20, 0xFFFFFFFE, 0xFFFFFFFE)
    (tmp_path / "long.zip").write_bytes(raw)
    assert "audio.flac in the bundle is damaged" in problems(tmp_path / "long.zip")

    for offset, form, value in ((10, "<H", 0xFFFF), (12, "<I", 0x7FFFFFFF)):
        raw = bytearray(bundle.read_bytes())
        struct.pack_into(form, raw, raw.rfind(b"PK\x05\x06") + offset, value)
        (tmp_path / "many.zip").write_bytes(raw)
        with pytest.raises(BadInput, match="more than any session"), bundles.opened(tmp_path / "many.zip"):
            pass


def test_locked_and_strangely_packed_files_are_told(bundle: Path, tmp_path: Path) -> None:
    """A password is named; a packing that is not ours is not tried."""
    raw = bytearray(bundle.read_bytes())
    at = raw.find(b"PK\x01\x02")
    while raw[at + 46 : at + 58] != b"persona.yaml":
        at = raw.find(b"PK\x01\x02", at + 4)
    for offset, value, said in ((8, 1, "persona.yaml is locked with a password"), (10, 14, "packed in a way")):
        changed = bytearray(raw)
        struct.pack_into("<H", changed, at + offset, value)
        (tmp_path / "x.zip").write_bytes(changed)
        assert said in problems(tmp_path / "x.zip")


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"hello" * 100, b"PK\x03\x04" + b"\xff" * 40]
)
def test_what_is_no_bundle_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """Empty, foreign, or a header and nothing else."""
    (tmp_path / "x.zip").write_bytes(content)

    with pytest.raises(BadInput, match=r"zip|session"), bundles.opened(tmp_path / "x.zip"):
        pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30), flips=st.integers(1, 40))
def test_flipped_bits_are_no_crash(bundle: Path, tmp_path: Path, seed: int, flips: int) -> None:
    """Whatever is flipped: a session with what is readable, or a sentence."""
    chosen = random.Random(seed)
    raw = bytearray(bundle.read_bytes())
    for _ in range(flips):
        raw[chosen.randrange(len(raw))] ^= 1 << chosen.randrange(8)
    path = tmp_path / "flipped.zip"
    path.write_bytes(raw)
    with contextlib.suppress(VoicecoachError), bundles.opened(path) as session:
        assert isinstance(session, record.Record)
        assert all(problem.endswith(".") for problem in session.problems)


def test_a_deflated_stream_that_ends_too_early_is_told(bundle: Path, tmp_path: Path) -> None:
    """What was unpacked until there is shown."""
    path = remade(bundle, tmp_path / "x.zip")
    raw = bytearray(path.read_bytes())
    at = raw.find(b"PK\x01\x02")
    while raw[at + 46 : at + 58] != b"events.jsonl":
        at = raw.find(b"PK\x01\x02", at + 4)
    (packed,) = struct.unpack_from("<I", raw, at + 20)
    struct.pack_into("<I", raw, at + 20, packed // 2)
    path.write_bytes(raw)

    assert "events.jsonl in the bundle is damaged" in problems(path)


def test_a_folder_with_pipes_devices_and_huge_files_opens_at_once(bundle: Path, tmp_path: Path) -> None:
    """Nothing waits for a pipe, reads a device, or holds a sparse file of 10 GB."""
    folder = tmp_path / "session"
    folder.mkdir()
    (folder / "events.jsonl").write_bytes(zipfile.ZipFile(bundle).read("events.jsonl"))
    os.mkfifo(folder / "persona.yaml")
    (folder / "procedure.yaml").symlink_to("/dev/zero")
    with open(folder / "trainer.jsonl", "wb") as file:
        file.truncate(10 << 30)
    with open(folder / "audio.wav", "wb") as file:
        file.write(record._wav_header(0))
        file.truncate(10 << 30)
    session = record.read(folder)

    assert (session.persona, session.procedure) == ("", "")
    assert record.audio_samples(session) == record.MAX_SECONDS * 16000
    assert "trainer.jsonl are damaged" in " ".join(session.problems)


def test_endless_events_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By bytes and by lines, and said."""
    folder = tmp_path / "s"
    folder.mkdir()
    line = json.dumps({"kind": "note", "at": 1, "text": "x"}) + "\n"
    (folder / "events.jsonl").write_text(line * 100)
    monkeypatch.setattr(record, "MAX_EVENTS", 10)
    assert len(record.read(folder).events) == 10
    monkeypatch.setattr(record, "MAX_EVENTS", 1000)
    monkeypatch.setattr(record, "MAX_EVENTS_BYTES", 5 * len(line) + 3)
    session = record.read(folder)

    assert len(session.events) == 5
    assert "the rest is left out" in session.problems[0]
