"""Exports, each opened by a reader that is not ours: webvtt-py, srt, praatio, csv, ralph (xAPI), zipfile."""

from __future__ import annotations

import csv
import html
import io
import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import srt
import webvtt
from praatio import textgrid
from ralph.models.xapi.base.statements import BaseXapiStatement
from typer.testing import CliRunner

from tests import sessions
from voicecoach import bundles, cli, debrief, exports, record
from voicecoach.errors import BadInput, DiskError
from voicecoach.nouns import Word
from voicecoach.report import labels, subtitles, tables, xapi
from voicecoach.report.desk import Desk, Verdict
from voicecoach.report.page import as_html
from voicecoach.report.values import CustomerLine, Report

NASTY = (
    '<b>"Quoted"</b> & {\\an8} --> 1\n\n2',
    "=HYPERLINK(1)",
    "\tcmd",
    "<script>alert(1)</script>",
    "@SUM(1)",
    "a\r\nb",
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> record.Record:
    """A whole session of three turns."""
    return record.read(sessions.write(tmp_path_factory.mktemp("data") / "sessions"))


@pytest.fixture(scope="module")
def report(session: record.Record) -> Report:
    return debrief.report_on(session)


def nasty(report: Report) -> Report:
    """The same call with names and words that would break a format."""
    turns = tuple(replace(turn, text=text) for turn, text in zip(report.turns, NASTY, strict=False))
    lines = tuple(replace(line, text=text) for line, text in zip(report.lines, NASTY[3:], strict=False))
    return replace(report, turns=turns, lines=lines, persona="<i>Dana</i>\n& co", trainee="=Sam")


# --- subtitles -------------------------------------------------------------------------------------


def test_webvtt_is_read_by_webvtt_py(report: Report) -> None:
    """Both speakers as voices, every utterance at its time on the sample clock."""
    captions = list(webvtt.from_string(subtitles.as_vtt(report)))

    assert [caption.voice for caption in captions] == ["Dana", "Sam"] * 3
    assert [caption.identifier for caption in captions][:2] == ["customer-1", "turn-1"]
    assert captions[1].start == "00:00:03.500"
    assert captions[1].text == report.turns[0].text
    spans = [(caption.start_in_seconds, caption.end_in_seconds) for caption in captions]
    assert spans == [(int(entry.start_s), int(entry.end_s)) for entry in report.timeline]


def test_markup_in_a_webvtt_is_text(report: Report) -> None:
    """No tag, no arrow and no blank line of the record's gets through; what is read is what was said."""
    told = nasty(report)
    written = subtitles.as_vtt(told)
    payloads = [line for line in written.splitlines() if line.startswith("<v ")]

    assert len(list(webvtt.from_string(written))) == 6 == len(payloads)
    for payload, entry in zip(payloads, told.timeline, strict=True):
        inner = payload.partition(">")[2].removesuffix("</v>")
        assert "<" not in inner
        assert ">" not in inner
        shown = inner.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert shown == " ".join(entry.text.split())


def test_subrip_is_read_by_srt(report: Report) -> None:
    """Numbered, with the speakers' names, at the same times."""
    read = list(srt.parse(subtitles.as_srt(report), ignore_errors=False))

    assert [item.index for item in read] == [1, 2, 3, 4, 5, 6]
    assert read[1].content == f"Sam: {report.turns[0].text}"
    assert read[1].start.total_seconds() == pytest.approx(report.turns[0].start_s, abs=0.0006)
    hard = list(srt.parse(subtitles.as_srt(nasty(report)), ignore_errors=False))
    assert len(hard) == 6
    assert not any(set("<>{}") & set(item.content) for item in hard)


def test_a_cue_without_length_still_has_one(report: Report) -> None:
    """WebVTT wants an end after the start."""
    line = CustomerLine("x", "Hm", 3.0, 3.0, 3.0, None, "")

    assert [(cue.start_ms, cue.end_ms) for cue in subtitles.cues(replace(report, turns=(), lines=(line,)))] == [
        (3000, 3001)
    ]


# --- labels ----------------------------------------------------------------------------------------


def opened(content: str, tmp_path: Path) -> Any:
    path = tmp_path / "x.TextGrid"
    path.write_text(content, "utf-8")
    return textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="error")


