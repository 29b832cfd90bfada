"""Around a call: worksheet, breath, pause and notes, each skippable, bounded, and plain text in the record."""

from __future__ import annotations

import os
import pty
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from voicecoach import before, consent, debrief, keys, prepare, record, testing
from voicecoach.before import Terminal
from voicecoach.cli import app
from voicecoach.commands import calm_voice, common, devices
from voicecoach.commands import drill as drilling
from voicecoach.commands import rehearse as rehearsing
from voicecoach.nouns import Worksheet
from voicecoach.persona import Persona
from voicecoach.report.text import as_text


class Typist:
    """A terminal at which `answers` are typed; after the last one nothing more can be."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.shown: list[str] = []
        self.paused: list[float] = []

    def ask(self, prompt: str) -> str | None:
        self.shown.append(prompt)
        return self.answers.pop(0) if self.answers else None

    def terminal(self) -> Terminal:
        return Terminal(self.shown.append, self.ask, self.paused.append)


@pytest.fixture(scope="module")
def dana() -> Persona:
    return prepare.choose_persona("dana-printer")[0]


def test_enter_keeps_the_scenarios_worksheet_and_takes_a_breath(dana: Persona) -> None:
    """000.1 and 002.1: everything shown, one slow breath, both done."""
    typist = Typist(*[""] * 6)
    prepared = dict(before.prepare(typist.terminal(), dana))

    assert prepared["worksheet"] == {"outcome": "done", **vars(dana.brief)}
    assert prepared["focus"] == {"outcome": "done"}
    assert typist.paused == [before.BREATH_IN_S, before.BREATH_OUT_S]
    assert "recovery" not in prepared
    shown = "\n".join(typist.shown)
    assert all(phrase in shown for phrase in (dana.brief.goal, *dana.brief.can, *dana.brief.cannot))


def test_the_trainees_own_words_join_the_scenarios(dana: Persona) -> None:
    """A goal replaces the scenario's; phrases come behind it."""
    typist = Typist("Keep her", "a coupon", "", "", "", "she may shout", "again", "", "s")
    prepared = dict(before.prepare(typist.terminal(), dana))

    assert prepared["worksheet"]["goal"] == "Keep her"
    assert prepared["worksheet"]["can"] == (*dana.brief.can, "a coupon")
    assert prepared["worksheet"]["cannot"] == dana.brief.cannot


@pytest.mark.parametrize("answers", [("s", "s"), ("skip", " S "), ()])
def test_all_of_it_can_be_skipped(dana: Persona, answers: Sequence[str]) -> None:
    """With s, or where the input has ended: said as skipped, and nobody waits."""
    typist = Typist(*answers)
    prepared = before.prepare(typist.terminal(), dana, "the customer hung up")

    assert [kind for kind, _ in prepared] == ["recovery", "worksheet", "focus"]
    assert {data["outcome"] for _, data in prepared[1:]} == {"skipped"}
    assert typist.paused == []


def test_a_scenario_without_a_brief_still_has_a_worksheet(dana: Persona) -> None:
    prepared = dict(before.prepare(Typist("Stay calm", *[""] * 5).terminal(), replace(dana, brief=Worksheet())))

    assert prepared["worksheet"] == {"outcome": "done", **vars(Worksheet(goal="Stay calm"))}


def test_what_is_typed_is_bounded_plain_text(dana: Persona) -> None:
    """Control characters, long lines and endless lists."""
    typist = Typist("\x1b[31mred\u202e\t" + "x" * 9999, *["more"] * 100, "", "")
    data = dict(before.prepare(typist.terminal(), dana))["worksheet"]

    assert data["goal"].startswith("[31mred x")
    assert len(data["goal"]) == before.MAX_CHARS
    assert len(data["can"]) == len(dana.brief.can) + before.MAX_PHRASES


def test_notes_after_the_call_end_with_an_empty_line() -> None:
    """001.2: a line each."""
    assert before.notes(Typist("order 4172", "call at noon", "", "x").terminal()) == ("order 4172", "call at noon")
    assert before.notes(Typist().terminal()) == ()
    assert len(before.notes(Typist(*["n"] * 500).terminal())) == before.MAX_NOTES


# --- the call before -----------------------------------------------------------------------------------

NOW = "2026-11-21T12:30:00+00:00"


