"""History: rows from folders, an index that can be thrown away, trends beyond noise, and a page."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from voicecoach import RULES_VERSION, debrief, drills, history, prepare, record
from voicecoach.cli import app
from voicecoach.report.progress import (
    BAND_Z,
    HALF_LIFE_CALLS,
    Measure,
    Progress,
    Row,
    in_order,
    own_rows,
    progress,
    row_from,
    row_of,
    shown,
    trends,
    weighted_mean,
)
from voicecoach.report.progress_page import as_html
from voicecoach.report.progress_text import as_text

_, PERSONA = prepare.choose_persona("dana-printer")
_, PROCEDURE = prepare.choose_procedure("six-guidelines")
SORRY = {
    "code": "apologise", "kind": "move", "outcome": "done", "quote": "I am sorry", "start": 0, "end": 10,
    "confidence": 0.9, "source": "001.4",
}  # fmt: skip


def observation(effort_db: float) -> dict[str, Any]:
    return {
        "duration_s": 3.0, "span_s": 2.5, "speech_s": 2.4,
        "relative": {"f0_st": 0.0, "centroid_oct": 0.0, "level_db": 0.0, "effort_db": effort_db},
    }  # fmt: skip


def session(root: Path, number: int, efforts: tuple[float, ...] = (1.0, 2.0, 3.0), **started: Any) -> Path:
    """A small session on day `number`, as the writer leaves it, with one turn for each effort."""
    folder = root / f"202601{number:02}-180000-dana-printer"
    with record.Writer(folder, PERSONA, PROCEDURE) as writer:
        writer.event("started", **{
            "wall": f"2026-01-{number:02}T18:00:00+00:00", "rules": RULES_VERSION, "trainee": "Kim", "seed": 1,
            "persona": {"id": "dana-printer", "name": "Dana", "level": ""}, "procedure": "six-guidelines",
            "mode": "hands-free", "sound": {"port": "device"}, **started,
        })  # fmt: skip
        writer.event("said", line="opening.1", text="Finally!", level=3, anger=3.0, voice="x", start=0, end=800)
        for turn, effort in enumerate(efforts, 1):
            writer.audio(np.zeros((16000, 2), np.int16))
            at = turn * 16000
            writer.event("spoke", turn=turn, start=at - 9000, end=at, speech=[[at - 9000, at]], overlap=[])
            writer.event("heard", who="trainee", turn=turn, text="I am sorry about that.", words=[], model="x")
            writer.event("measured", who="trainee", turn=turn, observation=observation(effort))
            loud = "quiet" if effort <= 2 else "raised"
            writer.event(
                "assessed",
                turn=turn,
                assessment={"findings": [SORRY], "delivery": {"loudness": loud, "pace": "slow"}},
            )
            writer.event("reacted", turn=turn, mood={"anger": 3.0 - turn / 2, "state": "VENT", "turn": turn}, causes=[])
        writer.event("ended", outcome="resolved", why="")
        writer.close(archive=False)
    return folder


def told(root: Path, **options: Any) -> Progress:
    found = history.read(root)
    return progress(found.rows, drills.all_drills(), skipped=found.skipped, **options)


# --- rows and the index ------------------------------------------------------------------------------


def test_a_session_becomes_numbers_without_words(tmp_path: Path) -> None:
    """Codes, shares and decibels; nothing that anybody said, in the rows or in the index."""
    session(tmp_path, 1)
    (row,) = history.read(tmp_path).rows

    assert row.kind == "call"
    assert row.of("effort_db") == (1.0, 2.0, 3.0)
    assert row.of("quiet") == (1.0, 1.0, 0.0)
    assert row.of("moves") == (1.0, 1.0, 1.0)
    assert row.moves == ("apologise",)
    assert row.anger == (3.0, 1.5)
    index = tmp_path / record.INDEX
    assert b"sorry" not in index.read_bytes()
    assert stat.S_IMODE(index.stat().st_mode) == 0o600


def test_a_turn_that_was_heard_again_is_judged_as_in_its_debrief(tmp_path: Path) -> None:
    """The careful pass hears a comma where the quick one heard none: the quote of the call is in its words no more."""
    folder = session(tmp_path, 1)
    heard = {"who": "trainee", "turn": 2, "text": "I am, sorry, about that.", "words": [], "model": "y", "again": True}
    with open(folder / "events.jsonl", "a", encoding="utf-8") as file:
        file.write(record.to_json({"at": 50000, "kind": "heard", **heard}) + "\n")
    (row,) = history.read(tmp_path).rows

    told = record.read(folder)
    assert row == row_from(json.loads(record.to_json(row_of(debrief.report_on(told), told.events))))
    assert row.turns == 3


def test_a_move_that_is_the_fault_itself_does_not_count(tmp_path: Path) -> None:
    """Words that solve too early are a fault a turn, and no good move: in the measures and for the drills."""
    path = session(tmp_path, 1) / "events.jsonl"
    sent = {**SORRY, "code": "resolution", "quote": "about that", "start": 11, "end": 21}
    fault = {**sent, "code": "premature_solution", "kind": "fault", "outcome": "shown"}
    path.write_text(path.read_text().replace(record.to_json([SORRY]), record.to_json([SORRY, sent, fault])))
    (row,) = history.read(tmp_path).rows

    assert row.of("moves") == row.of("faults") == (1.0, 1.0, 1.0)
    assert (row.moves, row.faults) == (("apologise",), ("premature_solution",))


@pytest.mark.parametrize("why", ["passed3", f"passed at anger {'9' * 5000}", "passed at anger 7", "passed", ""])
def test_an_edited_mark_of_a_drill_loses_no_session(tmp_path: Path, why: str) -> None:
    """What no drill has written is no round of it; the others are all there."""
    session(tmp_path, 1)
    marked(session(tmp_path, 2, drill={"id": "apologise", "levels": [2, 3]}), [why, "not yet at anger 2"])

    assert [row.rounds for row in history.read(tmp_path).rows] == [0, 1]


def marked(folder: Path, whys: Sequence[str]) -> Path:
    """A session with a mark of a drill at each of its first turns."""
    with open(folder / "events.jsonl", "a", encoding="utf-8") as file:
        for turn, why in enumerate(whys, 1):
            causes = [{"cue": "drill", "delta": 0.0, "why": why, "evidence": ""}]
            mood = {"anger": 2.0, "state": "DRILL", "turn": turn}
            event = {"at": 48000, "kind": "reacted", "turn": turn, "mood": mood, "causes": causes}
            file.write(record.to_json(event) + "\n")
    return folder


def test_a_session_that_cannot_be_told_is_left_out_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is odd in one record, the history is of the others, and names it."""
    bad = session(tmp_path, 1)
    session(tmp_path, 2)
    made = history._Maker.row

    def stumbling(maker: history._Maker, folder: Path) -> Row | None:
        if folder == bad:
            raise ValueError("invalid literal")
        return made(maker, folder)

    monkeypatch.setattr(history._Maker, "row", stumbling)
    found = history.read(tmp_path)

    assert [row.session for row in found.rows] == ["20260102-180000-dana-printer"]
    assert found.skipped == (f"{bad.name} is left out: what its record says makes no sense.",)