def test_textgrid_is_read_by_praatio(session: record.Record, report: Report, tmp_path: Path) -> None:
    """Five tiers from 0 to the recording's end without a gap, the words and marks at their times."""
    grid = opened(exports.text_of(session, report, "textgrid"), tmp_path)

    assert grid.tierNames == ("customer", "trainee", "words", "moves", "faults")
    length_s = record.audio_samples(session) / 16000
    for tier in grid.tiers:
        assert (tier.minTimestamp, tier.maxTimestamp) == (0, length_s)
        edges = [(entry.start, entry.end) for entry in tier.entries]
        assert [end for _, end in edges[:-1]] == [start for start, _ in edges[1:]]
    spoken = [entry for entry in grid.getTier("trainee").entries if entry.label]
    assert [(entry.start, entry.label) for entry in spoken] == [(turn.start_s, turn.text) for turn in report.turns]
    words = [entry.label for entry in grid.getTier("words").entries if entry.label]
    assert " ".join(words) == " ".join(sessions.SAID)
    marked = {code for entry in grid.getTier("moves").entries for code in entry.label.split("; ") if code}
    assert {mark.code for turn in report.turns for mark in turn.marks if mark.kind == "move"} == {
        code.split(" (")[0] for code in marked
    }


def test_quotes_and_overlaps_in_a_textgrid(report: Report, tmp_path: Path) -> None:
    """Quotes are doubled; where two labels overlap, the stretch in common has both."""
    words = [Word('say "yes"', 1.0, 2.0, 1), Word("over", 1.5, 2.5, 1), Word("late", 99, 100, 1), Word("", 3, 4, 1)]
    grid = opened(labels.as_textgrid(nasty(report), words, 5.0), tmp_path)
    said = [(entry.start, entry.end, entry.label) for entry in grid.getTier("words").entries if entry.label]

    assert said == [(1.0, 1.5, 'say "yes"'), (1.5, 2.0, 'say "yes"; over'), (2.0, 2.5, "over")]


def test_a_long_textgrid_is_quick(report: Report) -> None:
    """Words of an hour: the work grows with their number, not with its square."""
    words = [Word("word", 0.2 * n, 0.2 * n + 0.15, 1) for n in range(18_000)]

    assert labels.as_textgrid(report, words, 3600.0).count('text = "word"') == 18_000


def test_audacity_labels_are_three_columns(report: Report) -> None:
    """Start, end, label; turns and marks, in order of time; a tab or a break in a label is a blank."""
    for told in (report, nasty(report)):
        rows = [line.split("\t") for line in labels.as_audacity(told).splitlines()]
        marks = sum(len(turn.marks) for turn in told.turns)

        assert len(rows) == len(told.lines) + len(told.turns) + marks
        assert all(len(row) == 3 and 0 <= float(row[0]) <= float(row[1]) for row in rows)
        assert [float(row[0]) for row in rows] == sorted(float(row[0]) for row in rows)


# --- tables ----------------------------------------------------------------------------------------


def rows(content: str) -> list[dict[str, str]]:
    assert content.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(content[1:], newline=""), strict=True))


def test_turns_are_rows(report: Report) -> None:
    """One row a turn, with the numbers of the report."""
    read = rows(tables.turns_csv(report))

    assert [int(row["turn"]) for row in read] == [1, 2, 3]
    assert [float(row["start_s"]) for row in read] == [round(turn.start_s, 4) for turn in report.turns]
    assert "apologise" in read[0]["moves_done"].split("; ")
    assert read[1]["customer_said"] == "My printer! It jammed again."
    assert tables.turns_csv(report).count("\r\n") == 4


