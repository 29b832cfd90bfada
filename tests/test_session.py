"""The loop, with fakes: scripted ears, a beeping customer, recorded trainees on a virtual clock."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.calls import GOOD, Away, Clocked, Glimpses, Speakers, hold, make_call, pressing, replies
from voicecoach import record, session, testing
from voicecoach.debrief import report_on
from voicecoach.errors import DeviceError, DiskError, MissingModel
from voicecoach.measure import observe
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline, Event, Style
from voicecoach.report.facts import gather
from voicecoach.report.moment import moment_before
from voicecoach.report.replay import replay
from voicecoach.session import Keys
from voicecoach.testing import Block, FileDuplex, PlainRecording, RecordedTrainee, Reply, Samples
from voicecoach.world import echo
from voicecoach.world import voice as voices
from voicecoach.world.echo import EchoTest
from voicecoach.world.glimpse import Glimpse
from voicecoach.world.spoken import Spoken
from voicecoach.world.voice import Line

pytestmark = pytest.mark.usefixtures("known_detectors")


def test_a_good_call_is_resolved_and_whole(tmp_path: Path) -> None:
    """A trainee who does every step resolves the call; the record tells it in order, without gaps in the clock."""
    held = hold(tmp_path, FileDuplex(replies(len(GOOD))), GOOD)
    kinds = [event.kind for event in held.record.events]
    positions = [event.at for event in held.record.events]

    assert held.outcome == "resolved"
    assert [data["text"] for data in held.data("heard")] == list(GOOD)[: len(held.data("heard"))]
    assert kinds[0] == "started"
    assert kinds[-1] == "ended"
    assert positions == sorted(positions)
    assert held.record.problems == ()
    assert positions[-1] == len(held.audio)


def test_the_same_call_comes_out_the_same(tmp_path: Path) -> None:
    """Same persona, seed, replies: the same record, but for the wall-clock times of `timed`."""
    calls = [hold(tmp_path / name, FileDuplex(replies(3)), GOOD[:3]) for name in "ab"]

    first, second = ([event for event in held.record.events if event.kind != "timed"] for held in calls)
    assert first == second
    assert np.array_equal(calls[0].audio, calls[1].audio)


def test_a_call_that_is_over_leaves_its_memory_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device outlives the call; nothing of the call may hang on it and wait for Python to look for circles."""
    loops: list[weakref.ref[object]] = []
    run = session._Loop.run

    def seen(loop: session._Loop) -> session.Outcome:
        loops.append(weakref.ref(loop))
        return run(loop)

    monkeypatch.setattr(session._Loop, "run", seen)
    device = FileDuplex(replies(2))
    gc.disable()
    try:
        hold(tmp_path, device, GOOD[:2])

        assert [loop() for loop in loops] == [None]
    finally:
        gc.enable()


def test_both_channels_hold_what_was_said(tmp_path: Path) -> None:
    """The trainee's channel holds the replies, the customer's the lines, each where its event says."""
    held = hold(tmp_path, FileDuplex(replies(2)), GOOD[:2])
    turn, line = held.data("spoke")[0], held.data("said")[0]
    voice = held.audio[turn["start"] : turn["end"], 0]  # type: ignore[misc]
    beep = held.audio[line["start"] : line["end"], 1]  # type: ignore[misc]

    assert np.abs(voice.astype(int)).max() > 1000
    assert np.abs(held.audio[: line["start"], 1]).max() == 0  # type: ignore[misc]
    assert np.abs(beep.astype(int)).max() > 100


