"""Both at once: nods, cut-ins, interruptions and false alarms, with looks and answers that take their time."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.calls import (
    SPEED,
    Away,
    Clocked,
    Glimpses,
    Held,
    Speakers,
    hold,
    make_call,
    pressing,
    seconds,
    speech,
    tapped,
)
from voicecoach import persona, record, session, testing
from voicecoach.call import answering, aside
from voicecoach.call.answering import Answer, Question, Tools
from voicecoach.debrief import report_on
from voicecoach.errors import MissingModel, VoicecoachError
from voicecoach.judge.context import next_context
from voicecoach.measure.activity import FRAME
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ, Event, Heard, Reaction, Style, TurnContext, Word
from voicecoach.report import replay as anew
from voicecoach.report.facts import gather
from voicecoach.report.replay import replay
from voicecoach.session import Call, Keys, Tick
from voicecoach.testing import FileDuplex, PlainRecording, RecordedTrainee, Reply, Samples
from voicecoach.world import echo
from voicecoach.world.ears import Ears
from voicecoach.world.echo import EchoTest
from voicecoach.world.glimpse import Glimpse
from voicecoach.world.voice import Line

pytestmark = pytest.mark.usefixtures("known_detectors")

WORDS = "I am sorry to hear that."
LATER = "We can talk about that later."


class Timed:
    """Ears that take their time; over 2.5 s they hear `WORDS`, under it `short`."""

    name = "timed"

    def __init__(self, short: str, look_s: float = 0.2) -> None:
        self.short, self.look_s = short, look_s

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
        time.sleep(self.look_s / SPEED)
        return Glimpse(self.short, 0.9)

    def hear_quickly(self, samples: Floats) -> Heard:
        time.sleep(0.15 / SPEED)
        return Heard(WORDS if len(samples) > 2.5 * SAMPLE_RATE_HZ else self.short, (), self.name)

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        text = WORDS if len(samples) > 2.5 * SAMPLE_RATE_HZ else self.short
        return Heard(text, (Word(text.split()[0], offset_s, offset_s + 0.1, 0.9),), self.name)


def furious() -> Call:
    """With a customer who cuts in after nine seconds."""
    call = make_call()
    mood = replace(call.persona.mood, start=4.5, patience="normal")
    return replace(call, persona=replace(call.persona, mood=mood))


def codes(held: Held) -> list[set[str]]:
    """What was found in each turn."""
    found = [data["assessment"]["findings"] for data in held.data("assessed")]  # type: ignore[index]
    return [{one["code"] for one in findings} for findings in found]


def played_apart(held: Held) -> bool:
    """Whether no line begins before the one before it has ended."""
    said = [(seconds(data["start"]), seconds(data["end"])) for data in held.data("said")]
    return all(b[0] >= a[1] - 0.01 for a, b in pairwise(said))


# --- nods ------------------------------------------------------------------------------------------


def test_a_nod_that_is_looked_at_for_a_while_is_a_nod(tmp_path: Path) -> None:
    """The line stands still for the look, goes on, and nobody answers the nod, on a clock too."""
    sound = Clocked(RecordedTrainee([Reply(speech(2.0)), Reply(speech(0.6), "over", 0.8)]))
    held = hold(tmp_path, sound, Timed("I see.", look_s=0.6))

    assert [data["turn"] for data in held.data("reacted")] == [1]
    assert [data["turn"] for data in held.data("nodded")] == [2]
    assert held.data("interrupted") == []
    assert len(held.data("said")) == 2


def test_several_nods_in_one_turn_are_nods(tmp_path: Path) -> None:
    """ "I see. Right." over the line, with a pause in between: the customer goes on and answers nothing."""
    sound = FileDuplex(RecordedTrainee([Reply(speech(0.85, 0.35, 0.25), "over", 0.8)]))
    held = hold(tmp_path, sound, Glimpses(["I see. Right."], "I see."))

    assert held.data("reacted") == []
    assert len(held.data("nodded")) == 1


# --- false alarms ----------------------------------------------------------------------------------


def test_a_long_sound_without_words_is_a_false_alarm(tmp_path: Path) -> None:
    """A chair, a sneeze, 1.4 s: the line goes on where it stood still once it is known that nothing was said."""
    sound = FileDuplex(RecordedTrainee([Reply(speech(1.4), "over", 1.2)]))
    held = hold(tmp_path, sound, Glimpses([""] * 3, "Ha", 0.2))
    (still,), line = held.data("held"), held.data("said")[0]

    assert held.data("interrupted") == held.data("spoke") == []
    assert seconds(still["end"]) - seconds(still["start"]) < 2.0
    assert gather(held.record.events).lines[0].end_s == pytest.approx(
        seconds(line["end"]) + seconds(still["end"]) - seconds(still["start"])
    )


@pytest.mark.parametrize("look_s", [0.2, 30.0])
def test_words_that_no_look_could_tell_are_an_interruption(tmp_path: Path, look_s: float) -> None:
    """The words of the turn decide, and the answer knows of it."""

    sound = FileDuplex(RecordedTrainee([Reply(speech(3.0), "over", 1.2)]))
    held = hold(tmp_path, sound, Unsure(WORDS, look_s / 100))
    (cut,) = held.data("interrupted")

    assert cut["by"] == "trainee"
    assert held.data("held") == []
    assert "interrupt" in codes(held)[0]
    assert [data["turn"] for data in held.data("reacted")][:1] == [1]
    assert report_on(held.record).differences == ()


# --- the customer cuts in --------------------------------------------------------------------------


def test_the_answer_waits_until_the_customer_has_finished(tmp_path: Path) -> None:
    """Who stops when the customer cuts in is answered after that line, and the wait is counted from its end."""
    held = hold(tmp_path, FileDuplex(RecordedTrainee([Reply(speech(9.5))])), [WORDS], furious())
    (_, cut_in, answer), (timed,) = held.data("said"), held.data("timed")

    assert str(cut_in["line"]).startswith("cuts_in.")
    assert played_apart(held)
    assert timed["first_out"] == answer["start"]
    assert 0 <= timed["answer_ms"] < 600 + sum(timed[f"{part}_ms"] for part in ("recognise", "judge", "voice"))  # type: ignore[operator, misc]
    assert np.abs(held.audio[answer["start"] : answer["end"], 1].astype(int)).max() > 100  # type: ignore[misc]


def test_the_customer_cuts_in_once_a_turn(tmp_path: Path) -> None:
    """Who takes a breath then and goes on is not cut into again, and the cut-in stays as it was said."""
    trainee = RecordedTrainee([Reply(speech(9.3, 0.7, 4.0))])
    held = hold(tmp_path, FileDuplex(trainee), [WORDS] * 3, furious())

    assert [data["by"] for data in held.data("interrupted")] == ["customer"]
    assert sum(str(data["line"]).startswith("cuts_in.") for data in held.data("said")) == 1
    assert len(held.data("spoke")) == 1


def test_nobody_is_blamed_for_finishing_a_sentence_into_which_the_customer_cut(tmp_path: Path) -> None:
    """Short breaths in it do not make it an interruption, live or in the debrief."""
    trainee = RecordedTrainee([Reply(speech(9.6, 0.1, 1.5, 0.1, 1.0))])
    call = furious()
    held = hold(tmp_path, FileDuplex(trainee), [WORDS], call)
    (spoke,) = held.data("spoke")

    assert len(spoke["overlap"]) > 1  # type: ignore[arg-type]
    assert "interrupt" not in codes(held)[0]
    assert replay(gather(held.record.events), call.persona, call.rules).differences == ()


def test_who_interrupts_and_is_cut_into_has_interrupted(tmp_path: Path) -> None:
    """A speech over the line and far beyond it: the blame stays, and the point that was stopped is told again."""
    sound = FileDuplex(RecordedTrainee([Reply(speech(2.0)), Reply(speech(13.0), "over", 1.0)]))
    held = hold(tmp_path, sound, Glimpses([WORDS, LATER], f"{LATER} now"), furious())
    reacted = [(data["turn"], data["mood"]["told"]) for data in held.data("reacted")]  # type: ignore[index]
    found = held.data("assessed")[1]["assessment"]["findings"]  # type: ignore[index]

    assert [data["by"] for data in held.data("interrupted")] == ["trainee", "customer"]
    assert reacted[:2] == [(1, 1), (None, 0)]
    assert [one["outcome"] for one in found if one["code"] == "interrupt"] == ["shown"]
    assert replay(gather(held.record.events), furious().persona, furious().rules).differences == ()


# --- what was not heard has not been said ----------------------------------------------------------


class Unsure(Timed):
    """Ears whose looks are never sure."""

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
        return replace(super().glimpse(samples, offset_s), probability=0.2)


class FirstANod(testing.ScriptedEars):
    """Ears for a nod over the line, and then words over it."""

    def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
        return Glimpse(f"{LATER} now" if self._heard else "I see.", 0.9)


@pytest.mark.parametrize(
    ("parts", "ears"),
    [
        ((3.0,), Glimpses([LATER], f"{LATER} now")),
        ((3.0,), Unsure(WORDS)),
        ((0.5, 0.9, 3.0), FirstANod(["I see.", LATER])),
    ],
    ids=["at once", "by the words of the turn", "after a nod"],
)
def test_what_nobody_heard_of_a_line_was_not_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: tuple[float, ...], ears: Ears
) -> None:
    """The judge knows the words up to the interruption and no others: live, in the debrief, and in what it quotes."""
    known: list[TurnContext] = []

    def watched(*given: object, **more: object) -> TurnContext:
        known.append(next_context(*given, **more))  # type: ignore[arg-type]
        return known[-1]

    for module in (answering, anew):
        monkeypatch.setattr(module, "next_context", watched)
    held = hold(tmp_path, FileDuplex(RecordedTrainee([Reply(speech(*parts), "over", 0.8)])), ears)
    (cut,), text = held.data("interrupted"), str(held.data("said")[0]["text"])
    live = known[-1]
    known.clear()
    report = report_on(held.record)

    assert 0 < len(str(cut["words"])) < len(text)
    assert live.customer_said == cut["words"]
    assert known[-1].customer_said == cut["words"]
    assert (report.lines[0].text, report.lines[0].heard) == (text, cut["words"])
    assert report.differences == ()


def test_a_point_that_was_stopped_at_its_beginning_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent by hand, and the trainee goes on as the customer begins: nobody interrupted, and nobody heard that point."""
    made: list[Reaction] = []
    react = persona.react

    def watched(*given: object, **more: object) -> Reaction:
        made.append(react(*given, **more))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(persona, "react", watched)
    recording = np.concatenate([testing.noise(6.0, -75.0), speech(7.0), testing.noise(9.0, -75.0)])
    keys = pressing(lambda now: Keys(send=tapped(now, 8.0, 15.0)))
    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), [WORDS, "Go on."], make_call(mode="manual"), keys)
    live = [reaction.mood.told for reaction in made]
    made.clear()
    report_on(held.record)
    (cut,), told = held.data("interrupted"), [str(data["line"]).rpartition(".")[0] for data in held.data("said")]

    assert cut["together"] is True
    assert "interrupt" not in codes(held)[1]
    assert told[1] == told[2]
    assert told[1].startswith("story.")
    assert live == [1, 1]
    assert [reaction.mood.told for reaction in made] == live


