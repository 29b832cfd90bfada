"""Not in kind: known answers for one turn, for a whole call, and for the rank correlation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecoach.judge.in_kind import MIN_PAIRS, Exchange, Heat, changes, entrainment, judge_in_kind, spearman
from voicecoach.nouns import F0, Effort, InKind, Level, Observation, Quality, Rate, Relative


def spoken(effort: float = 0.0, f0: float = 0.0, ratio: float | None = 1.0, words: int = 20) -> Observation:
    """A turn of the trainee by its change from the calm voice."""
    return Observation(
        duration_s=8,
        span_s=7.5,
        speech_s=7,
        rate=Rate(wpm=130, articulation_sps=4, words=words, syllables=words + 8),
        relative=Relative(f0_st=f0, centroid_oct=0, level_db=0, effort_db=effort, rate_ratio=ratio),
    )


def line(f0_hz: float, centroid_hz: float = 1000.0, **other: Quality) -> Observation:
    """A line of the customer by its pitch and its spectrum."""
    f0 = F0(f0_hz, f0_hz * 0.8, f0_hz * 1.2, 7.0, 3.0)
    return Observation(4, 4, 3, f0=f0, level=Level(-20, -60, 0), effort=Effort(centroid_hz, -12), **other)


@pytest.mark.parametrize(
    ("turn", "verdict"),
    [
        (spoken(), "held"),
        (spoken(-5, -3, 0.8), "held"),
        (spoken(1.0, 1.3, 1.10), "held"),
        (spoken(1.1), "drifted"),
        (spoken(f0=1.4), "drifted"),
        (spoken(ratio=1.11), "drifted"),
        (spoken(2.0), "drifted"),
        (spoken(2.1), "matched the anger"),
        (spoken(f0=2.1), "drifted"),
        (spoken(f0=2.1, ratio=1.11), "matched the anger"),
        (spoken(f0=2.0, ratio=1.2), "drifted"),
        (spoken(ratio=1.5, words=7), "held"),
        (spoken(ratio=None), "held"),
    ],
)
def test_verdicts_at_their_thresholds(turn: Observation, verdict: str) -> None:
    """Held within every band, matched beyond the line for raised or for high and fast, drifted between."""
    assert judge_in_kind(turn, Heat(4)).verdict == verdict


@pytest.mark.parametrize(
    ("turn", "heat", "reason"),
    [
        (spoken(9), Heat(2), "nothing to hold against: the customer spoke at 2 of 5, heated from 3"),
        (spoken(9), Heat(None), "how heated the customer was is not on record"),
        (None, Heat(3), "there is no recording of this turn"),
        (Observation(1, 1, 1), Heat(3), "there is no calibration of your calm voice"),
        (Observation(1, 1, 1, quality=Quality(False, ("It is clipped.",))), Heat(3), "It is clipped."),
    ],
)
def test_no_verdict_says_why(turn: Observation | None, heat: Heat, reason: str) -> None:
    """Without heat, signal or calibration there is no verdict, and the reason is given."""
    assert judge_in_kind(turn, heat) == InKind("unsure", (reason,), level=heat.level)


def test_evidence_shows_both_voices() -> None:
    """The trainee's numbers stand beside their thresholds, the customer's beside the calmest line."""
    evidence = judge_in_kind(spoken(1.0, 0.5, 1.05), Heat(4, Relative(3.0, 0.2, 2.0, 5.1, 1.2))).evidence

    assert evidence[0] == "effort +1.0 dB, held up to +1, matched above +2"
    assert "spoke at 4 of 5, +5.1 dB and +3.0 semitones from the calmest line before" in evidence[-1]


@given(st.floats(-30, 30), st.floats(-12, 12), st.floats(0.3, 3), st.floats(0, 20))
def test_more_effort_is_never_a_better_verdict(effort: float, f0: float, ratio: float, more: float) -> None:
    """Speaking up can only lead from held to drifted to matched."""
    order = ("held", "drifted", "matched the anger")
    quiet, loud = (judge_in_kind(spoken(db, f0, ratio), Heat(5)).verdict for db in (effort, effort + more))
    assert order.index(quiet) <= order.index(loud)


def test_customer_is_compared_with_the_calmest_line_before() -> None:
    """An octave over the calmest line is 12 semitones; the first line, and what was not measured, have no change."""
    poor = line(90, quality=Quality(False, ("noise",)))
    first, second, third, fourth, fifth = changes([line(200), line(150), poor, None, line(300)])

    assert first is third is fourth is None
    assert second is not None
    assert fifth is not None
    assert second.f0_st == pytest.approx(12 * math.log2(150 / 200))
    assert fifth.f0_st == pytest.approx(12)


def test_only_our_own_comparison_counts() -> None:
    """What a record claims of the customer's change is not taken over where the calmest line carries no comparison."""
    clipped = replace(line(150), level=Level(-20, -60, 0.5))
    claimed = replace(line(300), relative=Relative(9, 9, 9, 9))

    assert changes([clipped, claimed]) == (None, None)
    assert changes([claimed]) == (None,)