def test_speaking_over_the_customer_stops_the_line(tmp_path: Path) -> None:
    """An interruption is an event with its place, the line stops, and the judge marks it."""
    trainee = RecordedTrainee([Reply(testing.voice_like(4.0), "over", 0.8)])
    held = hold(tmp_path, FileDuplex(trainee), ["Let me stop you there and tell you what we will do."])
    (interrupted,) = held.data("interrupted")
    line = held.data("said")[0]
    findings = held.data("assessed")[0]["assessment"]["findings"]  # type: ignore[index]

    assert interrupted["by"] == "trainee"
    assert interrupted["line"] == line["line"]
    assert interrupted["played_s"] == pytest.approx(0.8, abs=0.1)
    assert "interrupt" in {finding["code"] for finding in findings}
    after = held.audio[interrupted["end"] + SAMPLE_RATE_HZ // 4 : line["end"], 1]  # type: ignore[operator]
    assert not after.size or np.abs(after.astype(int)).max() == 0


def test_a_short_nod_does_not_stop_the_customer(tmp_path: Path) -> None:
    """A moment of voice inside the line is recorded, judged, and not answered."""
    trainee = RecordedTrainee([Reply(testing.voice_like(0.4, syllables_per_s=0), "over", 0.3)])
    held = hold(tmp_path, FileDuplex(trainee), ["Mm hmm."])

    assert held.data("interrupted") == []
    assert [data["text"] for data in held.data("heard")] == ["Mm hmm."]
    assert all(data["turn"] is None for data in held.data("reacted"))


def test_voice_without_words_is_no_turn(tmp_path: Path) -> None:
    """The first of two replies has none: only the second is written down."""
    held = hold(tmp_path, FileDuplex(replies(2)), ["", "I understand how you feel."])

    assert len(held.data("spoke")) == 1
    assert held.data("heard")[0]["text"] == "I understand how you feel."


def test_silence_brings_the_customer_back(tmp_path: Path) -> None:
    """Nobody answers: the customer asks whether anybody is there, and in the end hangs up or the time is up."""
    held = hold(tmp_path, FileDuplex(PlainRecording(testing.noise(150.0, -75.0))), call=make_call(time_limit_s=120))
    reactions = held.data("reacted")

    assert len(reactions) >= 2
    assert all(data["turn"] is None for data in reactions)
    assert held.outcome in {"hung up", "time limit"}


def test_an_announced_silence_is_waited_out(tmp_path: Path) -> None:
    """After "one moment while I check" the customer waits longer, and asks once the explained time is over."""
    reply = np.concatenate([testing.noise(8.0, -75.0), testing.voice_like(3.0), testing.noise(60.0, -75.0)])
    waits = []
    for text in ("One moment while I check that for you.", "I see, thank you."):
        held = hold(tmp_path / text[:3], FileDuplex(PlainRecording(reply)), [text], make_call(time_limit_s=55))
        said = [(int(data["start"]), int(data["end"])) for data in held.data("said")]  # type: ignore[call-overload]
        spoke = held.data("spoke")[0]["end"]
        after = [line for line in said if line[0] > spoke]  # type: ignore[operator]
        waits.append([(b[0] - a[1]) / SAMPLE_RATE_HZ for a, b in pairwise(after)])

    assert waits[0][0] == pytest.approx(20.0, abs=0.2)
    assert waits[0][1] == pytest.approx(7.0, abs=0.2)  # one announcement, one long wait
    assert waits[1][0] == pytest.approx(7.0, abs=0.2)


@pytest.mark.parametrize(
    ("start", "patience", "after_s"), [(4.5, "normal", 9.0), (4.5, "low", 6.0), (3.0, "low", None)]
)
def test_a_furious_customer_cuts_into_a_speech(
    tmp_path: Path, start: float, patience: str, after_s: float | None
) -> None:
    """After so many seconds of talk, once a turn, to the end of the line, and nobody is blamed for it."""
    call = make_call()
    mood = replace(call.persona.mood, start=start, patience=patience)  # type: ignore[arg-type]
    call = replace(call, persona=replace(call.persona, mood=mood))
    trainee = RecordedTrainee([Reply(testing.voice_like(15.0), "after", 0.6)])
    held = hold(tmp_path, FileDuplex(trainee), ["I see."], call=call)
    lines = [data["line"] for data in held.data("said")]

    assert sum(str(line).startswith("cuts_in.") for line in lines) == (after_s is not None)
    if after_s is None:
        assert held.data("interrupted") == []
        return
    (interrupted,) = held.data("interrupted")
    spoke, cut_in = held.data("spoke")[0], held.data("said")[1]
    assert interrupted["by"] == "customer"
    assert (cut_in["start"] - spoke["start"]) / SAMPLE_RATE_HZ == pytest.approx(after_s, abs=0.6)  # type: ignore[operator]
    heard = held.audio[cut_in["start"] : cut_in["end"], 1]  # type: ignore[misc]
    assert np.abs(heard[-SAMPLE_RATE_HZ // 4 :].astype(int)).max() > 100
    assert "interrupt" not in {f["code"] for f in held.data("assessed")[0]["assessment"]["findings"]}  # type: ignore[index]
    again = replay(gather(held.record.events), call.persona, call.rules)
    assert [step.why for step in again.anger] == ["opening", "cut in", "turn"]
    assert again.differences == ()


def test_nobody_cuts_in_on_a_key_that_is_held_in_silence(tmp_path: Path) -> None:
    """Push-to-talk: who thinks with the key down says nothing that could be cut into."""
    call = make_call(mode="push-to-talk")
    mood = replace(call.persona.mood, start=4.8, patience="low")
    call = replace(call, persona=replace(call.persona, mood=mood))
    recording = np.concatenate(
        [testing.noise(16.0, -75), testing.voice_like(1.0, syllables_per_s=0), testing.noise(14.0, -75)]
    )
    keys = pressing(lambda now: Keys(talk=now < 25.0))

    held = hold(tmp_path, FileDuplex(PlainRecording(recording)), ["I see."], call, keys)

    assert held.data("spoke")
    assert held.data("interrupted") == []


def test_the_time_limit_ends_the_call(tmp_path: Path) -> None:
    """At the limit the customer says goodbye."""
    held = hold(tmp_path, FileDuplex(PlainRecording(testing.noise(60.0, -75.0))), call=make_call(time_limit_s=5))

    assert held.outcome == "time limit"
    assert len(held.audio) < 25 * SAMPLE_RATE_HZ


def test_the_trainee_can_stop(tmp_path: Path) -> None:
    """The stop key ends the call; the turn that was open is still written down."""
    keys = pressing(lambda now: Keys(stop=now > 7.0))

    held = hold(
        tmp_path,
        FileDuplex(PlainRecording(np.concatenate([testing.noise(4.0, -75), testing.voice_like(20.0)]))),
        ["I am sorry"],
        keys=keys,
    )

    assert held.outcome == "stopped"
    assert [data["text"] for data in held.data("heard")] == ["I am sorry"]


def test_push_to_talk_sends_on_release(tmp_path: Path) -> None:
    """Only what was said with the key down is a turn."""
    recording = np.concatenate(
        [testing.noise(4.0, -75), testing.voice_like(12.0, syllables_per_s=0), testing.noise(6.0, -75)]
    )
    keys = pressing(lambda now: Keys(talk=6.0 <= now < 9.0))

    held = hold(
        tmp_path,
        FileDuplex(PlainRecording(recording)),
        ["I am sorry to hear that"],
        make_call(mode="push-to-talk"),
        keys,
    )
    (turn,) = held.data("spoke")

    assert turn["speech"][0][0] / SAMPLE_RATE_HZ == pytest.approx(6.0, abs=0.1)  # type: ignore[index]
    assert turn["speech"][-1][1] / SAMPLE_RATE_HZ == pytest.approx(9.0, abs=0.1)  # type: ignore[index]


def test_half_duplex_is_deaf_while_the_customer_speaks(tmp_path: Path) -> None:
    """On loudspeakers the customer's own voice in the microphone is no interruption."""

    class Echo(FileDuplex):
        def read(self) -> Block | None:
            block = super().read()
            return (
                None
                if block is None
                else Block(np.asarray(block.mic // 2 + block.out // 2, np.int16), block.out, block.customer)
            )

    quiet = PlainRecording(testing.noise(20.0, -75.0))
    held = hold(tmp_path, Echo(quiet), ["echo"] * 9, make_call(echo=echo.HALF_DUPLEX))

    assert held.data("interrupted") == []
    assert held.data("spoke") == []


def test_loudness_is_judged_against_the_own_voice(tmp_path: Path) -> None:
    """With a baseline every measured turn carries its change from it."""
    calm = testing.voice_like(6.0) / 32768
    floats = np.asarray(calm, np.float32)
    seen = observe.observe(floats, [(0, len(floats))], testing.flat_pitch(floats))
    baseline = observe.baseline_from([seen], "test")
    held = hold(tmp_path, FileDuplex(replies(1)), GOOD[:1], make_call(baseline=baseline))
    own = next(data for data in held.data("measured") if data["who"] == "trainee")

    assert own["observation"]["relative"]["effort_db"] == pytest.approx(0.0, abs=1.0)  # type: ignore[index]


def test_a_raised_voice_gets_one_cue(tmp_path: Path) -> None:
    """Sustained effort far above the own voice shows one sparse cue, logged as an event, not before three seconds."""
    baseline = Baseline(90.0, 200.0, -30.0, 4.0, "test")
    trainee = RecordedTrainee([Reply(testing.voice_like(9.0, tilt_db_per_octave=-3.0))])
    held = hold(tmp_path, FileDuplex(trainee), GOOD[:1], make_call(baseline=baseline))
    cues = list(held.record.of("cue"))
    onset = held.data("spoke")[0]["speech"][0][0]  # type: ignore[index]

    assert [event.data["text"] for event in cues] == ["softer"]
    assert cues[0].at - onset >= 3.0 * SAMPLE_RATE_HZ


def test_what_follows_a_cue_is_measured(tmp_path: Path) -> None:
    """The cue has the effort that called for it, and the rest of the turn, still as loud, is measured beside it."""
    baseline = Baseline(90.0, 200.0, -30.0, 4.0, "test")
    trainee = RecordedTrainee([Reply(testing.voice_like(9.0, tilt_db_per_octave=-3.0))])
    held = hold(tmp_path, FileDuplex(trainee), GOOD[:1], make_call(baseline=baseline))
    (cue,), (after,) = held.record.of("cue"), held.data("after_cue")

    rest = after["observation"]
    assert (after["turn"], after["cue"]) == (1, cue.at)
    assert rest["duration_s"] == (held.data("spoke")[0]["end"] - cue.at) / SAMPLE_RATE_HZ  # type: ignore[index,operator]
    assert rest["relative"]["effort_db"] == pytest.approx(cue.data["effort_db"], abs=3.0)  # type: ignore[index]


def own_voice(syllables_per_s: float) -> Baseline:
    """The calm voice of `testing.voice_like` at that rate."""
    floats = np.asarray(testing.voice_like(8.0, syllables_per_s=syllables_per_s) / 32768, np.float32)
    seen = observe.observe(floats, [(0, len(floats))], testing.flat_pitch(floats))
    baseline = observe.baseline_from([seen], "test")
    assert baseline is not None
    return baseline


def test_a_hurried_voice_gets_the_cue_slower(tmp_path: Path) -> None:
    """A voice that becomes much faster than its calm self: one cue, soon after, logged with what came after it."""
    voice = np.concatenate([testing.voice_like(6.0, syllables_per_s=4.0), testing.voice_like(8.0, syllables_per_s=7.0)])
    held = hold(tmp_path, FileDuplex(RecordedTrainee([Reply(voice)])), GOOD[:1], make_call(baseline=own_voice(4.0)))
    (cue,), (after,) = held.record.of("cue"), held.data("after_cue")
    onset = held.data("spoke")[0]["speech"][0][0]  # type: ignore[index]
    over = (cue.at - onset) / SAMPLE_RATE_HZ - 6.0

    assert cue.data["text"] == "slower"
    assert cue.data["nuclei_ratio"] > 1.35
    assert 4.0 * 0.35 / 0.75 < over < 4.0 * 0.35 / 0.75 + 1.3  # once half the window is fast, and then within a second
    assert after["observation"]["relative"]["nuclei_ratio"] == pytest.approx(7 / 4, abs=0.2)  # type: ignore[index]


@pytest.mark.parametrize("rate", [4.0, 4.8])
def test_an_ordinary_pace_gets_no_cue(tmp_path: Path, rate: float) -> None:
    trainee = RecordedTrainee([Reply(testing.voice_like(14.0, syllables_per_s=rate))])
    held = hold(tmp_path, FileDuplex(trainee), GOOD[:1], make_call(baseline=own_voice(4.0)))

    assert held.data("cue") == []


@pytest.mark.parametrize("voice", [{"tilt_db_per_octave": -3.0}, {"syllables_per_s": 7.0}])
def test_cues_are_off_by_option(tmp_path: Path, voice: dict[str, float]) -> None:
    trainee = RecordedTrainee([Reply(testing.voice_like(9.0, **voice))])
    held = hold(tmp_path, FileDuplex(trainee), GOOD[:1], make_call(baseline=own_voice(4.0), cues=False))

    assert held.data("cue") == held.data("after_cue") == []


def test_no_cue_in_the_first_three_seconds(tmp_path: Path) -> None:
    """Fast and loud from the first sound on: a turn of just over three seconds gets none before, and one at most."""
    loud = testing.voice_like(20.0, tilt_db_per_octave=-3.0, syllables_per_s=7.0)
    held = hold(tmp_path, FileDuplex(RecordedTrainee([Reply(loud)])), GOOD[:1], make_call(baseline=own_voice(4.0)))
    onset = held.data("spoke")[0]["speech"][0][0]  # type: ignore[index]
    ((cue, at),) = [(event.data["text"], event.at) for event in held.record.of("cue")]

    assert cue == "softer"  # of two that are due, the surer one
    assert 3.0 <= (at - onset) / SAMPLE_RATE_HZ < 4.0


class Breaking(FileDuplex):
    """A device that is lost after two seconds."""

    def __init__(self) -> None:
        super().__init__(PlainRecording(testing.noise(60.0, -75.0)))
        self._left = 2 * SAMPLE_RATE_HZ // FRAME

    def read(self) -> Block | None:
        self._left -= 1
        if self._left < 0:
            raise DeviceError("The sound device was lost.", "Plug it in again.")
        return super().read()


def test_a_lost_device_keeps_the_record(tmp_path: Path) -> None:
    """The fault is told, written down, and what was recorded until then can be read."""
    with pytest.raises(DeviceError, match="lost"):
        hold(tmp_path, Breaking())
    (folder,) = record.list_sessions(tmp_path)
    saved = record.read(folder)

    assert [event.kind for event in saved.events][-2:] == ["fault", "ended"]
    assert len(record.read_audio(saved)) > 1.9 * SAMPLE_RATE_HZ


def test_a_full_disk_keeps_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call ends with a sentence; nothing that was written is lost."""
    real, count = record.Writer.audio, 0

    def failing(self: record.Writer, block: Samples) -> None:
        nonlocal count
        count += 1
        if count > 100:
            raise DiskError("The disk is full.", "Free some space.")
        real(self, block)

    monkeypatch.setattr(record.Writer, "audio", failing)
    with pytest.raises(DiskError, match="full"):
        hold(tmp_path, FileDuplex(replies(1)), GOOD[:1])
    (folder,) = record.list_sessions(tmp_path)
    saved = record.read(folder)

    assert len(record.read_audio(saved)) == 100 * FRAME
    assert saved.events[-1].kind == "ended"


def test_a_break_inside_is_recorded_and_raised(tmp_path: Path) -> None:
    """An unexpected error ends the call with a fault in the record, and is not swallowed."""

    class BrokenEars(testing.ScriptedEars):
        def hear(self, samples: np.ndarray, offset_s: float = 0.0) -> object:  # type: ignore[override]
            raise ZeroDivisionError("ears")

    call = make_call()
    writer = record.Writer(tmp_path / "call", call.persona_text, "")
    with pytest.raises(ZeroDivisionError):
        session.rehearse(call, FileDuplex(replies(1)), BrokenEars([]), None, testing.BeepVoice(), writer)  # type: ignore[arg-type]
    writer.close(archive=False)

    assert [event.kind for event in record.read(tmp_path / "call").events][-2:] == ["fault", "ended"]


def test_what_breaks_after_the_end_is_in_the_record(tmp_path: Path) -> None:
    """Hung up in the middle of a turn whose words cannot be heard: a fault, how the call ended, and nothing is swallowed."""

    class BrokenEars(testing.ScriptedEars):
        def hear(self, samples: np.ndarray, offset_s: float = 0.0) -> object:  # type: ignore[override]
            raise ZeroDivisionError("ears")

    speaking = PlainRecording(np.concatenate([testing.noise(6.0, -75.0), testing.voice_like(20.0, syllables_per_s=0)]))
    with pytest.raises(ZeroDivisionError):
        hold(tmp_path, FileDuplex(speaking), BrokenEars([]), keys=pressing(lambda now: Keys(stop=now >= 8.0)))  # type: ignore[arg-type]
    (folder,) = record.list_sessions(tmp_path)
    *_, fault, ended = record.read(folder).events

    assert (fault.kind, ended.kind) == ("fault", "ended")
    assert ended.data["outcome"] == "stopped"


def test_a_second_ctrl_c_waits_for_nothing_and_the_record_ends(tmp_path: Path) -> None:
    """While the last turns are still being heard: how the call ended is written down all the same."""

    def show(news: object) -> None:
        if isinstance(news, session.Tick) and news.who == "thinking":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hold(
            tmp_path, FileDuplex(PlainRecording(testing.noise(9.0, -75.0))),
            keys=pressing(lambda now: Keys(stop=now >= 3.0)), show=show,
        )  # fmt: skip
    (folder,) = record.list_sessions(tmp_path)
    ended = record.read(folder).events[-1]

    assert (ended.kind, ended.data["outcome"]) == ("ended", "stopped")


def test_a_line_of_which_nothing_can_be_spoken_is_over_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that makes no sound of some words: nobody waits for them, and the call ends when its time is up."""

    class Engine:
        name, spoken = "mute", 0

        def render(self, text: str, wpm: float) -> np.ndarray:
            self.spoken += 1
            return testing.tone(220.0, 1.0 if self.spoken == 1 else 0.0) / np.float32(32768)

    engine = Engine()
    monkeypatch.setattr(voices, "best_engine", lambda _: engine)
    monkeypatch.setattr(voices, "clauses", lambda text: [text])
    recording = np.concatenate([testing.noise(4.0, -75.0), testing.voice_like(2.0), testing.noise(60.0, -75.0)])
    held = hold(
        tmp_path, FileDuplex(PlainRecording(recording)), GOOD[:1], make_call(time_limit_s=20.0),
        voice=voices.CustomerVoice([], Spoken(tmp_path, {})),
    )  # fmt: skip

    assert held.outcome == "time limit"
    assert [data["turn"] for data in held.data("reacted")][:2] == [1, None]


def test_a_dead_microphone_is_told_once(tmp_path: Path) -> None:
    """Exact zeros for seconds are a muted microphone: one fault event, the call goes on."""
    held = hold(tmp_path, FileDuplex(PlainRecording(testing.silence(14.0))))

    assert len(held.data("fault")) == 1
    assert "zeros" in str(held.data("fault")[0]["what"])


def test_the_screen_sees_what_the_record_gets(tmp_path: Path) -> None:
    """Every event is shown as it is written, and ticks tell who speaks."""
    seen: list[object] = []
    held = hold(tmp_path, FileDuplex(replies(1)), GOOD[:1], show=seen.append)

    assert [one for one in seen if isinstance(one, Event)] == list(held.record.events)
    assert {one.who for one in seen if isinstance(one, session.Tick)} >= {"customer", "you", "nobody"}


def test_a_turn_that_was_open_survives_a_lost_device(tmp_path: Path) -> None:
    """What the trainee had said when the device went is written down, heard and judged."""

    class BreaksLater(FileDuplex):
        left = 9 * SAMPLE_RATE_HZ // FRAME

        def read(self) -> Block | None:
            self.left -= 1
            if self.left < 0:
                raise DeviceError("The sound device was lost.", "Plug it in again.")
            return super().read()

    speaking = np.concatenate([testing.noise(4.0, -75), testing.voice_like(20.0)])
    with pytest.raises(DeviceError):
        hold(tmp_path, BreaksLater(PlainRecording(speaking)), ["I am sorry to hear that"])
    (folder,) = record.list_sessions(tmp_path)
    saved = record.read(folder)

    assert [event.data["text"] for event in saved.of("heard")] == ["I am sorry to hear that"]
    assert [event.kind for event in saved.events][-2:] == ["fault", "ended"]


def test_a_stall_is_told_and_the_call_goes_on(tmp_path: Path) -> None:
    """A device that stops for a moment is a fault event, not the end."""

    class Stalling(FileDuplex):
        blocks = 0

        def read(self) -> Block | None:
            self.blocks += 1
            if self.blocks == 50:
                self.on_stall()
            return super().read()

    held = hold(tmp_path, Stalling(replies(1)), GOOD[:1])

    assert "for a moment" in str(held.data("fault")[0]["what"])
    assert len(held.data("heard")) == 1


def test_the_time_to_answer_is_the_sum_of_its_parts(tmp_path: Path) -> None:
    """Everything that takes time begins at 0.2 s of silence; the turn is committed at 0.5 s, or when it is done."""
    (timed,) = hold(tmp_path, FileDuplex(replies(1)), GOOD[:1]).data("timed")
    parts = sum(float(timed[part]) for part in ("recognise_ms", "judge_ms", "voice_ms"))  # type: ignore[arg-type]
    steps = [timed[step] for step in ("speech_end", "speculated", "committed", "first_out")]
    drafted_ms, endpoint_ms = ((step - steps[0]) / 16 for step in steps[1:3])  # type: ignore[operator]

    assert drafted_ms == pytest.approx(200, abs=33)
    assert endpoint_ms == pytest.approx(500, abs=33)
    assert timed["endpoint_ms"] == pytest.approx(endpoint_ms)
    assert steps == sorted(steps)  # type: ignore[type-var]
    assert steps[1] <= timed["chosen"] <= steps[3]  # type: ignore[operator]
    assert timed["answer_ms"] == pytest.approx(max(endpoint_ms, drafted_ms + parts), abs=0.01)


def test_without_a_calibration_the_first_turns_stand_in(tmp_path: Path) -> None:
    """After three good turns there is a provisional baseline: a fact of the record, and the next turn is compared."""
    held = hold(tmp_path, FileDuplex(replies(5)), GOOD[:5])
    (calibrated,) = held.data("calibrated")
    own = [data["observation"] for data in held.data("measured") if data["who"] == "trainee"]

    assert calibrated["baseline"]["provisional"] is True  # type: ignore[index]
    assert [seen["relative"] is None for seen in own] == [True, True, True, False, False]  # type: ignore[index]


def test_what_came_in_while_loading_is_not_part_of_the_call(tmp_path: Path) -> None:
    """The call begins when it begins: the port is drained first."""

    class Waited(FileDuplex):
        drained = 0

        def drain(self) -> None:
            self.drained += 1

    sound = Waited(replies(1))
    hold(tmp_path, sound, GOOD[:1])

    assert sound.drained == 1


class ByClause(testing.BeepVoice):
    """A customer who beeps in three clauses, each spoken when it is asked for."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.spoken = fails, 0

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        def rest() -> Iterator[Line]:
            for _ in range(2):
                if self.fails:
                    raise MissingModel("The voice is gone.", "Bring it back.")
                self.spoken += 1
                yield Line(beep, beep / np.float32(32768), self.name)

        self.spoken += 1
        beep = testing.tone(300.0, 1.0)
        return Line(beep, beep / np.float32(32768), self.name, rest())


@pytest.mark.parametrize("port", [FileDuplex, Clocked])
def test_a_line_spoken_by_clause_is_one_line(tmp_path: Path, port: type[FileDuplex]) -> None:
    """Each clause follows the one before, and the record has one line as long as all of them."""
    held = hold(tmp_path, port(replies(1)), GOOD[:1], voice=ByClause())
    line = held.data("said")[0]
    start, end = int(line["start"]), int(line["end"])  # type: ignore[call-overload]

    assert end - start == 3 * SAMPLE_RATE_HZ
    sounding = np.abs(held.audio[start:end, 1].astype(int)).reshape(-1, SAMPLE_RATE_HZ // 10).max(axis=1) > 100
    assert sounding.mean() > 0.9
    assert held.data("fault") == []


def test_who_is_talked_over_says_no_more_clauses(tmp_path: Path) -> None:
    """What was not spoken yet is never said; the record has the line before the interruption."""
    voice = ByClause()
    trainee = RecordedTrainee([Reply(testing.voice_like(4.0), "over", 0.3)])
    held = hold(tmp_path, Clocked(trainee), ["Let me stop you there."], voice=voice)
    kinds = [event.kind for event in held.record.events if event.kind in {"said", "interrupted"}]
    (interrupted, line) = held.data("interrupted")[0], held.data("said")[0]

    assert kinds[:2] == ["said", "interrupted"]
    assert line["line"] == interrupted["line"]


def test_words_that_were_never_spoken_are_not_quoted(tmp_path: Path) -> None:
    """Of a line that is still being spoken, the words come from the clauses that were."""

    class Told(ByClause):
        def speak(self, text: str, style: Style, style_name: str) -> Line:
            line, words = super().speak(text, style, style_name), text.split()
            assert line.rest is not None
            rest = (replace(clause, text=" ".join(words[2 * n : 2 * n + 2])) for n, clause in enumerate(line.rest, 1))
            return replace(line, text=" ".join(words[:2]), rest=rest)

    trainee = RecordedTrainee([Reply(testing.voice_like(4.0), "over", 0.3)])
    held = hold(tmp_path, Clocked(trainee), ["Let me stop you there."], voice=Told())
    (line, *_), (cut, *_) = held.data("said"), held.data("interrupted")
    made = round(cut["of_s"])  # type: ignore[call-overload]

    assert len(str(cut["words"]).split()) <= 2 * made
    assert str(line["text"]).startswith(str(cut["words"]))


def test_a_voice_that_fails_within_a_line_ends_the_line(tmp_path: Path) -> None:
    """The call goes on, and the record has what happened."""
    held = hold(tmp_path, Clocked(replies(1)), GOOD[:1], voice=ByClause(fails=True))
    line = held.data("said")[0]

    assert held.data("fault")[0]["what"] == "The voice is gone."
    assert line["end"] - line["start"] == SAMPLE_RATE_HZ  # type: ignore[operator]
    assert held.data("heard")


def test_a_voice_that_hangs_within_a_line_ends_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, and not waited for: the line is what was spoken of it."""
    monkeypatch.setattr(session, "ANSWER_WITHIN_S", 2.0)
    free = threading.Event()

    class Hanging(testing.BeepVoice):
        def speak(self, text: str, style: Style, style_name: str) -> Line:
            def rest() -> Iterator[Line]:
                free.wait(20)
                yield beep

            beep = super().speak("One. Two.", style, style_name)
            return replace(beep, rest=rest())

    def show(news: object) -> None:
        if isinstance(news, Event) and news.kind == "said":
            free.set()

    held = hold(tmp_path, Clocked(PlainRecording(testing.noise(6.0, -75.0))), show=show, voice=Hanging())
    line = held.data("said")[0]

    assert "not spoken in time" in str(held.data("fault")[0]["what"])
    assert line["end"] - line["start"] == SAMPLE_RATE_HZ // 2  # type: ignore[operator]


# --- barge-in --------------------------------------------------------------------------------------


def over(seconds: float, gap_s: float = 0.8) -> FileDuplex:
    return FileDuplex(RecordedTrainee([Reply(testing.voice_like(seconds, syllables_per_s=0), "over", gap_s)]))


def levels(samples: Samples) -> np.ndarray:
    """RMS of each 10 ms."""
    pieces = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    return np.sqrt(np.mean(pieces**2, axis=1))


def test_words_over_the_line_duck_it_and_hold_it_within_half_a_second(tmp_path: Path) -> None:
    """First more quietly, then silence; the interruption has its place in the line and in the story."""
    text = "Let me stop you there right now."
    held = hold(tmp_path, over(3.0), Glimpses([text], text))
    (cut,), line = held.data("interrupted"), held.data("said")[0]
    onset = cut["start"]
    out = levels(held.audio[onset : onset + SAMPLE_RATE_HZ, 1]) / levels(held.audio[line["start"] : onset, 1])[20]  # type: ignore[misc]

    assert out[10] == pytest.approx(1.0, abs=0.1)
    assert out[33:38] == pytest.approx(10 ** (-12 / 20), abs=0.08)
    assert out[50:].max() < 0.01
    assert cut["noticed_s"] <= 0.3  # type: ignore[operator]
    assert (cut["end"] - onset) / SAMPLE_RATE_HZ <= 0.56  # type: ignore[operator]
    assert cut["played_s"] == pytest.approx(0.8, abs=0.1)
    assert cut["of_s"] == pytest.approx((line["end"] - line["start"]) / SAMPLE_RATE_HZ)  # type: ignore[operator]
    assert str(line["text"]).startswith(str(cut["words"]))
    assert 0 < len(str(cut["words"])) < len(str(line["text"]))
    assert held.data("held") == []


def test_a_long_nod_lets_the_customer_go_on_and_is_good_listening(tmp_path: Path) -> None:
    """Nods of more than a second: the line is played to its end, nobody answers them, and the judge calls them a nod."""
    held = hold(tmp_path, over(1.2, 0.4), Glimpses(["Okay, I see."], "Okay, I see."))
    (nod,), line = held.data("nodded"), held.data("said")[0]
    findings = held.data("assessed")[0]["assessment"]["findings"]  # type: ignore[index]

    assert held.data("interrupted") == held.data("held") == []
    assert nod["line"] == line["line"]
    assert nod["played_s"] == pytest.approx(0.4, abs=0.1)
    assert {finding["code"] for finding in findings} == {"verbal_nod"}
    assert all(data["turn"] is None for data in held.data("reacted"))
    assert levels(held.audio[line["start"] : line["end"], 1])[:-2].min() > 50  # type: ignore[misc]


def test_a_false_alarm_goes_on_from_the_sample_at_which_it_stood_still(tmp_path: Path) -> None:
    """A cough: a hold of less than two seconds, and all of the line is played, once."""
    held = hold(tmp_path, over(0.6), Glimpses([""], "You", 0.05))
    (still,), line = held.data("held"), held.data("said")[0]
    start, end = int(still["start"]), int(still["end"])  # type: ignore[call-overload]
    longer = end - start
    played = held.audio[line["start"] : int(line["end"]) + longer + SAMPLE_RATE_HZ, 1]  # type: ignore[misc,call-overload]
    facts = gather(held.record.events)

    assert held.data("interrupted") == held.data("spoke") == []
    assert 0 < longer <= 2 * SAMPLE_RATE_HZ
    assert np.abs(played[longer + int(line["end"]) - int(line["start"]) :].astype(int)).max() == 0  # type: ignore[call-overload]
    assert np.abs(played[longer + int(line["end"]) - int(line["start"]) - 200 :].astype(int)).max() > 100  # type: ignore[call-overload]
    assert facts.lines[0].end_s == pytest.approx((int(line["end"]) + longer) / SAMPLE_RATE_HZ)  # type: ignore[call-overload]


# --- a device that goes away -----------------------------------------------------------------------


@pytest.mark.parametrize("why", ["stopped", "zeros"])
def test_a_device_that_goes_away_pauses_the_call(tmp_path: Path, why: str) -> None:
    """Said at once, with what to do; the line goes on where it stopped; nobody waits; the clock runs on."""
    seen: list[object] = []
    sound = Away(replies(1), 1.5, 12.5, why)
    held = hold(tmp_path, sound, GOOD[:1], show=seen.append)
    (fault,), (resumed,), (still,) = held.data("fault"), held.data("resumed"), held.data("held")
    line, turn = held.data("said")[0], held.data("spoke")[0]
    away = (int(resumed["end"]) - int(resumed["start"])) / SAMPLE_RATE_HZ  # type: ignore[call-overload]
    facts = gather(held.record.events)

    assert "the call is paused" in str(fault["what"])
    assert fault["do"]
    assert away == pytest.approx(11.0, abs=0.1)
    assert still["end"] - still["start"] == resumed["end"] - resumed["start"]  # type: ignore[operator]
    assert held.data("reacted")[0]["turn"] == 1  # nobody asked whether anybody was there
    assert turn["start"] > line["end"] + away * SAMPLE_RATE_HZ - SAMPLE_RATE_HZ  # type: ignore[operator]
    assert facts.lines[0].end_s == pytest.approx(float(line["end"]) / SAMPLE_RATE_HZ + away, abs=0.01)  # type: ignore[arg-type]
    assert sum(one.who == "paused" for one in seen if isinstance(one, session.Tick)) == pytest.approx(
        11.0 / 0.032, abs=2
    )
    assert np.abs(held.audio[resumed["start"] : resumed["end"], 1]).max() == 0  # type: ignore[misc]


def test_a_turn_that_was_open_when_the_device_went_is_answered_when_it_is_back(tmp_path: Path) -> None:
    """What was said until then is the turn; the answer waits for the speaker."""
    speaking = np.concatenate([testing.noise(8.0, -75), testing.voice_like(1.9), testing.noise(12.0, -75)])
    held = hold(tmp_path, Away(PlainRecording(speaking), 10.0, 15.0), ["I am sorry to hear that."])
    (turn,), (resumed,) = held.data("spoke"), held.data("resumed")
    reacted = next(event for event in held.record.of("reacted") if event.data["turn"] == 1)

    assert turn["end"] <= resumed["start"] + FRAME  # type: ignore[operator]
    assert reacted.at >= resumed["end"]  # type: ignore[operator]


def test_a_long_absence_is_no_dead_air(tmp_path: Path) -> None:
    """Nobody could have spoken: the debrief does not hold it against anybody."""
    held = hold(tmp_path, Away(replies(1), 6.0, 18.0), GOOD[:1])

    assert report_on(held.record).silences == ()


# --- echo ------------------------------------------------------------------------------------------


LATE = 9600
"""Samples: 0.6 s, longer than the tail of half duplex alone."""


def found(echo_dbfs: float, delay_s: float = LATE / SAMPLE_RATE_HZ) -> EchoTest:
    return EchoTest(0.9, delay_s, echo_dbfs, -70.0, 0.9)


def test_a_headset_chosen_by_hand_hears_over_the_customer(tmp_path: Path) -> None:
    """Whatever was found on the loudspeakers before the headset was plugged in."""
    over = RecordedTrainee([Reply(testing.voice_like(3.0, level_dbfs=-26, syllables_per_s=0), "over", 0.8)])
    call = make_call(echo_test=found(-20.0), echo_forced=True)
    held = hold(tmp_path, FileDuplex(over), ["Let me stop you there."], call)

    assert [data["by"] for data in held.data("interrupted")] == ["trainee"]


def test_half_duplex_rests_until_the_echo_is_over(tmp_path: Path) -> None:
    """As long as the test of these devices found the way to be; the record has the mode and what was found."""
    sound = Speakers(PlainRecording(testing.noise(25.0, -75.0)), 0.8, LATE)
    held = hold(tmp_path, sound, ["echo"] * 9, make_call(echo="half duplex", echo_test=found(-25.0)))
    told = held.data("started")[0]["sound"]

    assert held.data("interrupted") == held.data("spoke") == []
    assert told["echo"] == "half duplex"  # type: ignore[index]
    assert told["echo_test"]["delay_s"] == 0.6  # type: ignore[index]


def test_a_leak_under_the_gate_is_nobody(tmp_path: Path) -> None:
    """A headset that leaks: the leak interrupts nobody, the trainee over it does."""
    call = make_call(echo_test=found(-45.0))
    leaking = Speakers(PlainRecording(testing.noise(8.0, -75.0)), 0.05, 1600)
    assert hold(tmp_path / "a", leaking, ["echo"] * 9, call).data("interrupted") == []

    later = Speakers(PlainRecording(testing.noise(8.0, -75.0)), 0.05, 6400)
    assert hold(tmp_path / "later", later, ["echo"] * 9, make_call(echo_test=found(-45.0, 0.4))).data("spoke") == []

    over = RecordedTrainee([Reply(testing.voice_like(3.0, level_dbfs=-26, syllables_per_s=0), "over", 0.8)])
    spoke = hold(tmp_path / "b", Speakers(over, 0.05, 1600), ["Let me stop you there."], call)
    assert [data["by"] for data in spoke.data("interrupted")] == ["trainee"]


class Perfect:
    """A cancellation that leaves nothing while the customer speaks but what is far louder."""

    def clean(self, mic: Samples, out: Samples) -> Samples:
        return np.where(np.abs(mic.astype(int)) > 6000, mic, 0).astype(np.int16)


def test_cancelled_echo_interrupts_nobody_and_raw_sound_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded is the microphone as it was."""
    monkeypatch.setattr(echo, "Canceller", Perfect)
    sound = Speakers(PlainRecording(testing.noise(25.0, -75.0)), 0.5, 1600)
    held = hold(tmp_path, sound, ["echo"] * 9, make_call(echo="cancelled", echo_test=found(-28.0)))
    line = held.data("said")[0]

    assert held.data("interrupted") == held.data("spoke") == []
    assert levels(held.audio[line["start"] : line["end"], 0])[20:].min() > 20  # type: ignore[misc]


def test_other_devices_after_an_absence_mean_half_duplex(tmp_path: Path) -> None:
    """What was found on the headset says nothing about the laptop's speakers."""

    class Swapped(Away):
        def read(self) -> Block | None:
            block = super().read()
            if self.at / SAMPLE_RATE_HZ > self.span[1]:
                self.info = replace(self.info, output="laptop speakers")
            return block

    held = hold(tmp_path, Swapped(replies(1), 6.0, 8.0), GOOD[:1])
    (resumed,) = held.data("resumed")

    assert (resumed["output"], resumed["other"], resumed["echo"]) == ("laptop speakers", True, "half duplex")


def test_a_microphone_that_comes_back_has_its_calm_voice_back(tmp_path: Path) -> None:
    """The plug had slipped out for some seconds."""

    class Slipped(FileDuplex):
        n = 0

        def read(self) -> Block | None:
            self.n += 1
            away = 9.0 < self.n * FRAME / SAMPLE_RATE_HZ < 12.0
            self.info = replace(self.info, input="laptop" if away else "headset")
            return super().read()

    calm = Baseline(200.0, 1500.0, -26.0, 4.0, "headset")
    sound = Slipped(replies(4))
    sound.info = replace(sound.info, input="headset")
    held = hold(tmp_path, sound, GOOD[:1] * 4, make_call(baseline=calm))
    back = [event.at for event in held.record.of("moved")][1]
    later = [event for event in held.record.of("spoke") if event.data["start"] > back]
    numbers = {event.data["turn"] for event in later}
    related = [
        event.data["observation"]["relative"]
        for event in held.record.of("measured")
        if event.data["who"] == "trainee" and event.data["turn"] in numbers
    ]

    assert related
    assert None not in related
    assert held.data("calibrated") == [{"baseline": asdict(calm)}]
    assert moment_before(held.record.events, make_call().persona, min(numbers))[1] == calm


def test_devices_that_change_without_a_pause_are_told_and_end_what_was_known_of_the_voice(tmp_path: Path) -> None:
    """A headset pulled out of its socket: no verdict by the old microphone's level, and the new turns make another."""

    class Moved(FileDuplex):
        n = 0

        def read(self) -> Block | None:
            self.n += 1
            if self.n * FRAME / SAMPLE_RATE_HZ > 12.0:
                self.info = replace(self.info, input="laptop microphone", output="laptop speakers")
            return super().read()

    held = hold(
        tmp_path, Moved(replies(4)), GOOD[:1] * 4, make_call(baseline=Baseline(200.0, 1500.0, -26.0, 4.0, "headset"))
    )
    (moved,) = held.data("moved")
    at = next(event.at for event in held.record.events if event.kind == "moved")
    begun = {event.data["turn"]: event.data["start"] for event in held.record.events if event.kind == "spoke"}
    related = [
        (begun[event.data["turn"]] > at, event.data["observation"]["relative"])
        for event in held.record.events
        if event.kind == "measured" and event.data["who"] == "trainee"
    ]

    assert moved == {"input": "laptop microphone", "output": "laptop speakers", "echo": "half duplex"}
    assert held.data("resumed") == []
    assert {relative is None for later, relative in related if later} == {True}
    assert {relative is None for later, relative in related if not later} == {False}
    assert [moment_before(held.record.events, make_call().persona, turn)[1] is None for turn in sorted(begun)] == [
        begun[turn] > at for turn in sorted(begun)
    ]


class Hissing(testing.BeepVoice):
    """A customer who hisses: no two moments are alike, as in speech."""

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        line = super().speak(text, style, style_name)
        hiss = testing.noise(len(line.samples) / SAMPLE_RATE_HZ, -20.0, seed=len(text))
        return Line(hiss, hiss / np.float32(32768), line.engine)


class Live(Clocked, Speakers):
    """On a clock, so that the call knows that it is heard."""


def test_an_echo_that_comes_later_than_expected_is_no_turn(tmp_path: Path) -> None:
    """In half duplex the microphone rests 0.3 s longer than the customer speaks; this echo takes twice that."""
    sound = Live(PlainRecording(testing.noise(20.0, -75.0)), 0.7, LATE)
    held = hold(tmp_path, sound, ["echo"] * 9, make_call(echo="half duplex"), voice=Hissing())

    assert len(held.data("said")) >= 2
    assert held.data("spoke") == []


def test_an_echo_that_nobody_expected_is_told_and_ends_full_duplex(tmp_path: Path) -> None:
    """A headset whose plug is out: the customer's voice comes back, interrupts nobody, and the microphone rests."""
    sound = Live(PlainRecording(testing.noise(9.0, -75.0)), 0.7, 3200)
    held = hold(tmp_path, sound, Glimpses([], "That is not right"), voice=Hissing())

    assert "hears the customer" in str(held.data("fault")[0]["what"])
    assert held.data("interrupted") == []


class Curt(Hissing):
    """Lines that are over before their echo comes."""

    def speak(self, text: str, style: Style, style_name: str) -> Line:
        line, n = super().speak(text, style, style_name), LATE - 3200
        return Line(line.samples[:n], line.clean[:n], line.engine)


class Deaf:
    """A cancellation that cancels nothing."""

    def clean(self, mic: Samples, out: Samples) -> Samples:
        return mic


def test_a_cancellation_that_fails_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The volume was turned up after the test: the customer's own voice does not stop line after line."""
    monkeypatch.setattr(echo, "Canceller", Deaf)
    sound = Live(PlainRecording(testing.noise(20.0, -75.0)), 0.7, 3200)
    call = make_call(echo="cancelled", echo_test=found(-28.0, 0.2))
    held = hold(tmp_path, sound, Glimpses([], "That is not right"), call=call, voice=Hissing())

    assert "hears the customer" in str(held.data("fault")[0]["what"])
    assert len(held.data("interrupted")) <= 1
    assert held.data("spoke") == []


def test_the_look_that_finds_an_echo_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where an earlier look had held the line already, and is sure of its words: they are the customer's."""
    looks: list[bool] = []

    def is_echo(mic: Samples, out: Samples) -> bool:
        looks.append(True)
        return len(looks) > 1

    class Surer(Glimpses):
        def glimpse(self, samples: np.ndarray, offset_s: float = 0.0) -> Glimpse:
            return Glimpse(self.seen, 0.9 if len(looks) > 1 else 0.1)

    monkeypatch.setattr(echo, "is_echo", is_echo)
    sound = Live(PlainRecording(testing.noise(9.0, -75.0)), 0.7, 3200)
    held = hold(tmp_path, sound, Surer([], "That is not right"), voice=Hissing())

    assert len(looks) > 1
    assert held.data("interrupted") == []
    assert "hears the customer" in str(held.data("fault")[0]["what"])


def test_who_hangs_up_hears_no_more_of_the_customer(tmp_path: Path) -> None:
    """Nor does the rest of the line come first in the next call on these devices."""
    sound = FileDuplex(PlainRecording(testing.noise(9.0, -75.0)))
    held = hold(tmp_path, sound, keys=pressing(lambda now: Keys(stop=now > 1.5)))

    for _ in range(3):
        sound.read()  # it fades out

    assert held.outcome == "stopped"
    assert not sound.playing()


def test_an_echo_of_short_lines_is_told_too(tmp_path: Path) -> None:
    """It speaks over nobody, so that nothing but the turn itself can tell."""
    sound = Live(PlainRecording(testing.noise(9.0, -75.0)), 0.7, LATE)
    held = hold(tmp_path, sound, ["echo"] * 9, voice=Curt())

    assert "hears the customer" in str(held.data("fault")[0]["what"])
    assert held.data("spoke") == []