def test_the_index_changes_nothing(tmp_path: Path) -> None:
    """With it, without it, damaged, foreign and of another version: the same rows."""
    for number in range(1, 6):
        session(tmp_path, number)
    index = tmp_path / record.INDEX
    first = history.read(tmp_path)
    assert len(first.rows) == 5
    assert history.read(tmp_path) == first
    assert history.read(tmp_path, index=False) == first

    index.unlink()
    assert history.read(tmp_path) == first
    for junk in (b"", b"not a database" * 99, index.read_bytes()[:5000] + os.urandom(3000)):
        index.write_bytes(junk)
        assert history.read(tmp_path) == first
        assert history.read(tmp_path) == first
    table = sqlite3.connect(index)
    table.execute("UPDATE rows SET version = 'of yesterday', row = '{}'")
    table.commit()
    table.close()
    assert history.read(tmp_path) == first


def test_a_known_row_is_not_made_again_and_a_changed_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is new or changed is read; what was deleted is gone from the index too."""
    for number in range(1, 4):
        session(tmp_path, number)
    history.read(tmp_path)
    made: list[str] = []
    original = history._Maker.row

    def watched(maker: Any, folder: Path) -> Row | None:
        made.append(folder.name)
        return original(maker, folder)

    monkeypatch.setattr(history._Maker, "row", watched)
    history.read(tmp_path)
    assert made == []

    changed = record.list_sessions(tmp_path)[1]
    with open(changed / "events.jsonl", "ab") as file:
        file.write(b'{"at":99999,"kind":"note","text":"more"}\n')
    history.read(tmp_path)
    assert made == [changed.name]

    made.clear()
    for path in changed.iterdir():
        path.unlink()
    changed.rmdir()
    assert len(history.read(tmp_path).rows) == 2
    table = sqlite3.connect(tmp_path / record.INDEX)
    assert table.execute("SELECT count(*) FROM rows").fetchone() == (2,)
    table.close()


def test_deleting_a_session_takes_its_numbers_out_of_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a byte of them is left; what the others took long to make stays."""
    session(tmp_path, 1)
    folder = session(tmp_path, 2)
    history.read(tmp_path)
    index = tmp_path / record.INDEX
    assert folder.name.encode() in index.read_bytes()

    record.delete(folder)
    monkeypatch.setattr(history._Maker, "row", lambda *_: pytest.fail("made again"))

    assert folder.name.encode() not in index.read_bytes()
    assert len(history.read(tmp_path).rows) == 1