def test_measured_turns_have_their_numbers(made: Report) -> None:
    """Of a call with measurements: as in the report, and signs stay numbers."""
    read = rows(tables.turns_csv(made))

    assert float(read[0]["effort_db"]) == 0.8
    assert float(read[2]["wait_before_s"]) == -0.8
    assert read[1]["effort_db"] == ""
    assert float(read[2]["anger_after_0_to_5"]) > float(read[2]["anger_before_0_to_5"])


@pytest.fixture
def made() -> Report:
    """The made call of the report's own tests."""
    from tests.report.conftest import PROCEDURE, made_call
    from voicecoach.report.tell import tell

    return tell(made_call(), name="x", persona=None, procedure=PROCEDURE, rules=None)


def test_nothing_is_a_formula(report: Report) -> None:
    """= + - @, tab and return at the beginning are defused with an apostrophe; numbers are left numbers."""
    for text in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "＝1", "|x", "−1"):
        assert tables.cell(text).startswith("'"), text
    assert tables.cell(-3.25) == "-3.25"
    assert tables.cell(12_345.67891) == "12345.6789"
    assert tables.cell("a=b") == "a=b"
    for row in [*rows(tables.turns_csv(nasty(report))), *rows(tables.sessions_csv([nasty(report)]))]:
        assert not any(value[:1] in set("=+@\t\r\n") for value in row.values())
    assert rows(tables.sessions_csv([nasty(report)]))[0]["trainee"] == "'=Sam"


def test_no_formula_begins_within_a_cell(report: Report) -> None:
    """Where the list separator is a semicolon, a cell ends at one, whatever our quotes say; words stay as they are."""
    for separator, between in itertools.product(";,", ("", " ", "\u200b", '"', ' "')):
        guarded = tables.cell(f"Kim{separator}{between}=cmd|' /C calc'!A0;x")
        assert guarded == f"Kim{separator}'{between}=cmd|' /C calc'!A0;x"
    for words in ("Well, yes; no.", "a;b=c", "one, two - three", "100 %, not more"):
        assert tables.cell(words) == words
    made = replace(report, trainee="=1;=2;\t@3", turns=tuple(replace(turn, text="No;+1") for turn in report.turns))

    assert tables.cell(made.trainee) == "'=1;'=2;' @3"
    for content in (tables.turns_csv(made), tables.sessions_csv([made])):
        for line in csv.reader(io.StringIO(content[1:], newline=""), delimiter=";", quoting=csv.QUOTE_NONE):
            assert not any(cell.lstrip(' "').startswith(("=", "+", "@")) for cell in line)


def test_sessions_are_rows(report: Report) -> None:
    """One row a session, with what the report counts."""
    read = rows(tables.sessions_csv([report, report]))

    assert len(read) == 2
    assert read[0]["outcome"] == "resolved"
    assert int(read[0]["steps_done"]) == sum(step.outcome == "done" for step in report.steps)
    assert int(read[0]["turns"]) == 3


def test_who_cut_in_is_not_known_of_a_recorded_call(report: Report) -> None:
    """What was not measured is empty, and not 0, in the table; nor is it told with the picture."""
    reviewed = replace(report, origin="Recording call.wav")

    def told(one: Report) -> tuple[str, str]:
        (row,) = rows(tables.sessions_csv([one]))
        return row["interruptions_by_trainee"], as_html(one, None, None).split('id="voices-d">')[1].split("</desc>")[0]

    count = sum(cut.by == "trainee" for cut in report.interruptions)
    assert told(report)[0] == str(count)
    assert "interruption" in told(report)[1]
    assert told(reviewed)[0] == ""
    assert "interruption" not in told(reviewed)[1]


def test_the_columns_of_the_steps_add_up(report: Report) -> None:
    """Also of a retry, of which what had been done before it was not asked."""
    first, *rest = report.steps
    (row,) = rows(tables.sessions_csv([replace(report, steps=(replace(first, outcome="before"), *rest))]))

    assert int(row["steps"]) == len(rest)
    assert int(row["steps"]) == sum(int(row[f"steps_{outcome}"]) for outcome in ("done", "unsure", "not_heard"))


