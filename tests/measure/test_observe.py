"""The numbers of an utterance, on made signals with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.errors import BadInput
from voicecoach.measure import activity, observe
from voicecoach.measure.observe import PitchTrack
from voicecoach.nouns import F0, SAMPLE_RATE_HZ, Heard, Observation, Pause, Word


def as_float(samples: np.ndarray) -> np.ndarray:
    return np.asarray(samples / 32768, np.float32)


def seen(samples: np.ndarray, f0_hz: float = 120.0, **options: object) -> Observation:
    floats = as_float(samples)
    spans = activity.speech_spans(testing.energy_activity(floats), len(floats))
    return observe.observe(floats, spans, testing.flat_pitch(floats, f0_hz), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("level_dbfs", [-40.0, -26.0, -12.0])
def test_the_level_of_a_tone_is_its_rms(level_dbfs: float) -> None:
    """A tone reads its own RMS within 0.2 dB."""
    level = seen(testing.tone(300, 3.0, level_dbfs)).level

    assert level is not None
    assert level.rms_dbfs == pytest.approx(level_dbfs, abs=0.2)


@pytest.mark.parametrize("f_hz", [200, 500, 1500, 3000])
def test_the_centroid_of_a_tone_is_its_frequency(f_hz: float) -> None:
    """All power at one frequency puts the centroid there, within a hundredth of an octave."""
    effort = seen(testing.tone(f_hz, 3.0)).effort

    assert effort is not None
    assert np.log2(effort.centroid_hz) == pytest.approx(np.log2(f_hz), abs=0.01)


def test_pauses_and_times_of_known_speech() -> None:
    """Two stretches with a second between them: span, speech and the pause are found within a frame or two."""
    voice = testing.voice_like(2.0, syllables_per_s=0)
    result = seen(np.concatenate([testing.silence(0.5), voice, testing.silence(1.0), voice, testing.silence(0.5)]))

    assert result.duration_s == 6.0
    assert result.span_s == pytest.approx(5.0, abs=0.1)
    assert result.speech_s == pytest.approx(4.0, abs=0.2)
    assert [(pause.end - pause.start) for pause in result.pauses] == [pytest.approx(1.0, abs=0.1)]


def test_gain_moves_the_level_and_nothing_else() -> None:
    """Twelve decibels of gain change the level by twelve and pitch and effort not at all."""
    quiet, loud = (seen(testing.voice_like(3.0, level_dbfs=level)) for level in (-34.0, -22.0))

    assert quiet.level is not None
    assert loud.level is not None
    assert quiet.effort is not None
    assert loud.effort is not None
    assert loud.level.rms_dbfs - quiet.level.rms_dbfs == pytest.approx(12.0, abs=0.1)
    assert np.log2(loud.effort.centroid_hz / quiet.effort.centroid_hz) == pytest.approx(0.0, abs=0.01)


def test_effort_is_computed_from_pitch_and_spectrum() -> None:
    """Against a calm baseline, a higher and brighter voice shows the effort of the published formula."""
    calm = seen(testing.voice_like(3.0, f0_hz=120))
    strained = seen(testing.voice_like(3.0, f0_hz=160, tilt_db_per_octave=-6.0), f0_hz=160.0)
    baseline = observe.baseline_from([calm], "test")

    related = observe.relate(strained, baseline).relative

    assert related is not None
    assert related.f0_st == pytest.approx(12 * np.log2(160 / 120), abs=0.01)
    assert related.effort_db == pytest.approx(0.952 * related.f0_st + 10.98 * related.centroid_oct)
    assert related.effort_db > 4


def test_the_own_voice_measures_as_no_change() -> None:
    """A baseline against itself is zero everywhere."""
    calm = seen(testing.voice_like(3.0), heard=Heard("one two three four five six seven eight", (), "script"))
    related = observe.relate(calm, observe.baseline_from([calm], "test")).relative

    assert related is not None
    assert (related.f0_st, related.effort_db, related.level_db) == (0, 0, pytest.approx(0))
    assert related.rate_ratio == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (testing.voice_like(0.8), "Only"),
        (np.clip(testing.voice_like(3.0, level_dbfs=-3.0).astype(int) * 4, -32768, 32767).astype(np.int16), "clipped"),
        (testing.silence(3.0), "No speech"),
        (np.zeros(0, np.int16), "No speech"),
        (np.zeros(1, np.int16), "No speech"),
    ],
)
def test_what_carries_no_verdict_says_so(samples: np.ndarray, reason: str) -> None:
    """Too short, clipped, silent or empty audio is flagged with a reason."""
    quality = seen(samples).quality

    assert not quality.ok
    assert any(reason in sentence for sentence in quality.reasons)


def test_a_tone_is_no_voice() -> None:
    """A pitch that does not move is flagged and is no baseline; the melody of a voice is neither."""
    floats = as_float(testing.voice_like(3.0))
    spans = [(0, len(floats))]
    voice = testing.flat_pitch(floats)
    tone = PitchTrack(np.full_like(voice.f0_hz, 120.0), voice.confidence, "tone")

    held, moving = (observe.observe(floats, spans, track) for track in (tone, voice))

    assert held.quality.reasons == ("This sounds like a tone, not like a voice.",)
    assert observe.baseline_from([held], "test") is None
    assert moving.quality.ok


def test_speech_in_noise_is_refused() -> None:
    """Speech under 10 dB above the noise is not judged."""
    voice = np.concatenate([testing.voice_like(2.0, level_dbfs=-30, syllables_per_s=0), testing.silence(1.0)])
    noisy = (voice.astype(int) + testing.noise(3.0, -36.0)).astype(np.int16)
    floats = as_float(noisy)

    result = observe.observe(floats, [(0, 2 * SAMPLE_RATE_HZ)], testing.flat_pitch(floats))

    assert any("above the noise" in reason for reason in result.quality.reasons)


def test_a_dc_offset_changes_nothing() -> None:
    """A constant offset of the microphone is no sound."""
    voice = testing.voice_like(3.0)
    plain, shifted = as_float(voice), as_float(voice) + np.float32(0.1)
    spans = activity.speech_spans(testing.energy_activity(plain), len(plain))
    track = testing.flat_pitch(plain)

    a, b = (observe.observe(samples, spans, track) for samples in (plain, shifted))

    assert a.level is not None
    assert b.level is not None
    assert b.level.rms_dbfs == pytest.approx(a.level.rms_dbfs, abs=0.05)


def test_speech_over_the_customer_is_left_out_of_the_voice() -> None:
    """A loud stretch that overlaps the customer does not raise the level of the rest."""
    calm, loud = testing.voice_like(3.0, level_dbfs=-30), testing.voice_like(1.0, level_dbfs=-12)
    floats = as_float(np.concatenate([loud, calm]))
    spans = [(0, len(floats))]
    overlap = [(0, SAMPLE_RATE_HZ)]

    result = observe.observe(floats, spans, testing.flat_pitch(floats), overlap=overlap)

    assert result.level is not None
    assert result.level.rms_dbfs == pytest.approx(-30, abs=1.0)
    assert result.overlap_s == 1.0


def test_who_listens_in_between_does_not_pause() -> None:
    """Two stretches with five seconds between them, of which the customer speaks four: a pause before, and one after."""
    voice = testing.voice_like(2.0, syllables_per_s=0)
    samples = np.concatenate([voice, testing.silence(5.0), voice])
    customer = [(round(2.5 * SAMPLE_RATE_HZ), round(6.5 * SAMPLE_RATE_HZ))]
    alone = seen(samples, heard=Heard("word " * 10, (), "test"))
    result = seen(samples, heard=Heard("word " * 10, (), "test"), customer=customer)

    assert alone.span_s - result.span_s == pytest.approx(4.0)
    assert [pause.end - pause.start for pause in alone.pauses] == [pytest.approx(5.0, abs=0.1)]
    assert [pause.end - pause.start for pause in result.pauses] == [pytest.approx(0.5, abs=0.1)] * 2
    assert result.rate is not None
    assert result.rate.wpm == pytest.approx(600 / result.span_s)


def test_nan_is_refused_in_a_sentence() -> None:
    """Audio that is not a number never reaches a measurement."""
    with pytest.raises(BadInput, match="not numbers"):
        observe.valid(np.array([0.0, np.nan], np.float32))


def test_a_long_recording_is_framed_in_batches() -> None:
    """More frames than one batch give the same level as the tone has."""
    level = seen(testing.tone(300, 40.0, -20.0)).level

    assert level is not None
    assert level.rms_dbfs == pytest.approx(-20.0, abs=0.1)


def test_an_unvoiced_track_measures_no_pitch() -> None:
    """No voiced frame: pitch and effort are None, with a reason."""
    floats = as_float(testing.noise(3.0, -20))
    n = len(floats) // observe.HOP
    result = observe.observe(floats, [(0, len(floats))], PitchTrack(np.full(n, 100.0), np.zeros(n), "none"))

    assert (result.f0, result.effort) == (None, None)
    assert not result.quality.ok


def test_the_spread_of_levels_of_known_tones() -> None:
    """Two seconds at -20 and two at -32 dB are 12 dB apart; one tone is not apart from itself."""
    both = as_float(np.concatenate([testing.tone(300, 2.0, -20.0), testing.tone(300, 2.0, -32.0)]))

    assert observe.level_spread_db(both, [(0, len(both))]) == pytest.approx(12.0, abs=0.1)
    assert observe.level_spread_db(both, [(0, 3 * SAMPLE_RATE_HZ)]) is None
    assert observe.level_spread_db(both, []) is None


def track_of(semitones: np.ndarray, voiced: np.ndarray | None = None) -> PitchTrack:
    """A pitch track that lies `semitones` above 120 Hz."""
    confidence = np.ones(len(semitones)) if voiced is None else voiced.astype(float)
    return PitchTrack(120 * 2 ** (semitones / 12), confidence, "made")


def pitch_of(track: PitchTrack) -> F0:
    floats = as_float(testing.voice_like(len(track.f0_hz) * observe.HOP / SAMPLE_RATE_HZ))
    f0 = observe.observe(floats, [(0, len(floats))], track).f0
    assert f0 is not None
    return f0


@pytest.mark.parametrize("slope_st_s", [-3.0, 0.0, 2.0])
def test_the_slope_of_a_glide_is_found(slope_st_s: float) -> None:
    """A steady glide with pauses, and with octave errors in a tenth of the frames, has the slope it was made with."""
    rng = np.random.default_rng(7)
    at_s = np.arange(250) * observe.HOP / SAMPLE_RATE_HZ
    semitones = slope_st_s * at_s + 12 * (rng.random(250) < 0.1)
    voiced = rng.random(250) < 0.6

    assert pitch_of(track_of(semitones, voiced)).slope_st_s == pytest.approx(slope_st_s, abs=0.1)


def test_a_word_has_no_slope() -> None:
    """Under a second of voiced speech, the slope is not measured."""
    voiced = np.arange(250) < 61

    assert pitch_of(track_of(np.linspace(0, 4, 250), voiced)).slope_st_s is None


def test_voice_without_words_is_a_possible_filler() -> None:
    """Of four stretches of voice, the one between the words and long enough is named, on the session clock."""
    voiced = np.zeros(250, bool)  # 4 s
    for start_s, end_s in ((0.0, 1.0), (1.4, 1.8), (2.2, 2.4), (2.8, 3.6)):
        voiced[round(start_s / 0.016) : round(end_s / 0.016)] = True
    words = (Word("one", 100.1, 100.9, 1.0), Word("two", 102.9, 103.5, 1.0))
    floats = as_float(testing.voice_like(4.0))

    def unspoken(words: tuple[Word, ...]) -> tuple[Pause, ...]:
        heard = Heard("one two", words, "script")
        track = track_of(np.zeros(250), voiced)
        return observe.observe(floats, [(0, len(floats))], track, heard, offset_s=100.0).unspoken

    (found,) = unspoken(words)
    assert (found.start, found.end) == (pytest.approx(101.4, abs=0.02), pytest.approx(101.8, abs=0.02))
    assert unspoken(()) == ()
