"""The trainer's desk: hand in one session, say something about it, bring it home, hold it to an assignment, compare."""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests import sessions
from voicecoach import bundles, cli, consent, copies, debrief, desk, doctor, record, retention
from voicecoach.before import Terminal
from voicecoach.commands import desk as commands
from voicecoach.errors import BadInput, DiskError
from voicecoach.report import trainer as trainers
from voicecoach.report.agreement import Agreement, agreement, as_lines, compare, kappa_of, standard_error
from voicecoach.report.desk import Asked, Assignment, Desk, Minimum, StepMark, Verdict, hold
from voicecoach.report.text import as_text

ROOT = Path(__file__).resolve().parent.parent
NOW = "2026-11-22T09:00:00+01:00"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A session on the trainee's machine."""
    return sessions.write(tmp_path / "data" / "sessions")


def run(*arguments: Any, data: Path | None = None) -> Any:
    before = ("--data", str(data)) if data else ()
    return CliRunner().invoke(cli.app, [*before, *map(str, arguments)], env={"COLUMNS": "200"})


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- handing in ------------------------------------------------------------------------------------


def test_only_the_chosen_session_is_given_away(mine: Path, inbox: Path) -> None:
    """The others stay; what is told beforehand is what is in the bundle."""
    sessions.write(mine.parent, "20261120-090000-dana-printer")
    bundle = desk.submit(mine, inbox)

    assert [path.name for path in inbox.iterdir()] == ["20261121-100000-dana-printer.zip"]
    told = desk.contents(mine)
    assert {"manifest.json", *told.files} == {name for name, _ in _entries(bundle)}
    assert (told.turns, told.sound, told.trainee) == (3, True, "Sam")
    assert "3 turns of yours" in " ".join(desk.contents_lines(told))


def _entries(bundle: Path) -> list[tuple[str, bytes]]:
    import zipfile

    with zipfile.ZipFile(bundle) as file:
        return [(name, file.read(name)) for name in file.namelist()]


def test_without_the_recording_no_sound_leaves(mine: Path, inbox: Path) -> None:
    """Neither the audio nor the page that holds it, and the trainer is not told that something is missing by mistake."""
    debrief.write_page("the page with the sound in it", mine)
    (mine / "private-notes.txt").write_text("mine")
    bundle = desk.submit(mine, inbox, sound=False)

    assert [name for name, _ in _entries(bundle)] == ["manifest.json", "events.jsonl", "persona.yaml", "procedure.yaml"]
    with bundles.opened(bundle) as session:
        assert session.problems == ("The recording is missing: nothing can be played back.",)


def test_a_submission_never_overwrites(mine: Path, inbox: Path) -> None:
    """The very same is refused; a session that went on gets a name of its own."""
    first = desk.submit(mine, inbox)
    kept = first.read_bytes()
    with pytest.raises(BadInput, match="submitted before"):
        desk.submit(mine, inbox)
    with open(mine / "events.jsonl", "a") as file:
        file.write('{"at":5,"kind":"note","text":"one more"}\n')
    second = desk.submit(mine, inbox)

    assert second.name == "20261121-100000-dana-printer-2.zip"
    assert first.read_bytes() == kept
    with pytest.raises(BadInput, match="not a folder"):
        desk.submit(mine, inbox / "none")


def test_submitting_asks_or_needs_yes(mine: Path, inbox: Path) -> None:
    """Without a terminal nothing leaves."""
    data = mine.parent.parent
    refused = run("submit", "last", "--to", inbox, data=data)
    assert isinstance(refused.exception, BadInput)
    assert list(inbox.iterdir()) == []
    assert "What you would share" in refused.stdout

    assert run("submit", "last", "--to", inbox, "--no-audio", "--yes", data=data).exit_code == 0
    assert len(list(inbox.iterdir())) == 1


# --- the trainer's words ----------------------------------------------------------------------------


def test_words_of_the_trainer_come_home_and_nothing_is_overwritten(mine: Path, inbox: Path) -> None:
    """Comment, mark, verdict and next assignment: beside the bundle, then in the trainee's debrief; the rest untouched."""
    bundle = desk.submit(mine, inbox)
    packed, before = bundle.read_bytes(), bytes_of(mine)
    desk.comment(bundle, "You waited for her answer.", "Ann", NOW, turn=2)
    desk.override(bundle, "done", "Faint, but there.", "Ann", NOW, turn=1, code="use_name")
    desk.override(bundle, "not-heard", "Only asked once.", "Ann", NOW, step="clarify")
    desk.give_verdict(bundle, "again", "Nearly.", "Ann", NOW)
    desk.give_next(bundle, Assignment("week-2", "dana-printer", level="hard"), "Ann", NOW)

    assert bundle.read_bytes() == packed
    assert {path.name for path in inbox.iterdir()} == {bundle.name, f"{bundle.stem}.trainer.jsonl"}

    collected = desk.collect(inbox, mine.parent)
    assert [(one.session, one.lines) for one in collected] == [(mine, 5)]
    assert {name: data for name, data in bytes_of(mine).items() if name != record.TRAINER} == before
    assert [one.lines for one in desk.collect(inbox, mine.parent)] == [0]

    report = debrief.report_on(record.read(mine))
    page = debrief.page_of(record.read(mine), report)
    for shown in (as_text(report, 200), page.replace("&#x27;", "'")):
        assert "Turn 2: You waited for her answer. (Ann, 2026-11-22)" in shown
        assert "machine: not heard; trainer: done. Reason: Faint, but there." in shown
        assert "Clarify" in shown
        assert "Once more, please: Nearly." in shown
        assert "Scenario dana-printer, hard" in shown
    assert report.desk == desk.report_of(bundle).desk
    told = json.loads(record.to_json(report))["desk"]
    assert told["verdict"]["verdict"] == "again"
    assert {(mark["machine"], mark["verdict"]) for mark in told["overrides"]} == {
        ("not heard", "done"),
        ("done", "not heard"),
    }
    machine = next(turn for turn in report.turns if turn.number == 1)
    assert "use_name" not in {mark.code for mark in machine.marks}


def outcomes(folder: Path) -> dict[str, tuple[str, str, bool]]:
    """Step to (the machine's outcome, the trainer's, whether that follows from marks)."""
    found = desk.report_of(folder).desk
    return {step.id: (step.machine, step.trainer, step.follows) for step in found.steps} if found else {}