# --- learning records --------------------------------------------------------------------------------


def statements(session: record.Record, report: Report, **who: str) -> list[dict[str, Any]]:
    return json.loads(exports.text_of(session, report, "xapi", exports.Who(**who)))


def test_xapi_is_valid_for_ralph(session: record.Record, report: Report) -> None:
    """Each statement fits the schema of xAPI 1.0.3 as another project has it; names are pseudonyms."""
    made = statements(session, report)

    for statement in made:
        BaseXapiStatement(**statement)
    assert len(made) == 1 + len(report.steps)
    assert made[0]["verb"]["id"] == "http://adlnet.gov/expapi/verbs/completed"
    assert made[0]["timestamp"] == "2026-11-21T10:00:26.300+01:00"
    assert made[0]["result"]["score"]["raw"] == sum(step.outcome == "done" for step in report.steps)
    assert "Sam" not in json.dumps(made)
    assert len({statement["id"] for statement in made}) == len(made)


def test_xapi_ids_follow_the_record_and_not_its_place(session: record.Record, report: Report) -> None:
    """Exported again under another name: the same statements; another session: others."""
    again = replace(session, folder=Path("/elsewhere/other"))
    other = replace(session, events=(replace(session.events[0], data={**session.events[0].data, "seed": 4}),))

    assert statements(again, report) == statements(session, report)
    assert statements(other, report)[0]["id"] != statements(session, report)[0]["id"]
    named = statements(session, report, actor="sam-7", home_page="https://lms.example.org")
    assert named[0]["actor"]["account"] == {"homePage": "https://lms.example.org", "name": "sam-7"}


def test_another_result_is_another_statement(session: record.Record, report: Report) -> None:
    """A store keeps what it has under an id; and what was done before a take began was not done badly in it."""
    step = report.steps[0]
    later = replace(report, steps=(replace(step, outcome="before"), *report.steps[1:]))
    started = dict(session.events[0].data)
    was, made = (xapi.statements(one, started, "x") for one in (report, later))
    changed = [number for number, (a, b) in enumerate(zip(was, made, strict=True)) if a["id"] != b["id"]]

    assert changed == [number for number, (a, b) in enumerate(zip(was, made, strict=True)) if a != b]
    assert 1 in changed
    assert "success" not in made[1]["result"]
    assert made[0]["result"]["score"]["max"] == len(report.steps) - 1


def test_equal_ids_mean_equal_statements(session: record.Record, report: Report) -> None:
    """Another account, system, trainer or verdict is another statement; the same ones are the same."""
    started = dict(session.events[0].data)
    judged = [
        replace(report, desk=Desk(verdict=Verdict(verdict, text, trainer, "2026-11-22T10:00:00+00:00")))
        for verdict, text, trainer in (
            ("pass", "", "Ann"),
            ("pass", "", "Bob"),
            ("fail", "", "Bob"),
            ("pass", "x", "Bob"),
        )
    ]
    seen: dict[str, dict[str, Any]] = {}
    for told in (report, *judged, *judged):
        for who in ({}, {"actor": "sam-7"}, {"home_page": "https://lms.example.org"}):
            for statement in xapi.statements(told, started, "x", **who):
                assert seen.setdefault(statement["id"], statement) == statement

    steps = len(report.steps)
    assert len(seen) == 3 * (1 + steps + len(judged))


def test_a_review_is_dated_by_when_it_was_made(session: record.Record, report: Report) -> None:
    """When the recorded call was held is not known: its length is not added to the time of the review."""
    started = {**session.events[0].data, "mode": "review"}

    times = {datetime.fromisoformat(one["timestamp"]) for one in xapi.statements(report, started, "x")}

    assert times == {datetime.fromisoformat(started["wall"])}


