"""A recorded call becomes the same record and the same debrief as a rehearsal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
import soundfile
import soxr
from typer.testing import CliRunner

from tests.walk import walk
from voicecoach import cli, debrief, prepare, record, review, testing
from voicecoach.errors import BadInput, DiskError
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ, Heard, Observation, Turn
from voicecoach.report.recorded import in_turn
from voicecoach.report.text import as_text
from voicecoach.world import audiofiles
from voicecoach.world.ears import Ears, plain
from voicecoach.world.models import ModelFiles
from voicecoach.world.spoken import load
from voicecoach.world.trainee import recorded

OVER_S = 1.2
"""How long the agent's second reply begins before the customer's line ends."""


class CallMade:
    """A made call: the agent's replies left, the customer (another reply, spoken back) right, with its truth."""

    def __init__(self) -> None:
        script = prepare.demo_trainee()
        spoken = prepare.spoken()
        self.said = [turn.say for turn in script.turns[:3]]
        agent = [recorded(script, spoken, turn.say, turn.manner) for turn in script.turns[:3]]
        customer = [recorded(script, spoken, text, "calm") for text in script.calibration[:2]]
        self.customer_said = list(script.calibration[:2])
        rng = np.random.default_rng(3)
        rate = SAMPLE_RATE_HZ
        at = rate
        self.starts: list[float] = []
        pieces: list[tuple[int, int, Any]] = []
        for number, reply in enumerate(agent):
            if number < len(customer):
                pieces.append((1, at, customer[number]))
                at += len(customer[number])
                at += round(0.7 * rate) if number != 1 else -round(OVER_S * rate)
            pieces.append((0, at, reply))
            self.starts.append(at / rate)
            at += len(reply) + round(1.2 * rate)
        both = rng.normal(0, 8, (at + rate, 2))
        for channel, start, samples in pieces:
            both[start : start + len(samples), channel] += samples
        self.samples = np.asarray(np.clip(both, -32768, 32767), np.int16)


@pytest.fixture(scope="module")
def made() -> CallMade:
    return CallMade()