def ended(
    tmp_path: Path, outcome: str, wall: str = "2026-11-21T12:00:00+00:00", anger: float = 1.0, trainee: str = "Sam"
) -> Path:
    """The folder of sessions, with one more that ended so; still going on where `outcome` is empty."""
    folder = record.new_folder(tmp_path / "sessions", "2026-11-21T12:00:00+00:00", "x")
    with record.Writer(folder, "", "") as writer:
        writer.event("started", wall=wall, trainee=trainee)
        writer.event("said", line="x", text="x", anger=anger)
        if outcome:
            writer.event("ended", outcome=outcome, why="")
    return tmp_path / "sessions"


@pytest.mark.parametrize(
    ("outcome", "anger", "why"),
    [
        ("hung up", 5.0, "the customer hung up"),
        ("manager", 3.0, "the customer asked for somebody else"),
        ("time limit", 4.5, "the customer was still irate"),
        ("resolved", 1.0, ""),
        ("stopped", 3.0, ""),
    ],
)
def test_a_hard_call_is_followed_by_a_pause(tmp_path: Path, outcome: str, anger: float, why: str) -> None:
    """002 slide 34."""
    assert before.hard_call(ended(tmp_path, outcome, anger=anger), NOW, "Sam") == why


@pytest.mark.parametrize(
    "wall", ["2026-11-20T12:00:00+00:00", "2026-11-21T13:00:00+00:00", "2026-11-21T12:00:00", "?", ""]
)
def test_a_call_of_another_day_needs_none(tmp_path: Path, wall: str) -> None:
    """Nor one whose time is odd."""
    assert before.hard_call(ended(tmp_path, "hung up", wall), NOW, "Sam") == ""


def test_no_call_before_is_no_hard_one(tmp_path: Path) -> None:
    assert before.hard_call(tmp_path / "nothing", NOW, "Sam") == ""


def test_a_hard_call_is_the_trainees_own_and_over(tmp_path: Path) -> None:
    """Nobody is sent to recover from somebody else's call, or from one that is still going on."""
    ended(tmp_path, "manager")
    ended(tmp_path, "hung up", trainee="Kim")
    sessions = ended(tmp_path, "", anger=5.0)

    assert before.hard_call(sessions, NOW, "Sam") == "the customer asked for somebody else"
    assert before.hard_call(sessions, NOW, "Kim") == "the customer hung up"
    assert before.hard_call(sessions, NOW, "Ana") == ""


def test_the_pause_is_on_record(dana: Persona) -> None:
    typist = Typist("", "s", "s")

    assert before.prepare(typist.terminal(), dana, "the customer hung up")[0] == (
        "recovery",
        {"outcome": "done", "after": "the customer hung up"},
    )
    assert "Take the time you need" in typist.shown[0]


# --- notes during the call -----------------------------------------------------------------------------


def type_in(keyboard: keys.Keyboard, typed: str, monkeypatch: pytest.MonkeyPatch) -> keys.Keys:
    monkeypatch.setattr(keyboard, "_typed", lambda: typed)
    pressed = keyboard()
    monkeypatch.setattr(keyboard, "_typed", lambda: "")
    return pressed


def test_a_note_is_typed_during_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """n begins it; space and q are letters of it; Enter keeps it."""
    keyboard = keys.Keyboard()

    assert type_in(keyboard, "nquick qu", monkeypatch) == keys.Keys()
    assert keyboard.draft == "quick qu"
    assert type_in(keyboard, "a\x7fote\r", monkeypatch) == keys.Keys(note="quick quote")
    assert keyboard.draft is None
    assert type_in(keyboard, "", monkeypatch) == keys.Keys()
    assert type_in(keyboard, "q", monkeypatch) == keys.Keys(stop=True)


def test_escape_drops_a_note_and_hangs_up_only_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard = keys.Keyboard()

    assert type_in(keyboard, "nabc\x1b", monkeypatch) == keys.Keys()
    assert keyboard.draft is None
    assert type_in(keyboard, "n\r", monkeypatch) == keys.Keys()
    assert type_in(keyboard, "\x1b", monkeypatch) == keys.Keys(stop=True)


