"""Articulation from the sound alone: made syllables at known rates, and real readings at two tempos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicecoach import testing
from voicecoach.judge.live import CALM_RATIO, CUE_RATIO, MIN_SPEECH_S
from voicecoach.measure import nuclei
from voicecoach.measure.activity import total
from voicecoach.measure.observe import Floats
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline
from voicecoach.world import audiofiles
from voicecoach.world.hearing import listen

DATA = Path(__file__).parents[1] / "data"


def made(syllables_per_s: float, seconds: float = 6.0, level_dbfs: float = -22.0) -> float | None:
    """The rate found in made syllables, times the calibration, so that it is nuclei a second."""
    samples = np.asarray(
        testing.voice_like(seconds, 130.0, level_dbfs, syllables_per_s=syllables_per_s) / 32768, np.float32
    )
    found = nuclei.rate(samples, [(0, len(samples))], testing.flat_pitch(samples).confidence)
    return None if found is None else found * nuclei.COUNTED


@pytest.mark.parametrize("rate", [2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
def test_made_syllables_are_counted(rate: float) -> None:
    """Swells of a buzz are syllables; the ends may cost one."""
    assert made(rate) == pytest.approx(rate, abs=0.25)


@pytest.mark.parametrize("level_dbfs", [-50.0, -10.0])
def test_the_level_of_the_microphone_does_not_count(level_dbfs: float) -> None:
    assert made(5.0, level_dbfs=level_dbfs) == pytest.approx(made(5.0), abs=0.2)


def test_pauses_and_unvoiced_frames_do_not_count() -> None:
    """Time without speech is no time, and what is not voiced is no syllable."""
    samples = np.asarray(testing.voice_like(4.0, syllables_per_s=4.0) / 32768, np.float32)
    confidence = testing.flat_pitch(samples).confidence
    padded = np.concatenate([samples, np.zeros(SAMPLE_RATE_HZ * 4, np.float32)])

    whole = nuclei.rate(samples, [(0, len(samples))], confidence)
    assert nuclei.rate(padded, [(0, len(samples))], confidence) == pytest.approx(whole)
    assert nuclei.count(samples, [(0, len(samples))], np.zeros(len(confidence))) == 0
    assert nuclei.rate(np.zeros(16_000, np.float32), [(0, 16_000)], np.ones(63)) is None
    assert nuclei.rate(np.zeros(0, np.float32), [], np.zeros(0)) is None


def test_a_steady_buzz_and_noise_have_no_rate() -> None:
    """Neither has dips between voiced peaks."""
    buzz = np.asarray(testing.voice_like(5.0, syllables_per_s=0.0) / 32768, np.float32)
    assert nuclei.rate(buzz, [(0, len(buzz))], np.ones(len(buzz) // 256)) is None
    noise = np.asarray(testing.noise(5.0, -20.0) / 32768, np.float32)
    assert nuclei.rate(noise, [(0, len(noise))], np.zeros(len(noise) // 256)) is None


def test_the_calm_voice_is_counted_alike_where_it_was() -> None:
    """The baseline's own count stands before its words; without either there is no ratio."""
    assert nuclei.ratio(5.0, Baseline(120, 500, -30, 4.0, "", nuclei_sps=2.5)) == 2.0
    assert nuclei.ratio(5.0, Baseline(120, 500, -30, 4.0, "")) == 1.25
    assert nuclei.ratio(5.0, Baseline(120, 500, -30, None, "")) is None
    assert nuclei.ratio(None, Baseline(120, 500, -30, 4.0, "")) is None
    assert nuclei.ratio(5.0, None) is None


def faster(samples: Floats, tempo: float) -> Floats:
    """The same voice, `tempo` times as fast at the same pitch: overlapping pieces, each where it fits best (WSOLA)."""
    size, hop, slack = 640, 320, 160
    window = np.hanning(size).astype(np.float32)
    out = np.zeros(round(len(samples) / tempo) + 2 * size, np.float32)
    source = 0
    for at in range(0, round(len(samples) / tempo), hop):
        wanted = round(at * tempo)
        if at:
            follow = samples[source + hop : source + hop + size]  # what would have come next
            low = max(0, wanted - slack)
            area = samples[low : wanted + slack + size]
            if len(area) < size + 1 or len(follow) < size:
                break
            source = low + int(np.argmax(np.correlate(area, follow, "valid")))
        out[at : at + size] += samples[source : source + size] * window
    return out[: round(len(samples) / tempo)]


def heard(samples: Floats) -> float:
    hearing = listen(samples)
    found = nuclei.rate(samples, hearing.speech, hearing.track.confidence)
    assert found is not None
    return found


@pytest.mark.models
@pytest.mark.parametrize("names", [("jfk",), ("LJ001-0002", "LJ001-0008")])
def test_a_faster_reading_counts_more(names: tuple[str, ...]) -> None:
    """Sped up 1.4 times the count rises, less than the tempo does (docs/delivery.md: it compresses)."""
    gap = np.zeros(6400, np.float32)
    read = [audiofiles.read_with_flat(DATA / f"{name}.flac")[0] for name in names]
    samples = np.concatenate([part for one in read for part in (one, gap)])
    assert 1.08 < heard(faster(samples, 1.4)) / heard(samples) < 1.5


@pytest.mark.models
def test_ordinary_speech_calls_for_no_cue() -> None:
    """Every four seconds of a reading stay under the line against the whole of it; sped up, some come over it."""
    samples = audiofiles.read_with_flat(DATA / "jfk.flac")[0]
    calm = heard(samples)

    def windows(voice: Floats) -> list[float]:
        size = 4 * SAMPLE_RATE_HZ
        looks = [voice[at - size : at] for at in range(size, len(voice) + 1, SAMPLE_RATE_HZ // 2)]
        spoken = [look for look in looks if total(listen(look).speech) >= MIN_SPEECH_S * SAMPLE_RATE_HZ]
        return [heard(look) / calm for look in spoken]

    assert max(windows(samples)) < CUE_RATIO - 0.1
    assert max(windows(faster(samples, 1.4))) > CALM_RATIO