@pytest.fixture(scope="module")
def reviewed(made: CallMade, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The command's result and the data folder, for the stereo call."""
    folder = tmp_path_factory.mktemp("stereo")
    soundfile.write(folder / "Call 7.wav", made.samples, SAMPLE_RATE_HZ)
    done = CliRunner().invoke(cli.app, ["--data", str(folder / "data"), "review", str(folder / "Call 7.wav")])
    return done, folder / "data"


@pytest.mark.models
def test_a_stereo_call_is_reviewed(made: CallMade, reviewed: tuple[Any, Path]) -> None:
    """Turns where they are, words as they were said, overlap where it was, and a debrief beside the record."""
    done, data = reviewed
    assert done.exit_code == 0, done.output

    (folder,) = record.list_sessions(data / "sessions")
    session = record.read(folder)
    heard = " ".join(event.data["text"] for event in session.of("heard"))
    customer = " ".join(event.data["text"] for event in session.of("said"))
    starts = [event.data["speech"][0][0] / SAMPLE_RATE_HZ for event in session.of("spoke")]
    ended = session.first("ended")

    assert session.problems == ()
    assert folder.name.endswith("-review-call-7")
    assert jiwer.wer(plain(" ".join(made.said)), plain(heard)) < 0.15
    assert jiwer.wer(plain(" ".join(made.customer_said)), plain(customer)) < 0.15
    assert all(min(abs(start - found) for found in starts) < 0.25 for start in made.starts)
    assert ended is not None
    assert ended.data["outcome"] == "reviewed"
    assert (folder / "debrief.html").stat().st_size > 50_000
    assert "debrief.html" in done.output


@pytest.mark.models
def test_talking_over_the_customer_is_found(made: CallMade, reviewed: tuple[Any, Path]) -> None:
    """The second reply begins before the customer has ended; the others do not."""
    session = record.read(record.list_sessions(reviewed[1] / "sessions")[0])
    turns = list(session.of("spoke"))
    over = [sum(end - start for start, end in turn.data["overlap"]) / SAMPLE_RATE_HZ for turn in turns]
    second = min(range(len(turns)), key=lambda n: abs(turns[n].data["speech"][0][0] / SAMPLE_RATE_HZ - made.starts[1]))

    assert over[second] == pytest.approx(OVER_S, abs=0.6)
    assert sum(over) - over[second] < 0.1


@pytest.mark.models
def test_the_record_holds_the_call_sample_for_sample(made: CallMade, reviewed: tuple[Any, Path]) -> None:
    """Agent left and customer right, as in the file."""
    samples = record.read_audio(record.read(record.list_sessions(reviewed[1] / "sessions")[0]))

    assert samples.shape == made.samples.shape
    assert np.abs(samples.astype(int) - made.samples).max() <= 1


@pytest.mark.models
def test_without_a_calibration_the_first_turns_stand_for_the_voice(reviewed: tuple[Any, Path]) -> None:
    """And the record says that they do."""
    started = record.read(record.list_sessions(reviewed[1] / "sessions")[0]).first("started")

    assert started is not None
    assert started.data["baseline"]["provisional"] is True
    assert started.data["mode"] == "review"
    assert started.data["ears"]["sha256"]


@pytest.mark.models
def test_a_mono_call_is_the_agent_alone(made: CallMade, tmp_path: Path) -> None:
    """Without the customer there is no overlap and no line of the customer; --baseline names the own voice."""
    soundfile.write(tmp_path / "mono.flac", made.samples[: SAMPLE_RATE_HZ * 16, 0], SAMPLE_RATE_HZ)
    soundfile.write(tmp_path / "calm.flac", made.samples[:, 0], SAMPLE_RATE_HZ)
    done = CliRunner().invoke(
        cli.app,
        [
            "--data",
            str(tmp_path / "data"),
            "review",
            str(tmp_path / "mono.flac"),
            "--baseline",
            str(tmp_path / "calm.flac"),
        ],
    )
    (folder,) = record.list_sessions(tmp_path / "data" / "sessions")
    session = record.read(folder)
    started = session.first("started")

    assert done.exit_code == 0, done.output
    assert started is not None
    assert started.data["baseline"]["provisional"] is False
    assert list(session.of("spoke"))
    assert not list(session.of("said"))
    assert not any(turn.data["overlap"] for turn in session.of("spoke"))


@pytest.mark.models
def test_a_baseline_that_cannot_serve_is_told(made: CallMade, tmp_path: Path) -> None:
    """Left out where another is left; else a sentence with the reason, and no first turns stand in without a word."""
    voice = made.samples[: SAMPLE_RATE_HZ * 16, 0] / 32768
    for name, samples in (("calm", voice), ("clipped", np.clip(voice * 60, -1, 1)), ("silent", voice * 0)):
        soundfile.write(tmp_path / f"{name}.wav", samples, SAMPLE_RATE_HZ)

    def run(*names: str) -> Any:
        named = [word for name in names for word in ("--baseline", str(tmp_path / f"{name}.wav"))]
        return CliRunner().invoke(
            cli.app, ["--data", str(tmp_path / "data"), "review", str(tmp_path / "calm.wav"), *named]
        )

    refused = run("clipped", "silent")

    assert isinstance(refused.exception, BadInput)
    assert "clipped: turn the microphone down" in refused.exception.what
    assert "No speech was found." in refused.exception.what
    assert "of clear speech" in refused.exception.do
    assert record.list_sessions(tmp_path / "data" / "sessions") == []

    done = run("clipped", "calm")
    (folder,) = record.list_sessions(tmp_path / "data" / "sessions")
    started = record.read(folder).first("started")

    assert done.exit_code == 0, done.output
    assert "clipped.wav is left out of the baseline." in done.stderr
    assert started is not None
    assert started.data["baseline"]["provisional"] is False


@pytest.mark.models
def test_the_wrong_channel_is_told_and_leaves_nothing(made: CallMade, tmp_path: Path) -> None:
    """Nobody on the agent's side: the sentence names the option, and no empty session stays behind."""
    silent = np.stack([np.zeros(len(made.samples), np.int16), made.samples[:, 1]], axis=1)[: SAMPLE_RATE_HZ * 8]
    soundfile.write(tmp_path / "call.wav", silent, SAMPLE_RATE_HZ)
    done = CliRunner().invoke(cli.app, ["--data", str(tmp_path / "data"), "review", str(tmp_path / "call.wav")])

    assert isinstance(done.exception, BadInput)
    assert "Nobody speaks on the agent's channel of call.wav" in str(done.exception)
    assert "--agent right" in str(done.exception)
    assert record.list_sessions(tmp_path / "data" / "sessions") == []


def test_channels(tmp_path: Path) -> None:
    """Mono is the agent; of two, the agent is the one that is named; more are refused."""
    left, right = np.zeros(3, np.float32), np.ones(3, np.float32)

    def sides(*channels: Floats, agent: str = "left") -> list[list[float]]:
        soundfile.write(tmp_path / "x.wav", np.stack(channels, 1), SAMPLE_RATE_HZ, subtype="FLOAT")
        with audiofiles.spooled(tmp_path / "x.wav", tmp_path) as spool:
            found = review.sides_of(spool, agent, Path("x.wav"))
            return [side.read(0, 3).tolist() for side in found if side is not None]

    assert sides(left, agent="right") == [[0, 0, 0]]
    assert sides(left, right) == [[0, 0, 0], [1, 1, 1]]
    assert sides(left, right, agent="right") == [[1, 1, 1], [0, 0, 0]]
    with pytest.raises(BadInput, match="has 3 channels"):
        sides(left, right, left)


def scripted(agent: review.Side, customer: review.Side | None, folder: Path, *texts: str) -> record.Record:
    """Review with scripted ears, which need no recogniser."""
    return reviewed_by(testing.ScriptedEars(texts), agent, customer, folder)


def reviewed_by(ears: Ears, agent: review.Side, customer: review.Side | None, folder: Path) -> record.Record:
    """Review with these ears."""
    faults: list[tuple[str, str]] = []
    said = review.hear(agent, customer, name="x.wav", ears=ears, fault=lambda what, do: faults.append((what, do)))
    with record.Writer(folder, "", "") as writer:
        review.write(
            said, agent, customer, name="x.wav", which="left", ears=ears,
            ears_files=ModelFiles("script", Path(), "a test", "0" * 64, 0.0), rules=prepare.rules(),
            procedure="", baseline=None, writer=writer, wall="2026-11-21T10:00:00+01:00", faults=faults,
        )  # fmt: skip
    return record.read(folder)


class InMemory:
    """A channel in memory."""

    def __init__(self, samples: Floats) -> None:
        self._samples = samples

    def read(self, start: int, end: int) -> Floats:
        """See Side."""
        return self._samples[start:end]

    def flat(self, start: int, end: int) -> float:
        """See Side."""
        return 0.0

    def __len__(self) -> int:
        return len(self._samples)


def held(samples: Any) -> InMemory:
    """A channel of int16 samples in memory."""
    return InMemory(np.asarray(samples, np.float32) / 32768)


@pytest.mark.models
def test_voice_without_words_is_left_out(made: CallMade, tmp_path: Path) -> None:
    """A cough is no turn; the record ends all the same, and its report can be told."""
    session = scripted(held(made.samples[: SAMPLE_RATE_HZ * 14, 0]), None, tmp_path / "s")

    assert [event.kind for event in session.events if event.kind != "wordless"] == ["started", "ended"]
    assert debrief.report_on(session).timeline == ()
    assert "left channel, 0 turns" in session.events[-1].data["why"]
    assert json.loads(record.to_json(debrief.report_on(session)))


class SelectiveEars:
    """Ears that understand nothing of what begins in some stretches (s)."""

    name = "script"

    def __init__(self, *deaf: tuple[float, float]) -> None:
        self._deaf = deaf

    def hear(self, samples: Floats, offset_s: float = 0.0) -> Heard:
        """A sentence, or nothing."""
        lost = any(start <= offset_s < end for start, end in self._deaf)
        return Heard("" if lost else "I see, please go on with that.", (), self.name)


def test_what_no_words_were_found_in_is_neither_silence_nor_talked_over() -> None:
    """A customer who sobs for six seconds has not been kept waiting, and is not spoken over by the answer."""
    rate = SAMPLE_RATE_HZ
    observation = Observation(2.0, 2.0, 2.0, overlap_s=1.0)

    def said(who: Any, start: float, end: float, text: str, *overlap: tuple[float, float]) -> review.Utterance:
        over = tuple((round(a * rate), round(b * rate)) for a, b in overlap)
        span = (round(start * rate), round(end * rate))
        return review.Utterance(who, Turn(*span, (span,), over), Heard(text, (), "x"), observation)

    before = [said("customer", 0, 2, "It broke."), said("customer", 3, 9, "")]
    mine = said("trainee", 8, 12, "I am sorry.", (8, 9)), said("trainee", 10, 12, "I am sorry.")
    answer, late = (list(review._related([*before, one]))[-1] for one in mine)

    assert (answer.turn.overlap, answer.observation.overlap_s) == ((), 0.0)
    assert late.observation.response_gap_s == pytest.approx(1.0)
    assert answer.observation.response_gap_s is None


@pytest.mark.models
def test_a_voice_without_words_makes_no_dead_air(made: CallMade, tmp_path: Path) -> None:
    """Where the recogniser finds no words in a customer's ten seconds, the agent has not left the customer waiting for them."""
    rate, first = SAMPLE_RATE_HZ, round(made.starts[0] * SAMPLE_RATE_HZ)
    call = np.random.default_rng(0).normal(0, 8, (rate * 24, 2))
    for at_s in (1, 9):
        call[rate * at_s : rate * (at_s + 6), 1] += made.samples[rate : rate * 7, 1]
    call[rate * 17 : rate * 21, 0] += made.samples[first : first + rate * 4, 0]
    agent, customer = held(call[:, 0]), held(call[:, 1])

    report = debrief.report_on(reviewed_by(SelectiveEars((8.0, 16.0)), agent, customer, tmp_path / "s"))

    assert [line.start_s < 8 for line in report.lines] == [True] * len(report.lines)
    assert report.turns[0].observation is not None
    assert report.turns[0].observation.response_gap_s == pytest.approx(17 - 15, abs=1.5)
    assert report.silences == ()


@pytest.mark.models
def test_the_shorter_channel_is_filled_with_silence(made: CallMade, tmp_path: Path) -> None:
    """Two recorders rarely stop at the same sample."""
    agent, customer = held(made.samples[: SAMPLE_RATE_HZ * 14, 0]), held(made.samples[: SAMPLE_RATE_HZ * 6, 1])
    session = scripted(agent, customer, tmp_path / "s", *["I see."] * 9)

    assert len(record.read_audio(session)) == SAMPLE_RATE_HZ * 14
    assert list(session.of("said"))


@pytest.mark.models
def test_one_recording_twice_is_the_agent_alone(made: CallMade, tmp_path: Path) -> None:
    """Two equal channels are no call: nobody is accused of speaking over an echo, and the debrief says what was done."""
    twice = np.stack([made.samples[:, 0]] * 2, axis=1)[: SAMPLE_RATE_HZ * 20]
    soundfile.write(tmp_path / "call.wav", twice, SAMPLE_RATE_HZ)
    done = CliRunner().invoke(cli.app, ["--data", str(tmp_path / "data"), "review", str(tmp_path / "call.wav")])

    assert done.exit_code == 0
    assert "Both channels hold the same" in done.output
    assert "NOT AS IT WAS JUDGED" not in done.output
    assert "CUSTOMER" not in done.output


def test_one_recording_twice_is_told_by_more_than_its_level() -> None:
    """A balance that is off, or a channel turned round, makes no second person; a room, another voice and silence do not fit."""
    rng = np.random.default_rng(4)
    voice, other = rng.normal(0, 3000, (2, SAMPLE_RATE_HZ * 20))
    for factor in (1.0, 10 ** (-0.3 / 20), 10 ** (3 / 20), 0.25, -1.0, -0.5):
        assert review._same(held(voice), held(factor * voice + rng.normal(0, 5, len(voice)))), factor
    for different in (other, voice + 0.1 * other, 0.5 * voice + 0.5 * other, np.roll(voice, 40), 0 * voice):
        assert not review._same(held(voice), held(different))
        assert not review._same(held(different), held(voice))
    assert review._same(held(0 * voice), held(0 * voice))


@pytest.mark.models
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_a_call_that_was_clipped_and_turned_down_is_not_judged_by_it(
    made: CallMade, tmp_path: Path, rate_hz: int
) -> None:
    """Clipping brightens a voice, which would be heard as effort: the turn in which it was, and no other, says why not."""
    second_s = made.starts[1], made.starts[2] - 1.0
    voices = made.samples.astype(float)
    loud = soxr.resample(voices / (2 * np.abs(voices).max()), SAMPLE_RATE_HZ, rate_hz)
    there = slice(*(round(at_s * rate_hz) for at_s in second_s))
    loud[there, 0] = np.clip(16 * loud[there, 0], -1, 1)
    soundfile.write(tmp_path / "call.wav", 0.5 * loud, rate_hz)
    with audiofiles.spooled(tmp_path / "call.wav", tmp_path) as spool:
        sides = review.sides_of(spool, "left", tmp_path / "call.wav")
        said = review.hear(*sides, name="x.wav", ears=testing.ScriptedEars(["I see, please go on."] * 60))

    seen = [one for one in said if one.who == "trainee"]
    clipped = [any("clipped" in reason for reason in one.observation.quality.reasons) for one in seen]
    starts_s = [one.turn.speech[0][0] / SAMPLE_RATE_HZ for one in seen]
    assert clipped == [second_s[0] - 0.25 < start_s < second_s[1] for start_s in starts_s]
    assert any(clipped)
    assert not all(clipped)
    customers = [reason for one in said if one.who == "customer" for reason in one.observation.quality.reasons]
    assert not any("clipped" in reason for reason in customers)


@pytest.mark.models
@pytest.mark.parametrize(("level_db", "delay_s"), [(-15.0, 0.003), (-25.0, 0.2)])
def test_the_other_voice_on_a_channel_is_nobodys_turn(
    made: CallMade, tmp_path: Path, level_db: float, delay_s: float
) -> None:
    """Crosstalk and the far end's echo: the same turns as without, nobody speaks over anybody more, and it is told."""
    calls = [made.samples.astype(float), made.samples.astype(float)]
    through = np.roll(made.samples[:, ::-1], round(delay_s * SAMPLE_RATE_HZ), axis=0)
    calls[1] += 10 ** (level_db / 20) * through
    sessions = [
        scripted(*map(held, call.T), tmp_path / name, *["I see, please go on with that."] * 60)
        for name, call in zip("ab", calls, strict=True)
    ]
    clean, leaking = map(debrief.report_on, sessions)

    assert clean.faults == ()
    assert len(leaking.turns) == len(clean.turns)
    assert len(leaking.lines) == len(clean.lines)
    for one, other in zip((*clean.turns, *clean.lines), (*leaking.turns, *leaking.lines), strict=True):
        assert other.start_s == pytest.approx(one.start_s, abs=0.35)
    *whole, over = zip(
        clean.lines, leaking.lines, strict=True
    )  # the end of the last one is lost under the agent's voice
    for one, other in (*zip(clean.turns, leaking.turns, strict=True), *whole):
        assert other.end_s == pytest.approx(one.end_s, abs=0.35)
    assert over[1].end_s <= over[0].end_s + 0.35
    over_s = [sum(end - start for turn in report.turns for start, end in turn.overlap) for report in (clean, leaking)]
    assert over_s[1] <= over_s[0] + 0.4
    assert [fault.what.partition(" too,")[0] for fault in leaking.faults] == [
        "The customer's voice is on the agent's channel", "The agent's voice is on the customer's channel",
    ]  # fmt: skip


@pytest.mark.models
def test_from_disk_as_from_memory(made: CallMade, tmp_path: Path) -> None:
    """A spooled file gives the very same events and samples as its channels in memory."""
    soundfile.write(tmp_path / "x.wav", made.samples[: SAMPLE_RATE_HZ * 25], SAMPLE_RATE_HZ)
    texts = ["I see.", "One moment while I check."] * 9
    left, right = map(held, made.samples[: SAMPLE_RATE_HZ * 25].T)
    first = scripted(left, right, tmp_path / "a", *texts)
    with audiofiles.spooled(tmp_path / "x.wav", tmp_path) as spool:
        second = scripted(*review.sides_of(spool, "left", tmp_path / "x.wav"), tmp_path / "b", *texts)

    assert first.events == second.events
    assert np.array_equal(record.read_audio(first), record.read_audio(second))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "x.wav"]


