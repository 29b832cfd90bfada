"""The pitch tracker against sounds whose pitch is known, and its fallback, which names itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.measure.observe import HOP, PitchTrack, for_models, pieces_for_models
from voicecoach.world import audiofiles, pitch

DATA = Path(__file__).parent.parent / "data"
pytestmark = pytest.mark.models


def buzz(f0_hz: float, seconds: float = 1.5, level_dbfs: float = -22.0) -> PitchTrack:
    made = testing.voice_like(seconds, f0_hz, level_dbfs)
    return pitch.track(for_models(made.astype(np.float32) / 32768))


def off_st(track: PitchTrack, f0_hz: float) -> float:
    """Distance of the median of the voiced frames, in semitones."""
    voiced = track.f0_hz[track.confidence >= 0.5]

    assert len(voiced) > 0.5 * len(track.f0_hz)
    return abs(12 * float(np.log2(np.median(voiced) / f0_hz)))


@pytest.mark.parametrize("f0_hz", [80, 110, 150, 220, 330, 450])
def test_a_voice_like_buzz_is_measured(f0_hz: float) -> None:
    """From a low man's to a shouting woman's pitch, within 0.3 semitones."""
    assert off_st(buzz(f0_hz), f0_hz) <= 0.3


@pytest.mark.parametrize("f0_hz", [100, 200, 400])
def test_a_tone_is_measured(f0_hz: float) -> None:
    """A bare sine as well."""
    assert off_st(pitch.track(for_models(testing.tone(f0_hz, 1.0).astype(np.float32) / 32768)), f0_hz) <= 0.3


def test_a_quiet_microphone_does_not_matter() -> None:
    """Prepared for the models, -60 dB gives what -20 dB gives."""
    quiet, loud = buzz(150, level_dbfs=-60), buzz(150, level_dbfs=-20)

    assert off_st(quiet, 150) <= 0.3
    assert (quiet.confidence >= 0.5).mean() == pytest.approx((loud.confidence >= 0.5).mean(), abs=0.05)


def test_a_glide_is_followed() -> None:
    """An octave up in two seconds, frame by frame."""
    t = np.arange(32_000) / 16_000
    f0 = 110 * 2 ** (t / 2)
    phase = 2 * np.pi * np.cumsum(f0) / 16_000
    made = sum(np.sin(k * phase) / k**2 for k in range(1, 12))
    track = pitch.track(for_models(np.asarray(made, np.float32)))
    inner = slice(8, len(track.f0_hz) - 8)
    truth = np.interp(np.arange(len(track.f0_hz)) * HOP / 16_000, t, f0)
    off = 12 * np.log2(track.f0_hz[inner] / truth[inner])

    assert np.median(np.abs(off)) < 0.3


WITHOUT_PITCH = (testing.silence(1.0), testing.noise(1.0, -30))
LENGTHS = (0, 1, HOP - 1, HOP, 512, 1023, 1024, 1025, 5000)


def test_what_has_no_pitch_has_none() -> None:
    """Silence and noise have no voiced frames to speak of."""
    for made in WITHOUT_PITCH:
        track = pitch.track(for_models(made.astype(np.float32) / 32768))

        assert (track.confidence >= 0.5).mean() < 0.05
        assert np.isfinite(track.f0_hz).all()


@pytest.mark.parametrize("samples", LENGTHS)
def test_any_length_is_tracked(samples: int) -> None:
    """It takes whatever there is, and gives as many pitches as confidences."""
    track = pitch.track(for_models(testing.voice_like(1.0)[:samples].astype(np.float32) / 32768))

    assert len(track.f0_hz) == len(track.confidence) <= samples // HOP + 1


def test_the_track_names_its_tracker() -> None:
    """swift-f0 where it runs."""
    samples = for_models(testing.voice_like(0.5).astype(np.float32) / 32768)

    assert pitch.track(samples).name == pitch.name()
    assert pitch.name().startswith("swift-f0 ")


def test_the_fallback_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """pYIN, in a single test: every process that comes to it takes ten seconds to compile it.

    What has no pitch has less of it, any length is tracked, a woman's read sentence has the same median within a semitone,
    its name says fallback, and on a machine without swift-f0 it measures the same buzz.
    """
    for made in WITHOUT_PITCH:
        track = pitch.track_pyin(for_models(made.astype(np.float32) / 32768))
        assert (track.confidence >= 0.5).mean() < 0.5
        assert np.isfinite(track.f0_hz).all()
    for samples in LENGTHS:
        track = pitch.track_pyin(for_models(testing.voice_like(1.0)[:samples].astype(np.float32) / 32768))
        assert len(track.f0_hz) == len(track.confidence) <= samples // HOP + 1
    sentence = for_models(audiofiles.read_with_flat(DATA / "LJ001-0002.flac")[0])
    tracks = (pitch.track(sentence), pitch.track_pyin(sentence))
    medians = [float(np.median(track.f0_hz[track.confidence >= 0.5])) for track in tracks]
    assert 150 < medians[0] < 280
    assert abs(12 * np.log2(medians[0] / medians[1])) < 1
    assert "pyin" in tracks[1].name
    assert "fallback" in tracks[1].name

    pitch._tracker.cache_clear()
    monkeypatch.setitem(sys.modules, "swift_f0", None)
    try:
        track = buzz(150)
        assert off_st(track, 150) <= 0.3
        assert "fallback" in track.name == pitch.name()
        assert pitch.track(np.zeros(0, np.float32)).name == pitch.name()
    finally:
        pitch._tracker.cache_clear()


def test_a_tracker_that_cannot_be_loaded_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed but broken (a missing library, a damaged model) is as good as not installed."""
    import swift_f0

    def broken(**_: object) -> None:
        raise RuntimeError("no provider")

    pitch._tracker.cache_clear()
    monkeypatch.setattr(swift_f0, "SwiftF0", broken)
    try:
        assert "fallback" in pitch.name()
    finally:
        pitch._tracker.cache_clear()


@pytest.mark.models
def test_in_pieces_as_at_once() -> None:
    """A recording tracked piece by piece, as long ones are, has the pitch that the tracker gives for the whole."""
    samples = audiofiles.read_with_flat(DATA / "jfk.flac")[0]
    at_once = pitch.track(for_models(samples))
    in_pieces = pitch.track_of(pieces_for_models(samples))
    voiced = at_once.confidence > 0.5

    assert in_pieces.confidence == pytest.approx(at_once.confidence, abs=0.01)
    assert in_pieces.f0_hz[voiced] == pytest.approx(at_once.f0_hz[voiced], rel=0.001)
