"""The page appears whole or not at all, and never in place of something that is no file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from tests import sessions
from voicecoach import debrief, record
from voicecoach.commands import calls
from voicecoach.errors import BadInput, DiskError
from voicecoach.nouns import SAMPLE_RATE_HZ


def test_a_page_is_private_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8, P19: 0600, and a disk that fails leaves the old page and no draft."""
    path = debrief.write_page("<p>old</p>", tmp_path / "page.html")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DiskError, match=r"No space left on device.*recorded is safe"):
        debrief.write_page("<p>new</p>", path)

    assert path.read_text() == "<p>old</p>"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_gets_the_page_in_it(tmp_path: Path) -> None:
    """`--html .` means here."""
    assert debrief.write_page("x", tmp_path) == tmp_path / record.PAGE


def test_places_that_cannot_hold_a_page_are_sentences(tmp_path: Path) -> None:
    """A folder that is not there, a pipe, a device: nothing is replaced."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DiskError, match="could not be written"):
        debrief.write_page("x", tmp_path / "not" / "there.html")
    with pytest.raises(BadInput, match="is not a file"):
        debrief.write_page("x", tmp_path / "pipe")

    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_the_debrief_is_read_where_its_page_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk takes the page, not the words."""
    folder = sessions.write(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DiskError, match="No space left on device"):
        calls.show_debrief(folder)

    assert "Have I got that right?" in capsys.readouterr().out


def test_torn_sound_is_drawn_where_it_was(tmp_path: Path) -> None:
    """Of a call of which half the sound is left, the outline ends in the middle; of one with more, where the call does."""
    loud = np.full((8 * SAMPLE_RATE_HZ, 2), 9000, np.int16)
    for end_s, share in ((16, 0.5), (8, 1.0), (4, 1.0)):
        folder = tmp_path / str(end_s)
        with record.Writer(folder, "", "") as writer:
            writer.event("started", wall="", persona={"id": "x", "name": "Dana"})
            writer.audio(loud)
            writer.event("ended", at=end_s * SAMPLE_RATE_HZ, outcome="resolved", why="")
        outline, _, _ = debrief._sound_of(record.read(folder))

        assert outline is not None
        assert np.mean(np.array(outline[0]) > 0.2) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(("ended", "planned_s", "length_s"), [(True, 20, 8), (False, 6, 8), (False, 16, 16)])
def test_the_outline_is_as_long_as_the_page(tmp_path: Path, ended: bool, planned_s: int, length_s: int) -> None:
    """A call that is stopped in the middle of a line, and ones that were torn after it and in it."""
    with record.Writer(tmp_path / "s", "", "") as writer:
        writer.event("started", wall="", persona={"id": "x", "name": "Dana"})
        writer.event("said", line="a", text="Well?", start=SAMPLE_RATE_HZ, end=planned_s * SAMPLE_RATE_HZ)
        writer.audio(np.full((8 * SAMPLE_RATE_HZ, 2), 9000, np.int16))
        if ended:
            writer.event("ended", outcome="stopped", why="")
    session = record.read(tmp_path / "s")
    outline, _, _ = debrief._sound_of(session)

    assert debrief.report_on(session).duration_s == length_s
    assert outline is not None
    assert np.mean(np.array(outline[0]) > 0.2) == pytest.approx(8 / length_s, abs=0.01)


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