SAID = (
    "I'm so sorry that you had to wait. Please tell me what happened.", "My sofa! Nobody came, and nobody called.",
    "It is not our fault. You should have called us before.", "I have been waiting since nine this morning!",
    "I will send a new one by noon tomorrow. Does that settle it for you?",
)  # fmt: skip


@pytest.mark.models
@pytest.mark.parametrize("stereo", [True, False])
def test_every_mark_leads_to_its_events(made: CallMade, tmp_path: Path, stereo: bool) -> None:
    """And every verdict of the record to its mark, with a customer on the recording and without."""
    customer = held(made.samples[:, 1]) if stereo else None
    session = scripted(held(made.samples[:, 0]), customer, tmp_path / "s", *SAID * 4)
    report, page = debrief.debrief_of(session)

    assert walk(page, session.folder) >= 5
    assert bool(report.lines) is stereo
    assert report.differences == ()
    for curve in report.curves:
        for point in curve.points:
            measured = [session.events[place] for place in point.events if session.events[place].kind == "measured"]
            assert [event.data["who"] for event in measured] == [point.who]


# --- what people hand in ------------------------------------------------------------------------------


def reviewing(path: Path, data: Path, *options: str) -> Any:
    return CliRunner().invoke(cli.app, ["--data", str(data), "review", str(path), *options])