# --- over the call -----------------------------------------------------------------------------------


def exchange(level: int | None, effort: float | None, following: int | None = None) -> Exchange:
    """An exchange judged as the call judges it."""
    turn, heat = None if effort is None else spoken(effort), Heat(level)
    return Exchange(heat, turn, judge_in_kind(turn, heat), following)


def test_a_call_is_counted() -> None:
    """Heated lines 4, 4, 5, 3, 3 met held, matched, quieter, held and nothing measured; after three, a next level is known."""
    call = entrainment(
        [
            exchange(4, 1.0, 3),
            exchange(1, 0.0, 4),
            exchange(4, 9.0, 5),
            exchange(5, 1.5, 5),
            exchange(3, 0.0, 2),
            exchange(3, 0.0),
            exchange(3, None, 1),
        ]
    )

    assert (call.held, call.drifted, call.matched) == (3, 1, 1)
    assert (call.came_down, call.chances) == (2, 3)
    assert call.pairs == 6


def test_correlation_is_of_level_and_effort() -> None:
    """Effort that rises with the anger correlates at 1; four pairs are too few, and their number is still told."""
    rising = [exchange(level, 2.0 * level) for level in range(5)]

    assert entrainment(rising).correlation == pytest.approx(1.0)
    assert (entrainment(rising[:4]).correlation, entrainment(rising[:4]).pairs) == (None, 4)
    assert entrainment([]).pairs == 0


@pytest.mark.parametrize(
    ("xs", "ys", "rho"),
    [
        ([1, 2, 3, 4, 5], [5, 6, 7, 8, 7], 0.8207826816681233),
        ([1, 2, 3, 4, 5], [10, 8, 6, 4, 2], -1.0),
        ([1, 1, 2, 2, 3, 3], [1, 2, 3, 4, 5, 6], 0.9561828874675149),
        ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5], None),
        ([1, 2, 3], [3, 2, 1], -1.0),
        ([], [], None),
    ],
)
def test_spearman_has_the_textbook_values(xs: list[float], ys: list[float], rho: float | None) -> None:
    """Ties share their mean rank; the first and third values are those of scipy.stats.spearmanr."""
    assert spearman(list(zip(xs, ys, strict=True))) == (None if rho is None else pytest.approx(rho))


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-30, 30)), min_size=MIN_PAIRS, max_size=30))
def test_spearman_is_symmetric_and_bounded(pairs: list[tuple[int, float]]) -> None:
    """It lies between -1 and 1, does not mind which voice comes first, and turns its sign with one of them."""
    xs, ys = [float(x) for x, _ in pairs], [y for _, y in pairs]
    rho = spearman(list(zip(xs, ys, strict=True)))
    if rho is None:
        assert len(set(xs)) == 1 or len(set(ys)) == 1
        return
    assert abs(rho) <= 1 + 1e-9
    assert spearman(list(zip(ys, xs, strict=True))) == pytest.approx(rho)
    assert spearman([(-x, y) for x, y in zip(xs, ys, strict=True)]) == pytest.approx(-rho)


def test_a_few_words_match_no_anger_by_a_little() -> None:
    """A nod of three words, 3 dB over the calm voice, neither held nor matched."""
    assert judge_in_kind(spoken(3.3, words=3), Heat(4)).verdict == "unsure"
    assert judge_in_kind(spoken(5.0, words=3), Heat(4)).verdict == "matched the anger"
