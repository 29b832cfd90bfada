"""Torn, edited and foreign records: the debrief opens with what is readable, says what is missing, and never fails."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from voicecoach import cli, debrief, prepare, record
from voicecoach.nouns import Event
from voicecoach.report import facts
from voicecoach.report.page import as_html


@pytest.fixture(scope="module", autouse=True)
def _rules_once() -> Iterator[None]:
    """Reading the rules takes most of a report's time."""
    rules = prepare.rules(cues_only=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "rules", lambda: rules)
        yield


@pytest.fixture(scope="module")
def session(call: tuple[Event, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made call as a session folder, without sound."""
    folder = tmp_path_factory.mktemp("whole") / "s"
    folder.mkdir()
    lines = [record.to_json({"at": event.at, "kind": event.kind, **event.data}) for event in call]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def told(folder: Path) -> str:
    """The page of a folder; every mark on it is of words that are in the record."""
    session = record.read(folder)
    report = debrief.report_on(session)
    said = [facts.text(event.data.get("text")) for event in session.events if event.kind == "heard"]
    for turn in report.turns:
        assert not turn.text or turn.text in said
        for mark in turn.marks:
            assert turn.text or not mark.quote
            assert mark.start == mark.end or turn.text[mark.start : mark.end]
    page = debrief.page_of(session, report)
    assert page.endswith("</html>\n")
    assert "None" not in as_html(report, None, "data:,")
    assert "nan" not in page.casefold().replace("nant", "").split()
    return page


def test_cut_anywhere(session: Path, tmp_path: Path) -> None:
    """A log that ends at any byte of its first, a middle and its last lines opens, and says that it was cut off."""
    whole = (session / "events.jsonl").read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == 10]
    places = [0, *range(ends[0] - 40, ends[0] + 3), *range(ends[20], ends[21], 7), *range(len(whole) - 60, len(whole))]
    for place in places:
        folder = tmp_path / "cut"
        folder.mkdir()
        (folder / "events.jsonl").write_bytes(whole[:place])
        page = told(folder)
        if place < len(whole) - 1:
            assert "cut off" in page
        shutil.rmtree(folder)


def test_flipped_bits(session: Path, tmp_path: Path) -> None:
    """Damage in the middle costs the line that it is in, or one value, and never the debrief."""
    whole = (session / "events.jsonl").read_bytes()
    rng = random.Random(7)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 3, 30))):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        (tmp_path / "events.jsonl").write_bytes(damaged)
        told(tmp_path)


ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, -1e308, 10**30, "", "x", "NaN", [], {}, [[]], [{}], {"a": 1}, [1, 2, 3], "<b>&</b>",
    [[0, "x"]], {"text": 5}, "\u202e\x00\x1b[31m",
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in _places(item, (*path, key)))]


def _swapped(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _swapped(value[path[0]], path[1:], odd)
    return copy


def test_values_of_the_wrong_kind(call: tuple[Event, ...], tmp_path: Path) -> None:
    """Any value of any event may be anything that JSON can say, NaN and infinities of Python's own included."""
    rng = random.Random(3)
    plain = [{"at": event.at, "kind": event.kind, **event.data} for event in call]
    for round_ in range(60):
        events = list(plain)
        for _ in range(3):
            at = rng.randrange(len(events))
            place = rng.choice(_places(events[at])[1:])
            events[at] = _swapped(events[at], place, rng.choice((*ODD, float("nan"), float("inf"))))
        if round_ % 3 == 0:
            rng.shuffle(events)
        (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
        told(tmp_path)


def test_files_that_are_missing_or_strange(session: Path, tmp_path: Path) -> None:
    """No log is a sentence; no sound, a foreign log, a persona that is none: what there is, and what is not."""
    empty, foreign, odd = (tmp_path / name for name in ("empty", "foreign", "odd"))
    for folder in (empty, foreign):
        folder.mkdir()
    shutil.copytree(session, odd)
    (foreign / "events.jsonl").write_text('{"event":"login"}\n[1]\n"x"\n{"kind":"started","at":0}\n')
    (odd / "persona.yaml").write_bytes(b"\xff\xfe\x00")
    (odd / "procedure.yaml").write_text("steps: [")
    (odd / "audio.flac").write_bytes(b"fLaC" + bytes(200))
    runner = CliRunner()

    none, some, rest = (
        runner.invoke(cli.app, ["--data", str(tmp_path), "report", str(x)]) for x in (empty, foreign, odd)
    )

    assert "There is no session" in str(none.exception)
    assert some.exit_code == rest.exit_code == 0
    assert "Line 1 of events.jsonl is damaged" in some.output
    assert "cut off before its end" in some.output
    assert "procedure beside the record cannot be used" in rest.output
    assert "recording cannot be read" in rest.output


def test_same_page_in_any_folder_zone_and_seed(session: Path, tmp_path: Path) -> None:
    """The command itself: another place, time zone, hash seed and working folder give the very same bytes."""
    import os
    import subprocess
    import sys

    pages = []
    for seed, zone in (("1", "UTC"), ("4242", "Pacific/Auckland")):
        copy = tmp_path / seed / session.name
        shutil.copytree(session, copy)
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        run = [sys.executable, "-m", "voicecoach", "--data", str(tmp_path), "report", str(copy)]
        subprocess.run(run, env=env, cwd=copy, capture_output=True, check=True)
        pages.append((copy / "debrief.html").read_bytes())

    assert pages[0] == pages[1]
    assert len(pages[0]) > 30_000
