"""The same voice gives the same numbers, whether it comes live in blocks or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicecoach import plumbing, prepare, record, session, testing
from voicecoach.measure.turns import Patience
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world import audiofiles

DATA = Path(__file__).parent / "data"
TEXT = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """The observation of a turn that was spoken live, and `measure` of the trainee's channel as it was recorded."""
    folder = tmp_path_factory.mktemp("call")
    voice = testing.to_int16(audiofiles.read_with_flat(DATA / "jfk.flac")[0])
    persona, persona_text = prepare.choose_persona("dana-printer")
    procedure, procedure_text = prepare.choose_procedure("six-guidelines")
    call = session.Call(
        persona, persona_text, procedure, procedure_text, prepare.rules(), seed=1, patience=Patience("", 3.0, 3.0)
    )
    sound = testing.FileDuplex(testing.RecordedTrainee([testing.Reply(voice)]))
    with record.Writer(folder / "s", persona_text, procedure_text) as writer:
        session.rehearse(call, sound, testing.ScriptedEars([TEXT]), None, testing.BeepVoice(), writer)
    held = record.read(folder / "s")
    live = next(event.data for event in held.of("measured") if event.data["who"] == "trainee")["observation"]
    spoke = held.first("spoke")
    assert spoke is not None
    channel = record.read_audio(held)[:, 0]
    soundfile.write(folder / "whole.wav", channel, SAMPLE_RATE_HZ)
    return live, plumbing.measure(folder / "whole.wav", testing.ScriptedEars([TEXT]), None)


@pytest.mark.models
@pytest.mark.parametrize(
    ("part", "key", "tolerance"),
    [
        ("f0", "median_hz", 3.0),  # a fifth of a semitone, as much as the tracker errs (docs/delivery.md)
        ("f0", "range_st", 0.3),
        ("f0", "voiced_s", 0.15),
        ("level", "rms_dbfs", 0.3),
        ("effort", "centroid_hz", 15.0),
        ("effort", "alpha_db", 0.3),
        ("rate", "articulation_sps", 0.05),
        ("rate", "wpm", 1.5),
        ("rate", "words", 0),
    ],
)
def test_live_and_file_measure_alike(
    measured: tuple[dict[str, Any], dict[str, Any]], part: str, key: str, tolerance: float
) -> None:
    """The whole channel of the call, silence before and after it included, against the turn that was cut out live."""
    live, file = measured
    assert live[part][key] == pytest.approx(file[part][key], abs=tolerance)


@pytest.mark.models
def test_live_and_file_pause_alike(measured: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """The same pauses at the same places of the recording, and the same time of speech.

    A gap at the very line of 0.25 s may fall on either side of it, so only clear pauses are compared.
    """
    live, file = measured
    spots = [
        [(pause["start"], pause["end"]) for pause in one["pauses"] if pause["end"] - pause["start"] > 0.3]
        for one in (live, file)
    ]

    assert np.array(spots[0]) == pytest.approx(np.array(spots[1]), abs=0.07)
    assert live["speech_s"] == pytest.approx(file["speech_s"], abs=0.1)
    assert live["span_s"] == pytest.approx(file["span_s"], abs=0.1)
