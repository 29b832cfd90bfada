"""Drills: the file, the marks, rising anger, a drill as a recorded session, typed ones, and when which is due."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from voicecoach import drills, judge, prepare, record, session, testing
from voicecoach.debrief import page_of, report_on
from voicecoach.errors import BadInput
from voicecoach.judge.drills import TRIES, Drill, load_drills, mark
from voicecoach.nouns import Assessment, Baseline, Delivery, Finding, Mood, Reaction
from voicecoach.persona import Persona
from voicecoach.persona import drills as customers
from voicecoach.report import words
from voicecoach.report.progress import INTERVALS_DAYS, Due, Row, missed, progress, row_of, schedule
from voicecoach.report.text import as_text
from voicecoach.testing import FileDuplex, RecordedTrainee, Reply

RULES = prepare.rules(cues_only=True)
DRILLS = drills.all_drills()
QUIET = Delivery("quiet", "slow", ("as made",))
SORRY = Assessment((Finding("apologise", "move", "done", "sorry", 0, 5, 0.9, "001.4"),), QUIET)
CALM = Baseline(120.0, 400.0, -22.0, 4.0, "recorded trainee")


pytestmark = pytest.mark.usefixtures("known_detectors")


@pytest.fixture(autouse=True)
def _rules_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "rules", lambda **_: RULES)


def drill(name: str) -> Drill:
    return drills.choose(name)


def said(text: str, delivery: Delivery = QUIET, drilled: Drill | None = None) -> Assessment:
    customer, _ = prepare.choose_persona("dana-printer")
    context = customers.begin(customer, drilled or DRILLS[0], 1).context
    return Assessment(judge.assess(text, (), None, context, RULES).findings, delivery)


# --- the file ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", DRILLS, ids=lambda one: one.id)
def test_every_drill_names_its_sentence_and_fits_every_customer(one: Drill) -> None:
    """Its source is a sentence of a procedure, and every bundled customer has a line for it at every level."""
    assert one.source in RULES.sources
    assert one.trains
    for name in prepare.names("personas"):
        customer, _ = prepare.choose_persona(name)
        mood = customers.begin(customer, one, 1).mood
        spoken = [customers._line(customer, one, mood, level) for level in one.levels]
        levels = [reply.level for reply in spoken]
        assert levels == sorted(levels)
        assert levels[-1] > levels[0]
        assert all(abs(level - wanted) <= 1 for level, wanted in zip(levels, one.levels, strict=True))
        assert one.thanks in customer.lines


def test_ids_are_told_apart_and_unknown_ones_named() -> None:
    """An unknown drill, and the beginning of two."""
    assert len({one.id for one in DRILLS}) == len(DRILLS)
    assert drills.choose("apol").id == "apologise"
    with pytest.raises(BadInput, match="There is no drill called 'juggle'"):
        drills.choose("juggle")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("trains: [apologise, admit_liability]", "trains: [apologize]"),
        ("levels: [2, 3, 4, 5]", "levels: [3, 2]"),
        ("none_of: [insincere, calm_down, argue]", "none_of: [apologise]"),
        ("thanks: softened", "thank: softened"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, change: str, problem: str) -> None:
    """A misspelt code, levels that fall, a move among the faults, an unknown key."""
    text = (Path(__file__).parent.parent / "assets" / "drills.yaml").read_text()
    assert change in text
    path = tmp_path / "drills.yaml"
    path.write_text(text.replace(change, problem, 1))
    with pytest.raises(BadInput, match=r"line [0-9]+"):
        load_drills(path)


# --- marks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "verdict"),
    [
        ("apologise", "I am so sorry that nobody came on Tuesday.", "passed"),
        ("apologise", "I am so sorry. It was our fault and we are liable for it.", "not yet"),
        ("apologise", "Let me check your order.", "not yet"),
        ("name-the-feeling", "I understand how upset you are, and I would be angry too.", "passed"),
        ("ask-and-wait", "Can you tell me which model it is, please?", "passed"),
        ("ask-and-wait", "Can you tell me which model it is? Because we have so many of them in the list.", "not yet"),
        ("close-with-a-check", "Is there anything else that is still unresolved?", "passed"),
        (
            "who-what-when",
            "Here is what I will do. Our engineer will bring you a new printer tomorrow before ten.",
            "passed",
        ),
        ("who-what-when", "I will see what I can do.", "not yet"),
        ("do-not-argue", "Look, it is not our fault, you should have read the manual.", "not yet"),
    ],
)
def test_a_turn_is_marked_by_what_the_drill_asks(name: str, text: str, verdict: str) -> None:
    """What passes, what does not, each with its reason."""
    found = mark(drill(name), said(text, drilled=drill(name)), text, words.NAMES)

    assert found.verdict == verdict
    assert found.why


def test_the_voice_is_marked_too_and_doubt_is_no_pass() -> None:
    """Quiet under fire: raised, rushed and not measured."""
    quiet = drill("quiet-under-fire")
    verdicts = {
        loudness: mark(quiet, said("I see.", Delivery(loudness, pace, ("x",))), "I see.", words.NAMES).verdict  # type: ignore[arg-type]
        for loudness, pace in (("quiet", "slow"), ("raised", "slow"), ("shouting", "slow"), ("unsure", "unsure"))
    }

    assert verdicts == {"quiet": "passed", "raised": "not yet", "shouting": "not yet", "unsure": "unsure"}
    assert mark(quiet, said("I see.", Delivery("quiet", "rushed")), "I see.", words.NAMES).verdict == "not yet"


def begun() -> tuple[Persona, Drill, Callable[[Persona, Mood, Assessment, str], Reaction], Mood]:
    """A customer at the beginning of the drill of apologising, and how she reacts in it."""
    customer, _ = prepare.choose_persona("dana-printer")
    apologise = drill("apologise")
    return customer, apologise, customers.react(apologise, words.NAMES), customers.begin(customer, apologise, 7).mood


def test_anger_rises_with_each_pass_and_three_misses_end_it() -> None:
    """Passed, it goes a level up; missed, the same anger in other words; three times, and it is over."""
    customer, _, react, mood = begun()
    nothing = Assessment((), QUIET)

    angers, lines = [mood.anger], []
    for answer in (SORRY, nothing, SORRY, nothing, nothing, nothing):
        reaction = react(customer, mood, answer, "sorry")
        assert round(mood.anger + sum(cause.delta for cause in reaction.causes), 3) == reaction.mood.anger
        mood = reaction.mood
        angers.append(mood.anger)
        lines.append(reaction.reply.line)

    assert angers == [2, 3, 3, 4, 4, 4, 4]
    assert len(set(lines)) == len(lines)
    assert reaction.reply.ends == "drill over"
    assert mood.drill.result == "Passed 2 of 4 levels; anger 4 of 5 comes next time."
    assert TRIES == 3


def test_a_drill_that_was_over_before_by_todays_marks_stays_over() -> None:
    """Judged anew every level is passed one turn sooner: what was said after that changes nothing."""
    customer, apologise, react, mood = begun()
    for _ in apologise.levels:
        mood = react(customer, mood, SORRY, "sorry").mood
    after = react(customer, mood, SORRY, "sorry")

    assert after.mood == mood
    assert after.causes == ()
    assert after.reply.ends == "drill over"


# --- as a session ------------------------------------------------------------------------------------


def hold(tmp_path: Path, name: str, texts: list[str]) -> Path:
    customer, text = prepare.choose_persona("dana-printer")
    call = replace(
        drills.call_of(drill(name), customer, text, RULES, seed=1, wall="2026-11-21T12:00:00+00:00"), baseline=CALM
    )
    folder = record.new_folder(tmp_path, call.wall, call.name)
    trainee = RecordedTrainee([Reply(testing.voice_like(3.0)) for _ in texts])
    with record.Writer(folder, call.persona_text, call.procedure_text) as writer:
        session.rehearse(call, FileDuplex(trainee), testing.ScriptedEars(texts), None, testing.BeepVoice(), writer)
    return folder


def test_a_drill_is_a_session_like_any_other(tmp_path: Path) -> None:
    """Recorded, told round by round under the rules of today, kept apart in the history, and deleted whole."""
    sorry = "I am so sorry that nobody came on Tuesday."
    folder = hold(tmp_path, "apologise", ["Let me check.", *[sorry] * 4])
    told = record.read(folder)
    report = report_on(told)
    row = row_of(report, told.events)

    assert [(one.level, one.verdict) for one in report.rounds] == [
        (2, "not yet"), (2, "passed"), (3, "passed"), (4, "passed"), (5, "passed"),
    ]  # fmt: skip
    assert (report.outcome, report.why) == ("drill over", "Passed at every level of anger, 2 to 5 of 5.")
    assert report.differences == ()
    assert report.steps == ()
    assert "Drill: Apologise without admitting liability" in page_of(told, report)
    assert report.feelings == ()
    assert "customer's view" not in f"{page_of(told, report)}{as_text(report)}".casefold()
    assert (row.kind, row.drill, row.passed, row.levels, row.rounds) == ("drill", "apologise", 4, 4, 5)
    record.delete(folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "value"), [("keys", []), ("levels", [2]), ("passed", 9), ("passed", -9), ("tries", 9), ("used", [])]
)
def test_an_edited_drill_still_has_its_debrief(tmp_path: Path, name: str, value: Any) -> None:
    """Values that no drill can have come to cost the judging anew, not the page."""

    def edited(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: value if key == name else edited(item) for key, item in data.items()}
        return [edited(item) for item in data] if isinstance(data, list) else data

    folder = hold(tmp_path, "apologise", ["I am so sorry about that.", "Right.", "I am sorry that you had to wait."])
    path = folder / "events.jsonl"
    lines = [json.dumps(edited(json.loads(line))) for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")
    told = record.read(folder)

    assert page_of(told, report_on(told)).endswith("</html>\n")


def test_a_drill_can_be_typed(tmp_path: Path) -> None:
    """As `personas play`: marks come at once, `!` is a raised voice, nothing is recorded."""
    customer, text = prepare.choose_persona("dana-printer")
    call = drills.call_of(drill("quiet-under-fire"), customer, text, RULES, seed=1, wall="")
    typed = iter(["!I hear you.", "I hear you.", "I see.", "I understand."])
    shown: list[str] = []
    mood = drills.typed(call, lambda _: next(typed, None), shown.append)

    assert any("not yet at anger 3: your voice was raised" in line for line in shown)
    assert sum("passed at anger" in line for line in shown) == 3
    assert "Passed at every level" in shown[-1]
    assert mood.turn == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("one", DRILLS, ids=lambda one: one.id)
def test_the_recorded_trainee_can_show_every_drill(one: Drill) -> None:
    """It misses once and then has an answer for each level."""
    customer, _ = prepare.choose_persona("dana-printer")
    chosen = drills.demo_replies(one, customer, RULES, prepare.demo_trainee().turns)
    passes = [
        mark(one, Assessment(said(reply.say, drilled=one).findings, QUIET), reply.say, words.NAMES).verdict
        for reply in chosen
        if reply.manner == "calm"
    ]

    assert passes.count("passed") >= len(one.levels)


# --- when which is due -------------------------------------------------------------------------------


def row(day: int, **changes: object) -> Row:
    options: dict[str, object] = {
        "session": f"s{day:02}", "wall": f"2026-01-{day:02}T18:00:00+00:00", "kind": "call", "trainee": "Kim",
        "demo": False, "persona": "Dana", "scenario": "dana-printer", "level": "", "procedure": "six-guidelines",
        "procedure_name": "Six guidelines", "outcome": "resolved", "minutes": 2.0, "turns": 8, "anger": (3.0, 1.0),
        "values": (), "steps": (), "moves": ("apologise",), "faults": (), **changes,
    }  # fmt: skip
    return Row(**options)  # type: ignore[arg-type]


def test_what_was_passed_waits_twice_as_long_each_time() -> None:
    """Leitner's boxes: 1, 2, 4, 8, 16 days; what was not passed begins again; the last box is the last."""
    practised, found = [], []
    day = 1.0
    for _ in range(6):
        practised.append(practice(day))
        found.append(sorry(practised, day))
        day += found[-1].days or 0.0

    assert [one.days for one in found] == [*map(float, INTERVALS_DAYS), 16.0]
    assert not any(one.due for one in found)
    assert sorry([*practised, practice(day, passed=1)], day).box == 1