def left_behind(data: Path) -> list[str]:
    """What a review that failed has left where sessions are kept."""
    return sorted(path.name for path in (data / "sessions").iterdir()) if (data / "sessions").is_dir() else []


def silence_of(seconds: float, channels: int = 2) -> Any:
    return np.zeros((round(seconds * SAMPLE_RATE_HZ), channels), np.int16)


@pytest.mark.models
@pytest.mark.parametrize(("content", "told"), [
    (b"", "is not an audio file"), (b"RIFF\x00\x00", "is not an audio file"), (b"no sound at all" * 99, "is not an audio file"),
    (silence_of(0), "holds no audio"), (silence_of(0.05), "Nobody speaks in call.wav (0.1 s)"),
    (silence_of(3) + np.array([0, 1], np.int16), "Nobody speaks on either channel of call.wav (3.0 s)"), (silence_of(3, 1), "Nobody speaks in call.wav (3.0 s)"),
    (silence_of(1, 3), "has 3 channels"),
], ids=["empty", "header", "text", "no sound", "short", "silent", "silent mono", "three channels"])  # fmt: skip
def test_files_that_hold_no_call_are_told(tmp_path: Path, content: Any, told: str) -> None:
    """A sentence with what to do, and nothing that `history` or `desk` would stumble over."""
    path = tmp_path / "call.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        soundfile.write(path, content, SAMPLE_RATE_HZ)
    done = reviewing(path, tmp_path / "data")

    assert isinstance(done.exception, BadInput)
    assert told in done.exception.what
    assert done.exception.do
    assert left_behind(tmp_path / "data") == []


