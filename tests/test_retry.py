"""A moment taken again: the state restored is the state of the call, and the customer goes on as then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.walk import marks_on, walk
from voicecoach import prepare, record, retry, session, takes, testing
from voicecoach.before import Terminal
from voicecoach.cli import app
from voicecoach.commands import common, practice
from voicecoach.debrief import debrief_of, page_of, report_on
from voicecoach.errors import BadInput
from voicecoach.judge.context import next_context
from voicecoach.nouns import Baseline, Drilled, Event, Moment
from voicecoach.record import tidy, to_json
from voicecoach.report.customer import MET, NEVER
from voicecoach.report.moment import moment_before
from voicecoach.report.takes import as_text, section
from voicecoach.session import Call
from voicecoach.testing import FileDuplex, RecordedTrainee, Reply

RULES = prepare.rules(cues_only=True)
CALM = Baseline(110.0, 300.0, -27.0, 3.2, "somebody else's microphone")
CALL = (
    "Okay, let me stop you there, I will send you some paper.",
    "Look, it is not our fault, you should have read the manual.",
    "I am so sorry, that must be really frustrating.",
    "Go on.",
    "One moment please, let me check that for you.",
    "Miss Whitfield, I understand how upset you are, and I am truly sorry that nobody came.",
    "So the printer jammed three times since March and the engineer never came on Tuesday. Is that right?",
    "I will send a new printer to you tomorrow morning before ten, and I will bring it myself. How does that sound?",
    "I will call you tomorrow at noon to make sure that it works. Is there anything else that is still unresolved?",
)


pytestmark = pytest.mark.usefixtures("known_detectors")


@pytest.fixture(autouse=True)
def _rules_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "rules", lambda **_: RULES)


class Watched(session._Loop):
    """A loop that writes down what it remembered each time the trainee began to speak."""

    seen: dict[int, dict[str, Any]]

    def _follow_trainee(self, *given: Any) -> None:
        spoke = self.turns.speaking
        super()._follow_trainee(*given)
        if self.turns.speaking and not spoke and self.pending is None:
            reaction, known = self.saying.reaction or self.opening, self.memory
            context = next_context(
                known.context, known.previous, customer_said=" ".join(known.said), customer_finished=True, overlap_s=0.0
            )
            self.seen[known.number + 1] = {
                "mood": reaction.mood,
                "line": (reaction.reply.line, reaction.reply.text, reaction.reply.level),
                "context": context,
                "said": known.said,
                "delivery": known.previous.delivery if known.previous else None,
                "patient": known.patient,
                "own": len(known.own),
                "baseline": known.baseline,
            }


def restored(moment: Moment, baseline: Baseline | None) -> dict[str, Any]:
    """A moment in the terms of `Watched`."""
    return {
        "mood": moment.mood,
        "line": (moment.reply.line, moment.reply.text, moment.reply.level),
        "context": next_context(
            moment.context, None, customer_said=" ".join(moment.said), customer_finished=True, overlap_s=0.0
        ),
        "said": moment.said,
        "delivery": moment.delivery,
        "patient": moment.patient,
        "own": len(moment.own) if baseline is None else None,
        "baseline": baseline,
    }


def make_call(**changes: Any) -> Call:
    persona, persona_text = prepare.choose_persona(changes.pop("persona", "dana-printer"))
    procedure, procedure_text = prepare.choose_procedure("six-guidelines")
    options = {"wall": "2026-11-21T12:00:00+00:00", "seed": 5, "baseline": CALM, "cues": False, **changes}
    return Call(persona, persona_text, procedure, procedure_text, RULES, **options)


def hold(
    root: Path, replies: Sequence[Reply], texts: Sequence[str], call: Call
) -> tuple[Path, dict[int, dict[str, Any]]]:
    """Hold a call under `root`; its folder, and what the loop remembered before each turn."""
    folder = record.new_folder(root, call.wall, call.name or call.persona.id)
    with record.Writer(folder, call.persona_text, call.procedure_text) as writer:
        duplex = FileDuplex(RecordedTrainee(replies))
        loop = Watched(
            call, duplex, testing.ScriptedEars(texts), None, testing.BeepVoice(), writer, lambda _: None, session.Keys
        )
        loop.seen = {}
        loop.run()
    return folder, loop.seen


def replies_for(texts: Sequence[str], *, long: Sequence[int] = ()) -> list[Reply]:
    """Made voices: the first two over the customer's line, the fifth followed by a silence."""
    made = []
    for number, _ in enumerate(texts, 1):
        seconds = 14.0 if number in long else 3.0
        voice = testing.voice_like(seconds)
        over = number <= 2
        made.append(Reply(voice, "over" if over else "after", 1.0 if over else 9.0 if number == 6 else 0.6))
    return made


