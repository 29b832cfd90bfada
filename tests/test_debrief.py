"""The page appears whole or not at all, and never in place of something that is no file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from voicecoach import debrief, record
from voicecoach.errors import BadInput, DiskError


def test_a_page_is_private_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8, P19: 0600, and a disk that fails leaves the old page and no draft."""
    path = debrief.write_page("<p>old</p>", tmp_path / "page.html")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DiskError, match=r"No space left on device.*recording is safe"):
        debrief.write_page("<p>new</p>", path)

    assert path.read_text() == "<p>old</p>"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_gets_the_page_in_it(tmp_path: Path) -> None:
    """`--html .` means here."""
    assert debrief.write_page("x", tmp_path) == tmp_path / debrief.PAGE


def test_places_that_cannot_hold_a_page_are_sentences(tmp_path: Path) -> None:
    """A folder that is not there, a pipe, a device: nothing is replaced."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DiskError, match="could not be written"):
        debrief.write_page("x", tmp_path / "not" / "there.html")
    with pytest.raises(BadInput, match="is not a file"):
        debrief.write_page("x", tmp_path / "pipe")

    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_what_lies_damaged_beside_a_record_is_told(tmp_path: Path) -> None:
    """A persona or procedure that cannot be read is named among the problems, and the report goes on."""
    with record.Writer(tmp_path / "s", "id: [", "steps: no") as writer:
        writer.event("started", wall="", persona={"id": "x", "name": "Dana"})
        writer.event("note", text="a \ud800 half")
        writer.event("ended", outcome="resolved", why="")
    session = record.read(tmp_path / "s")
    report = debrief.report_on(session)
    page = debrief.page_of(session, report)

    assert any("persona beside the record cannot be used" in problem for problem in report.problems)
    assert any("procedure beside the record cannot be used" in problem for problem in report.problems)
    assert page.encode("utf-8")
    assert page == debrief.page_of(record.read(tmp_path / "s"), debrief.report_on(record.read(tmp_path / "s")))
