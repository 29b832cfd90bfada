"""From an anger level to the way a line is spoken.

What the bundled voices make of the rows is measured in docs/voices.md; row 0 is the neutral voice. How the hot rows came
about is in docs/customer.md, section 3: hot anger is high, wide, bright, loud and fast. Cold anger is slow, low, hard and
quiet: its rows are our judgement. Both keep calm to shouting within 12 dB, for people with headphones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from voicecoach.nouns import Style

TemperName = Literal["hot", "cold"]
LEVELS = range(6)

_CALM = Style(wpm=165, f0_st=0.0, f0_range=1.0, tilt_db=-2.0, drive_db=0.0, level_db=-26.0, pause_ms=350)

STYLES: Mapping[TemperName, tuple[Style, ...]] = {
    "hot": (
        _CALM,
        Style(wpm=180, f0_st=0.5, f0_range=1.1, tilt_db=0.0, drive_db=1.0, level_db=-24.0, pause_ms=300),  # curt
        Style(wpm=200, f0_st=1.5, f0_range=1.2, tilt_db=2.0, drive_db=2.0, level_db=-22.0, pause_ms=220),  # annoyed
        Style(wpm=215, f0_st=2.5, f0_range=1.35, tilt_db=4.0, drive_db=4.0, level_db=-19.0, pause_ms=150),  # angry
        Style(wpm=235, f0_st=3.5, f0_range=1.5, tilt_db=6.0, drive_db=6.0, level_db=-15.5, pause_ms=80),  # furious
        Style(wpm=245, f0_st=4.0, f0_range=1.5, tilt_db=6.0, drive_db=6.0, level_db=-14.0, pause_ms=50),  # shouting
    ),
    "cold": (
        _CALM,
        Style(wpm=161, f0_st=-0.25, f0_range=1.0, tilt_db=0.0, drive_db=1.0, level_db=-25.0, pause_ms=375),
        Style(wpm=158, f0_st=-0.5, f0_range=1.0, tilt_db=1.5, drive_db=2.0, level_db=-24.5, pause_ms=400),
        Style(wpm=154, f0_st=-0.75, f0_range=1.0, tilt_db=3.0, drive_db=3.0, level_db=-24.0, pause_ms=425),
        Style(wpm=150, f0_st=-1.0, f0_range=1.0, tilt_db=5.0, drive_db=4.0, level_db=-23.0, pause_ms=450),
        Style(wpm=146, f0_st=-1.25, f0_range=1.0, tilt_db=6.0, drive_db=5.0, level_db=-22.0, pause_ms=475),
    ),
}


def style_for(level: int, temper: TemperName) -> Style:
    """The style of an anger level; levels beyond 0 to 5 are taken as the nearest."""
    return STYLES[temper][min(max(level, LEVELS[0]), LEVELS[-1])]


def style_name(level: int, temper: TemperName) -> str:
    """A short name for file names and caches, such as "hot-4"."""
    return f"{temper}-{min(max(level, LEVELS[0]), LEVELS[-1])}"