@pytest.mark.parametrize("seed", [1, 5, 1_073_000_000])
@pytest.mark.parametrize("baseline", [CALM, None])
@pytest.mark.parametrize("long", [(), (3,)])
def test_every_turn_is_restored_as_it_was(tmp_path: Path, seed: int, baseline: Baseline | None, long: Any) -> None:
    """Mood, line, judge's context, what was said, patience and calibration: of every turn of a clumsy call.

    With talking over, an announced silence that is waited out, a speech that is cut into, a seed beyond a billion,
    and a calibration that is only made on the way.
    """
    call = make_call(seed=seed, baseline=baseline, recent=("opening.1",))
    folder, live = hold(tmp_path, replies_for(CALL, long=long), CALL, call)
    spoken = [event.data["turn"] for event in record.read(folder).of("spoke")]

    cut_ins = sum(event.data["by"] == "customer" for event in record.read(folder).of("interrupted"))
    assert len(spoken) >= 4
    assert not long or cut_ins
    for turn in spoken:
        again = retry.prepare_retry(folder, turn, RULES)
        then = dict(live[turn])
        if then["baseline"] is not None:
            then["own"] = None
        for what, value in restored(again.moment, again.baseline).items():
            assert tidy(value) == tidy(then[what]), f"{what} before turn {turn}"


def test_the_same_words_get_the_same_answer(tmp_path: Path) -> None:
    """Every turn, said again as it was, moves the customer as it did and brings the same line."""
    folder, _ = hold(tmp_path, replies_for(CALL), CALL, make_call())
    whole = record.read(folder)
    audio = record.read_audio(whole)
    reactions = {e.data["turn"]: e.data for e in whole.of("reacted") if e.data["turn"]}
    heard = {e.data["turn"]: e.data["text"] for e in whole.of("heard")}
    assert len(reactions) >= 6

    for spoke in whole.of("spoke"):
        turn, data = spoke.data["turn"], spoke.data
        if turn not in reactions:
            continue
        again = retry.prepare_retry(folder, turn, RULES)
        start, end = data["speech"][0][0] - 800, data["speech"][-1][1] + 800
        reply = replies_for(CALL)[turn - 1]
        saying = Reply(audio[start:end, 0].copy(), reply.when, reply.gap_s)
        call = retry.begin(make_call(seed=99, wall="2026-11-22T12:00:00+00:00"), again)
        take, _ = hold(tmp_path, [saying], [heard[turn]], call)
        told = record.read(take)
        first = next(e.data for e in told.of("reacted") if e.data["turn"] == 1)

        assert first["line"] == reactions[turn]["line"]
        assert first["mood"] == reactions[turn]["mood"]
        assert next(told.of("said")).data["text"] == again.moment.reply.text
        assert next(told.of("started")).data["retry"] == {"session": folder.name, "turn": turn, "take": 2}


def a_take(tmp_path: Path, turn: int, words: str, wall: str, folder: Path | None = None) -> tuple[Path, Path]:
    """(the first call, a take of its turn)."""
    first = folder or hold(tmp_path, replies_for(CALL), CALL, make_call())[0]
    again = retry.prepare_retry(first, turn, RULES)
    take, _ = hold(tmp_path, [Reply(testing.voice_like(3.0))], [words], retry.begin(make_call(wall=wall), again))
    return first, take