def test_a_line_that_is_sent_over_is_interrupted_from_the_first_sound_on(tmp_path: Path) -> None:
    """In manual as hands-free: not from where the turn is sure to have begun."""
    sound = FileDuplex(RecordedTrainee([Reply(speech(3.0), "over", 0.8)]))
    held = hold(tmp_path, sound, Glimpses([LATER], f"{LATER} now"), make_call(mode="manual"))
    (cut,), (spoke,) = held.data("interrupted"), held.data("spoke")

    assert cut["start"] == spoke["speech"][0][0]  # type: ignore[index]


@pytest.mark.parametrize("frame", range(8))
def test_who_begins_with_the_last_syllable_stops_nothing(tmp_path: Path, frame: int) -> None:
    """A line that ends just when it would be stopped was heard to its end: that is no interruption."""
    call = make_call()
    words = persona.begin(call.persona, call.seed).reply.text.split()
    begins_s = 0.25 * len(words) - 0.6 + frame * FRAME / SAMPLE_RATE_HZ
    sound = FileDuplex(RecordedTrainee([Reply(speech(1.5), "over", begins_s)]))
    held = hold(tmp_path, sound, Glimpses([LATER], f"{LATER} now"), call)

    assert held.data("spoke")
    assert all(len(str(cut["words"]).split()) < len(words) for cut in held.data("interrupted"))


