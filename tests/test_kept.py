"""Small files that are kept from call to call: private, whole or not at all, and of two at once neither is lost."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from voicecoach import consent, echotest, kept, retention, volume
from voicecoach.errors import DiskError
from voicecoach.testing import FileDuplex, PlainRecording, silence
from voicecoach.world.echo import EchoTest

NONE = EchoTest(0.01, 0.0, -70.0, -70.0, 0.0)
SAVES: list[Callable[[Path], object]] = [
    partial(volume.save, device="headset", volume_db=-6.0),
    partial(consent.save, trainee="Sam", wall="2026-11-22T10:00:00+00:00"),
    partial(retention.save, kept_days=30),
    lambda data: echotest.save(data, FileDuplex(PlainRecording(silence(1.0))), NONE),
]


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    """Calls on the page save from threads of their own; each sees what the others wrote, and no draft is left."""
    names = [f"device {n}" for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: volume.save(tmp_path, name, -3.0), names))

    assert [volume.load(tmp_path, name) for name in names] == [-3.0] * len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["volume.json"]


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[[Path], object], step: str
) -> None:
    """A sentence with the host's words, and nothing beside the file."""
    save(tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_text('{"old": 1}', "utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(DiskError, match=r"could not be kept in .*No space left on device.*--data"):
        save(tmp_path)

    assert path.read_text("utf-8") == '{"old": 1}'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("save", SAVES)
def test_they_are_private(tmp_path: Path, save: Callable[[Path], object]) -> None:
    """P19: the file, also where an old one was open to others, and each folder that is made for it."""
    before = os.umask(0)
    try:
        save(tmp_path / "new" / "data")
        (path,) = (tmp_path / "new" / "data").iterdir()
        path.chmod(0o666)
        save(tmp_path / "new" / "data")
    finally:
        mask = os.umask(before)

    assert mask == 0
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000, "\xff"], ids=lambda text: text[:5])
def test_a_damaged_file_is_empty_and_can_be_changed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, "latin-1")
    assert kept.read(path) == {}
    with kept.changed(path, "It") as entries:
        entries["a"] = "\ud800"

    assert json.loads(path.read_text("utf-8")) == {"a": "\ud800"}


def test_what_fails_while_it_is_changed_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), kept.changed(tmp_path / "x.json", "It") as entries:
        entries["a"] = 1 / 0

    assert list(tmp_path.iterdir()) == []
