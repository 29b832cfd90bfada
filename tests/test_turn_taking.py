"""The half second between turns: speculation, second thoughts, pieces of long turns, the careful pass, sending by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.calls import (
    GOOD,
    SPEED,
    Clocked,
    Held,
    Patient,
    hold,
    make_call,
    pressing,
    replies,
    seconds,
    speech,
    tapped,
)
from voicecoach import session, testing
from voicecoach.call.openturn import OpenTurn
from voicecoach.call.tape import Tape
from voicecoach.measure.observe import Floats
from voicecoach.measure.turns import PRESETS
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline, Heard, Style, Word
from voicecoach.report.facts import gather
from voicecoach.session import Keys, Tick
from voicecoach.testing import FileDuplex, PlainRecording, RecordedTrainee, Reply, Samples
from voicecoach.world.voice import Line

pytestmark = pytest.mark.usefixtures("known_detectors")


class TwoPasses:
    """Ears whose quick pass hears `quick` (or the next of several), and whose careful pass hears `careful`."""

    name = "two passes"

    def __init__(self, quick: str | Sequence[str], careful: str) -> None:
        self._quick = iter([quick] * 99 if isinstance(quick, str) else quick)
        self._careful = careful
        self.pieces: list[float] = []
        """Seconds of each quick pass."""
        self.whole: list[float] = []
        """And of each careful one."""

    def hear_quickly(self, samples: Floats) -> Heard:
        """See QuickEars."""
        self.pieces.append(len(samples) / SAMPLE_RATE_HZ)
        return Heard(next(self._quick, ""), (), self.name)

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """See Ears."""
        self.whole.append(len(samples) / SAMPLE_RATE_HZ)
        words = tuple(Word(word, offset_s + n, offset_s + n + 0.5, 0.9) for n, word in enumerate(self._careful.split()))
        return Heard(self._careful, words, self.name)


def answer(reply: Samples) -> FileDuplex:
    return FileDuplex(RecordedTrainee([Reply(reply)]))


def waits(held: Held) -> list[float]:
    """Seconds from the end of speech to the customer's first sample, a turn each."""
    return [seconds(timed["first_out"]) - seconds(timed["speech_end"]) for timed in held.data("timed")]


# --- how long the customer waits -------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("text", "finished"), [(GOOD[0], True), ("I am so sorry, and", False)])
def test_the_customer_waits_as_long_as_the_words_ask(tmp_path: Path, preset: str, text: str, finished: bool) -> None:
    """Half a second after a finished step by default, longer after an unfinished one; the setting is in the record."""
    patience = PRESETS[preset]
    held = hold(tmp_path, FileDuplex(replies(1)), [text], make_call(patience=patience))
    (waited,) = waits(held)

    assert waited == pytest.approx(patience.finished_s if finished else patience.unfinished_s, abs=0.08)
    assert held.data("started")[0]["patience"] == {
        "name": preset,
        "finished_s": patience.finished_s,
        "unfinished_s": patience.unfinished_s,
    }


@pytest.mark.parametrize("pause_s", [0.25, 0.45, 0.6, 0.8, 0.95])
def test_a_pause_never_cuts_a_turn(tmp_path: Path, pause_s: float) -> None:
    """Whoever goes on is one turn with both halves, answered once, even where the customer had begun to speak."""
    held = hold(tmp_path, answer(speech(2.0, pause_s, 2.0)), GOOD[:1])
    (spoke,), (line,) = held.data("spoke"), held.data("said")[1:]

    assert [data["text"] for data in held.data("heard")] == [GOOD[0]]
    assert len(spoke["speech"]) == 2  # type: ignore[arg-type]
    assert held.data("interrupted") == []
    assert line["start"] > spoke["end"]  # type: ignore[operator]