# --- lines that are taken back ---------------------------------------------------------------------


def test_lines_that_were_taken_back_were_not_interrupted(tmp_path: Path) -> None:
    """Two false ends: the trainee had only paused, and nobody was talked over."""
    trainee = RecordedTrainee([Reply(speech(2.0, 0.8, 2.0, 1.12, 2.0))])
    held = hold(tmp_path, FileDuplex(trainee), ["I am so sorry, that must be really frustrating."])

    assert len(held.data("withdrawn")) == 2
    assert len(held.data("spoke")[0]["overlap"]) == 2  # type: ignore[arg-type]
    assert "interrupt" not in codes(held)[0]
    assert report_on(held.record).differences == ()


def test_a_line_that_is_taken_back_does_not_excuse_the_interruption_before_it(tmp_path: Path) -> None:
    """A real interruption, a pause in which the customer begins, and more of the same turn: still shown."""
    trainee = RecordedTrainee([Reply(speech(0.9, 0.7, 2.0), "over", 1.2)])
    held = hold(tmp_path, FileDuplex(trainee), Glimpses([LATER] * 4, f"{LATER} now"))
    found = held.data("assessed")[0]["assessment"]["findings"]  # type: ignore[index]

    assert [data["by"] for data in held.data("interrupted")] == ["trainee"]
    assert len(held.data("withdrawn")) == 1
    assert [one["outcome"] for one in found if one["code"] == "interrupt"] == ["shown"]
    assert report_on(held.record).differences == ()


