"""The table from anger to voice."""

import pytest

from voicecoach.persona.style import STYLES, style_for, style_name


def test_hot_anger_rises_in_every_measure() -> None:
    """Each hot level is at least as fast, high, wide, bright and loud as the one below, with shorter pauses."""
    for below, above in zip(STYLES["hot"], STYLES["hot"][1:], strict=False):
        assert below.wpm < above.wpm
        assert below.f0_st < above.f0_st
        assert below.f0_range <= above.f0_range
        assert below.tilt_db <= above.tilt_db
        assert below.level_db < above.level_db
        assert below.pause_ms > above.pause_ms


def test_cold_anger_is_slower_and_lower_but_harder() -> None:
    """Each cold level is slower and lower than the one below, yet brighter; and far quieter than hot anger."""
    for below, above in zip(STYLES["cold"], STYLES["cold"][1:], strict=False):
        assert below.wpm > above.wpm
        assert below.f0_st > above.f0_st
        assert below.tilt_db < above.tilt_db
        assert below.level_db < above.level_db


def test_cold_anger_is_quiet() -> None:
    assert all(cold.level_db <= hot.level_db for cold, hot in zip(STYLES["cold"], STYLES["hot"], strict=True))
    assert STYLES["cold"][5].level_db <= STYLES["hot"][2].level_db


@pytest.mark.parametrize("temper", ["hot", "cold"])
def test_span_is_safe_for_headphones(temper: str) -> None:
    """Calm to shouting stays within 12 dB, and both tempers begin at the same calm."""
    levels = [style.level_db for style in STYLES[temper]]
    assert max(levels) - min(levels) <= 12.0
    assert style_for(0, temper) == style_for(0, "hot")


def test_names_and_levels_beyond_the_scale() -> None:
    """Levels beyond the scale are taken as the nearest."""
    assert style_for(9, "hot") is STYLES["hot"][5]
    assert style_for(-1, "cold") is STYLES["cold"][0]
    assert style_name(4, "hot") == "hot-4"
    assert style_name(7, "cold") == "cold-5"