def test_a_take_is_judged_again_from_where_it_began(tmp_path: Path) -> None:
    """The debrief of a take starts at the anger of the moment, agrees with the call, and knows what came before."""
    _, take = a_take(tmp_path, 7, "I am so sorry about all of that, Miss Whitfield.", "2026-11-22T12:00:00+00:00")
    told = record.read(take)
    report = report_on(told)
    moment = told.first("started").data["moment"]  # type: ignore[union-attr]

    assert report.anger[0].after == moment["mood"]["anger"]
    assert report.differences == ()
    assert report.origin.startswith("Take 2 of turn 7 of ")
    assert {step.id: step.outcome for step in report.steps}["demonstrate-empathy"] in ("before", "done", "unsure")
    before = [step for step in report.steps if step.outcome == "before"]
    assert all(step.id in moment["done"] and not step.looked_for for step in before)
    assert not any(step.name in point.title for point in report.work for step in before)


def test_what_was_felt_before_a_take_is_not_felt_in_it(tmp_path: Path) -> None:
    """Needs that were met when the moment began are neither met in the take nor missed in it."""
    _, take = a_take(tmp_path, 7, "Well, it is your own fault.", "2026-11-22T12:00:00+00:00")
    told = record.read(take)
    met = told.first("started").data["moment"]["mood"]["met"]  # type: ignore[union-attr]
    report = report_on(told)

    assert len(met) >= 2
    assert any(feeling.say.startswith("I got angrier") for feeling in report.feelings)
    for need in met:
        assert not any(feeling.say.startswith((MET[need], NEVER[need])) for feeling in report.feelings)


def test_a_take_holds_no_words_of_the_call_that_it_comes_from(tmp_path: Path) -> None:
    """What the trainee said first is gone with the first session; the take can still be told."""
    first, take = a_take(tmp_path, 6, "Mm hmm.", "2026-11-22T12:00:00+00:00")
    for words in CALL[:5]:
        assert words.split(",")[0].rstrip(".") not in (take / "events.jsonl").read_text()

    record.delete(first)
    (alone,) = takes.takes_of(take)

    assert [one.number for one in alone.takes] == [2]
    assert "not here any more" in alone.missing[0]
    assert report_on(record.read(take)).turns


def test_takes_stand_side_by_side(tmp_path: Path) -> None:
    """Both takes, with words, marks, anger and sound, from either session; and what the second has that was missing."""
    first, take = a_take(tmp_path, 2, "I am so sorry, that must be really frustrating.", "2026-11-22T12:00:00+00:00")
    _, third = a_take(tmp_path, 2, "Go on.", "2026-11-23T12:00:00+00:00", first)
    (moment,) = takes.takes_of(first, 2, sound=True)
    text, page = as_text([moment]), section([moment])

    assert [one.number for one in moment.takes] == [1, 2, 3]
    assert [one.session for one in moment.takes] == [first.name, take.name, third.name]
    assert all(one.audio and one.audio.startswith("data:audio/") for one in moment.takes)
    assert moment.takes[0].before == moment.takes[1].before == moment.takes[2].before
    assert "manual" in text
    assert "Apologised personally [done]" in text
    assert "Faults gone in take 3: " in text
    assert page.count("<audio controls") == 3
    assert takes.takes_of(take)[0].takes[1].said == moment.takes[1].said
    assert takes.takes_of(first, 3) == ()


def test_the_answer_beside_a_take_is_what_the_customer_said_to_it(tmp_path: Path) -> None:
    """Not the line after it: the one that answers has begun before the reaction is written down."""
    first, take = a_take(tmp_path, 3, "Go on.", "2026-11-22T12:00:00+00:00")
    (moment,) = takes.takes_of(first, 3)

    for one in moment.takes:
        told = record.read(tmp_path / one.session)
        reacted = next(event for event in told.of("reacted") if event.data["turn"] == one.turn)
        said = next(event for event in told.of("said") if event.data["line"] == reacted.data["line"])
        assert said.data["start"] < reacted.at
        assert one.answer == said.data["text"]
        assert f"Customer: “{said.data['text']}”"[:40] in as_text([moment])
    assert {one.session for one in moment.takes} == {first.name, take.name}


