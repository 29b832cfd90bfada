"""Delivery: thresholds, tolerance, and what is said about them."""

from __future__ import annotations

import pytest

from voicecoach.judge.delivery import judge_delivery
from voicecoach.nouns import F0, Delivery, Observation, Quality, Rate, Relative


def spoken(
    effort: float | None = 0.0,
    sps: float = 4.0,
    wpm: float = 130.0,
    words: int = 20,
    ratio: float | None = 1.0,
    range_st: float = 8.0,
) -> Observation:
    return Observation(
        duration_s=8,
        span_s=7.5,
        speech_s=7,
        f0=F0(120, 100, 160, range_st, 4),
        rate=Rate(wpm=wpm, articulation_sps=sps, words=words, syllables=words + 8),
        relative=None if effort is None else Relative(0, 0, 0, effort_db=effort, rate_ratio=ratio),
    )


@pytest.mark.parametrize(
    ("effort", "before", "verdict"),
    [
        (-3.0, None, "quiet"),
        (2.0, None, "quiet"),
        (2.1, None, "raised"),
        (1.5, "quiet", "quiet"),
        (1.5, "raised", "raised"),
        (1.5, "unsure", "quiet"),
        (1.0, "raised", "quiet"),
        (12.1, None, "shouting"),
        (11.0, None, "raised"),
        (11.0, "shouting", "shouting"),
        (10.0, "shouting", "raised"),
        (None, "raised", "unsure"),
    ],
)
def test_loudness_with_its_tolerance_band(effort: float | None, before: str | None, verdict: str) -> None:
    """Raised above +2 dB and until +1 dB again; shouting above +12 dB and until +10 dB."""
    previous = Delivery(before, "slow") if before else None  # type: ignore[arg-type]
    assert judge_delivery(spoken(effort), previous).loudness == verdict


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ({}, "slow"),
        ({"sps": 4.6, "wpm": 150, "ratio": 1.10}, "slow"),
        ({"sps": 4.7}, "brisk"),
        ({"wpm": 151}, "brisk"),
        ({"ratio": 1.11}, "brisk"),
        ({"sps": 5.3}, "rushed"),
        ({"wpm": 171}, "rushed"),
        ({"sps": 6.0, "words": 7}, "unsure"),
        ({"effort": None, "sps": 5.3}, "rushed"),
        ({"wpm": 90}, "slow"),
    ],
)
def test_pace_thresholds(numbers: dict[str, float], verdict: str) -> None:
    """The worst of syllables a second, words a minute and the ratio to the own calm rate decides."""
    assert judge_delivery(spoken(**numbers)).pace == verdict  # type: ignore[arg-type]


def test_poor_recordings_are_unsure_with_the_reasons() -> None:
    """A signal that carries no verdict gets none, and the reasons are passed on."""
    poor = Observation(1, 1, 1, quality=Quality(ok=False, reasons=("The recording is clipped.",)))
    assert judge_delivery(poor) == Delivery("unsure", "unsure", ("The recording is clipped.",))
    assert judge_delivery(None).pace == "unsure"


def test_evidence_shows_number_and_threshold() -> None:
    """Each verdict's number stands beside its threshold."""
    evidence = " | ".join(judge_delivery(spoken(6.1, sps=4.9)).evidence)
    assert "effort +6.1 dB over your calm voice; raised above +2" in evidence
    assert "4.9 syllables a second; brisk above 4.6" in evidence


def test_advice_is_one_sentence_and_never_about_feelings() -> None:
    """At most one sentence, no feelings ascribed, and no praise for flat or very slow speech."""
    cases = [
        spoken(e, sps, wpm, range_st=range_st)
        for e in (0, 6, 15)
        for sps in (3, 4.8, 6)
        for wpm in (60, 120, 160, 200)
        for range_st in (2, 8)
    ]
    for case in cases:
        advice = judge_delivery(case).advice
        assert advice.count(".") <= 1
        assert not any(word in advice.lower() for word in ("angry", "anger", "upset", "great", "well done", "perfect"))
    assert judge_delivery(spoken()).advice == ""
    assert "pace" in judge_delivery(spoken(wpm=80)).advice


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({"range_st": 3.9}, True),
        ({"range_st": 4.0}, False),
        ({"range_st": 3.9, "words": 7}, False),
        ({"range_st": 3.9, "effort": 5.0}, False),
        ({"range_st": 3.9, "sps": 4.7}, False),
        ({"range_st": 3.9, "wpm": 90}, True),
    ],
)
def test_a_flat_voice_is_asked_to_move(numbers: dict[str, float], told: bool) -> None:
    """Quiet and slow below 4 semitones of range, over at least 8 words, gets one sentence about movement and its number."""
    delivery = judge_delivery(spoken(**numbers))  # type: ignore[arg-type]
    assert ("move" in delivery.advice) == told
    assert ("pitch range 3.9 semitones; flat below 4" in delivery.evidence) == told


@pytest.mark.parametrize(
    ("words", "effort", "verdict"), [(5, 3.3, "unsure"), (5, 4.1, "raised"), (6, 3.3, "raised"), (5, 0.9, "quiet")]
)
def test_a_nod_is_raised_only_where_it_is_clear(words: int, effort: float, verdict: str) -> None:
    """A few words carry one accent: between the usual line and twice its scatter nothing is said."""
    assert judge_delivery(spoken(effort, words=words)).loudness == verdict
