"""The trainee's calm voice: measured once, kept apart per trainee and microphone, private, and never half-written."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.calls import make_call
from voicecoach import calibration, prepare, testing
from voicecoach.commands import calm_voice, common
from voicecoach.errors import BadInput, DiskError
from voicecoach.measure import observe
from voicecoach.measure.observe import Floats
from voicecoach.nouns import Baseline, Moment, Mood, Observation, Reply, TurnContext
from voicecoach.world.trainee import calibration_of

CALM = Baseline(120.0, 600.0, -24.0, 4.2, "USB headset", f0_hz=125.0)


@pytest.fixture(scope="module")
def reading() -> Floats:
    """The bundled trainee's calm sentences."""
    samples = calibration_of(prepare.demo_trainee(), prepare.spoken())
    return np.asarray(samples / 32768, np.float32)


@pytest.mark.models
def test_a_calm_reading_gives_a_baseline(reading: Floats) -> None:
    """Pitch, effort, level and rate of the reading, under the name of the microphone."""
    ears, _ = prepare.ears()
    baseline, seen = calibration.calibrate(reading, "USB headset", ears)

    assert baseline.device == "USB headset"
    assert not baseline.provisional
    assert 70 < baseline.f0_median_hz < 300
    assert -40 < baseline.level_dbfs < -15
    assert baseline.articulation_sps == pytest.approx(4.5, abs=1.5)
    assert seen.speech_s > calibration.MIN_CALIBRATION_S


@pytest.mark.models
def test_without_words_there_is_no_rate_and_the_rest_stands(reading: Floats) -> None:
    """The averages of several recordings do not need the recogniser."""
    half = len(reading) // 2
    both, whole = (
        observe.baseline_from([calibration.measure_file(part, None) for part in parts], "x")
        for parts in ([reading[:half], reading[half:]], [reading])
    )

    assert both is not None
    assert whole is not None
    assert both.articulation_sps is None
    assert both.f0_median_hz == pytest.approx(whole.f0_median_hz, rel=0.06)


@pytest.mark.models
@pytest.mark.parametrize("kind", ["nothing", "silence", "noise", "short", "clipped"])
def test_what_is_no_calm_reading_is_refused(reading: Floats, kind: str) -> None:
    """Each refusal says what was wrong and what to do."""
    made = {
        "nothing": np.zeros(0, np.float32),
        "silence": np.zeros(160_000, np.float32),
        "noise": testing.noise(10, -20).astype(np.float32) / 32768,
        "short": reading[:48_000],
        "clipped": np.clip(reading * 60, -1, 1),
    }[kind]
    with pytest.raises(BadInput, match="This calibration cannot be used") as caught:
        calibration.calibrate(made, "x", None)

    assert "Read the sentences again" in caught.value.do
    assert ("clipped" in caught.value.what) == (kind == "clipped")


def test_what_is_kept_is_loaded(tmp_path: Path) -> None:
    """For this trainee on this microphone and for no other."""
    calibration.save(tmp_path, "Anna", CALM)

    assert calibration.load(tmp_path, "Anna", "USB headset") == CALM
    assert calibration.load(tmp_path, "Anna", "Laptop") is None
    assert calibration.load(tmp_path, "Ben", "USB headset") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("anna b", "anna-b"), ("Anna", "anna"), ("李", "王"), ("Łukasz", "Žukasz"), ("x" * 200, "x" * 201), ("", "-"),
     ("../../etc/x", "etc/x"), ("\ud800", "?")],
)  # fmt: skip
def test_names_that_look_alike_are_kept_apart(tmp_path: Path, one: str, other: str) -> None:
    """A calibration of somebody else would falsify every verdict; and no name is a path."""
    calibration.save(tmp_path / "data", one, CALM)
    calibration.save(tmp_path / "data", other, replace(CALM, f0_median_hz=210.0))

    assert calibration.load(tmp_path / "data", one, CALM.device) == CALM
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "data" / "baselines"}


def test_calibrations_are_private(tmp_path: Path) -> None:
    """P19, also where the data folder is made by the calibration."""
    before = os.umask(0)
    try:
        path = calibration.save(tmp_path / "data", "anna", CALM)
        mask = os.umask(0)
    finally:
        os.umask(before)

    assert mask == 0
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]


@pytest.mark.parametrize(
    "raw",
    ["", "{", "[]", "null", "[" * 100_000, '{"f0_median_hz": 120}', "\xff",
     *(json.dumps({**vars(CALM), **wrong}) for wrong in (
         {"f0_median_hz": 0}, {"f0_median_hz": "high"}, {"centroid_hz": -5}, {"centroid_hz": float("nan")},
         {"level_dbfs": float("inf")}, {"articulation_sps": 0}, {"f0_median_hz": None},
     ))],
    ids=lambda raw: raw[:40],
)  # fmt: skip
def test_a_damaged_calibration_counts_as_none(tmp_path: Path, raw: str) -> None:
    """Torn, empty, of another form, or with numbers that no voice has."""
    path = calibration.save(tmp_path, "anna", CALM)
    path.write_text(raw, encoding="latin-1")

    assert calibration.load(tmp_path, "anna", CALM.device) is None


def test_a_calibration_that_cannot_be_kept_is_a_sentence(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "baselines").write_text("")
    with pytest.raises(DiskError, match=r"could not be kept.*--data"):
        calibration.save(tmp_path, "anna", CALM)


def test_a_calibration_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: a disk that fails while the new one is written leaves the old one."""
    calibration.save(tmp_path, "anna", CALM)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(DiskError, match="No space left"):
            calibration.save(tmp_path, "anna", replace(CALM, f0_median_hz=300.0))

    assert calibration.load(tmp_path, "anna", CALM.device) == CALM


@pytest.mark.models
def test_two_voice_levels_are_no_calibration(reading: Floats) -> None:
    """A reading of which half is much louder says so; a few decibels are natural."""
    half = len(reading) // 2
    gains = np.where(np.arange(len(reading)) < half, 1.0, 0.25).astype(np.float32)

    with pytest.raises(BadInput, match="louder than others"):
        calibration.calibrate(reading * gains, "x", None)

    slightly = np.where(np.arange(len(reading)) < half, 1.0, 0.8).astype(np.float32)
    assert calibration.calibrate(reading * slightly, "x", None)[0].device == "x"


def test_a_retry_is_not_asked_again_and_drops_another_microphones_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was learnt on the headset, and the turns that were to become a calm voice there, say nothing on the laptop."""
    monkeypatch.setattr(common.Options, "data", tmp_path)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: pytest.fail("asked"))
    sound = testing.FileDuplex(testing.PlainRecording(testing.noise(1.0, -60.0), "laptop"))
    moment = Moment(
        Mood(3.0, "VENT"), Reply("Hello?", "opening.1", 3), TurnContext(), own=(Observation(1.0, 1.0, 1.0),)
    )
    calm = Baseline(200.0, 1500.0, -26.0, 4.0, "headset")
    begun = replace(make_call(), baseline=calm, moment=moment)
    there = calm_voice.with_baseline(begun, sound, testing.ScriptedEars([]), ask=False)

    assert there.baseline is None
    assert there.moment is not None
    assert there.moment.own == ()
    assert capsys.readouterr().out == ""
