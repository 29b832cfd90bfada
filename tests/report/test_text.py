"""The debrief in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from voicecoach.nouns import Event
from voicecoach.report import words
from voicecoach.report.tell import tell
from voicecoach.report.text import as_text
from voicecoach.report.values import Report


def test_golden(report: Report, golden: Callable[[str, str], None]) -> None:
    """The text of the made call, byte by byte."""
    golden("call.txt", as_text(report))


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_fit_the_terminal(report: Report, width: int) -> None:
    """No line is wider than asked for."""
    assert max(len(line) for line in as_text(report, width).splitlines()) <= width


def test_every_mark_is_shown(report: Report) -> None:
    """Each mark stands there with its name, its outcome, its time and its quote."""
    text = " ".join(as_text(report).split())

    for turn in report.turns:
        for mark in turn.marks:
            place = f"[{words.outcome(mark.outcome)}, {words.clock(mark.start_s)}]: “{mark.quote}”"
            assert f"{words.code(mark.code)} {place}" in text


def test_terminal_codes_in_a_record_do_nothing(call: Sequence[Event]) -> None:
    """Control characters of a foreign record never reach the terminal."""
    events = [
        replace(event, data={**event.data, "text": "\x1b[2J\x07Hello\x9b31m\u202e"}) if event.kind == "said" else event
        for event in call
    ]

    text = as_text(tell(events, name="\x1b]0;x", persona=None, procedure=None, rules=None))

    assert all(char.isprintable() or char == "\n" for char in text)
    assert "Hello" in text


def test_every_code_has_plain_words() -> None:
    """All codes of the judge are named in plain English."""
    from voicecoach.judge.cues import FAULTS, MOVES

    assert set(words.MOVES) == set(MOVES)
    assert set(words.FAULTS) == set(FAULTS)


def test_unknown_codes_are_readable() -> None:
    """A code of another version is shown in its own words."""
    assert words.code("new_thing") == "New thing"
    assert words.source("005.1") == "005.1"
    assert words.call_outcome("odd") == "Odd"


@pytest.mark.parametrize(
    ("time_s", "shown"), [(0, "0:00"), (59.99, "0:59"), (61, "1:01"), (3725, "1:02:05"), (-3, "0:00")]
)
def test_clock(time_s: float, shown: str) -> None:
    """Times are cut to the second, so that none is named late."""
    assert words.clock(time_s) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.44, "+0.4"), (-0.6, "−0.6"), (-0.01, "0.0")])
def test_signed(value: float, shown: str) -> None:
    """Changes carry their sign."""
    assert words.signed(value) == shown