def practice(day: float, **changes: object) -> Row:
    """The drill of apologising, passed whole on that day of January, which may be any."""
    wall = dt.datetime(2026, 1, 1, 18, tzinfo=dt.UTC) + dt.timedelta(days=day - 1)
    options = {"kind": "drill", "drill": "apologise", "levels": 4, "passed": 4, "rounds": 4, "outcome": "drill over"}
    return row(1, **{**options, "session": f"d{day:09.3f}", "wall": wall.isoformat(), **changes})


def sorry(rows: list[Row], day: float) -> Due:
    """Where the drill of apologising stands on a day of January."""
    return next(due for due in schedule(rows, DRILLS, now=practice(day).wall) if due.drill.id == "apologise")


def test_practice_in_a_row_is_not_practice_over_days() -> None:
    """Passed again before it is due, a drill keeps its box and its day; half a day early counts as due."""
    evening = sorry([practice(1 + n / 100) for n in range(5)], 1.05)
    early = sorry([practice(1), practice(1.4)], 2)
    morning = sorry([practice(1), practice(1.6)], 2)
    again = sorry([practice(1), practice(1.01, passed=2), practice(1.02)], 1.02)

    assert (evening.box, evening.days) == (1, 0.95)
    assert evening.last == practice(1.04).wall
    assert (early.box, early.days, early.due) == (1, 0.0, True)
    assert (morning.box, morning.days) == (2, 1.6)
    assert (again.box, again.days) == (1, 0.99)