def test_a_mark_on_a_move_makes_its_step_anew_beside_the_machines(mine: Path) -> None:
    """A step follows from the trainer's marks, a mark on the step itself counts more, and the machine's stays."""
    desk.override(mine, "not-heard", "That was no apology.", "Ann", NOW, turn=1, code="apologise")
    assert outcomes(mine)["apologise-personally"] == ("done", "not heard", True)

    desk.override(mine, "done", "There it was.", "Ann", NOW, turn=3, code="apologise")
    assert outcomes(mine)["apologise-personally"] == ("done", "", False)

    desk.override(mine, "not-heard", "Not there either.", "Ann", NOW, turn=3, code="apologise")
    session = record.read(mine)
    report, page = debrief.debrief_of(session)
    apology = next(step for step in report.steps if step.id == "apologise-personally")
    assert (apology.outcome, apology.marked) == ("done", "not heard")
    assert "with the trainer's marks: not heard" in as_text(report, 200)
    assert 'with the trainer\'s marks: <span class="chip no">' in page
    assert page.count("“Apologised personally”: not heard. That was no apology.") == 1
    assert [mark.outcome for mark in report.turns[0].marks if mark.code == "apologise"] == ["done"]

    desk.override(mine, "unsure", "Let us say so.", "Ann", NOW, step="apologise-personally")
    assert outcomes(mine)["apologise-personally"] == ("done", "unsure", False)


def test_a_mark_can_make_a_step_done_and_an_assignment_passed(tmp_path: Path) -> None:
    """What the machine missed counts, wherever in the turn it was."""
    task = Assignment("week-1", "dana-printer", minimums=(Minimum("apologise-personally"),))
    folder = sessions.write(tmp_path, said=("Go on.", "I see."), assignment={"assignment": asdict(task), "attempt": 1})
    assert "not passed" in as_text(desk.report_of(folder), 200)

    desk.override(folder, "done", "I hear it.", "Ann", NOW, turn=2, code="apologise")
    assert outcomes(folder)["apologise-personally"] == ("not heard", "done", True)
    assert "attempt 1: passed" in as_text(desk.report_of(folder), 200)


def test_the_later_word_counts_and_the_earlier_stays(mine: Path) -> None:
    """On a plain folder: a file inside it; appended, never changed."""
    desk.give_verdict(mine, "fail", "", "Ann", NOW)
    first = (mine / record.TRAINER).read_bytes()
    desk.give_verdict(mine, "pass", "On second thoughts.", "Ann", NOW)

    assert (mine / record.TRAINER).read_bytes().startswith(first)
    found = desk.report_of(mine).desk
    assert found is not None
    assert found.verdict is not None
    assert found.verdict.verdict == "pass"


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"turn": 9, "code": "empathise", "verdict": "done"}, "no turn 9"),
        ({"turn": 1, "code": "empathy", "verdict": "done"}, "no move or fault 'empathy'"),
        ({"turn": 1, "code": "empathise", "verdict": "shown"}, "done, unsure, not-heard"),
        ({"turn": 1, "code": "argue", "verdict": "done"}, "shown, listen, not-heard"),
        ({"step": "nothing", "verdict": "done"}, "no step 'nothing'"),
        ({"turn": 1, "verdict": "done"}, "Either --turn N"),
        ({"code": "empathise", "verdict": "done"}, "which turn"),
        ({"turn": 1, "code": "empathise", "verdict": "done", "reason": "  "}, "reason is empty"),
        ({"turn": 1, "code": "empathise", "verdict": "done", "reason": "x" * 2001}, "2000 is the most"),
    ],
)
def test_marks_that_mean_nothing_are_refused(mine: Path, said: dict[str, Any], match: str) -> None:
    """In a sentence that names what there is; nothing is written."""
    with pytest.raises(BadInput, match=re.escape(match)):
        desk.override(mine, trainer="Ann", wall=NOW, **{"reason": "because", **said})
    assert not (mine / record.TRAINER).exists()


def test_a_comment_on_no_turn_is_refused(mine: Path) -> None:
    with pytest.raises(BadInput, match="turns 1 to 3"):
        desk.comment(mine, "x", "Ann", NOW, turn=4)


class Elements(HTMLParser):
    """The elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


def test_markup_in_the_trainers_words_is_text(mine: Path) -> None:
    """The page has the same elements, whatever the trainer wrote; control characters are gone."""
    for words in ("plain words", '<script>alert(1)</script><img src=x onerror="y">\x1b[31m\u202e'):
        desk.comment(mine, words, words, NOW)
        desk.override(mine, "done", words, words, NOW, turn=1, code="use_name")
        desk.give_verdict(mine, "pass", words, words, NOW)
        session = record.read(mine)
        report = debrief.report_on(session)
        page = debrief.page_of(session, report)
        seen = [element for element in Elements(page).seen if element[0] in {"script", "img", "h3", "b"}]
        (mine / record.TRAINER).unlink()
        if words.startswith("plain"):
            expected = seen
    assert seen == expected
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\x1b" not in page + as_text(report)


def test_a_damaged_or_foreign_trainers_file_is_told(mine: Path) -> None:
    """What can be read is shown; the rest is counted. A mark on a turn that is not there changes nothing."""
    lines = [
        "no json", "[]", '{"kind":"comment","text":5}', '{"kind":"verdict","verdict":["pass"]}', '{"kind":"mark"}',
        '{"kind":"mark","turn":true,"code":"empathise","verdict":"done"}', '{"kind":"next","assignment":{"id":"../x"}}',
        '{"kind":"comment","turn":1e400,"text":"kept"}', "{" * 5000,
    ]  # fmt: skip
    (mine / record.TRAINER).write_text("\n".join(lines))
    report = desk.report_of(mine)

    assert "3 lines of trainer.jsonl are damaged" in " ".join(report.problems)
    assert report.desk is not None
    assert [comment.text for comment in report.desk.comments] == ["kept"]
    assert report.desk.problems == ("5 of the trainer's lines cannot be read and are left out.",)
    assert report.desk.verdict is None


def test_what_is_about_no_session_of_mine_stays_where_it_is(mine: Path, inbox: Path) -> None:
    """Another trainee's words do not come into my sessions."""
    theirs = sessions.write(inbox / "theirs", trainee="Kim")
    desk.comment(desk.submit(theirs, inbox), "For Kim.", "Ann", NOW)

    assert desk.collect(inbox, mine.parent) == ()
    assert not (mine / record.TRAINER).exists()
    with pytest.raises(BadInput, match="is not there"):
        desk.collect(inbox / "none", mine.parent)