def test_beginning_together_is_no_interruption(tmp_path: Path) -> None:
    """The customer asks whether anybody is there just as the trainee begins: the line stops, and it counts for nothing."""
    recording = np.concatenate([testing.noise(13.25, -75.0), speech(3.0), testing.noise(12.0, -75.0)])
    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), Glimpses([WORDS] * 3, "I am sorry to hear that"))
    (cut,) = held.data("interrupted")
    report = report_on(held.record)

    assert cut["together"] is True
    assert str(cut["line"]).startswith("silence.")
    assert "interrupt" not in codes(held)[0]
    assert report.interruptions == ()
    assert report.differences == ()


# --- a device that goes away in the middle of it ---------------------------------------------------


def test_a_line_that_stood_still_when_the_device_went_is_written_down(tmp_path: Path) -> None:
    """Both waits are in the record, so that the line ends where it was heard to end."""
    recording = np.concatenate([testing.noise(2.0, -75.0), speech(0.6), testing.noise(16.0, -75.0)])
    sound = Away(PlainRecording(recording), 2.5, 5.0)
    held = hold(tmp_path, sound, Glimpses(["Hm."] * 3, "Let me", 0.5))
    first, second = held.data("held")[:2]

    assert first["end"] == second["start"]
    assert seconds(first["end"]) == pytest.approx(2.5, abs=0.04)
    line = held.data("said")[0]
    longer = sum(int(data["end"]) - int(data["start"]) for data in held.data("held"))  # type: ignore[call-overload]
    sounding = np.flatnonzero(np.abs(held.audio[: line["start"] + 20 * SAMPLE_RATE_HZ, 1].astype(int)) > 50)  # type: ignore[operator]
    end = sounding[sounding < held.data("said")[1]["start"]][-1]  # type: ignore[operator]
    assert end / SAMPLE_RATE_HZ == pytest.approx((int(line["end"]) + longer) / SAMPLE_RATE_HZ, abs=0.05)  # type: ignore[call-overload]


# --- the end of the time ---------------------------------------------------------------------------


def test_the_time_limit_lets_the_trainee_finish(tmp_path: Path) -> None:
    """Who is speaking then is heard to the end and answered; after that the customer says goodbye."""
    recording = np.concatenate([testing.noise(7.0, -75.0), speech(6.0), testing.noise(40.0, -75.0)])
    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), [WORDS], make_call(time_limit_s=10.0))
    (spoke,) = held.data("spoke")

    assert held.outcome == "time limit"
    assert seconds(spoke["speech"][-1][1]) == pytest.approx(13.0, abs=0.1)  # type: ignore[index]
    assert [data["turn"] for data in held.data("reacted")] == [1]
    assert str(held.data("said")[-1]["line"]).startswith("goodbye")


def test_nobody_can_talk_past_the_time_limit_for_ever(tmp_path: Path) -> None:
    """After the grace the customer says goodbye all the same, and what was said is kept."""
    recording = np.concatenate([testing.noise(7.0, -75.0), speech(60.0)])
    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), [WORDS], make_call(time_limit_s=10.0))

    assert held.outcome == "time limit"
    assert str(held.data("said")[-1]["line"]).startswith("goodbye")
    assert len(held.audio) / SAMPLE_RATE_HZ < 10.0 + 2 * session.GRACE_S
    assert [data["text"] for data in held.data("heard")] == [WORDS]


