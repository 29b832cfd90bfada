"""Voice activity to spans and pauses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecoach.measure import activity
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ


def probabilities(*runs: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(frames, value, np.float32) for value, frames in runs])


def test_a_stretch_is_found() -> None:
    """Ten voiced frames in silence are one span."""
    spans = activity.speech_spans(probabilities((0.0, 20), (0.9, 10), (0.0, 20)), 50 * FRAME)

    assert spans == ((20 * FRAME, 30 * FRAME),)


def seconds(*values: float) -> tuple[int, ...]:
    return tuple(round(value * SAMPLE_RATE_HZ) for value in values)


def refined(spans: tuple[activity.Span, ...], samples: np.ndarray) -> tuple[activity.Span, ...]:
    """Refined by the energy of the samples, which come in pieces of an odd length and, as for the models, without DC."""
    samples = samples - samples.mean() if len(samples) else samples
    pieces = (samples[at : at + 1_003].astype(np.float32) for at in range(0, len(samples), 1_003))
    return activity.refined(spans, activity.powers(pieces), len(samples))


def bursts(*edges: tuple[float, float], of_s: float = 4.0, level: float = 0.1, noise: float = 0.0) -> np.ndarray:
    """Noise of a known level between the edges in seconds, over noise of another level everywhere."""
    rng = np.random.default_rng(3)
    samples = noise * rng.normal(size=round(of_s * SAMPLE_RATE_HZ))
    for start, end in (seconds(*edge) for edge in edges):
        samples[start:end] += level * rng.normal(size=end - start)
    return samples.astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.01])
@pytest.mark.parametrize("gain", [1.0, 0.03])
def test_edges_are_where_the_sound_is(noise: float, gain: float) -> None:
    """A detector that is late by 20 ms and holds on for 80 to 150 ms does not move the edges, in noise or without."""
    samples = bursts((1.0, 2.0), (2.3, 3.0), noise=noise) * np.float32(gain)
    spans = (seconds(1.02, 2.08), seconds(2.32, 3.15))

    found = [edge / SAMPLE_RATE_HZ for span in refined(spans, samples) for edge in span]

    assert found == pytest.approx([1.0, 2.0, 2.3, 3.0], abs=0.025)
    assert len(activity.pauses(refined(spans, samples))) == 1


def test_a_rumbling_room_does_not_shorten_a_silence() -> None:
    """In low rumble single frames of 10 ms stand out of the median; that in the detector's hold is still no speech."""
    rng = np.random.default_rng(8)
    samples = bursts((1.0, 2.0), (2.3, 3.0))
    steps = np.fft.rfft(rng.normal(size=len(samples)))
    rumble = np.fft.irfft(steps / np.sqrt(np.maximum(np.arange(len(steps)), 1)), len(samples))
    samples += (0.003 * rumble / rumble.std()).astype(np.float32)
    spans = (seconds(1.02, 2.15), seconds(2.32, 3.15))

    found = [pause.end - pause.start for pause in activity.pauses(refined(spans, samples))]

    assert found == pytest.approx([0.3], abs=0.04)


def test_an_offset_of_the_microphone_hides_no_edge() -> None:
    """DC is no sound."""
    samples = bursts((1.0, 2.0)) + np.float32(0.3)

    (found,) = refined((seconds(1.0, 2.1),), samples)

    assert found[1] / SAMPLE_RATE_HZ == pytest.approx(2.0, abs=0.025)


def test_a_weak_last_sound_stays() -> None:
    """A fricative 28 dB under the vowel and a release after a closure of 0.1 s belong to the word."""
    fricative = bursts((1.0, 2.0)) + bursts((2.0, 2.15), level=0.004)
    release = bursts((1.0, 2.0)) + bursts((2.1, 2.12), level=0.01)

    ends = [refined((seconds(1.0, 2.22),), samples)[0][1] for samples in (fricative, release)]

    assert [end / SAMPLE_RATE_HZ for end in ends] == pytest.approx([2.15, 2.12], abs=0.025)


def test_where_noise_hides_the_end_the_usual_hold_is_taken_off() -> None:
    """No sound above the noise near the end: 0.08 s less."""
    samples = bursts((1.0, 1.5), noise=0.05)

    ((_, end),) = refined((seconds(1.0, 2.0),), samples)

    assert end / SAMPLE_RATE_HZ == pytest.approx(1.93, abs=0.03)


def test_a_gap_that_is_a_closure_is_closed() -> None:
    """What the detector splits and the sound shows as 0.1 s apart is one stretch."""
    samples = bursts((1.0, 2.0), (2.1, 3.0))

    found = refined((seconds(1.0, 2.0), seconds(2.16, 3.0)), samples)

    assert len(found) == 1


def test_a_short_gap_is_part_of_the_speech_and_a_long_one_is_not() -> None:
    """Gaps under 150 ms do not split; longer ones do."""
    short = activity.speech_spans(probabilities((0.9, 10), (0.0, 4), (0.9, 10), (0.0, 10)), 34 * FRAME)
    long = activity.speech_spans(probabilities((0.9, 10), (0.0, 8), (0.9, 10), (0.0, 10)), 38 * FRAME)

    assert (len(short), len(long)) == (1, 2)


def test_clicks_are_dropped() -> None:
    """Voice under 100 ms is no speech."""
    assert activity.speech_spans(probabilities((0.0, 10), (0.9, 2), (0.0, 10)), 22 * FRAME) == ()


def test_pauses_are_gaps_of_a_quarter_second() -> None:
    """Known spans give known pauses, in seconds with an offset."""
    spans = ((0, 16_000), (19_000, 32_000), (48_000, 64_000))

    found = activity.pauses(spans, offset_s=10.0)

    assert [(pause.start, pause.end) for pause in found] == [(12.0, 13.0)]


@given(st.lists(st.floats(0, 1, width=32), max_size=150), st.integers(0, 2**32 - 1), st.integers(-600, 600))
def test_refined_spans_are_ordered_apart_and_inside(values: list[float], seed: int, extra: int) -> None:
    """Whatever the sound and the probabilities, refined spans do not overlap and stay inside the recording."""
    n = max(len(values) * FRAME + extra, 0)
    samples = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    samples *= np.repeat(np.random.default_rng(seed).random(n // 700 + 1) ** 8, 700)[:n].astype(np.float32)
    spans = [(min(a, n), min(b, n)) for a, b in activity.speech_spans(np.array(values, np.float32), n)]
    spans = [(a, b) for a, b in spans if a < b]
    edges = [edge for span in refined(spans, samples) for edge in span]

    assert edges == sorted(edges)
    assert all(0 <= edge <= n for edge in edges)


@given(st.lists(st.floats(0, 1, width=32), max_size=300))
def test_spans_are_ordered_apart_and_inside(values: list[float]) -> None:
    """Whatever the probabilities, spans do not overlap and stay inside the recording."""
    n = len(values) * FRAME
    spans = activity.speech_spans(np.array(values, np.float32), n)

    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= edge <= n for edge in edges)
    assert all(start < end for start, end in spans)


def test_intersection_of_spans() -> None:
    """Common parts, in order."""
    assert activity.intersect([(0, 10), (20, 30)], [(5, 25)]) == ((5, 10), (20, 25))