def test_an_index_that_cannot_be_changed_goes_with_a_deleted_session(tmp_path: Path) -> None:
    folder = session(tmp_path, 1)
    (tmp_path / record.INDEX).write_bytes(b"not a database" * 100)

    record.delete(folder)

    assert not (tmp_path / record.INDEX).exists()


def test_without_a_place_for_the_index_it_goes_without(tmp_path: Path) -> None:
    """A folder stands where the index should be."""
    session(tmp_path, 1)
    (tmp_path / record.INDEX / "x").mkdir(parents=True)

    assert len(history.read(tmp_path).rows) == 1


def test_foreign_and_torn_folders_are_skipped_and_named(tmp_path: Path) -> None:
    """No events, no beginning, nonsense: each is named; the others are shown."""
    session(tmp_path, 1)
    (tmp_path / "holiday").mkdir()
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "events.jsonl").write_bytes(b'{"at":5,"kind":"note","text":"x"}\n\xff\xfe{{{\n')
    found = history.read(tmp_path)

    assert [row.session for row in found.rows] == ["20260101-180000-dana-printer"]
    assert [line.split()[0] for line in found.skipped] == ["holiday", "torn"]
    assert all(name in as_html(told(tmp_path)) for name in ("holiday", "torn"))


# --- trends ------------------------------------------------------------------------------------------


def made_rows(
    means: list[float], scatter: float, turns: int, rng: np.random.Generator, between: float = 0.0
) -> list[Row]:
    return [
        Row(
            session=f"s{at:03}", wall=f"2026-{1 + at // 28:02}-{1 + at % 28:02}T18:00:00+00:00", kind="call",
            trainee="Kim", demo=False, persona="Dana", scenario="dana-printer", level="", procedure="six-guidelines",
            procedure_name="Six guidelines", outcome="resolved", minutes=2.0, turns=turns, anger=(3.0, 1.0),
            values=(("effort_db", tuple(mean + rng.normal(0, between) + rng.normal(0, scatter, turns))),),
            steps=(), moves=(), faults=(),
        )
        for at, mean in enumerate(means)
    ]  # fmt: skip


def test_the_band_holds_the_true_mean(rng: np.random.Generator) -> None:
    """Of calls whose turns scatter by 2 dB, about 95 in 100 bands hold the mean that was put in."""
    rows = made_rows([5.0] * 400, 2.0, 9, rng)
    (trend,) = trends(rows)
    inside = sum(point.band is not None and abs(point.value - 5.0) <= point.band for point in trend.points)

    assert trend.scatter == pytest.approx(2.0, rel=0.05)
    assert trend.points[0].band == pytest.approx(BAND_Z * trend.scatter / 3)  # type: ignore[operator]
    assert 0.92 <= inside / 400 <= 0.98


@pytest.mark.parametrize("count", [5, 6, 10, 30])
@pytest.mark.parametrize("between", [0.0, 1.5])
def test_noise_is_not_called_progress(rng: np.random.Generator, count: int, between: float) -> None:
    """Where nothing changes, hardly any history says that something did: 5 % by design, on both sides together."""
    alarms = sum(
        trends(made_rows([5.0] * count, 2.0, 8, rng, between))[0].verdict in ("improved", "slipped") for _ in range(400)
    )

    assert alarms / 400 <= 0.08