def test_notes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in length, all in number; none is lost that was kept."""
    keyboard = keys.Keyboard()
    type_in(keyboard, "n" + "x" * 9999 + "\r", monkeypatch)
    taken = [type_in(keyboard, "nab\r" * 200, monkeypatch).note]
    while note := type_in(keyboard, "", monkeypatch).note:
        taken.append(note)

    assert len(taken) + 1 == keys.MAX_NOTES
    assert keyboard.draft is None


def test_a_space_bar_that_is_held_down_talks_until_it_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal repeats the key after a while, many times a second, and never tells that it was let go."""
    now = 0.0
    keyboard = keys.Keyboard(lambda: now)
    presses = [0.0, *(0.5 + n * 0.034 for n in range(60))]
    heard = []
    for step in range(400):
        now = step / 100
        due = sum(now - 0.01 < press <= now for press in presses)
        heard.append(type_in(keyboard, " " * due, monkeypatch).talk)
    silent = [step / 100 for step, talks in enumerate(heard) if not talks]

    assert [at for at in silent if at < 2.5] == pytest.approx([0.5 + n / 100 for n in range(4)], abs=0.02)
    assert min(at for at in silent if at > 1.0) == pytest.approx(2.5 + keys.REPEAT_S, abs=0.05)


def test_a_note_that_the_end_of_the_call_overtakes_is_not_taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads the keys again after a stop, so the note stays for whoever asks for the rest."""
    keyboard = keys.Keyboard()

    assert type_in(keyboard, "nby ten\rnby noon\rq", monkeypatch) == keys.Keys(stop=True)
    assert keyboard.rest() == ["by ten", "by noon"]
    assert keyboard.rest() == []


# --- on the record -------------------------------------------------------------------------------------


def test_what_was_prepared_is_in_the_debrief(tmp_path: Path, dana: Persona) -> None:
    """Through the record, as the debrief reads it."""
    _, persona_text = prepare.choose_persona("dana-printer")
    _, procedure_text = prepare.choose_procedure("five-step-process")
    folder = tmp_path / "call"
    with record.Writer(folder, persona_text, procedure_text) as writer:
        writer.event("started", wall=NOW)
        for kind, data in before.prepare(Typist("Keep her", *[""] * 5).terminal(), dana):
            writer.event(kind, **data)
        writer.event("note", text="She has cakes")
        writer.event("ended", outcome="stopped", why="")

    report = debrief.report_on(record.read(folder))

    assert report.steps[0].outcome == "done"
    assert report.preparation.focus == "done"
    assert report.calm == ("Before this call you took one slow breath (002.1).",)
    assert report.preparation.worksheet is not None
    assert report.preparation.worksheet.sheet.goal == "Keep her"
    assert "She has cakes" in as_text(report)


def test_without_a_terminal_the_terminal_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the input is no answer, and no error."""
    with open(os.devnull, encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)

        assert common.terminal().ask("? ") is None


# --- the whole way -------------------------------------------------------------------------------------