def reused(mine: Path, inbox: Path) -> tuple[Path, Path]:
    """An answered bundle of mine whose name is that of another trainee's by now; and the other's session."""
    bundle = desk.submit(mine, inbox)
    desk.comment(bundle, "For Sam.", "Ann", NOW)
    desk.give_verdict(bundle, "pass", "", "Ann", NOW)
    theirs = sessions.write(inbox.parent / "theirs" / "sessions", trainee="Kim")
    (inbox.parent / "mailed").mkdir()
    desk.submit(theirs, inbox.parent / "mailed").replace(bundle)
    return bundle, theirs


def test_words_about_another_session_are_not_this_ones(mine: Path, inbox: Path) -> None:
    """A mailed file was saved over last week's: neither comment nor verdict moves to it, and the trainer is told."""
    bundle, _ = reused(mine, inbox)
    report = desk.report_of(bundle)

    assert report.trainee == "Kim"
    assert report.desk is None
    assert "2 of the trainer's lines are about another session and left out." in report.problems
    assert [one.state for one in desk.submissions(inbox)] == ["new"]
    assert desk.agreement_in(inbox)[0].sessions == 0


def test_words_about_two_sessions_are_not_mixed(mine: Path, inbox: Path) -> None:
    """They would all come into the first one: the sentence says what to do, and then each has its own."""
    bundle, theirs = reused(mine, inbox)
    answer = bundles.trainer_file(bundle)
    before = answer.read_bytes()
    with pytest.raises(BadInput, match="about another session") as caught:
        desk.comment(bundle, "For Kim.", "Ann", NOW)
    assert answer.read_bytes() == before

    moved = next(Path(word.rstrip(",")) for word in caught.value.do.split() if record.TRAINER in word)
    answer.rename(moved)
    desk.comment(bundle, "For Kim.", "Ann", NOW)
    assert [(one.session, one.lines) for one in desk.collect(inbox, mine.parent)] == [(mine, 2)]
    assert [(one.session, one.lines) for one in desk.collect(inbox, theirs.parent)] == [(theirs, 1)]


def test_a_folder_of_another_session_does_not_keep_the_words(mine: Path) -> None:
    """The same for a plain folder that was copied over."""
    desk.comment(mine, "For Sam.", "Ann", NOW)
    events = mine / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b'"trainee":"Sam"', b'"trainee":"Kim"'))

    assert desk.report_of(mine).desk is None
    with pytest.raises(BadInput, match="about another session"):
        desk.give_verdict(mine, "pass", "", "Ann", NOW)


# --- the desk's list ----------------------------------------------------------------------------------


def test_the_desk_lists_what_there_is(mine: Path, inbox: Path) -> None:
    """Bundles and plain folders with their state; what cannot be opened has its reason and hides no other."""
    bundle = desk.submit(mine, inbox)
    folder = sessions.write(inbox, "kim", trainee="Kim")
    sessions.write(inbox, "lee", trainee="Lee")
    (inbox / "bad.zip").write_bytes(b"nothing")
    (inbox / "notes.txt").write_text("not a session")
    desk.give_verdict(bundle, "pass", "", "Ann", NOW)
    desk.comment(folder, "Well done.", "Ann", NOW)
    done = run("desk", inbox)
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if not line.startswith(" ")}

    assert done.exit_code == 0
    assert list(rows) == [bundle.name, "bad.zip", "kim", "lee"]
    assert [rows[name].split()[1] for name in (bundle.name, "kim", "lee")] == ["pass", "commented", "new"]
    assert "not a zip file that can be read" in done.stdout
    assert [json.loads(line)["state"] for line in run("desk", "list", inbox, "--json").stdout.splitlines()][-1] == "new"


def private(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Somebody else made it under umask 077. Tests may run as root, who may enter everything."""
    looks, opens = Path.stat, os.open

    def refused(path: Any) -> bool:
        return not isinstance(path, int) and Path(os.fsdecode(path)).parent == folder

    def stat(path: Path, **more: Any) -> os.stat_result:
        if refused(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looks(path, **more)

    def opening(path: Any, *more: Any, **named: Any) -> int:
        if refused(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opens(path, *more, **named)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(os, "open", opening)


def test_a_folder_that_may_not_be_opened_hides_no_other(
    mine: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trainee copied a session into the shared folder, readable for nobody else: it is listed with the reason."""
    desk.give_verdict(desk.submit(mine, inbox), "pass", "", "Ann", NOW)
    folder = sessions.write(inbox, "kim", trainee="Kim")
    private(monkeypatch, folder)
    told = run("desk", inbox)
    compared = run("desk", "agreement", inbox)

    assert (told.exit_code, compared.exit_code) == (0, 0)
    assert [(one.name, one.state, one.outcome) for one in desk.submissions(inbox)] == [
        (mine.name, "pass", "resolved"),
        ("kim", "", "cannot be opened"),
    ]
    assert "Permission denied" in told.stdout
    assert "! kim: " in compared.stdout
    assert [one.lines for one in desk.collect(inbox, mine.parent)] == [1]
    with pytest.raises(BadInput, match="Permission denied"):
        desk.report_of(desk.look_up(folder))


def test_names_of_a_shared_folder_do_nothing_to_the_terminal(inbox: Path) -> None:
    """No control characters, and a line for each."""
    sessions.write(inbox, "\x1b[31mkim\n0 sessions")
    (inbox / "\x1b]0;lee\x07\n.zip").write_bytes(b"nothing")
    for told in (run("desk", inbox), run("desk", "agreement", inbox)):
        assert not any(sign in told.stdout for sign in "\x1b\x07")
    rows = [line for line in run("desk", inbox).stdout.splitlines() if not line.startswith("    !")]

    assert [row.split("  ")[0] for row in rows] == ["[31mkim 0 sessions", "]0;lee .zip"]
    with pytest.raises(BadInput) as caught:
        desk.look_up(inbox)
    assert "\x1b" not in caught.value.do


def test_the_list_has_the_verdict_that_the_debrief_has(mine: Path) -> None:
    """The latest by its time, wherever in the file it is, and only what is one."""
    for verdict, wall in (("pass", "2026-11-22T12:00:00+01:00"), ("again", NOW), (["pass"], NOW), ("maybe", NOW)):
        line = {"kind": "verdict", "verdict": verdict, "text": "", "trainer": "Ann", "wall": wall}
        record.append_line(mine / record.TRAINER, line)
    told = desk.report_of(mine).desk

    assert told is not None
    assert told.verdict is not None
    assert [one.state for one in desk.submissions(mine.parent)] == [told.verdict.verdict] == ["pass"]


def test_the_whole_way_by_commands(mine: Path, inbox: Path, tmp_path: Path) -> None:
    """As trainee and trainer type it; `report` opens what came back, and a bundle too."""
    data = mine.parent.parent
    assert run("submit", "last", "--to", inbox, "--yes", data=data).exit_code == 0
    bundle = next(inbox.glob("*.zip"))
    plan = tmp_path / "week-2.yaml"
    made = run(
        "desk", "assign", plan, "--scenario", "dana-printer", "--level", "hard", "--minimum", "clarify", "--attempts", 2
    )
    assert made.exit_code == 0, made.exception
    for command in (
        ("comment", bundle, "--turn", 2, "Good wait.", "--trainer", "Ann"),
        ("override", bundle, "--turn", 1, "--code", "use_name", "--verdict", "done", "--reason", "Faint."),
        ("verdict", bundle, "pass", "--text", "Well done.", "--next", plan),
    ):
        done = run("desk", *command)
        assert done.exit_code == 0, done.exception
    page = tmp_path / "x.html"
    assert run("desk", "show", bundle, "--html", page).exit_code == 0
    assert "Good wait." in page.read_text()
    assert "Good wait." in run("report", bundle).stdout
    assert "4 new" in run("desk", "collect", inbox, data=data).stdout
    assert "YOUR NEXT ASSIGNMENT" in run("report", "last", data=data).stdout
    assert isinstance(run("desk", "show", inbox).exception, BadInput)


# --- assignments ---------------------------------------------------------------------------------------


def write_plan(folder: Path, **more: Any) -> Path:
    plan = folder / "plan.yaml"
    lines = {"id": "week-1", "scenario": "dana-printer", **more}
    plan.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items()))
    return plan