def valued(measure: str, calls: Sequence[Sequence[float]]) -> list[Row]:
    """Calls by their values of one measure."""
    rows = made_rows([0.0] * len(calls), 0.0, 1, np.random.default_rng(1))
    return [replace(row, values=((measure, tuple(values)),)) for row, values in zip(rows, calls, strict=True)]


@pytest.mark.parametrize("count", [5, 6, 10, 30])
def test_chance_in_shares_is_not_called_progress(rng: np.random.Generator, count: int) -> None:
    """Turns that are quiet or not, and steps of six done or not, are coarse: few calls are often equal by chance."""
    quiet = [valued("quiet", (rng.random((count, 8)) < 0.85).astype(float).tolist()) for _ in range(400)]
    steps = [valued("steps", (rng.binomial(6, 0.6, (count, 1)) / 6).tolist()) for _ in range(400)]

    for histories in (quiet, steps):
        assert sum(trends(rows)[0].verdict in ("improved", "slipped") for rows in histories) / 400 <= 0.08


@pytest.mark.parametrize(("measure", "before", "after"), [("steps", [0.5], [0.67]), ("quiet", [0.0] * 8, [1.0] * 8)])
def test_equal_calls_do_not_make_chance_impossible(measure: str, before: list[float], after: list[float]) -> None:
    """Two against two are too few; three against three have a noise, though neither side scatters, and no band of 0."""
    (few,) = trends(valued(measure, [before] * 2 + [after] * 2))
    (more,) = trends(valued(measure, [before] * 3 + [after] * 3))

    assert few.verdict == "too few calls"
    assert more.verdict == "improved"
    assert more.noise is not None
    assert more.noise > 0
    assert all(point.band is None or point.band > 0 for point in more.points)


def test_a_real_change_is_seen(rng: np.random.Generator) -> None:
    """From 8 to 3 dB over the calm voice is improved; the other way round slipped; below the goal is no gain."""
    better = trends(made_rows([8.0] * 5 + [3.0] * 3, 1.0, 8, rng))[0]
    worse = trends(made_rows([3.0] * 5 + [8.0] * 3, 1.0, 8, rng))[0]
    beyond = trends(made_rows([-2.0] * 5 + [-7.0] * 3, 0.5, 8, rng))[0]

    assert (better.verdict, worse.verdict) == ("improved", "slipped")
    assert better.change == pytest.approx(-5.0, abs=0.7)
    assert beyond.verdict == "no change beyond noise"
    assert better.best is better.points[5 + int(np.argmin([p.value for p in better.points[5:]]))]


def test_few_calls_are_too_few(rng: np.random.Generator) -> None:
    """Three calls claim nothing, however far apart they are."""
    assert trends(made_rows([9.0, 5.0, 0.0], 0.1, 8, rng))[0].verdict == "too few calls"


def test_the_mean_now_halves_by_the_half_life() -> None:
    """A call that is one half-life old weighs half."""
    values = [1.0] + [0.0] * HALF_LIFE_CALLS
    weights = sum(0.5 ** (age / HALF_LIFE_CALLS) for age in range(HALF_LIFE_CALLS + 1))

    assert weighted_mean(values) == pytest.approx(0.5 / weights)
    assert weighted_mean([4.2] * 9) == pytest.approx(4.2)


def test_retries_drills_and_reviews_are_not_mixed_in(tmp_path: Path) -> None:
    """They are listed, and no trend holds them; neither do calls of somebody else or of the recorded trainee."""
    session(tmp_path, 1)
    session(tmp_path, 2, (9.0,) * 3, retry={"session": "x", "turn": 1, "take": 2})
    session(tmp_path, 3, (9.0,) * 3, drill={"id": "apologise", "levels": [2, 3]})
    session(tmp_path, 4, (9.0,) * 3, mode="review")
    session(tmp_path, 5, (9.0,) * 3, trainee="Sam", sound={"port": "recorded trainee"})
    found = told(tmp_path)
    effort = next(trend for trend in found.trends if trend.measure.id == "effort_db")

    assert [row.kind for row in found.rows] == ["call", "retry", "drill", "review"]
    assert [point.value for point in effort.points] == [2.0]
    assert found.others == (("Sam (recorded)", 1),)
    assert told(tmp_path, trainee="Sam").trainee == "Sam"