@pytest.mark.models
@pytest.mark.parametrize(("suffix", "rate_hz"), [("wav", 8_000), ("mp3", 44_100), ("flac", 16_000)])
def test_a_recording_of_any_kind_that_breaks_off_is_reviewed_and_told(
    made: CallMade, tmp_path: Path, suffix: str, rate_hz: int
) -> None:
    """Telephone rate, MP3, FLAC: what is there has its debrief, on the screen and on the page, with what is missing."""
    path = tmp_path / f"call.{suffix}"
    samples = made.samples[: SAMPLE_RATE_HZ * 24].astype(np.float64) / 32768
    soundfile.write(path, np.clip(soxr.resample(samples, SAMPLE_RATE_HZ, rate_hz), -1, 1), rate_hz)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 2 // 3])
    done = reviewing(path, tmp_path / "data")
    assert done.exit_code == 0, done.output

    (folder,) = record.list_sessions(tmp_path / "data" / "sessions")
    session = record.read(folder)
    (fault,) = session.of("fault")
    assert re.fullmatch(
        rf"call\.{suffix} breaks off after 0:1\d: it says that it is 0:2[34] long\.", fault.data["what"]
    )
    assert fault.data["what"] in done.output
    assert "breaks off after" in (folder / "debrief.html").read_text()
    assert list(session.of("spoke"))
    assert session.problems == ()


