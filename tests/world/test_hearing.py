"""Where somebody speaks: live and from a file alike, after the detector's hold, and on a narrow telephone line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicecoach.measure import activity, observe
from voicecoach.measure.activity import FRAME
from voicecoach.measure.observe import Floats
from voicecoach.measure.turns import Frame, TurnState, flush, next_turn
from voicecoach.nouns import SAMPLE_RATE_HZ, Observation
from voicecoach.world import audiofiles, hearing, vad

DATA = Path(__file__).parent.parent / "data"
pytestmark = pytest.mark.models


def sentences(silence_s: float, *, noise: float = 1e-4) -> tuple[Floats, float]:
    """Two read sentences with a known silence between them, after a second of it; and the time of both together."""
    first, second = (trimmed(audiofiles.read_with_flat(DATA / f"LJ001-000{n}.flac")[0]) for n in (8, 2))
    rest = np.zeros(SAMPLE_RATE_HZ, np.float32)
    samples = np.concatenate([rest, first, np.zeros(round(silence_s * SAMPLE_RATE_HZ), np.float32), second, rest, rest])
    samples += (noise * np.random.default_rng(4).normal(size=len(samples))).astype(np.float32)
    return samples.astype(np.float32), (len(first) + len(second)) / SAMPLE_RATE_HZ


def trimmed(samples: Floats) -> Floats:
    """From the first to the last 10 ms within 35 dB of the loudest."""
    power = np.mean(samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-3.5)
    return samples[loud[0] * 160 : (loud[-1] + 1) * 160]


def measured(samples: Floats) -> Observation:
    heard = hearing.listen(samples)
    return observe.observe(samples, heard.speech, heard.track)


@pytest.mark.parametrize("noise", [0.0, 1e-4, 3e-3])
@pytest.mark.parametrize("silence_s", [0.3, 0.5, 0.8])
def test_a_silence_is_as_long_as_it_is(silence_s: float, noise: float) -> None:
    """In digital silence and in noise: one pause, within 60 ms, and the speech within 4 %."""
    samples, speech_s = sentences(silence_s, noise=noise)
    seen = measured(samples)

    assert [pause.end - pause.start for pause in seen.pauses] == [pytest.approx(silence_s, abs=0.06)]
    assert seen.speech_s == pytest.approx(speech_s, rel=0.04)


def test_live_blocks_and_the_file_measure_the_same() -> None:
    """Endpointing on live frames cuts a turn whose numbers are those of the whole file."""
    samples, _ = sentences(0.5)
    detector, state, turn = vad.VoiceActivity(), TurnState(), None
    for at in range(0, len(samples) // FRAME * FRAME, FRAME):
        (probability,) = detector.push(samples[at : at + FRAME])
        state, ended = next_turn(state, Frame(at, float(probability)))
        turn = turn or ended
    turn = turn or flush(state, len(samples))
    assert turn is not None

    live, file = measured(samples[turn.start : turn.end]), measured(samples)

    assert live.span_s == pytest.approx(file.span_s, rel=0.01)
    assert live.speech_s == pytest.approx(file.speech_s, rel=0.01)
    assert len(live.pauses) == len(file.pauses) == 1
    assert live.f0 is not None
    assert file.f0 is not None
    assert 12 * np.log2(live.f0.median_hz / file.f0.median_hz) == pytest.approx(0, abs=0.1)
    change = observe.relate(live, observe.baseline_from([file], "test")).relative
    assert change is not None
    assert change.effort_db == pytest.approx(0, abs=0.2)


def test_a_narrow_telephone_line_is_heard() -> None:
    """Cut sharply at 300 and 3400 Hz, four fifths of the speech and more are found."""
    samples = audiofiles.read_with_flat(DATA / "jfk.flac")[0]
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    narrow = np.fft.irfft(spectrum, len(samples)).astype(np.float32)

    whole, line = (activity.total(hearing.listen(one).speech) for one in (samples, narrow))

    assert line == pytest.approx(whole, rel=0.2)


def test_the_scale_is_raised_only_where_voiced_speech_lies_low() -> None:
    """Probabilities of 0.3 in voiced frames become 0.8; those of 0.1 or 0.9 stay."""
    for usual, becomes in ((0.3, 0.8), (0.1, 0.1), (0.9, 0.9)):
        track = observe.PitchTrack(np.full(100, 120.0), np.ones(100), "made")
        raised = hearing._raised(np.full(50, usual, np.float32), track)

        assert raised == pytest.approx(np.full(50, becomes), abs=1e-6)