def test_a_review_does_not_hide_who_practises(tmp_path: Path) -> None:
    """The agent of a recording reviewed last is another; where there are only recordings, it is theirs."""
    session(tmp_path / "both", 1)
    session(tmp_path / "both", 2, trainee="agent", mode="review")
    session(tmp_path / "both", 3, trainee="Demo", sound={"port": "recorded trainee"})
    session(tmp_path / "reviews", 1, trainee="agent", mode="review")
    session(tmp_path / "reviews", 2, trainee="Demo", sound={"port": "recorded trainee"})

    assert told(tmp_path / "both").trainee == "Kim"
    assert [row.trainee for row in own_rows(history.read(tmp_path / "both").rows)] == ["Kim"]
    assert told(tmp_path / "both", trainee="agent").trainee == "agent"
    assert told(tmp_path / "reviews").trainee == "agent"


def test_calls_stand_in_the_order_of_their_time() -> None:
    """By the instant, whatever the zone that it is written in; without a time, first."""
    rng = np.random.default_rng(1)
    a, b, c = made_rows([0.0] * 3, 1.0, 3, rng)
    rows = [
        replace(a, wall="2026-01-01T12:00:00+02:00"), replace(b, wall="2026-01-01T11:00:00+00:00"),
        replace(c, wall="yesterday"),
    ]  # fmt: skip

    assert [row.session for row in in_order(rows)] == ["s002", "s000", "s001"]


def test_numbers_are_shown_for_people() -> None:
    """Shares in percent, a true minus, no minus zero."""
    share = Measure("quiet", "", "", "higher", share=True)
    plain = Measure("effort_db", "", "", "lower")

    assert shown(share, 0.834) == "83%"
    assert shown(plain, -1.25) in ("−1.2", "−1.3")
    assert shown(plain, -0.01) == "0.0"
    assert shown(Measure("articulation_sps", "", "", "lower"), -0.04) == "−0.04"


# --- text and page -----------------------------------------------------------------------------------


class Outline(HTMLParser):
    """What a page holds, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.ids += [named["id"]] if named.get("id") else []  # type: ignore[list-item]
        self.loads += [v for k, v in attrs if k in ("src", "href") and v and not v.startswith(("#", "data:"))]
        if tag not in {"meta", "link", "line", "circle", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_the_page_is_whole_by_itself(tmp_path: Path) -> None:
    """No script, no request, well nested, every id once, every picture described."""
    for number in range(1, 9):
        session(tmp_path, number, (9.0 - number, 8.0 - number, 10.0 - number))
    page = as_html(told(tmp_path))
    outline = Outline()
    outline.feed(page)

    assert outline.open == []
    assert outline.loads == []
    assert "script" not in outline.tags
    assert len(outline.ids) == len(set(outline.ids))
    assert page.count('role="img"') == page.count("<desc") == 8
    assert "Vocal effort: improved" in page
    assert "half as much as one that came 5 calls later" in page
    assert "voicecoach drill " in page


def test_names_are_text_on_the_page(tmp_path: Path) -> None:
    """Markup in a name stands there as text."""
    session(tmp_path, 1, trainee="<script>alert(1)</script>", persona={"id": "<i>", "name": "<b>Dana</b>"})
    page = as_html(told(tmp_path))

    assert "<script>" not in page
    assert "<b>Dana" not in page
    assert "&lt;script&gt;" in page


def test_the_same_folders_give_the_same_bytes(tmp_path: Path) -> None:
    """From another folder, after the index is gone, and on any day: `now` is the newest session's unless it is given."""
    for root in (tmp_path / "a", tmp_path / "b" / "c"):
        for number in range(1, 5):
            session(root, number)
    first, second = (told(root) for root in (tmp_path / "a", tmp_path / "b" / "c"))
    (tmp_path / "a" / record.INDEX).unlink()

    assert as_html(first) == as_html(second) == as_html(told(tmp_path / "a"))
    assert as_text(first) == as_text(second)
    assert record.to_json(first) == record.to_json(second)
    assert first.now == "2026-01-04T18:00:00+00:00"