# --- what takes long -------------------------------------------------------------------------------


@pytest.mark.parametrize("nod_s", [0.9, 1.3])
def test_the_careful_pass_keeps_no_look_waiting(tmp_path: Path, nod_s: float) -> None:
    """It begins with the customer's line and is not over before somebody has looked at the nod in that line."""

    class Careful(Timed):
        looked, looks_meanwhile = threading.Event(), list[bool]()

        def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
            self.looked.set()
            return super().glimpse(samples, offset_s)

        def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
            if not self.looks_meanwhile:
                self.looked.clear()
                self.looks_meanwhile.append(self.looked.wait(20))
            return super().hear(samples, offset_s)

    sound, ears = Clocked(RecordedTrainee([Reply(speech(2.0)), Reply(speech(nod_s), "over", 0.8)])), Careful("I see.")
    held = hold(tmp_path, sound, ears)

    assert ears.looks_meanwhile == [True]
    assert held.data("interrupted") == []
    assert [data["turn"] for data in held.data("nodded")] == [2]
    assert [data["turn"] for data in held.data("heard") if "again" in data] == [1, 2]


# --- the customer in the microphone ----------------------------------------------------------------


class Knowing:
    """A cancellation that knows the echo."""

    gain, late = 0.8, 6400

    def __init__(self) -> None:
        self.coming = np.zeros(self.late, np.int16)

    def clean(self, mic: Samples, out: Samples) -> Samples:
        self.coming = np.concatenate([self.coming, out])
        back, self.coming = self.coming[: len(out)], self.coming[len(out) :]
        return np.asarray(np.clip(mic - self.gain * back, -32768, 32767), np.int16)


@pytest.mark.parametrize("mode", ["cancelled", "half duplex"])
@pytest.mark.parametrize("parts", [(3.0,), (2.0, 0.8, 2.0)])
def test_the_echo_is_not_measured_as_the_trainee(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, parts: tuple[float, ...]
) -> None:
    """Neither the end of the line before, in the pre-roll, nor a line that was taken back within the turn."""
    monkeypatch.setattr(echo, "Canceller", Knowing)
    test = EchoTest(0.9, Knowing.late / SAMPLE_RATE_HZ, -25.0, -70.0, 0.9, 0.0, 0.3)
    trainee = RecordedTrainee([Reply(speech(*parts), "after", 0.75 if mode == "half duplex" else 0.55)])
    sound = Speakers(trainee, Knowing.gain, Knowing.late)
    held = hold(tmp_path, sound, [WORDS] * 3, make_call(echo=mode, echo_test=test))
    spoke, line = held.data("spoke")[0], held.data("said")[0]
    observation = next(data["observation"] for data in held.data("measured") if data["who"] == "trainee")
    voiced = sum(int(end) - int(start) for start, end in spoke["speech"]) / SAMPLE_RATE_HZ  # type: ignore[attr-defined]

    assert spoke["start"] >= int(line["end"]) + Knowing.late  # type: ignore[call-overload, operator]
    assert observation["speech_s"] <= voiced + 0.1  # type: ignore[index]
    assert observation["speech_s"] > voiced - 1.3  # type: ignore[index]


def test_a_slow_voice_freezes_nothing(tmp_path: Path) -> None:
    """While it speaks the customer's "are you there?", blocks are read and the screen says that there is something to wait for."""
    enough = threading.Event()
    ticks = 0

    class SlowVoice(testing.BeepVoice):
        spoken = 0

        def speak(self, text: str, style: Style, style_name: str) -> Line:
            self.spoken += 1
            if self.spoken == 2:  # the first line is spoken before the call begins
                enough.wait(20)
            return super().speak(text, style, style_name)

    def show(news: object) -> None:
        nonlocal ticks
        ticks += isinstance(news, Tick) and news.who == "thinking"
        if ticks * FRAME > SAMPLE_RATE_HZ:
            enough.set()

    sound = Clocked(PlainRecording(testing.noise(18.0, -75.0)))
    held = hold(tmp_path, sound, show=show, voice=SlowVoice())

    assert [data["turn"] for data in held.data("reacted")] == [None]
    assert enough.is_set()