def test_a_line_that_is_taken_back_leaves_no_trace_but_one(tmp_path: Path) -> None:
    """It stops at once, nothing of it is judged or counted as interrupted, and an event says where it can be heard."""
    held = hold(tmp_path, answer(speech(2.0, 0.8, 2.0)), GOOD[:1])
    (withdrawn,), (timed,) = held.data("withdrawn"), held.data("timed")
    start, end = withdrawn["start"], withdrawn["end"]
    after = held.audio[int(end) + SAMPLE_RATE_HZ // 5 : timed["speech_end"], 1]  # type: ignore[call-overload, misc]
    kinds = [event.kind for event in held.record.events]

    assert 0.1 < seconds(end) - seconds(start) < 0.6
    assert np.abs(held.audio[start:end, 1].astype(int)).max() > 100  # type: ignore[misc]
    assert np.abs(after.astype(int)).max() == 0
    assert timed["withdrawn"] == withdrawn["turn"] == 1
    assert [kinds.count(kind) for kind in ("spoke", "assessed", "reacted", "timed", "said")] == [1, 1, 1, 1, 2]
    assert "interrupt" not in {f["code"] for f in held.data("assessed")[0]["assessment"]["findings"]}  # type: ignore[index]


def test_after_a_false_end_the_turn_has_more_patience(tmp_path: Path) -> None:
    """The second pause of 0.65 s is not taken for the end any more."""
    held = hold(tmp_path, answer(speech(2.0, 0.65, 2.0, 0.65, 2.0)), GOOD[:1])

    assert len(held.data("withdrawn")) == 1
    assert len(held.data("spoke")) == 1
    assert waits(held)[0] == pytest.approx(0.8, abs=0.1)


def test_after_a_second_false_end_it_has_still_more(tmp_path: Path) -> None:
    """Pauses of 0.65, 0.85 and 0.9 s: the third one is waited out."""
    held = hold(tmp_path, answer(speech(2.0, 0.65, 2.0, 0.85, 2.0, 0.9, 2.0)), GOOD[:1])

    assert len(held.data("withdrawn")) == 2
    assert len(held.data("spoke")) == 1
    assert waits(held)[0] == pytest.approx(1.0, abs=0.1)


def test_who_speaks_later_has_interrupted(tmp_path: Path) -> None:
    """From half a second into the line on, voice is an answer to it: the first turn stands."""
    held = hold(tmp_path, answer(speech(2.0, 1.4, 2.0)), GOOD[:2])

    assert held.data("withdrawn") == []
    assert [data["text"] for data in held.data("heard")] == list(GOOD[:2])
    assert [data["by"] for data in held.data("interrupted")] == ["trainee"]


def test_noise_cannot_silence_the_customer(tmp_path: Path) -> None:
    """A line is taken back some times in a turn, then it is said."""
    pauses = (0.9, 0.95, 1.2, 1.2, 1.2)  # each a little longer than the customer waits by then
    noise = speech(2.0, *[part for pause in pauses for part in (pause, 0.3)], 1.2, 2.0)
    held = hold(tmp_path, answer(noise), [GOOD[0], *GOOD[2:]])
    per_turn = [data["withdrawn"] for data in held.data("timed")]

    assert max(per_turn) == session.WITHDRAWALS  # type: ignore[type-var]
    assert len(held.data("said")) > 1


# --- the steps of the answer -----------------------------------------------------------------------


def test_recognition_begins_in_the_first_silence_on_a_clock_too(tmp_path: Path) -> None:
    """And not when the turn ends; whoever takes time delays the line, and not the end."""
    held = hold(tmp_path, Clocked(Patient([Reply(speech(2.0))])), GOOD[:1])
    (timed,) = held.data("timed")
    steps = [timed[name] for name in ("speech_end", "speculated", "committed", "first_out")]

    assert steps == sorted(steps)  # type: ignore[type-var]
    assert steps[1] < timed["chosen"] <= steps[3]  # type: ignore[operator]
    assert seconds(steps[1]) - seconds(steps[0]) == pytest.approx(0.2, abs=0.04)


def test_speech_that_goes_on_throws_the_answer_away(tmp_path: Path) -> None:
    """Of three beginnings only the last is answered: one reaction, to all of the words."""
    ears = TwoPasses(["I am", "I am so", "I am so sorry."], "I am so sorry.")
    held = hold(tmp_path, answer(speech(1.0, 0.3, 1.0, 0.3, 1.0)), ears)

    assert [data["turn"] for data in held.data("reacted")] == [1]
    assert [data["text"] for data in held.data("heard")] == ["I am so sorry."] * 2
    assert ears.pieces == pytest.approx([1.6, 2.9, 4.2], abs=0.1)


def test_nothing_is_recognised_without_voice(tmp_path: Path) -> None:
    """A minute of a quiet room costs the recogniser nothing."""
    ears = TwoPasses("Thank you.", "Thank you.")
    hold(tmp_path, FileDuplex(PlainRecording(testing.noise(60.0, -60.0))), ears)

    assert ears.pieces == ears.whole == []


# --- two passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [FileDuplex, Clocked])
def test_the_customer_answers_to_the_quick_words_and_the_record_gets_the_careful_ones(
    tmp_path: Path, port: type[FileDuplex]
) -> None:
    """Both are facts of the record, in this order, and the careful ones have word times."""
    ears = TwoPasses("You should have read it.", "I should have read it.")
    held = hold(tmp_path, port(Patient([Reply(speech(2.0))])), ears)
    quick, careful = held.data("heard")
    kinds = [event.kind for event in held.record.events if event.data.get("turn") == 1]

    assert kinds[:6] == ["spoke", "heard", "measured", "assessed", "reacted", "timed"]
    assert (quick["text"], quick["words"]) == ("You should have read it.", [])
    assert "again" not in quick
    assert (careful["text"], careful["again"], len(careful["words"])) == ("I should have read it.", True, 5)  # type: ignore[arg-type]
    assert careful["words"][0]["start_s"] == pytest.approx(seconds(held.data("spoke")[0]["start"]))  # type: ignore[index]


def test_what_the_quick_pass_heard_stays_where_the_careful_one_hears_nothing(tmp_path: Path) -> None:
    """Nothing that was said is lost."""
    held = hold(tmp_path, answer(speech(2.0)), TwoPasses("I see.", ""))

    assert [data["text"] for data in held.data("heard")] == ["I see."]


def test_a_careful_pass_that_breaks_costs_nothing_but_itself(tmp_path: Path) -> None:
    """Nobody waits for it: the call goes on, what was heard first stays, and the next turn is heard again."""

    class Breaking(TwoPasses):
        def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
            if not self.whole:
                self.whole.append(0.0)
                raise IndexError("no words to align")
            return super().hear(samples, offset_s)

    sound = FileDuplex(RecordedTrainee([Reply(speech(2.0)), Reply(speech(2.0))]))
    held = hold(tmp_path, sound, Breaking(GOOD[:2], "Go on, please."))
    (fault,) = held.data("fault")

    assert held.outcome == "script over"
    assert [(data["turn"], data["text"]) for data in held.data("heard")] == [
        (1, GOOD[0]), (2, GOOD[1]), (2, "Go on, please."),
    ]  # fmt: skip
    assert "careful" in str(fault["what"])
    assert "no words to align" in str(fault["detail"])


def test_ears_with_one_pass_hear_once(tmp_path: Path) -> None:
    """The fakes of the tests, and ears that others bring."""
    held = hold(tmp_path, answer(speech(2.0)), GOOD[:1])

    assert len(held.data("heard")) == len(held.data("measured")) - 1 - (len(held.data("said")) - 1) == 1


@pytest.mark.parametrize(
    ("careful", "probability", "heard"),
    [("I never said that.", 0.9, ["I never said that."]), ("I never said that.", 0.2, []), (". . . . .", 0.96, [])],
)
def test_a_long_voice_without_words_is_heard_with_care(
    tmp_path: Path, careful: str, probability: float, heard: list[str]
) -> None:
    """Before it counts as nobody's turn; what only sounds like words is none, and the trainee is told."""

    class Unsure(TwoPasses):
        def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
            sure = super().hear(samples, offset_s)
            return replace(sure, words=tuple(replace(word, probability=probability) for word in sure.words))

    held = hold(tmp_path, answer(speech(2.0)), Unsure("", careful))

    assert [data["text"] for data in held.data("heard") if "again" not in data] == heard
    assert len(held.data("wordless")) == (not heard)
    assert [data["turn"] for data in held.data("reacted")][:1] == ([1] if heard else [])


def test_a_cough_is_not_heard_again(tmp_path: Path) -> None:
    """Half a second in which there are no words: nothing is said about it."""
    ears = TwoPasses("", "Thank you.")
    held = hold(tmp_path, answer(speech(0.5)), ears)

    assert ears.whole == []
    assert held.data("wordless") == held.data("spoke") == []


def test_nobody_was_silent_of_whom_only_the_words_are_missing(tmp_path: Path) -> None:
    """Four seconds of voice without words and then a turn: the wait is counted from that voice on."""
    reply = np.concatenate([speech(4.0), testing.noise(2.5, -75.0), speech(2.0)])
    held = hold(tmp_path, answer(reply), TwoPasses(["", "I am sorry to hear that."], ""))
    (seen, *_) = (data["observation"] for data in held.data("measured") if data["who"] == "trainee")
    (wordless,) = held.data("wordless")

    assert seen["response_gap_s"] == pytest.approx(2.5, abs=0.3)  # type: ignore[index]
    assert gather(held.record.events).wordless == ((seconds(wordless["start"]), seconds(wordless["end"])),)


def test_a_cue_in_a_voice_without_words_is_not_the_next_turns(tmp_path: Path) -> None:
    """It came before that turn, which has no cue of its own."""
    shout = testing.voice_like(7.0, tilt_db_per_octave=-3.0)
    reply = np.concatenate([shout, testing.noise(2.5, -75.0), testing.voice_like(2.0)])
    call = make_call(baseline=Baseline(90.0, 200.0, -30.0, 4.0, "test"))
    held = hold(tmp_path, answer(reply), TwoPasses(["", "I am sorry to hear that."], ""), call)

    assert held.data("cue")
    assert [turn.cues for turn in gather(held.record.events).turns] == [()]


def test_what_the_detector_holds_on_to_is_no_piece() -> None:
    """A tenth of a second after the last cut is not recognised; a word is."""
    now = SAMPLE_RATE_HZ
    microphone = Tape()
    microphone.add(0, testing.noise(12.0, -75.0))
    with ThreadPoolExecutor(1) as worker:
        turn = OpenTurn(TwoPasses("Words.", ""), worker, microphone)
        turn.cut(0, 10 * now, ((0, 10 * now),))
        (cut,) = turn.whole(0, 10 * now, ((0, 9 * now),))[:1]
        held, spoken = (turn.whole(0, cut.end + now, ((0, cut.end + round(more_s * now)),)) for more_s in (0.1, 0.5))

    assert (len(held), len(spoken)) == (1, 2)


# --- long turns ------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [(30.0,), (5.0, 0.3) * 5 + (5.0,), (14.0, 0.3, 1.0), (9.0, 0.7, 9.0)])
def test_a_long_turn_is_heard_in_pieces_while_it_lasts(tmp_path: Path, parts: tuple[float, ...]) -> None:
    """Only a short rest is left at its end; the pieces cover all of it and are one text, and the careful pass hears it whole."""
    ears = TwoPasses([f"Part {n}." for n in range(20)], "All of it.")
    held = hold(tmp_path, answer(speech(*parts)), ears)
    (spoke,) = held.data("spoke")
    text = held.data("heard")[0]["text"]

    assert max(ears.pieces) <= 9.6
    assert ears.pieces[-1] <= 9.6
    assert sum(ears.pieces) >= sum(parts)
    assert str(text).startswith("Part 0. Part ")
    assert str(text).endswith(f"Part {len(ears.pieces) - 1}.")
    assert ears.whole == pytest.approx([seconds(spoke["end"]) - seconds(spoke["start"])], abs=0.01)
    (seen, again) = (d["observation"] for d in held.data("measured") if d["who"] == "trainee")
    assert seen["speech_s"] == pytest.approx(again["speech_s"], abs=0.3)  # type: ignore[index]
    assert seen["f0"]["median_hz"] == pytest.approx(again["f0"]["median_hz"], rel=0.02)  # type: ignore[index]


class Thoughtful(testing.BeepVoice):
    """A voice that takes half a second of the paced clock for a line that was not spoken before."""

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        time.sleep(0.5 / SPEED)
        return super().speak(text, style, style_name)


def test_a_goodbye_is_not_talked_out_of_by_a_question(tmp_path: Path) -> None:
    """The time is up while the customer is about to ask whether anybody is there: the call ends, once."""
    quiet = testing.noise(40.0, -75)
    soon = quiet[: 18 * SAMPLE_RATE_HZ]
    asked = hold(tmp_path / "a", Clocked(PlainRecording(soon)), voice=Thoughtful()).data("said")[1]
    due_s = seconds(asked["start"]) - 0.5
    held = hold(
        tmp_path / "b", Clocked(PlainRecording(quiet)), call=make_call(time_limit_s=due_s + 0.15), voice=Thoughtful()
    )

    assert held.outcome == "time limit"
    assert str(held.data("said")[-1]["line"]).startswith("goodbye")
    assert seconds(next(held.record.of("ended")).at) < due_s + 12


# --- the key ---------------------------------------------------------------------------------------


def test_who_sends_by_hand_may_think_as_long_as_needed(tmp_path: Path) -> None:
    """Five seconds of silence end nothing; the key does, and the answer is there at once."""
    recording = np.concatenate([testing.noise(4.0, -75), speech(2.0, 5.0, 2.0), testing.noise(12.0, -75)])
    keys = pressing(lambda now: Keys(send=tapped(now, 14.5)))

    call = make_call(mode="manual")
    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), GOOD[:1], call, keys)
    (turn,), (timed,) = held.data("spoke"), held.data("timed")

    assert len(turn["speech"]) == 2  # type: ignore[arg-type]
    assert seconds(timed["committed"]) == pytest.approx(14.5, abs=0.1)
    assert seconds(timed["first_out"]) - 14.5 < 0.15
    assert seconds(timed["speculated"]) < 14.0