def test_the_command_lists_and_writes(tmp_path: Path) -> None:
    """The list with trends behind it, one line of JSON, the page; a wrong time and an unknown trainee are told."""
    for number in range(1, 5):
        session(tmp_path / "sessions", number)
    run = lambda *words: CliRunner().invoke(app, ["--data", str(tmp_path), "history", *words])  # noqa: E731
    plain, as_json = run(), run("--json", "--trends")
    page = run("--html", str(tmp_path / "out.html"))
    both = run("--json", "--html", str(tmp_path / "both.html"))

    assert plain.exit_code == as_json.exit_code == page.exit_code == 0
    assert plain.stdout.count("-dana-printer ") >= 4
    assert "TRENDS OF Kim OVER 4 CALLS" in plain.stdout
    assert "NEXT DRILL" in plain.stdout
    data = json.loads(as_json.stdout)
    assert [trend["measure"]["id"] for trend in data["trends"]][:2] == ["quiet", "slow"]
    assert re.match("<!DOCTYPE html>", (tmp_path / "out.html").read_text())
    assert (tmp_path / "both.html").read_text() == (tmp_path / "out.html").read_text()
    assert json.loads(both.stdout.splitlines()[-1])["trends"] == data["trends"]
    assert "is not a time" in str(run("--now", "soon").exception)
    assert "There are sessions of: Kim" in str(run("--trends", "--trainee", "Zoe").exception)


@pytest.mark.parametrize(
    ("trainee", "port", "option"),
    [
        ("Kim", "device", " --trainee Kim"),
        ("Kim O'Neil", "device", """ --trainee 'Kim O'"'"'Neil'"""),
        ("trainee", "device", ""),
        ("Demo", "recorded trainee", ""),
    ],
)
def test_a_drill_to_type_is_the_trainees_own(tmp_path: Path, trainee: str, port: str, option: str) -> None:
    """Without the name it would count for somebody else; who gave none needs none, and the recorded trainee is nobody."""
    session(tmp_path, 1, trainee=trainee, sound={"port": port})
    found = told(tmp_path)
    line = f"voicecoach drill {found.schedule[0].drill.id}{option}"
    page = as_html(found)

    assert f"{line}\n" in as_text(found, 200)
    assert f"<code>{escape(line)}</code>" in page
    assert page.count("<code>voicecoach drill ") == page.count(f"{escape(option)}</code>") == len(found.schedule) + 1


def test_what_is_due_is_counted_from_a_day_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal knows today, as `drill --list` does; a page is the same on any day, and names its day."""
    only = drills.all_drills()[:1]
    folder = session(tmp_path / "sessions", 4, drill={"id": only[0].id, "levels": [2, 3]})
    marked(folder, ["passed at anger 2", "passed at anger 3"])
    session(tmp_path / "sessions", 3)
    monkeypatch.setattr(drills, "all_drills", lambda: only)
    monkeypatch.setattr(prepare, "now", lambda: "2026-01-13T18:00:00+00:00")
    run = lambda *words: CliRunner().invoke(app, ["--data", str(tmp_path), "history", *words]).stdout  # noqa: E731
    run("--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()

    assert "(due now; " in " ".join(run("--trends").split())
    assert "(due in 1 day; " in " ".join(run("--trends", "--now", "2026-01-04T18:00").split())
    assert json.loads(run("--trends", "--json"))["now"] == "2026-01-04T18:00:00+00:00"
    assert "Due in 1 day; " in page
    assert page.count("Counted from 2026-01-04.") == 2


def test_trends_of_nothing_are_a_sentence(tmp_path: Path) -> None:
    """Whoever asks for trends before the first call is told what to do, and a script gets its line."""
    run = lambda *words: CliRunner().invoke(app, ["--data", str(tmp_path), "history", "--trends", *words]).stdout  # noqa: E731

    lost = CliRunner().invoke(app, ["--data", str(tmp_path), "history", "--html", str(tmp_path / "not" / "there.html")])

    assert "with: voicecoach history --html FILE" in str(lost.exception)
    assert "Take the first: voicecoach rehearse" in run()
    assert json.loads(run("--json"))["trends"] == []


def test_of_nothing_there_is_a_page_too(tmp_path: Path) -> None:
    """An empty folder makes an empty page, and no index."""
    page = as_html(told(tmp_path / "none"))

    assert "There are no sessions yet" in page
    assert not (tmp_path / "none").exists()