@pytest.mark.parametrize("wall", ["", "yesterday", "2026-11-21T10:00:00", "9999-12-31T23:59:59+00:00"])
def test_xapi_of_a_record_without_a_time(session: record.Record, report: Report, wall: str) -> None:
    """No timestamp rather than a false one; hostile names stay inside their fields."""
    started = {"persona": {"id": "../?#<x>"}, "procedure": 7}
    for statement in xapi.statements(replace(nasty(report), wall=wall), started, "x"):
        assert "timestamp" not in statement
        BaseXapiStatement(**statement)


# --- bundles and files -------------------------------------------------------------------------------


def test_the_zip_holds_the_session_and_says_so(session: record.Record, tmp_path: Path) -> None:
    """Read by zipfile: every file of the folder, byte for byte, each with its hash in the manifest."""
    path = exports.export(session, "zip", tmp_path)
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        manifest = json.loads(bundle.read("manifest.json"))
        names = [name for name in bundle.namelist() if name != "manifest.json"]

        assert sorted(names) == sorted(file.name for file in session.folder.iterdir())
        for name in names:
            assert bundle.read(name) == (session.folder / name).read_bytes()
            assert manifest["files"][name]["sha256"] == bundles.hash_of(session.folder / name)
    assert path.stat().st_mode & 0o077 == 0


def test_a_bundle_is_not_bundled_again(session: record.Record, tmp_path: Path) -> None:
    """A new manifest would vouch for what was changed, and the trainer's words lie beside it: the sentence says so."""
    bundle = exports.export(session, "zip", tmp_path / "call.zip")
    (tmp_path / "out").mkdir()
    done = CliRunner().invoke(cli.app, ["export", str(bundle), "--format", "zip", "--out", str(tmp_path / "out")])

    assert isinstance(done.exception, BadInput)
    assert "is already a bundle" in done.exception.what
    assert "call.trainer.jsonl" in done.exception.do
    assert list((tmp_path / "out").iterdir()) == []


EVERY = "import sys; from pathlib import Path\nfrom voicecoach import exports, record\n" + (
    "s = record.read(Path(sys.argv[1]))\nfor kind in exports.ENDINGS: exports.export(s, kind, Path(sys.argv[2]))"
)


def test_the_same_record_gives_the_same_bytes(session: record.Record, tmp_path: Path) -> None:
    """In another folder, another time zone, with another hash seed and another locale: every format."""
    made = []
    for number, environment in enumerate(
        ({"TZ": "UTC", "PYTHONHASHSEED": "1"}, {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "LC_ALL": "C"})
    ):
        folder, out = tmp_path / str(number) / session.folder.name, tmp_path / f"out{number}"
        folder.mkdir(parents=True)
        out.mkdir()
        for file in sorted(session.folder.iterdir(), reverse=bool(number)):
            (folder / file.name).write_bytes(file.read_bytes())
        subprocess.run(
            [sys.executable, "-c", EVERY, str(folder), str(out)], check=True, env={**os.environ, **environment}
        )
        made.append({file.name: file.read_bytes() for file in out.iterdir()})

    assert len(made[0]) == len(exports.ENDINGS)
    assert made[0] == made[1]