def test_an_assignment_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every field, also words that mean something in YAML."""
    wanted = Assignment(
        "week-1", "dana-printer", "six-guidelines", "hard", 'No: "yes" # {x}', "2026-12-31", 3, 60,
        (Minimum("clarify"), Minimum("best-solution", "unsure")), "Mind: - the *tone* & é",
    )  # fmt: skip
    path = desk.write_assignment(wanted, tmp_path / "x.yaml")

    assert desk.read_assignment(path) == wanted
    with pytest.raises(BadInput, match="there already"):
        desk.write_assignment(wanted, path)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"id": "../x"}, "'id' must be"),
        ({"scenario": "/etc/passwd"}, "'scenario' must be"),
        ({"scenario": "../x.yaml"}, "'scenario' must be"),
        ({"scenario": "dana-pinter"}, "Did you mean dana-printer"),
        ({"procedure": "six"}, "There is no procedure"),
        ({"level": "cruel"}, "level"),
        ({"due": "tomorrow"}, "'due' must be a day"),
        ({"due": "2026-02-30"}, "'due' must be a day"),
        ({"attempts": 0}, "'attempts'"),
        ({"pass_mark": 101}, "'pass_mark'"),
        ({"pass_mark": "half"}, "whole number"),
        ({"minimums": [{"step": "vent"}]}, "no step 'vent'"),
        ({"minimums": [{"step": "clarify", "at_least": "twice"}]}, "at_least"),
        ({"minimums": [{"step": "clarify"}, {"step": "clarify"}]}, "twice"),
        ({"passmark": 50}, "Did you mean 'pass_mark'"),
    ],
)
def test_assignments_are_checked(tmp_path: Path, more: dict[str, Any], match: str) -> None:
    """Each mistake in a sentence."""
    with pytest.raises(BadInput, match=match):
        desk.read_assignment(write_plan(tmp_path, **more))


def test_hostile_assignments_are_refused(tmp_path: Path) -> None:
    """Aliases, tags and deep nesting, as in every file of ours."""
    for text in ("id: &a x\nscenario: *a\n", "id: !!python/name:os.system x\n", "id: " + "[" * 5000, "a: 1\n" * 50_000):
        (tmp_path / "x.yaml").write_text(text)
        with pytest.raises(BadInput):
            desk.read_assignment(tmp_path / "x.yaml")


def test_the_published_schema_is_that_of_the_program() -> None:
    """assets/schemas has what `desk schema` prints, and knows every key of an assignment."""
    published = json.loads((ROOT / "assets" / "schemas" / "assignment.schema.json").read_text())

    assert published == json.loads(run("desk", "schema").stdout)
    assert set(published["properties"]) == set(asdict(Assignment("a", "b")))


STEPS = (StepMark("a", "A", "done"), StepMark("b", "B", "unsure"), StepMark("c", "C", "not heard"))


@pytest.mark.parametrize(
    ("minimums", "mark", "result"),
    [
        ((), None, "passed"),
        ((Minimum("a"),), None, "passed"),
        ((Minimum("b"),), None, "undecided"),
        ((Minimum("b", "unsure"),), None, "passed"),
        ((Minimum("c"),), None, "not passed"),
        ((Minimum("c", "unsure"),), None, "not passed"),
        ((Minimum("z"),), None, "not passed"),
        ((), 33, "passed"),
        ((), 34, "undecided"),
        ((), 66, "undecided"),
        ((), 67, "not passed"),
        ((Minimum("b"), Minimum("c")), 10, "not passed"),
    ],
)
def test_what_is_unsure_decides_nothing(minimums: tuple[Minimum, ...], mark: int | None, result: str) -> None:
    """A pass needs what is certain, a fail needs what is certainly missing; between them a listener decides."""
    asked = Asked(Assignment("x", "dana-printer", pass_mark=mark, minimums=minimums), 1)

    held = hold(asked, STEPS, NOW, "dana-printer", "six-guidelines", "medium")
    assert (held.result, held.lowest, held.highest, held.remarks) == (result, 33, 66, ())


def test_without_steps_a_listener_decides() -> None:
    """The procedure beside the record is missing or damaged: nothing of it was heard or not heard."""
    asked = Asked(Assignment("x", "dana-printer", pass_mark=50, minimums=(Minimum("a"),)), 1)
    held = hold(asked, (), NOW, "dana-printer", "six-guidelines", "medium")

    assert (held.result, held.missing, held.open) == ("undecided", (), ("a",))


def test_a_customer_from_a_file_is_not_called_another() -> None:
    """A file may be named otherwise than the customer in it."""
    asked = Asked(Assignment("x", "our-parcel.yaml", procedure="ours.yml"), 1)

    assert hold(asked, STEPS, NOW, "parcel-late", "our-steps", "medium").remarks == ()


def test_the_trainers_step_counts_for_the_assignment() -> None:
    """The machine was unsure; the trainer was not. Late, too often and another scenario are said."""
    asked = Asked(Assignment("x", "dana-printer", due="2026-11-21", attempts=2, minimums=(Minimum("b"),)), 3)
    steps = (STEPS[0], StepMark("b", "B", "unsure", "not heard"))
    held = hold(asked, steps, NOW, "amara-parcel", "six-guidelines", "medium")

    assert (held.result, held.missing) == ("not passed", ("B",))
    assert held.remarks == (
        "After the due date, 2026-11-21.", "Attempt 3, of 2 that count.",
        "Another scenario than the one that was set: amara-parcel, not dana-printer.",
    )  # fmt: skip


def test_a_debrief_says_how_it_stands_with_the_assignment(tmp_path: Path) -> None:
    """From the record alone: result, attempt, mark; and the attempts are counted over sessions."""
    task = Assignment(
        "week-1", "dana-printer", title="First week", attempts=2, pass_mark=100, minimums=(Minimum("clarify"),)
    )
    for number in (1, 2):
        given = {"assignment": asdict(task), "attempt": desk.attempt(tmp_path, task, "Sam")}
        folder = sessions.write(tmp_path, f"call-{number}", assignment=given)
    text = as_text(desk.report_of(folder), 200)

    assert "First week, attempt 2 of 2: open: it hangs on steps that the machine is unsure of" in text
    assert "the mark is 100 %" in text
    assert desk.attempt(tmp_path, task, "Sam") == 3
    assert desk.attempt(tmp_path, Assignment("other", "dana-printer"), "Sam") == 1


def test_attempts_are_the_trainees_own(tmp_path: Path) -> None:
    """On a machine that is shared nobody's attempts are used up by others, nor anybody's by watching the demo."""
    plan = write_plan(tmp_path, attempts=1)
    given = {"assignment": asdict(desk.read_assignment(plan)), "attempt": 1}
    sessions.write(tmp_path, "anna", trainee="Anna", assignment=given)
    events = sessions.write(tmp_path, "demo", trainee="Ben", assignment=given) / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b'"port":"device"', b'"port":"recorded trainee"'))

    taken = {name: commands.take(plan, tmp_path, name).event[1]["attempt"] for name in ("Anna", "Ben")}
    assert taken == {"Anna": 2, "Ben": 1}


# --- agreement ------------------------------------------------------------------------------------------


def test_kappa_of_known_tables() -> None:
    """Cohen's own arithmetic: 0.4 for 20, 5, 10, 15; 1 for perfect; nothing where only one answer was given."""
    import numpy as np

    assert kappa_of(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    assert kappa_of(np.array([[5, 0], [0, 7]])) == 1
    assert kappa_of(np.array([[9, 0], [0, 0]])) is None
    assert kappa_of(np.zeros((2, 2))) is None


def test_the_interval_holds_the_kappa_and_repeats() -> None:
    """Over sessions drawn again with a fixed seed; narrower with more of them; none where there are too few."""
    session = [("done", "done")] * 6 + [("not heard", "not heard")] * 5 + [("done", "not heard")]
    other = [("done", "done")] * 4 + [("not heard", "not heard")] * 6 + [("not heard", "done")] * 2
    few, many = (compare("x", [session, other] * n, 0) for n in (3, 30))

    assert few == compare("x", [session, other] * 3, 0)
    assert few.raw == pytest.approx(21 / 24)
    for found in (few, many):
        assert found.kappa is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.kappa < found.high
        assert found.few == ""
    assert many.high - many.low < few.high - few.low  # type: ignore[operator]
    one = compare("x", [session[:3]], 0)
    assert (one.low, one.high) == (None, None)
    assert "1 session, at least 5 are needed and 3 marks, at least 8" in one.few


def test_the_standard_error_of_known_tables() -> None:
    """By hand for 20, 5, 10, 15: shares agreed 0.7, by chance 0.5; (0.02743 + 0.02547 - 0.0025) / (50 x 0.5^4) = 0.016128."""
    import numpy as np

    assert standard_error(np.array([[20, 5], [10, 15]])) == pytest.approx(0.016128**0.5)
    assert standard_error(np.array([[20, 10], [5, 15]])) == pytest.approx(0.016128**0.5)  # the other way round
    for table in ([[5, 0], [0, 7]], [[9, 0], [0, 0]], [[6, 3], [0, 0]], [[0, 0], [0, 0]]):
        assert standard_error(np.array(table)) == pytest.approx(0, abs=1e-6)


def test_the_standard_error_is_the_scatter_of_kappa() -> None:
    """Three answers, drawn again and again: kappa scatters by as much as the formula says."""
    import numpy as np

    shares = np.array([[0.30, 0.05, 0.03], [0.04, 0.25, 0.06], [0.02, 0.05, 0.20]])
    drawn = np.random.default_rng(7).multinomial(400, shares.ravel(), 4000).reshape(-1, 3, 3)
    scatter = np.std([kappa_of(table) for table in drawn])

    assert standard_error(400 * shares) == pytest.approx(scatter, rel=0.05)


def test_few_sessions_have_an_interval_by_the_standard_error() -> None:
    """Named as such; where even that does not exist, the reason."""
    done, not_heard = ("done", "done"), ("not heard", "not heard")
    session = [done] * 20 + [not_heard] * 15 + [("done", "not heard")] * 5 + [("not heard", "done")] * 10
    told = compare("x", [session], 0)
    assert (told.low, told.high) == (pytest.approx(0.4 - 1.96 * 0.127, abs=1e-3), pytest.approx(0.649, abs=1e-3))
    assert told.by == "standard error"

    alike = compare("x", [session] * 6, 0)  # every drawing gives the same
    assert alike.by == "standard error"
    assert alike.low is not None
    assert alike.high is not None
    assert alike.low < 0.4 < alike.high
    lines = {}
    for name, sessions_ in {
        "few": [session], "alike": [[done, not_heard]] * 6, "one": [[("done", "not heard"), done]] * 6,
        "never": [[("done", "not heard"), ("not heard", "done")]], "undefined": [[done]],
    }.items():  # fmt: skip
        one = compare(name, sessions_, 0)
        lines[name] = as_lines(Agreement(len(sessions_), 0, one, ()))[-1]
    assert "95 % interval 0.15 to 0.65, by its standard error, as if all marks were independent" in lines["few"]
    assert "TOO FEW" in lines["few"]
    assert "kappa 1.00, no interval (the two never differ)" in lines["alike"]
    assert "kappa 0.00, no interval (one of the two gave only one answer)" in lines["one"]
    assert "kappa -1.00, no interval (the two never agree)" in lines["never"]
    assert "kappa cannot be told (only one answer was ever given)" in lines["undefined"]


def test_what_was_done_before_a_retry_is_no_agreement(mine: Path) -> None:
    """The machine has no opinion on it in this take; where the trainer has one, the two are compared."""
    steps = (StepMark("a", "A", "before"), StepMark("b", "B", "done"), StepMark("c", "C", "before", "not heard"))
    report = replace(
        debrief.report_on(record.read(mine)), desk=Desk(verdict=Verdict("pass", "", "Ann", NOW), steps=steps)
    )
    found = agreement([report]).steps

    assert found is not None
    assert (found.marks, found.raw) == (2, 0.5)


def test_agreement_over_a_folder(tmp_path: Path) -> None:
    """Sessions with a verdict count, each step and each code a turn; what the trainer changed lowers it."""
    for number in range(6):
        folder = sessions.write(tmp_path, f"call-{number}", wall=f"2026-11-{number + 10}T10:00:00+01:00")
        if number:
            desk.give_verdict(folder, "pass", "", "Ann", NOW)
    desk.override(tmp_path / "call-1", "not-heard", "No.", "Ann", NOW, turn=1, code="apologise")
    desk.override(tmp_path / "call-2", "not-heard", "No.", "Ann", NOW, step="clarify")
    desk.override(tmp_path / "call-0", "not-heard", "Not counted: no verdict.", "Ann", NOW, step="clarify")
    (tmp_path / "bad.zip").write_bytes(b"x")
    found, problems = desk.agreement_in(tmp_path)
    steps = len(desk.report_of(tmp_path / "call-1").steps)

    assert (found.sessions, found.waiting) == (5, 1)
    assert found.steps is not None
    assert found.steps.marks == 5 * steps
    assert found.steps.raw == pytest.approx(1 - 2 / (5 * steps))  # empathy of call 1 follows from its mark
    assert found.steps.explicit == 1
    apologies = next(one for one in found.codes if one.name == "Apologised personally")
    assert (apologies.marks, apologies.heard, apologies.explicit) == (15, 5, 1)
    assert apologies.raw == pytest.approx(14 / 15)
    assert "bad.zip" in problems[0]
    told = run("desk", "agreement", tmp_path).stdout
    assert "favours agreement" in told
    assert "kappa" in told
    assert as_lines(found)[0] in told


def test_of_a_session_submitted_twice_the_newest_word_counts(mine: Path, inbox: Path) -> None:
    """Brought home in the order in which it was said, whatever the files are called; and compared once."""
    first = desk.submit(mine, inbox)
    second = desk.submit(mine, inbox, sound=False)
    desk.give_verdict(first, "again", "Nearly.", "Ann", "2026-11-22T10:00:00+01:00")
    desk.give_verdict(second, "pass", "Now it is.", "Ann", "2026-11-22T09:30:00+00:00")
    desk.comment(first, "The same.", "Ann", NOW)
    found, problems = desk.agreement_in(inbox)

    assert [(one.session, one.lines) for one in desk.collect(inbox, mine.parent)] == [(mine, 3)]
    at_home = desk.report_of(mine).desk
    assert at_home is not None
    assert at_home.verdict is not None
    assert at_home.verdict.text == "Now it is."
    assert (found.sessions, found.waiting) == (1, 0)
    assert problems == (f"{first.name} is left out: the same session as {second.name}.",)

    desk.give_verdict(first, "fail", "I was wrong.", "Ann", "2026-11-22T12:00:00+01:00")
    assert desk.agreement_in(inbox)[1] == (f"{second.name} is left out: the same session as {first.name}.",)


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    sessions.write(tmp_path, "a")
    assert "No session has a verdict yet" in run("desk", "agreement", tmp_path).stdout


# --- consent, retention, delete ---------------------------------------------------------------------------


def at_terminal(*answers: str | None) -> tuple[Terminal, list[str]]:
    shown: list[str] = []
    given = list(answers)
    return Terminal(shown.append, lambda _: given.pop(0), lambda _: None), shown


def test_consent_is_asked_once_for_each_trainee(tmp_path: Path) -> None:
    """Before the first recording; the record says what was agreed to, and when."""
    terminal, shown = at_terminal("", "")
    first = consent.before_recording(terminal, tmp_path, "Sam", NOW)
    again = consent.before_recording(terminal, tmp_path, "Sam", "2026-11-23T09:00:00+01:00")
    other = consent.before_recording(terminal, tmp_path, "Kim", NOW)

    assert first == ("consent", {"line": consent.LINE, "how": "asked", "given": NOW})
    assert again == ("consent", {"line": consent.LINE, "how": "earlier", "given": NOW})
    assert other is not None
    assert other[1]["how"] == "asked"
    assert shown == [consent.LINE, consent.LINE]
    assert (tmp_path / "consent.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("answer", ["s", "no", "N", None])
def test_without_consent_nothing_is_recorded(tmp_path: Path, answer: str | None) -> None:
    terminal, _ = at_terminal(answer)

    assert consent.before_recording(terminal, tmp_path, "Sam", NOW) is None
    assert consent.load(tmp_path, "Sam") == ""
    (tmp_path / "consent.json").write_text('{"Sam": 5')
    assert consent.load(tmp_path, "Sam") == ""


def test_without_a_terminal_the_line_is_told(tmp_path: Path) -> None:
    found = consent.before_recording(None, tmp_path, "Sam", NOW)

    assert found is not None
    assert found[1]["how"] == "told"
    assert not (tmp_path / "consent.json").exists()


def test_old_sessions_are_deleted_by_age(tmp_path: Path) -> None:
    """By when they began, not by when their files were copied; the younger stay."""
    old = sessions.write(tmp_path / "sessions", "old", wall="2020-01-01T10:00:00+01:00")
    torn = tmp_path / "sessions" / "torn"
    torn.mkdir()
    (torn / "events.jsonl").write_text("torn")
    young = sessions.write(tmp_path / "sessions", "young", wall="2099-01-01T10:00:00+01:00")
    assert isinstance(run("delete", "--older-than", "30d", data=tmp_path).exception, BadInput)
    assert old.exists()
    done = run("delete", "--older-than", "30d", "--yes", data=tmp_path)

    assert "Deleted 1." in done.stdout
    assert (old.exists(), torn.exists(), young.exists()) == (False, True, True)
    assert "nothing was deleted" in run("delete", "--older-than", "30d", "--yes", data=tmp_path).stdout


def test_a_session_without_its_time_stops_nothing(tmp_path: Path) -> None:
    """A foreign one is as old as its file; the old one beside it is deleted."""
    old = sessions.write(tmp_path / "sessions", "old", wall="2020-01-01T10:00:00+01:00")
    odd = []
    for number, wall in enumerate(({}, {"wall": 7}, {"wall": None})):
        odd.append(sessions.write(tmp_path / "sessions", f"odd-{number}"))
        first, *rest = (odd[-1] / "events.jsonl").read_text().splitlines()
        started = {key: value for key, value in json.loads(first).items() if key != "wall"} | wall
        (odd[-1] / "events.jsonl").write_text("\n".join((json.dumps(started), *rest)) + "\n")
    assert run("delete", "--keep", "90d", data=tmp_path).exit_code == 0

    assert doctor._kept(tmp_path).found == "90 days; 1 sessions are older"
    assert "Deleted 1." in run("delete", "--older-than", "30d", "--yes", data=tmp_path).stdout
    os.utime(odd[0] / "events.jsonl", (0, 0))
    assert "Deleted 1." in run("delete", "--expired", "--yes", data=tmp_path).stdout
    assert [old.exists(), *(folder.exists() for folder in odd)] == [False, False, True, True]


@pytest.mark.parametrize("named", ["../outside", "{outside}", "x" * 5000, "..", "."])
def test_a_foreign_take_deletes_nothing_outside(tmp_path: Path, named: str) -> None:
    """What a record calls the call that it takes again is a name, and no path."""
    outside = tmp_path / "outside"
    outside.mkdir()
    places = [folder / record.PAGE for folder in (outside, tmp_path, tmp_path / "sessions")]
    (tmp_path / "sessions").mkdir()
    for place in places:
        place.write_text("somebody's")
    take = sessions.write(tmp_path / "sessions", retry={"session": named.format(outside=outside), "turn": 1, "take": 2})

    assert run("delete", "last", "--yes", data=tmp_path).exit_code == 0
    assert not take.exists()
    assert [place.read_text() for place in places] == ["somebody's"] * 3


def test_the_retention_is_kept_and_told(tmp_path: Path) -> None:
    """Set once; `doctor` tells of what is older; `--expired` deletes it, never by itself."""
    old = sessions.write(tmp_path / "sessions", "old", wall="2020-01-01T10:00:00+01:00")
    assert isinstance(run("delete", "--expired", "--yes", data=tmp_path).exception, BadInput)
    assert run("delete", "--keep", "90d", data=tmp_path).exit_code == 0
    assert old.exists()
    check = doctor._kept(tmp_path)
    assert (check.ok, check.needed, check.found) == (False, False, "90 days; 1 sessions are older")
    assert "Deleted 1." in run("delete", "--expired", "--yes", data=tmp_path).stdout
    assert doctor._kept(tmp_path).ok
    assert run("delete", "--keep", "forever", data=tmp_path).exit_code == 0
    assert retention.load(tmp_path) is None


@pytest.mark.parametrize("written", ["", "30", "0d", "-3d", "d", "1e3d", "30 days", "9999y"])
def test_ages_that_are_none_are_refused(written: str) -> None:
    with pytest.raises(BadInput, match="not a length of time"):
        retention.days(written)
    assert [retention.days(text) for text in ("30d", "2 w", "6M", "1y")] == [30, 14, 180, 365]


def test_a_session_that_cannot_be_deleted_keeps_no_copy_of_another(mine: Path, inbox: Path, tmp_path: Path) -> None:
    """Two are named, the second holds a folder of somebody's: of the first nothing is left, its copy neither."""
    data = mine.parent.parent
    second = sessions.write(mine.parent, "20261122-100000-dana-printer")
    (second / "mine").mkdir()
    assert run("submit", mine.name, "--to", inbox, "--yes", data=data).exit_code == 0
    told = run("delete", mine.name, second.name, "--copies", "--yes", data=data)

    assert told.exit_code != 0
    assert not mine.exists()
    assert list(inbox.iterdir()) == []
    assert second.exists()


def test_delete_leaves_nothing(mine: Path, inbox: Path, tmp_path: Path) -> None:
    """P18: no file of the data folder holds a word or a sound of it any more; with --copies, none elsewhere either."""
    data = mine.parent.parent
    marker = b"jammed three times"
    (data / "history.html").write_bytes(b"page: " + marker)
    (data / "clients.db").write_bytes(b"not ours")
    for kind in ("json", "csv", "vtt", "textgrid", "zip"):
        assert run("export", "last", "--format", kind, data=data).exit_code == 0
    assert run("export", "--all", "--format", "csv-sessions", data=data).exit_code == 0
    assert run("export", "last", "--format", "srt", "--out", inbox / "mine.srt", data=data).exit_code == 0
    assert run("export", "last", "--format", "vtt", "--out", inbox / "edited.vtt", data=data).exit_code == 0
    (inbox / "edited.vtt").write_bytes(b"not as it was made")
    assert run("submit", "last", "--to", inbox, "--yes", data=data).exit_code == 0
    assert run("report", "last", data=data).exit_code == 0
    assert run("report", "last", "--html", inbox / "page.html", data=data).exit_code == 0
    desk.comment(mine, "Well done.", "Ann", NOW)
    sound = (mine / "audio.flac").read_bytes()[:64]
    assert len(copies.of(mine)) == 3
    told = run("delete", "last", "--copies", "--yes", data=data)

    assert told.exit_code == 0, told.exception
    assert "submitted: " in told.stdout
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in left if marker in path.read_bytes() or sound in path.read_bytes()] == []
    assert sorted(path.name for path in left) == ["clients.db", "edited.vtt"]


def test_what_the_trainer_wrote_goes_with_what_was_submitted(mine: Path, inbox: Path) -> None:
    """Named, counted and deleted with the bundle; words about another session are nobody's to touch."""
    data = mine.parent.parent
    for asked, left in ((), 2), (("--copies",), 0):
        folder = mine if mine.exists() else sessions.write(mine.parent)
        assert run("submit", "last", "--to", inbox, "--no-audio", "--yes", data=data).exit_code == 0
        (bundle,) = inbox.iterdir()
        desk.comment(bundle, "You waited for her answer.", "Ann", NOW)
        answer = bundles.trainer_file(bundle)
        told = run("delete", "last", *asked, "--yes", data=data)

        assert not folder.exists()
        assert f"answered: {answer}" in told.stdout
        assert ("2 copies are left" in told.stdout) is bool(left)
        assert len(list(inbox.iterdir())) == left
        for path in inbox.iterdir():
            path.unlink()
    again = sessions.write(mine.parent)
    assert run("submit", "last", "--to", inbox, "--yes", data=data).exit_code == 0
    (bundle,) = inbox.iterdir()
    answer = bundles.trainer_file(bundle)
    for line in ({"kind": "about", "session": "0" * 64}, {"kind": "comment", "text": "For Kim."}):
        record.append_line(answer, line)

    assert [copy.path for copy in copies.of(again)] == [bundle]
    answer.write_text('{"kind": "comment", "text": "About whom?"}')
    assert [copy.path for copy in copies.of(again)] == [bundle]


def test_a_page_elsewhere_is_a_copy_of_every_take_in_it(mine: Path, inbox: Path) -> None:
    """It plays them: whichever is deleted, the page is named, and goes with it."""
    data, page = mine.parent.parent, inbox / "page.html"
    take = sessions.write(mine.parent, "20261122-100000-again", retry={"session": mine.name, "turn": 1, "take": 2})
    for chosen, told in ((mine, take), (take, mine)):
        assert run("report", chosen.name, "--html", page, data=data).exit_code == 0
        assert {copy.path for folder in (chosen, told) for copy in copies.of(folder)} == {page}
    done = run("delete", take.name, "--copies", "--yes", data=data)

    assert done.exit_code == 0, done.exception
    assert f"exported: {page}" in done.stdout
    assert not page.exists()
    assert run("report", mine.name, "--html", page, data=data).exit_code == 0
    assert [copy.path for copy in copies.of(mine)] == [page]


def test_a_page_of_two_sessions_is_deleted_once(mine: Path, inbox: Path) -> None:
    """It is named once, and none is said to be left."""
    data, page = mine.parent.parent, inbox / "page.html"
    take = sessions.write(mine.parent, "20261122-100000-again", retry={"session": mine.name, "turn": 1, "take": 2})
    assert run("report", mine.name, "--html", page, data=data).exit_code == 0
    done = run("delete", mine.name, take.name, "--copies", "--yes", data=data)

    assert done.stdout.count(str(page)) == 1
    assert "Deleted 2.\n" in done.stdout
    assert not page.exists()


def test_deleting_a_backup_leaves_the_exports_of_the_session(mine: Path, tmp_path: Path) -> None:
    """They have the same name; the exports are those of the session in the data folder."""
    data = mine.parent.parent
    backup = sessions.write(tmp_path / "backup", mine.name)
    assert run("export", "last", "--format", "vtt", data=data).exit_code == 0
    (exported,) = (data / "exports" / mine.name).iterdir()

    assert run("delete", backup, "--yes", data=data).exit_code == 0
    assert not backup.exists()
    assert exported.exists()
    assert run("delete", "last", "--yes", data=data).exit_code == 0
    assert not exported.parent.exists()


def test_copies_elsewhere_are_told_and_left(mine: Path, inbox: Path) -> None:
    """Without --copies they are named, so that nobody believes them gone."""
    assert run("submit", "last", "--to", inbox, "--yes", data=mine.parent.parent).exit_code == 0
    (bundle,) = inbox.iterdir()
    told = run("delete", "last", "--yes", data=mine.parent.parent)

    assert f"submitted: {bundle}" in told.stdout
    assert "1 copies are left" in told.stdout
    assert bundle.exists()


def test_a_copy_that_cannot_be_noted_is_made_and_told(mine: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session may lie where nobody may write: what was asked for is done, and what will not be found is said."""

    def full(path: Path, entry: Any, mode: int = 0o600) -> None:
        raise DiskError(f"{path} could not be written.", "")

    monkeypatch.setattr(record, "append_line", full)
    data = mine.parent.parent
    for number, asked in enumerate(
        (
            ("submit", "last", "--to", inbox, "--yes"),
            ("export", "last", "--format", "vtt", "--out", inbox),
            ("export", "--all", "--format", "csv-sessions", "--out", inbox),
            ("report", "last", "--html", inbox / "page.html"),
        ),
        1,
    ):
        told = run(*asked, data=data)

        assert told.exit_code == 0, told.exception
        assert f"could not be noted in the session {mine.name}" in told.stdout
        assert len(list(inbox.iterdir())) == number


def test_a_hostile_list_of_copies_touches_nothing(mine: Path, tmp_path: Path) -> None:
    """A path with another content, a relative one, a link: not a copy of ours."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    known = bundles.hash_of(tmp_path / "precious")
    for entry in (
        {"what": "exported", "path": str(tmp_path / "precious"), "sha256": "0" * 64},
        {"what": "exported", "path": str(tmp_path / "link"), "sha256": known},
        {"what": "exported", "path": "precious", "sha256": known},
        {"what": "stolen", "path": str(tmp_path / "precious"), "sha256": known},
    ):
        record.append_line(mine / record.COPIES, entry)

    assert copies.of(mine) == ()


def test_the_trainers_file_survives_a_torn_line(mine: Path) -> None:
    """A line that was cut off is ended before the next is written; a full disk is a sentence."""
    desk.comment(mine, "First.", "Ann", NOW)
    with open(mine / record.TRAINER, "ab") as file:
        file.write(b'{"kind":"comm')
    desk.comment(mine, "Second.", "Ann", NOW)
    found = desk.report_of(mine).desk

    assert found is not None
    assert [comment.text for comment in found.comments] == ["First.", "Second."]
    with pytest.raises(DiskError):
        record.append_line(Path("/dev/full"), {"a": 1})


def test_of_two_verdicts_the_later_counts_in_whatever_order_they_came() -> None:
    """By their own times: files that came by mail may be collected in any order."""
    later = {"kind": "verdict", "verdict": "pass", "text": "", "wall": "2026-01-02T10:00:00+00:00", "trainer": "Robin"}
    earlier = {**later, "verdict": "again", "wall": "2026-01-02T10:00:00+02:00"}

    for lines in ((later, earlier), (earlier, later)):
        verdict = trainers.entries_of(lines, {}, ()).verdict
        assert verdict is not None
        assert verdict.verdict == "pass"


def test_a_copy_that_was_taken_away_at_once_is_no_failure(tmp_path: Path) -> None:
    """As a watched inbox does."""
    assert copies.note(tmp_path, "submitted", tmp_path / "gone.zip", "2026-01-02T10:00:00+00:00") is False