def test_what_nobody_has_answered_has_no_answer(tmp_path: Path) -> None:
    """A lost line is not made up for by the customer's next one."""
    first, _ = a_take(tmp_path, 3, "Go on.", "2026-11-22T12:00:00+00:00")
    path = first / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    answer = next(json.loads(line)["line"] for line in lines if '"kind":"reacted"' in line and '"turn":3}' in line)
    path.write_text("".join(line for line in lines if not ('"kind":"said"' in line and f'"line":"{answer}"' in line)))
    (moment,) = takes.takes_of(first, 3)

    assert moment.takes[0].answer == ""
    assert moment.takes[1].answer


def test_every_mark_leads_to_its_events_also_in_the_takes(tmp_path: Path) -> None:
    """Over the call, over the take, and over both side by side on either page."""
    first, take = a_take(
        tmp_path, 3, "I am so sorry, Miss Whitfield. It is not our fault.", "2026-11-22T12:00:00+00:00"
    )
    for folder in (first, take):
        _, page = debrief_of(record.read(folder))
        sessions = {mark.session for mark in marks_on(page, folder.name)}

        assert sessions == {first.name, take.name}
        assert walk(page, folder) > 6


def test_a_take_of_a_take_after_another_microphone_forgets_the_voice_of_the_first(tmp_path: Path) -> None:
    """A calm voice is not made of turns on two microphones, also where the first of them were in the call before."""
    customer, _ = prepare.choose_persona("dana-printer")
    first, _ = hold(tmp_path, replies_for(CALL), CALL, make_call(baseline=None))
    again = retry.begin(make_call(baseline=None), retry.prepare_retry(first, 2, RULES))
    take, _ = hold(tmp_path, [Reply(testing.voice_like(3.0))] * 2, ["Go on.", "I am so sorry."], again)
    events = record.read(take).events
    place = next(place for place, event in enumerate(events) if event.kind == "spoke" and event.data["turn"] == 2)
    moved = Event("moved", events[place - 1].at, {"input": "laptop microphone"})

    stayed, _ = moment_before(events, customer, 2)
    elsewhere, baseline = moment_before([*events[:place], moved, *events[place:]], customer, 2)

    assert len(stayed.own) == 2
    assert elsewhere.own == ()
    assert baseline is None


def test_a_take_of_a_take_is_a_take_of_the_same_moment(tmp_path: Path) -> None:
    """Turn 1 of a take is the moment itself; a later turn of it is a moment of its own."""
    first, take = a_take(tmp_path, 3, "Go on.", "2026-11-22T12:00:00+00:00")
    again = retry.prepare_retry(take, 1, RULES)

    assert (again.session, again.turn, again.take) == (first.name, 3, 3)
    assert again.moment == retry.prepare_retry(first, 3, RULES).moment


def test_what_cannot_be_said_again_is_told(tmp_path: Path) -> None:
    """An unknown turn names the turns there are; a lost event, a recorded call and a drill say why."""
    folder, _ = hold(tmp_path, replies_for(CALL), CALL, make_call())
    with pytest.raises(BadInput, match=r"There is no turn 44 in this session.*There are turns 1 to"):
        retry.prepare_retry(folder, 44, RULES)

    torn = tmp_path / "torn"
    shutil.copytree(folder, torn)
    lines = (torn / "events.jsonl").read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if '"kind":"reacted"' in line)
    (torn / "events.jsonl").write_text("".join(lines[:at] + lines[at + 1 :]))
    with pytest.raises(BadInput, match="The record has lost"):
        retry.prepare_retry(torn, 4, RULES)

    reviewed = tmp_path / "reviewed"
    shutil.copytree(folder, reviewed)
    (reviewed / "persona.yaml").unlink()
    with pytest.raises(BadInput, match="no simulated customer"):
        retry.prepare_retry(reviewed, 1, RULES)