@pytest.mark.parametrize("outcome", ["fault", "cut off"])
def test_a_call_that_was_broken_off_says_nothing_of_what_was_still_to_come(outcome: str) -> None:
    """A crash in turn 1 has missed no apology, and is no worse call than the others; who hangs up has chosen to."""
    held = [row(1), row(2)]
    broken = row(3, outcome=outcome, moves=(), turns=1, anger=(3.0, 3.0))

    assert sorry([*held, broken], 4).missed == sorry(held, 4).missed == 0
    assert sorry([*held, replace(broken, outcome="stopped")], 4).missed == 1
    assert progress([*held, broken], DRILLS).calls == tuple(held)
    assert progress([*held, broken], DRILLS).rows == (*held, broken)


@pytest.mark.parametrize(
    ("changes", "box"),
    [
        ({"rounds": 0, "outcome": "stopped"}, 2),
        ({"rounds": 2, "outcome": "fault"}, 2),
        ({"rounds": 2, "outcome": "cut off"}, 2),
        ({"rounds": 2, "outcome": "stopped"}, 1),
        ({"rounds": 3, "outcome": "drill over"}, 1),
        ({"rounds": 4, "outcome": "fault", "passed": 4}, 3),
    ],
)
def test_a_drill_that_was_broken_off_counts_neither_way(changes: dict[str, object], box: int) -> None:
    """A lost device and a drill without a mark say nothing of the trainee; a stop after a miss, and a whole pass, do."""
    before = [practice(1), practice(2)]
    found = sorry([*before, practice(4, **{"passed": 1, **changes})], 4)

    assert found.box == box
    assert (found.last == practice(2).wall) == (box == 2)