def test_a_file_appears_whole_or_not_at_all(
    session: record.Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails leaves the old file and no draft; a pipe is not replaced."""
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    (tmp_path / "x").write_text("old")
    for attempt in (
        lambda: exports.write("new", tmp_path / "x"),
        lambda: exports.export(session, "zip", tmp_path / "x"),
    ):
        _fails(attempt)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="not a file"):
        exports.write("new", tmp_path / "pipe")

    assert (tmp_path / "x").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "x"]


def _fails(attempt: Callable[[], object]) -> None:
    with pytest.raises(DiskError, match="No space left"):
        attempt()


ODD = (
    [],
    [{"kind": "ended", "at": 3, "outcome": ["x"], "why": {}}],
    [{"kind": "started", "at": 0, "wall": 5, "trainee": None, "persona": "Dana", "procedure": {"id": 1}}],
    [
        {"kind": "said", "at": 9, "text": "x", "start": 900, "end": 10, "level": 99},
        {"kind": "spoke", "at": 9, "turn": 1, "start": 50, "end": 40, "speech": [[5, 1]], "overlap": [[-3, 7]]},
        {
            "kind": "heard", "at": 9, "turn": 1, "text": "I am sorry\ud800 \u202e --> <v x>",
            "words": [{"text": "I", "start_s": -5, "end_s": 1e308, "probability": 2}, {"text": 7}],
        },
    ],
)  # fmt: skip


@pytest.mark.parametrize("events", ODD, ids=str)
def test_odd_records_are_exported_as_far_as_they_go(events: list[dict[str, Any]], tmp_path: Path) -> None:
    """Empty, edited or foreign events: every format is still one that its reader opens."""
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    session = record.read(tmp_path / "odd")
    report = debrief.report_on(session)
    made = {kind: exports.text_of(session, report, kind) for kind in exports.ENDINGS if kind != "zip"}

    assert len(list(webvtt.from_string(made["vtt"]))) == len(list(srt.parse(made["srt"], ignore_errors=False)))
    assert len(opened(made["textgrid"], tmp_path).tiers) == 5
    for statement in json.loads(made["xapi"]):
        BaseXapiStatement(**statement)
    assert len(rows(made["csv-sessions"])) == 1
    assert json.loads(made["json"])["name"] == "odd"
    assert "".join(made.values()).encode("utf-8")


# --- everything hostile at once ------------------------------------------------------------------------

HOSTILE = {
    "trainee": "=cmd|' /C calc'!A0\u202e",
    "customer": "<v Boss><b>Dana</b> & {\\an8}\n\nNOTE x",
    "said": (
        '\u200f=1+1 \u202egnp.exe\u202c \u2028--> 00:01\t"x"',
        "</v><script>alert(1)</script>\r\n\r\n2\r\n",
        "",
        "+49 30",
    ),
    "line": "\ufeff@SUM(A1) عربي {\\b1} &lt; 99",
}
"""Formulas, also behind invisible marks; markup; line breaks of all kinds; text that turns its direction; nothing at all."""
SPANS_S = ((1.0, 5.0), (3.0, 6.0), (6.5, 6.5), (7.0, 8.0))
"""The second turn begins inside the first, the third has no length and no words."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> record.Record:
    """A record that any hand may have written, with a trainer's words as hostile."""
    folder = tmp_path_factory.mktemp("data") / "sessions" / "hostile"
    with record.Writer(folder, "", "") as writer:
        writer.event(
            "started", at=0, wall="2026-11-21T10:00:00+01:00", trainee=HOSTILE["trainee"],
            persona={"id": "../../x", "name": HOSTILE["customer"]}, procedure="=1",
        )  # fmt: skip
        writer.event("said", at=0, line="x", text=HOSTILE["line"], start=0, end=sessions.at(4.0))
        for number, (text, (start_s, end_s)) in enumerate(zip(HOSTILE["said"], SPANS_S, strict=True), 1):
            span = {"start": sessions.at(start_s), "end": sessions.at(end_s)}
            heard = [{"text": word, "start_s": start_s, "end_s": end_s, "probability": 1} for word in text.split()]
            writer.event("spoke", at=span["end"], turn=number, **span, speech=[], overlap=[])
            writer.event("heard", at=span["end"], who="trainee", turn=number, text=text, words=heard, model="m")
        writer.audio(np.zeros((sessions.at(8.5), 2), np.int16))
        writer.event("note", text="=NOTE()")
        writer.event("ended", outcome="=1", why="-1")
    for line in ({"kind": "comment", "turn": 1, "text": "=HYPERLINK(1)", "trainer": "@Ann", "wall": ""},
                 {"kind": "verdict", "verdict": "fail", "text": "-2+3\n=4", "trainer": "=A", "wall": ""}):  # fmt: skip
        record.append_line(folder / record.TRAINER, line)
    return record.read(folder)


@pytest.fixture(scope="module")
def foreign(hostile: record.Record) -> Report:
    return debrief.report_on(hostile)


def plain(text: str) -> str:
    """A text as an export may show it: on one line, without what is not shown."""
    return " ".join(re.sub("[\u202a-\u202e]", "", text).split())


def test_hostile_words_are_subtitles(hostile: record.Record, foreign: Report) -> None:
    """One cue for each utterance with words; the readers give back what was said, and no markup."""
    wanted = [plain(entry.text) for entry in foreign.timeline if entry.text.strip()]
    captions = list(webvtt.from_string(exports.text_of(hostile, foreign, "vtt")))
    cues = list(srt.parse(exports.text_of(hostile, foreign, "srt"), ignore_errors=False))

    assert len(wanted) == 4
    assert [html.unescape(caption.raw_text.partition(">")[2].removesuffix("</v>")) for caption in captions] == wanted
    assert len(cues) == 4
    assert not any(set("<>{}\n\u2028\u202e") & set(cue.content) for cue in cues)
    assert all(cue.start < cue.end for cue in cues)


def test_hostile_words_are_labels(hostile: record.Record, foreign: Report, tmp_path: Path) -> None:
    """Praat's tiers fill the recording, where turns overlap both are there; Audacity's rows have three columns."""
    grid = opened(exports.text_of(hostile, foreign, "textgrid"), tmp_path)
    first, second = (plain(text) for text in HOSTILE["said"][:2])
    for tier in grid.tiers:
        edges = [(entry.start, entry.end) for entry in tier.entries]
        assert edges[0][0] == 0
        assert edges[-1][1] == 8.5
        assert all(a[1] == b[0] and a[0] < a[1] for a, b in itertools.pairwise(edges))
    spoken = [(entry.start, entry.end, entry.label) for entry in grid.getTier("trainee").entries if entry.label]
    assert spoken == [
        (1.0, 3.0, first), (3.0, 5.0, f"{first}; {second}"), (5.0, 6.0, second), (7.0, 8.0, "+49 30"),
    ]  # fmt: skip

    written = exports.text_of(hostile, foreign, "audacity")
    read = list(csv.reader(io.StringIO(written, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [len(row) for row in read] == [3] * (5 + sum(len(turn.marks) for turn in foreign.turns))
    assert all(0 <= float(row[0]) <= float(row[1]) <= 8.5 for row in read)


def test_hostile_words_are_cells_and_statements(hostile: record.Record, foreign: Report) -> None:
    """No cell is a formula, also not behind invisible marks; every statement fits the schema, and no address leads away."""
    for kind, count in (("csv", 4), ("csv-sessions", 1)):
        read = rows(exports.text_of(hostile, foreign, kind))
        assert len(read) == count
        for row in read:
            assert None not in row
            for name, value in row.items():
                shown = value.lstrip("\u200f\ufeff\u200b ")
                assert not shown.startswith(("=", "@", "+", "\t")), (name, value)
                assert not shown.startswith("-") or float(shown) < 0, (name, value)
    turns = rows(exports.text_of(hostile, foreign, "csv"))
    assert [row["trainee_said"].lstrip("'") for row in turns] == [plain(text) for text in HOSTILE["said"]]
    for statement in statements(hostile, foreign):
        BaseXapiStatement(**statement)
        assert statement["object"]["id"].startswith("https://voicecoach.invalid/scenarios/")
        assert ".." not in statement["object"]["id"].removeprefix("https://voicecoach.invalid/").split("/")
        assert "calc" not in json.dumps(statement["actor"])
    told = json.loads(exports.text_of(hostile, foreign, "json"))
    assert [turn["text"] for turn in told["turns"]] == [turn.text for turn in foreign.turns]