@pytest.fixture
def live(known_detectors: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """`rehearse` at a terminal, with a recorded trainee in place of the device, and fakes for ears and voice."""
    said = ["I am so sorry about that.", "I will send you a new printer tomorrow."]
    recording = [testing.Reply(testing.voice_like(3.0, syllables_per_s=5.0)) for _ in said]
    master, slave = pty.openpty()

    def device(*_: object) -> testing.FileDuplex:
        sound = testing.FileDuplex(testing.RecordedTrainee(recording))
        sound.info = replace(sound.info, port="device")
        return sound

    monkeypatch.setattr(devices, "open_device", device)
    monkeypatch.setattr(calm_voice, "with_baseline", lambda call, *_: call)
    monkeypatch.setattr(prepare, "ears", lambda _: (testing.ScriptedEars(said), None))
    monkeypatch.setattr(prepare, "voice", lambda *_, **__: testing.BeepVoice())
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(common.Options, "data", tmp_path)
    consent.save(tmp_path, "trainee", "2026-11-20T10:00:00+00:00")
    with os.fdopen(slave, "r") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield tmp_path
    os.close(master)


def rehearse(**given: Any) -> None:
    """The command as the command line calls it."""
    rehearsing.rehearse(typer.Context(typer.main.get_command(app)), **given)


def rehearsed(folder: Path) -> record.Record:
    return record.read(record.find(folder / "sessions", "last"))


def test_a_call_with_everything_around_it(
    live: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Worksheet and breath before, notes after, all in the record and in the debrief."""
    answers = iter(["Keep her", "", "", "", "", "", "she bakes", "", ""])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))

    rehearse(procedure="five-step-process", seed=1)

    kinds = [event.kind for event in rehearsed(live).events]
    assert kinds[:3] == ["started", "worksheet", "focus"]
    assert kinds[-2:] == ["ended", "note"]
    out = capsys.readouterr().out
    assert "As you filled it in before the call." in out
    assert "+ Strategize [000.1]: done" in out
    assert "she bakes" in out
    assert "RECORD OF THE AGREED ACTION" in out


def test_notes_that_the_end_of_the_call_overtakes_are_on_record(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed and hung up within one block of sound."""
    typed = iter(["", "", "nby ten\rnby noon\rq"])
    monkeypatch.setattr(keys.Keyboard, "_typed", lambda _: next(typed, ""))

    rehearse(prepared=False, seed=1)

    told = rehearsed(live)
    assert [event.data["text"] for event in told.of("note")] == ["by ten", "by noon"]
    assert next(told.of("ended")).data["outcome"] == "stopped"


def test_nothing_is_asked_where_it_is_not_wanted(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --no-prepare, and without a terminal."""
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("asked"))

    rehearse(prepared=False, seed=1)
    monkeypatch.setattr("sys.stdin", None)
    rehearse(seed=1)

    assert {"worksheet", "focus", "note"}.isdisjoint(event.kind for event in rehearsed(live).events)


def test_an_assignment_beside_a_choice_of_ones_own_is_a_sentence(tmp_path: Path) -> None:
    """Neither wins silently."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("id: week-1\nscenario: dana-printer\nlevel: hard\n")
    for option in (
        ("--level", "mild"), ("--scenario", "tom-parcel"), ("--procedure", "five-tips"), ("--retry", "last", "1")
    ):  # fmt: skip
        done = CliRunner().invoke(app, ["--data", str(tmp_path), "rehearse", "--assignment", str(plan), *option])

        assert f"{option[0]} was given too" in str(done.exception) + done.output
    done = CliRunner().invoke(app, ["--data", str(tmp_path), "rehearse", "tom-parcel", "--assignment", str(plan)])

    assert "a customer was given too" in str(done.exception) + done.output


def test_an_assignment_sets_the_call_and_is_in_its_record(
    live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Customer, level and procedure are the trainer's; attempts are counted; the consent is on record too."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "id: week-1\nscenario: dana-printer\nlevel: hard\nprocedure: five-tips\nattempts: 1\npass_mark: 100\n"
    )
    for _ in range(2):
        rehearse(prepared=False, seed=1, assignment=plan)

    session = rehearsed(live)
    started, assignment = session.first("started"), session.first("assignment")
    assert started is not None
    assert assignment is not None
    assert (started.data["persona"]["level"], started.data["procedure"]) == ("hard", "five-tips")
    assert assignment.data["attempt"] == 2
    assert [event.data["how"] for event in session.of("consent")] == ["earlier"]
    out = capsys.readouterr().out
    assert "Assignment, attempt 2 of 1:" in out
    assert "week-1, attempt 2 of 1: " in out
    assert "Attempt 2, of 1 that count." in out


def test_a_drill_asks_too(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agreed once, every record has it; not agreed, there is none."""
    monkeypatch.setattr(devices, "volume", lambda *_, **__: 0.0)
    drilling.drill("apologise", trainee="trainee", seed=1)
    (held,) = record.list_sessions(live / "sessions")
    assert [event.data["how"] for event in record.read(held).of("consent")] == ["earlier"]

    (live / "consent.json").unlink()
    monkeypatch.setattr("builtins.input", lambda _: "s")
    with pytest.raises(typer.Exit):
        drilling.drill("apologise", trainee="trainee", seed=1)
    assert record.list_sessions(live / "sessions") == [held]


def test_who_does_not_agree_is_not_recorded(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session, no calibration: nothing is there afterwards."""
    (live / "consent.json").unlink()
    monkeypatch.setattr("builtins.input", lambda _: "s")
    with pytest.raises(typer.Exit):
        rehearse(seed=1)

    assert record.list_sessions(live / "sessions") == []
    assert not (live / "consent.json").exists()
