"""Voice activity: live as for a whole recording, on speech, silence and noise."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.measure import activity
from voicecoach.measure.activity import FRAME
from voicecoach.measure.observe import Floats, for_models
from voicecoach.world import audiofiles, vad

DATA = Path(__file__).parent.parent / "data"
pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def jfk() -> Floats:
    return for_models(audiofiles.read_with_flat(DATA / "jfk.flac")[0])


@pytest.mark.parametrize("frames", [1, 3, 50])
def test_in_blocks_as_at_once(jfk: Floats, frames: int) -> None:
    """The live detector says what the detector of recordings says, whatever the size of its blocks."""
    piece = jfk[: FRAME * 120]
    detector = vad.VoiceActivity()
    step = FRAME * frames
    live = np.concatenate([detector.push(piece[at : at + step]) for at in range(0, len(piece), step)])

    assert live == pytest.approx(vad.probabilities(piece), abs=1e-4)


def test_two_detectors_do_not_disturb_each_other(jfk: Floats) -> None:
    """Microphone and customer are listened to at the same time."""
    one, other = vad.VoiceActivity(), vad.VoiceActivity()
    mixed = []
    for at in range(0, FRAME * 60, FRAME):
        mixed.append(one.push(jfk[at : at + FRAME]))
        other.push(np.zeros(FRAME, np.float32))

    assert np.concatenate(mixed) == pytest.approx(vad.probabilities(jfk[: FRAME * 60]), abs=1e-4)


def test_a_minute_border_is_not_heard(jfk: Floats) -> None:
    """Long recordings are taken in pieces; the state goes over the border."""
    long = np.tile(jfk, 7)[: FRAME * 2100]
    detector = vad.VoiceActivity()
    whole = detector.push(long)

    assert vad.probabilities(long) == pytest.approx(whole, abs=1e-4)


def test_speech_is_found_where_it_is(jfk: Floats) -> None:
    """Kennedy speaks in four stretches with pauses between them."""
    spans = activity.speech_spans(vad.probabilities(jfk), len(jfk))
    seconds = [(start / 16_000, end / 16_000) for start, end in spans]

    assert seconds[0][0] == pytest.approx(0.3, abs=0.15)
    assert seconds[-1][1] == pytest.approx(10.6, abs=0.4)
    assert 6 < activity.total(spans) / 16_000 < 9.5
    assert any(start > 2.2 and end < 3.6 for (_, start), (end, _) in pairwise(seconds))


@pytest.mark.parametrize("kind", ["silence", "noise", "tone", "hum"])
def test_what_is_no_voice_is_not_taken_for_one(kind: str) -> None:
    """Silence, noise, a beep and mains hum, as loud as they may be."""
    made = {
        "silence": testing.silence(3), "noise": testing.noise(3, -20), "tone": testing.tone(1000, 3, -15),
        "hum": testing.tone(50, 3, -15),
    }[kind]  # fmt: skip
    spans = activity.speech_spans(vad.probabilities(for_models(made.astype(np.float32) / 32768)), len(made))

    assert activity.total(spans) < 0.2 * 16_000


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (FRAME - 1, 1), (FRAME, 1), (FRAME + 1, 2)])
def test_each_begun_frame_has_a_probability(samples: int, frames: int) -> None:
    """Of any length, also none."""
    found = vad.probabilities(np.zeros(samples, np.float32))

    assert found.shape == (frames,)
    assert ((found >= 0) & (found <= 1)).all()


def test_an_empty_block_is_no_frame() -> None:
    """A stream that delivers nothing for once."""
    assert vad.VoiceActivity().push(np.zeros(0, np.float32)).shape == (0,)
