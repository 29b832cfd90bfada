"""A recorded call becomes the same record and the same debrief as a rehearsal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from tests.walk import walk
from voicecoach import cli, prepare, record, review, testing
from voicecoach.errors import BadInput
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world import audiofiles
from voicecoach.world.ears import plain
from voicecoach.world.models import ModelFiles
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
    ears = testing.ScriptedEars(texts)
    said = review.hear(agent, customer, name="x.wav", ears=ears)
    with record.Writer(folder, "", "") as writer:
        review.write(
            said, agent, customer, name="x.wav", which="left", ears=ears,
            ears_files=ModelFiles("script", Path(), "a test", "0" * 64, 0.0), rules=prepare.rules(),
            procedure="", baseline=None, writer=writer, wall="2026-11-21T10:00:00+01:00",
        )  # fmt: skip
    return record.read(folder)


def held(samples: Any) -> review.Held:
    """A channel of int16 samples in memory."""
    return review.Held(np.asarray(samples, np.float32) / 32768)


@pytest.mark.models
def test_voice_without_words_is_left_out(made: CallMade, tmp_path: Path) -> None:
    """A cough is no turn; the record ends all the same, and its report can be told."""
    from voicecoach import debrief

    session = scripted(held(made.samples[: SAMPLE_RATE_HZ * 14, 0]), None, tmp_path / "s")

    assert [event.kind for event in session.events] == ["started", "ended"]
    assert json.loads(record.to_json(debrief.report_on(session)))


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


@pytest.mark.models
def test_from_disk_as_from_memory(made: CallMade, tmp_path: Path) -> None:
    """A spooled file gives the very same events and samples as its channels in memory."""
    soundfile.write(tmp_path / "x.wav", made.samples[: SAMPLE_RATE_HZ * 25], SAMPLE_RATE_HZ)
    texts = ["I see.", "One moment while I check."] * 9
    left, right = audiofiles.read(tmp_path / "x.wav")
    first = scripted(review.Held(left), review.Held(right), tmp_path / "a", *texts)
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
    from voicecoach import debrief

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