@pytest.mark.models
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), DiskError("The disk is full.", "Free some space.")])
@pytest.mark.parametrize("where", ["listening", "hearing", "writing"])
def test_a_review_that_is_stopped_leaves_nothing(
    made: CallMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, failure: BaseException
) -> None:
    """Ctrl-C and a full disk, at each stage: no session, and the next review works."""
    path = tmp_path / "call.wav"
    soundfile.write(path, made.samples[: SAMPLE_RATE_HZ * 20], SAMPLE_RATE_HZ)

    def fails(*_: Any, **__: Any) -> Any:
        raise failure

    owner: Any = {"listening": review, "hearing": review, "writing": record.Writer}[where]
    with monkeypatch.context() as patched:
        patched.setattr(owner, {"listening": "speech_in", "hearing": "listen", "writing": "audio"}[where], fails)
        done = reviewing(path, tmp_path / "data")

    assert done.exit_code != 0
    assert left_behind(tmp_path / "data") == []
    history = CliRunner().invoke(cli.app, ["--data", str(tmp_path / "data"), "history"])
    assert history.exit_code == 0, history.output


def test_who_stops_listening_does_not_wait_for_the_end(tmp_path: Path) -> None:
    """The other channel is told too: of hours of sound no more than a piece or two is looked at."""

    class Endless:
        """Hours of faint noise; the second piece is one too many for who listens."""

        def __init__(self) -> None:
            self.read_s = 0.0

        def __len__(self) -> int:
            return 5 * 3600 * SAMPLE_RATE_HZ

        def read(self, start: int, end: int) -> Floats:
            self.read_s += (end - start) / SAMPLE_RATE_HZ
            return np.full(min(end, len(self)) - start, 1e-3, np.float32)

        def flat(self, start: int, end: int) -> float:
            return 0.0

    sides = (Endless(), Endless())
    told: list[float] = []

    def enough(share: float) -> None:
        told.append(share)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        review.hear(*sides, name="x.wav", ears=testing.ScriptedEars([]), progress=enough)

    listened_s = sum(side.read_s - 5 * 3600 for side in sides)  # the level of each is taken over all of it first
    assert told
    assert listened_s < 600


