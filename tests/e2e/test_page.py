"""A whole call in the browser on a real sound server: the page's own microphone and loudspeaker, and a trainee who listens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import jiwer
import numpy as np
import pytest

from tests.e2e import rig
from tests.e2e.test_call import SCRIPT, found, words
from tests.web import browser as chrome
from voicecoach import prepare, record
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.testing import RecordedTrainee, Reply, Samples
from voicecoach.world.trainee import recorded

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.models,
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(bool(rig.missing()), reason=f"needs {', '.join(rig.missing())}"),
    pytest.mark.skipif(not chrome.CHROMIUM, reason="there is no chromium on this machine"),
]
LIMIT_S = 100
CHOSEN = (2, 5)
"""Two calm replies."""


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> tuple[record.Record, Samples, list[Samples]]:
    """One call through the page: its record, what the loudspeaker played, and what the trainee said."""
    data = tmp_path_factory.mktemp("data")
    spoken = prepare.spoken()
    said = [recorded(SCRIPT, spoken, SCRIPT.turns[index].say, "calm") for index in CHOSEN]
    trainee = RecordedTrainee([Reply(one) for one in said])
    command = [sys.executable, "-m", "voicecoach", "--data", str(data), "serve", "--no-browser"]
    with rig.sound_server() as env:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        try:
            assert server.stdout is not None
            address = re.search(r"http\S+", server.stdout.readline())
            assert address
            with chrome.chromium("--use-fake-ui-for-media-stream", env=env, muted=False) as browser:
                page = browser.new_context().new_page()
                page.goto(address[0])
                page.click(".answer")
                page.click("text=I agree")
                with rig.at_the_microphone(trainee, env) as ear:
                    began = time.monotonic()
                    while not trainee.done and time.monotonic() - began < LIMIT_S:
                        page.wait_for_timeout(200)
                page.click("text=End the call")
                page.click("text=To the debrief")
                page.wait_for_selector("h1:has-text('Your call with Dana')", timeout=30_000)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    (folder,) = record.list_sessions(data / "sessions")
    return record.read(folder), ear.samples, said


def test_every_reply_is_heard_as_it_was_spoken(call: tuple[record.Record, Samples, list[Samples]]) -> None:
    """Through getUserMedia, the worklet, the WebSocket and one resampler: word error rate at most 8 %."""
    session, _, _ = call
    heard = {event.data["turn"]: words(event.data["text"]) for event in session.of("heard")}  # the careful pass counts

    assert len(heard) == len(CHOSEN)
    assert jiwer.wer([words(SCRIPT.turns[index].say) for index in CHOSEN], list(heard.values())) <= 0.08


def test_both_channels_hold_what_was_said_and_what_was_played(
    call: tuple[record.Record, Samples, list[Samples]],
) -> None:
    """The customer's channel is what came out of the loudspeaker, the trainee's what went into the microphone."""
    session, ear, said = call
    both = record.read_audio(session)
    second = next(event for i, event in enumerate(session.of("said")) if i == 1)
    line = both[second.data["start"] : second.data["end"], 1]

    assert found(ear, line) > 0.8
    assert [found(both[:, 0], one) > 0.8 for one in said] == [True, True]


def test_the_record_says_what_the_browser_did_to_the_voice(
    call: tuple[record.Record, Samples, list[Samples]],
) -> None:
    session, _, _ = call
    started = session.first("started")
    assert started is not None
    sound = started.data["sound"]

    assert (sound["port"], sound["gain_control"], sound["noise_suppression"]) == ("browser", False, False)
    assert sound["device_rate_hz"] in (44_100, 48_000)
    assert session.problems == ()
    assert [event.data["what"] for event in session.of("fault")] == []
    waits = [event.data["answer_ms"] for event in session.of("timed")]
    assert float(np.median(waits)) < 10_000
    assert len(record.read_audio(session)) > 15 * SAMPLE_RATE_HZ