def test_an_answer_that_nobody_wants_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes on has thrown the first answer away: while it is still being worded, its line is not spoken any more."""
    asked: list[Question] = []
    made, real = [], answering.answer

    def reword(persona: object, reaction: Reaction) -> Reaction:
        if len(asked) == 1:
            asked[0].dropped.set()  # as if the trainee went on just now
        return reaction

    def answer(tools: Tools, question: Question, *more: object) -> Answer:
        asked.append(question)
        done = real(tools, question, *more)  # type: ignore[arg-type]
        made.append(question)
        return done

    monkeypatch.setattr(answering, "answer", answer)
    sound = FileDuplex(RecordedTrainee([Reply(speech(2.0, 0.3, 2.0, 0.3, 2.0))]))
    held = hold(tmp_path, sound, [WORDS], make_call(reword=reword))

    assert len(held.data("reacted")) == 1
    assert [question.dropped.is_set() for question in asked] == [True, True, False]
    assert made == asked[1:]


def test_a_turn_that_cannot_be_heard_in_time_is_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was, what the careful pass heard there, and that it was not heard in time; the call ends with a sentence."""
    monkeypatch.setattr(session, "ANSWER_WITHIN_S", 1.0)
    free = threading.Event()

    class Stuck(Timed):
        def hear_quickly(self, samples: Floats) -> Heard:
            free.wait(20)
            return super().hear_quickly(samples)

    with pytest.raises(VoicecoachError, match="did not come within 1 s"):
        hold(tmp_path, Clocked(RecordedTrainee([Reply(speech(2.0))])), Stuck("I see."))
    free.set()
    (folder,) = record.list_sessions(tmp_path)
    saved = record.read(folder)

    assert [event.data["turn"] for event in saved.of("spoke")] == [1]
    assert [event.data["again"] for event in saved.of("heard")] == [True]
    assert len(list(saved.of("fault"))) == 2
    assert saved.events[-1].kind == "ended"
    assert report_on(saved).why
    assert report_on(saved).turns[0].text == WORDS


def test_a_voice_that_breaks_loses_no_words(tmp_path: Path) -> None:
    """The answer cannot be spoken and the call ends: what the trainee said is in the record and in the debrief."""

    class Breaking(testing.BeepVoice):
        lines = 0

        def speak(self, text: str, style: Style, style_name: str) -> Line:
            self.lines += 1
            if self.lines > 1:
                raise MissingModel("The voice is gone.", "Bring it back.")
            return super().speak(text, style, style_name)

    with pytest.raises(MissingModel, match="gone"):
        hold(tmp_path, Clocked(RecordedTrainee([Reply(speech(2.0))])), Timed("I see."), voice=Breaking())
    (folder,) = record.list_sessions(tmp_path)

    assert [turn.text for turn in report_on(record.read(folder)).turns] == [WORDS]


def test_the_end_of_a_call_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A careful pass that hangs: said, and what was heard first stays."""
    monkeypatch.setattr(aside, "WITHIN_S", 0.5)
    free = threading.Event()

    class Hanging(Timed):
        def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
            free.wait(20)
            return super().hear(samples, offset_s)

    held = hold(tmp_path, Clocked(RecordedTrainee([Reply(speech(2.0))])), Hanging("I see."))
    free.set()

    assert [data["text"] for data in held.data("heard")] == [WORDS]
    assert "second" in str(held.data("fault")[0]["what"])
    assert held.outcome == "script over"


def test_words_that_come_too_late_let_the_line_go_on(tmp_path: Path) -> None:
    """Over two seconds after the voice: the customer has gone on, was not cut off, and answers after the line."""
    gone_on = threading.Event()

    class Slow(Timed):
        def glimpse(self, samples: Floats, offset_s: float = 0.0) -> Glimpse:
            return Glimpse(self.short, 0.2)

        def hear_quickly(self, samples: Floats) -> Heard:
            gone_on.wait(20)
            return super().hear_quickly(samples)

    def show(news: object) -> None:
        if isinstance(news, Event) and news.kind == "held":
            gone_on.set()

    sound = Clocked(
        PlainRecording(np.concatenate([testing.noise(2.0, -75.0), speech(1.5), testing.noise(25.0, -75.0)]))
    )
    held = hold(tmp_path, sound, Slow(LATER), show=show)
    (still,) = held.data("held")

    assert seconds(still["end"]) - seconds(still["start"]) == pytest.approx(3.1, abs=0.4)  # 1.1 s of it with voice
    assert held.data("interrupted") == []
    assert played_apart(held)
    assert [data["turn"] for data in held.data("reacted")][:1] == [1]
    assert report_on(held.record).differences == ()