def test_a_full_disk_is_told_before_the_work(made: CallMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after minutes of recognising."""
    path = tmp_path / "call.wav"
    soundfile.write(path, made.samples[: SAMPLE_RATE_HZ * 4], SAMPLE_RATE_HZ)
    monkeypatch.setattr(record.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1024})())
    monkeypatch.setattr(review, "hear", lambda *_, **__: pytest.fail("it was heard"))
    done = reviewing(path, tmp_path / "data")

    assert isinstance(done.exception, DiskError)
    assert "less than 200 MB free" in str(done.exception)
    assert left_behind(tmp_path / "data") == []


@pytest.mark.models
def test_the_debrief_says_who_was_taken_for_whom(made: CallMade, tmp_path: Path) -> None:
    """Which channel is the agent's, and how to turn it round; mono says that two people are not told apart."""
    customer, agent = held(made.samples[:, 1]), held(made.samples[:, 0])
    lines = [
        "My sofa! Nobody came, and I have been waiting since nine!",
        "I'm so sorry that you had to wait. Let me check.",
    ]
    turned = debrief.report_on(scripted(customer, agent, tmp_path / "turned", *lines * 8))
    right = debrief.report_on(scripted(agent, customer, tmp_path / "right", *lines * 8))
    mono = debrief.report_on(scripted(agent, None, tmp_path / "mono", *lines[1:] * 8))

    assert any("channels may be swapped" in one and "--agent right" in one for one in turned.problems)
    assert right.problems == mono.problems == ()
    assert re.fullmatch(
        r"Agent: left channel, \d+ turns. Customer: right channel, \d+ turns. If it is the other way round: --agent right.",
        right.why,
    )
    assert as_text(right).startswith("A recorded call\nRecording x.wav")
    assert review.sides_line([], "only").startswith("One channel: all 0 turns in it are taken as the agent's")


def spoken_by(voice: str, count: int = 5) -> list[Observation]:
    """What a review measures in lines of one of the customers' voices."""
    spoken = prepare.spoken()
    mine = [key for key in sorted(spoken.entries) if spoken.entries[key]["voice"] == voice]
    keys = [key for key in mine if 2.5 < spoken.entries[key]["seconds"] < 6.0]
    lines = [load(spoken.folder / spoken.entries[key]["file"]) for key in keys[:: len(keys) // count][:count]]
    noise = np.random.default_rng(0)
    pause = np.zeros(2 * SAMPLE_RATE_HZ, np.float32)
    sound = np.concatenate([part for line in lines for part in (pause, line)] + [pause])
    side = InMemory(np.asarray(sound + noise.normal(0, 2e-4, len(sound)), np.float32))
    said = review.hear(side, None, name="x", ears=testing.ScriptedEars(["I see, please go on."] * 60))
    return [one.observation for one in said]


@pytest.mark.models
def test_two_people_on_one_channel_are_noticed() -> None:
    """A low voice and a high one in turn; one voice, calm and hot, and two low ones are not taken for that."""
    man, woman, other = map(spoken_by, ("kokoro/am_fenrir", "kokoro/af_bella", "kokoro/bm_george"))

    assert in_turn(man + woman)
    assert not any(map(in_turn, (man, woman, other, man + other, man[:1] + woman[:1])))


@pytest.mark.models
def test_the_wait_is_since_the_customers_last_words(made: CallMade, tmp_path: Path) -> None:
    """Who goes on after the own words has kept nobody waiting for an answer; who begins over the customer cut in."""
    session = scripted(held(made.samples[:, 0]), held(made.samples[:, 1]), tmp_path / "s", *["I see."] * 19)
    seen = [event for event in session.of("measured") if event.data["who"] == "trainee"]
    gaps = {event.data["turn"]: event.data["observation"]["response_gap_s"] for event in seen}
    spoke = {event.data["turn"]: event.data["speech"][0][0] / SAMPLE_RATE_HZ for event in session.of("spoke")}
    starts = [min(spoke, key=lambda turn: abs(spoke[turn] - start)) for start in made.starts]

    assert gaps[starts[0]] == pytest.approx(0.7, abs=0.4)
    assert gaps[starts[1]] < 0


def test_a_gap_after_the_own_words_is_no_answer() -> None:
    from voicecoach.nouns import Turn

    turn = Turn(0, 200_000, ((160_000, 200_000),))
    assert review._gap_s(turn, 80_000, 40_000) == 5.0
    assert review._gap_s(turn, 80_000, 120_000) is None
    assert review._gap_s(turn, None, None) is None
    assert review._gap_s(Turn(0, 200_000, ((160_000, 200_000),), ((160_000, 168_000),)), 0, 0) == -0.5