def test_a_turn_whose_first_line_is_damaged_can_be_said_again(tmp_path: Path) -> None:
    """What was heard of it tells where in the call it was: the moment is the same."""
    folder, _ = hold(tmp_path, replies_for(CALL), CALL, make_call())
    whole = retry.prepare_retry(folder, 4, RULES)
    path = folder / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not ('"kind":"spoke"' in line and '"turn":4}' in line)))
    assert len(path.read_text().splitlines()) == len(lines) - 1
    again = retry.prepare_retry(folder, 4, RULES)

    assert again.turn == 4
    assert again.moment.mood == whole.moment.mood
    assert again.moment.done == whole.moment.done


def test_a_careful_hearing_does_not_change_what_the_customer_had_answered_to(tmp_path: Path) -> None:
    """Patience goes by the words that were answered, and the calm voice by the turns as they were measured then."""
    customer, _ = prepare.choose_persona("dana-printer")
    folder, _ = hold(tmp_path, replies_for(CALL), CALL, make_call(baseline=None))
    events = record.read(folder).events
    announced = next(e.data["turn"] for e in events if e.kind == "heard" and e.data["text"].startswith("One moment"))
    again = {"who": "trainee", "again": True}
    heard = {**again, "turn": announced, "text": "Won moment, sleaze.", "words": [], "model": "careful"}
    poor = next(e.data["observation"] for e in events if e.kind == "measured" and e.data.get("turn") == 1)
    poor = {**poor, "quality": {"ok": False, "reasons": ["Too little speech."]}}
    careful = [
        Event("heard", events[-1].at, heard),
        Event("measured", events[-1].at, {**again, "turn": 1, "observation": poor}),
    ]

    for turn in (2, announced + 1):
        before, _ = moment_before(events, customer, turn, RULES.silence)
        after, _ = moment_before([*events, *careful], customer, turn, RULES.silence)
        assert after == before
    assert moment_before(events, customer, announced + 1, RULES.silence)[0].patient
    assert len(moment_before(events, customer, 2, RULES.silence)[0].own) == 1


def test_a_record_from_before_the_mood_had_its_fields_is_read(tmp_path: Path) -> None:
    """What older records kept as `notes` is passed over: call and take have their debriefs, and turns can be retried."""
    first, take = a_take(tmp_path, 5, "Mm hmm.", "2026-11-22T12:00:00+00:00")
    then = {"anger", "state", "turn", "told", "met", "cues", "used", "boiling", "asked_manager", "seed"}

    def older(data: dict[str, Any]) -> dict[str, Any]:
        if "boiling" in data:
            return {name: data[name] for name in then} | {"notes": [["loud", "2"], ["stuck", "1"]]}
        return {name: older(value) if isinstance(value, dict) else value for name, value in data.items()}

    for folder in (first, take):
        path = folder / "events.jsonl"
        path.write_text("".join(to_json(older(json.loads(line))) + "\n" for line in path.read_text().splitlines()))
        told = record.read(folder)

        assert all(event.data["mood"].keys() == {*then, "notes"} for event in told.of("reacted"))
        assert page_of(told, report_on(told)).endswith("</html>\n")
    mood = retry.prepare_retry(first, 6, RULES).moment.mood
    assert (mood.stuck, mood.offer, mood.cut_short, mood.drill) == (0, (), False, Drilled())


def test_an_edited_moment_costs_the_judging_anew_not_the_debrief(tmp_path: Path) -> None:
    """A cue that has worked a negative number of times would weigh more than any number can say."""
    _, take = a_take(tmp_path, 5, "I am so sorry about all of that.", "2026-11-22T12:00:00+00:00")
    path = take / "events.jsonl"
    started, *others = path.read_text().splitlines(keepends=True)
    data = json.loads(started)
    data["moment"]["mood"]["cues"] = [["apologise", -(10**8)]]
    path.write_text("".join([to_json(data) + "\n", *others]))
    told = record.read(take)

    assert page_of(told, report_on(told)).endswith("</html>\n")


