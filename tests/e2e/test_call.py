"""A whole call through a real sound server: real device layer, voice activity and recogniser, a trainee who listens."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time

import jiwer
import numpy as np
import pytest

from tests.e2e import rig
from voicecoach import prepare, record
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import RecordedTrainee, Reply, Samples
from voicecoach.world.trainee import recorded

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.models,
    pytest.mark.timeout(240),
    pytest.mark.skipif(bool(rig.missing()), reason=f"needs {', '.join(rig.missing())}"),
]
LIMIT_S = 150
SCRIPT = prepare.demo_trainee()
CHOSEN = (0, 2, 5)
"""An interruption with a raised voice, then two calm replies."""


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+|\d+", text.lower()))


def replies() -> list[Reply]:
    spoken = prepare.spoken()
    turns = [SCRIPT.turns[index] for index in CHOSEN]
    return [Reply(recorded(SCRIPT, spoken, turn.say, turn.manner), turn.when, turn.gap_s) for turn in turns]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> tuple[record.Record, Samples, str]:
    """One call, held by the command line on a real sound server: its record, what the speaker played, what was printed."""
    data = tmp_path_factory.mktemp("data")
    trainee = RecordedTrainee(replies())
    command = [
        sys.executable,
        "-m",
        "voicecoach",
        "--data",
        str(data),
        "rehearse",
        "--seed",
        "1",
        "--time-limit",
        "2",
        "--echo",
        "headset",
    ]
    with rig.sound_server() as env, rig.at_the_microphone(trainee, env) as ear:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        began = time.monotonic()
        while process.poll() is None and not trainee.done and time.monotonic() - began < LIMIT_S:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    (folder,) = record.list_sessions(data / "sessions")
    return record.read(folder), ear.samples, printed


def found(where: Samples, what: Samples) -> float:
    """The share of half-second pieces of `what` that stand in `where`; a virtual cable may slip between pieces."""
    piece = SAMPLE_RATE_HZ // 2
    pieces = [what[start : start + piece] for start in range(0, len(what) - piece, piece)]
    audible = [one for one in pieces if np.abs(one.astype(int)).max() > 1000]
    return float(np.mean([correlation(where, one) > 0.9 for one in audible]))


def correlation(a: Samples, b: Samples) -> float:
    """The largest normalised correlation of `b` anywhere in `a`."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    size = 1 << int(np.ceil(np.log2(len(x) + len(y))))
    products = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)[: len(x) - len(y) + 1]
    sums = np.cumsum(np.concatenate([[0.0], x**2]))
    energy = np.sqrt((sums[len(y) :] - sums[: -len(y)]) * np.sum(y**2)) + 1e-9
    return float(np.max(products / energy))


def test_every_reply_is_heard_as_it_was_spoken(call: tuple[record.Record, Samples, str]) -> None:
    """The transcript of the trainee's turns matches the script: word error rate at most 8 %."""
    session, _, _ = call
    heard = [words(event.data["text"]) for event in session.of("heard") if "again" in event.data]
    said = [words(SCRIPT.turns[index].say) for index in CHOSEN]

    assert len(heard) == len(said)
    assert jiwer.wer(said, heard) <= 0.08


def test_the_interruption_is_noticed_and_judged(call: tuple[record.Record, Samples, str]) -> None:
    """The first reply speaks over the customer: one event, the line cut short, the fault in the assessment, no other."""
    session, _, _ = call
    interrupted = list(session.of("interrupted"))
    first, *others = session.of("assessed")

    def faults(event: object) -> set[str]:
        return {finding["code"] for finding in event.data["assessment"]["findings"]}  # type: ignore[attr-defined]

    assert [event.data["by"] for event in interrupted] == ["trainee"]
    assert interrupted[0].data["stopped"] is True
    assert "interrupt" in faults(first)
    assert not any("interrupt" in faults(event) for event in others)


def test_the_events_tell_the_call_in_order(call: tuple[record.Record, Samples, str]) -> None:
    """Started first, ended last, each turn spoken, heard, measured, assessed, reacted; positions never go back."""
    session, _, _ = call
    kinds = [event.kind for event in session.events]
    positions = [event.at for event in session.events]

    assert kinds[0] == "started"
    assert kinds[-1] == "ended"
    assert positions == sorted(positions)
    assert session.problems == ()
    for number in (1, 2, 3):
        own = [event.kind for event in session.events if event.data.get("turn") == number and event.kind != "withdrawn"]
        assert own[:5] == ["spoke", "heard", "measured", "assessed", "reacted"]
        assert own.count("heard") == own.count("measured") == 2  # quickly, and with care


def test_both_channels_hold_both_voices(call: tuple[record.Record, Samples, str]) -> None:
    """The trainee's channel holds each reply, the customer's channel what the loudspeaker really played."""
    session, ear, _ = call
    both = record.read_audio(session)
    second = next(event for i, event in enumerate(session.of("said")) if i == 1)
    line = both[second.data["start"] : second.data["end"], 1]

    assert [found(both[:, 0], reply.samples) > 0.8 for reply in replies()] == [True, True, True]
    assert found(ear, line) > 0.8
    assert np.abs(both[:, 0].astype(int)).max() > 1000


def test_the_trainee_is_measured_and_the_customer_too(call: tuple[record.Record, Samples, str]) -> None:
    """Each calm reply has pitch, level and rates; each line of the customer has its own numbers."""
    session, _, _ = call
    own = [event.data["observation"] for event in session.of("measured") if event.data["who"] == "trainee"]
    customer = [event for event in session.of("measured") if event.data["who"] == "customer"]

    assert all(seen["f0"] and seen["level"] and seen["rate"] for seen in own[1:])
    assert all(80 < seen["f0"]["median_hz"] < 200 for seen in own[1:])
    assert len(customer) == len(list(session.of("said")))


def test_answers_come_in_time_and_the_debrief_is_there(call: tuple[record.Record, Samples, str]) -> None:
    """The customer answers within seconds even on a busy machine (benchmarks/loop.py has the figures); Ctrl-C ends in a
    debrief, without a traceback."""
    session, _, printed = call
    waits = [event.data["answer_ms"] for event in session.of("timed")]

    assert len(waits) == len(CHOSEN)
    assert float(np.median(waits)) < 10_000
    assert "From the end of your speech to the customer's first sound: p50" in " ".join(printed.split())
    assert "Traceback" not in printed
    assert (session.folder / "debrief.html").is_file()
    assert (session.folder / "audio.flac").is_file()
    assert json.loads((session.folder / "events.jsonl").read_text().splitlines()[-1])["outcome"] == "stopped"
    assert len(record.read_audio(session)) > 20 * SAMPLE_RATE_HZ