def test_the_weakest_of_recent_calls_comes_first() -> None:
    """A step that the newest calls missed stands before one that only old ones did; what is not due stands last."""
    everything = tuple(sorted({code for one in DRILLS for code in (*one.any_of, *one.all_of)}))
    lacks = tuple(code for code in everything if code != "apologise")
    closes = tuple(code for code in everything if code != "checkback")
    calls = [row(n, moves=closes) for n in range(1, 5)] + [row(n, moves=lacks) for n in range(5, 8)]
    plan = schedule(calls, DRILLS, now="2026-01-08T18:00:00+00:00")
    practised = row(8, kind="drill", drill="apologise", levels=4, passed=4)
    after = schedule([*calls, practised], DRILLS, now="2026-01-08T20:00:00+00:00")

    assert [due.drill.id for due in plan[:2]] == ["apologise", "close-with-a-check"]
    assert after[0].drill.id == "close-with-a-check"
    assert after[-1].drill.id == "apologise"
    assert (plan[0].missed, plan[0].calls) == (3, 5)


def test_what_a_call_missed_is_what_the_drill_trains() -> None:
    """Moves that were not made, faults that were, and a raised voice; other faults are another drill's."""
    apologise, quiet = drill("apologise"), drill("quiet-under-fire")

    assert missed(apologise, row(1)) == 0.0
    assert missed(apologise, row(1, moves=())) == 1.0
    assert missed(apologise, row(1, faults=("admit_liability",))) == 1.0
    assert missed(apologise, row(1, faults=("argue",))) == 0.0
    assert missed(quiet, row(1, values=(("raised", (1.0, 0.0, 0.0, 0.0)),))) == 0.25
    assert missed(quiet, row(1)) is None