def test_a_turn_that_was_sent_is_not_opened_again(tmp_path: Path) -> None:
    """A television goes on behind it: the turn is over all the same, and what comes then is the next one's."""
    recording = np.concatenate([testing.noise(6.0, -75.0), speech(7.0), testing.noise(9.0, -75.0)])
    keys = pressing(lambda now: Keys(send=tapped(now, 8.0, 15.0)))

    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), GOOD[:2], make_call(mode="manual"), keys)
    first, second = held.data("spoke")

    assert seconds(first["end"]) == pytest.approx(9.0, abs=0.1)
    assert seconds(second["start"]) >= 9.0
    assert held.data("withdrawn") == []


def test_the_screen_shows_every_state(tmp_path: Path) -> None:
    """Listening, speaking, a pause, thinking and the customer: whoever waits can see for what."""

    thinking = threading.Event()
    seen: list[object] = []

    class Slow(testing.ScriptedEars):
        def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
            thinking.wait(20)
            return super().hear(samples, offset_s)

    def show(news: object) -> None:
        seen.append(news)
        if isinstance(news, Tick) and news.who == "thinking":
            thinking.set()

    hold(tmp_path, Clocked(RecordedTrainee([Reply(speech(2.0))])), Slow(GOOD[:1]), show=show)

    assert {one.who for one in seen if isinstance(one, Tick)} == {"customer", "you", "pause", "thinking", "nobody"}


class VoiceOnly(TwoPasses):
    """Ears that invent words where there is no voice, as recognisers do."""

    def hear_quickly(self, samples: Floats) -> Heard:
        heard = super().hear_quickly(samples)
        return heard if np.abs(samples).max() > 0.01 else Heard("Thank you.", (), self.name)


@pytest.mark.parametrize("mode", ["push-to-talk", "manual"])
def test_thinking_with_the_key_down_is_not_recognised(tmp_path: Path, mode: str) -> None:
    """Ten seconds without voice inside a turn are in no piece that the recogniser hears."""
    first = testing.noise(5.0, -75.0) if mode == "push-to-talk" else speech(5.0)
    recording = np.concatenate(
        [testing.noise(6.0, -75.0), first, testing.noise(13.0, -75.0), speech(2.0), testing.noise(9.0, -75.0)]
    )
    keys = pressing(lambda now: Keys(talk=6.0 <= now < 26.3, send=tapped(now, 28.0)))

    ears = VoiceOnly("I am sorry.", "I am sorry.")
    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), ears, make_call(mode=mode), keys)

    assert held.data("heard")[0]["text"] == " ".join(["I am sorry."] * (1 if mode == "push-to-talk" else 2))
    assert sum(ears.pieces) < 12.0
