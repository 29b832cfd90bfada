"""Voice activity to spans and pauses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voicecoach.measure import activity
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ


def probabilities(*runs: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(frames, value, np.float32) for value, frames in runs])


def test_a_stretch_is_found_with_its_padding() -> None:
    """Ten voiced frames in silence are one span, padded by 30 ms on both sides."""
    spans = activity.speech_spans(probabilities((0.0, 20), (0.9, 10), (0.0, 20)), 50 * FRAME)

    pad = round(0.03 * SAMPLE_RATE_HZ)
    assert spans == ((20 * FRAME - pad, 30 * FRAME + pad),)


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
