"""The pitch tracker against sounds whose pitch is known, and its fallback, which names itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.measure.observe import HOP, PitchTrack, for_models, pieces_for_models
from voicecoach.world import audiofiles, pitch

DATA = Path(__file__).parent.parent / "data"
pytestmark = pytest.mark.models


@pytest.fixture
def no_swift(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without swift-f0."""
    monkeypatch.setitem(sys.modules, "swift_f0", None)
    pitch._tracker.cache_clear()
    yield
    pitch._tracker.cache_clear()


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


@pytest.mark.parametrize("kind", ["silence", "noise"])
@pytest.mark.parametrize("tracker", [pitch.track, pitch.track_pyin])
def test_what_has_no_pitch_has_none(kind: str, tracker: object) -> None:
    """Silence and noise have no voiced frames to speak of."""
    made = testing.silence(1.0) if kind == "silence" else testing.noise(1.0, -30)
    track = tracker(for_models(made.astype(np.float32) / 32768))  # type: ignore[operator]

    assert (track.confidence >= 0.5).mean() < (0.05 if tracker is pitch.track else 0.5)
    assert np.isfinite(track.f0_hz).all()


@pytest.mark.parametrize("samples", [0, 1, HOP - 1, HOP, 512, 1023, 1024, 1025, 5000])
def test_any_length_is_tracked(samples: int) -> None:
    """Both trackers take whatever there is, and give as many pitches as confidences."""
    made = testing.voice_like(1.0)[:samples].astype(np.float32) / 32768
    for track in (pitch.track(for_models(made)), pitch.track_pyin(for_models(made))):
        assert len(track.f0_hz) == len(track.confidence) <= samples // HOP + 1


def test_the_track_names_its_tracker() -> None:
    """swift-f0 where it runs; the fallback says that it is one, also where swift-f0 is installed."""
    samples = for_models(testing.voice_like(0.5).astype(np.float32) / 32768)

    assert pitch.track(samples).name == pitch.name()
    assert pitch.name().startswith("swift-f0 ")
    assert "pyin" in pitch.track_pyin(samples).name
    assert "fallback" in pitch.track_pyin(samples).name


def test_the_fallback_works_and_says_so(no_swift: None) -> None:
    """Without swift-f0, pYIN measures the same buzz, and every name says fallback."""
    track = buzz(150)

    assert off_st(track, 150) <= 0.3
    assert "fallback" in track.name == pitch.name()
    assert pitch.track(np.zeros(0, np.float32)).name == pitch.name()


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


def test_real_speech_agrees_between_the_trackers() -> None:
    """On a woman's read sentence both find the same median within a semitone."""
    samples = for_models(audiofiles.read_with_flat(DATA / "LJ001-0002.flac")[0])
    tracks = (pitch.track(samples), pitch.track_pyin(samples))
    medians = [float(np.median(track.f0_hz[track.confidence >= 0.5])) for track in tracks]

    assert 150 < medians[0] < 280
    assert abs(12 * np.log2(medians[0] / medians[1])) < 1


@pytest.mark.models
def test_in_pieces_as_at_once() -> None:
    """A recording tracked piece by piece, as long ones are, has the pitch that the tracker gives for the whole."""
    samples = audiofiles.read_with_flat(DATA / "jfk.flac")[0]
    at_once = pitch.track(for_models(samples))
    in_pieces = pitch.track_of(pieces_for_models(samples))
    voiced = at_once.confidence > 0.5

    assert in_pieces.confidence == pytest.approx(at_once.confidence, abs=0.01)
    assert in_pieces.f0_hz[voiced] == pytest.approx(at_once.f0_hz[voiced], rel=0.001)