def test_a_moment_comes_from_the_folder_not_from_todays_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The customer is the one beside the record, also where the bundled file says otherwise today."""
    call = make_call()
    text = call.persona_text.replace("surname: Whitfield", "surname: Underhill")
    changed = replace(call, persona=replace(call.persona), persona_text=text)
    folder, _ = hold(tmp_path, replies_for(CALL[:3]), CALL[:3], changed)
    (folder / "persona.yaml").write_text((folder / "persona.yaml").read_text().replace("Bakery owner", "Cake maker"))
    again = retry.prepare_retry(folder, 2, RULES)

    assert "Cake maker" in again.persona.about
    assert again.persona_text == (folder / "persona.yaml").read_text()


def test_the_weakest_turn_is_the_gravest_point_with_a_turn(tmp_path: Path) -> None:
    """The turn that blamed the customer, here; a call without turns has none."""
    folder, _ = hold(tmp_path, replies_for(CALL), CALL, make_call())
    report = report_on(record.read(folder))
    found = takes.weakest(report)

    assert found is not None
    assert found[0] == next(point.turn for point in report.work if point.turn is not None and point.certain)
    assert takes.weakest(replace(report, work=())) is None


def test_names_in_a_record_are_no_paths(tmp_path: Path) -> None:
    """A retry that names a path, or markup, finds nothing and shows as text."""
    _, take = a_take(tmp_path, 2, "Go on.", "2026-11-22T12:00:00+00:00")
    raw = (take / "events.jsonl").read_text()
    evil = "../../<b>etc</b>"
    (take / "events.jsonl").write_text(raw.replace('"session":"', f'"session":"{evil}', 1))
    (moment,) = takes.takes_of(take)

    assert evil in moment.missing[0]
    assert "<b>etc" not in section([moment])
    assert to_json(moment)


def test_the_command_says_what_it_takes_from_the_record(tmp_path: Path) -> None:
    """An unknown turn, and a customer given besides; `takes` of what was never retried."""
    folder, _ = hold(tmp_path / "sessions", replies_for(CALL[:3]), CALL[:3], make_call())

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["--data", str(tmp_path), *words])
        return str(done.exception) + done.output

    assert "There is no turn 44" in run("rehearse", "--retry", "last", "44")
    assert "level was given too" in run("rehearse", "--level", "hard", "--retry", "last", "1")
    assert "There is no session 'never'" in run("rehearse", "--retry", "never", "1")
    assert f"voicecoach rehearse --retry {folder.name} 2" in run("takes", "last", "2")

    _, take = a_take(tmp_path / "sessions", 2, "Go on.", "2026-11-22T12:00:00+00:00", folder)
    assert take.name in run("takes", folder.name, "2")
    assert '"number":2' in run("takes", folder.name, "--json").replace(" ", "")


@pytest.mark.parametrize(("answer", "turn"), [("y", None), ("2", 2), ("", 0), ("no", 0), ("77", 0), (None, 0)])
def test_after_a_debrief_the_weakest_turn_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str | None, turn: int | None
) -> None:
    """Yes takes the weakest, a number another one; anything else, or a turn that is not there, ends it."""
    call = make_call()
    folder, _ = hold(tmp_path, replies_for(CALL), CALL, call)
    asked: list[str] = []

    def ask(prompt: str) -> str | None:
        asked.append(prompt)
        return answer

    monkeypatch.setattr(common, "terminal", lambda: Terminal(lambda _: None, ask, lambda _: None))
    again = practice.offered(call, folder)
    worst = takes.weakest(report_on(record.read(folder)))

    assert worst is not None
    assert f"Retry turn {worst[0]}, the weakest ({worst[1]})?" in asked[0]
    if turn == 0:
        assert again is None
    else:
        assert again is not None
        assert again.origin["retry"]["turn"] == (turn or worst[0])
        assert again.moment is not None
