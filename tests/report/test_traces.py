"""Each element of the page names the events it was told from: from every number to the record, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from voicecoach.nouns import SAMPLE_RATE_HZ, Event
from voicecoach.report import words
from voicecoach.report.page import as_html
from voicecoach.report.values import Report

VOID = {"meta", "link", "input", "br", "hr", "img"}
UNTOLD = {
    "spoke",
    "heard",
    "measured",
    "assessed",
    "said",
    "reacted",
    "interrupted",
    "note",
    "fault",
    "cue",
    "after_cue",
}
"""Kinds of events that each have to be behind something on the page."""


class Traced(HTMLParser):
    """Every text, drawing and button with the events of the nearest element around it that names some, and its section."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.stack: list[tuple[str, tuple[int, ...] | None, str, str]] = []
        self.texts: list[tuple[str, tuple[int, ...] | None, str, tuple[str, ...]]] = []
        self.plays: list[tuple[float, tuple[int, ...] | None]] = []
        self.rows: list[tuple[tuple[int, ...], list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        _, events, section, _ = self.stack[-1] if self.stack else ("", None, "", "")
        if given.get("data-events"):
            events = tuple(map(int, (given["data-events"] or "").split()))
        if tag == "section":
            section = given.get("id") or ""
        if tag == "tr" and events is not None:
            self.rows.append((events, []))
        if given.get("class") == "play":
            self.plays.append((float(given["data-start"] or 0), events))
        if tag not in VOID:
            self.stack.append((tag, events, section, given.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not data.strip() or not self.stack:
            return
        _, events, section, _ = self.stack[-1]
        self.texts.append((data, events, section, tuple(f"{tag}.{kind}" for tag, _, _, kind in self.stack)))
        if any(tag in ("td", "th") for tag, *_ in self.stack) and self.rows and events == self.rows[-1][0]:
            self.rows[-1][1].append(data)


def told_of_the_page_itself(section: str, path: Sequence[str]) -> bool:
    """Headings, scales, captions, sources, the summaries of the drawings: numbers that no event is behind."""
    return (
        section in ("", "settings")
        or any(re.match(r"(h2|h3|h4|caption|thead|desc|style|script|summary)\.", part) for part in path)
        or any(part.endswith((".source", ".ticks", ".scale", ".hint", "axis")) for part in path)
    )


def test_every_number_names_its_events(call: Sequence[Event], report: Report, waveform: list[list[float]]) -> None:
    """Wherever a digit stands, in words or behind a drawing, the events are there and are of this record."""
    page = Traced(as_html(report, waveform, "data:,"))
    bare = [
        (text, section)
        for text, events, section, path in page.texts
        if re.search(r"\d", text) and events is None and not told_of_the_page_itself(section, path)
    ]

    assert bare == []
    assert all(0 <= place < len(call) for _, events, _, _ in page.texts for place in events or ())
    assert all(events for _, events in page.plays)


def test_every_event_is_behind_something(call: Sequence[Event], report: Report, waveform: list[list[float]]) -> None:
    """And back: nothing that happened is left out of the page."""
    page = Traced(as_html(report, waveform, "data:,"))
    named = {place for _, events, _, _ in page.texts for place in events or ()}
    missing = [(place, event.kind) for place, event in enumerate(call) if event.kind in UNTOLD and place not in named]

    assert missing == []


def test_the_numbers_are_those_of_the_events(call: Sequence[Event], report: Report) -> None:
    """Each row of the measurements shows its own event's pitch, level and rate; each step of anger its reaction's."""
    page = Traced(as_html(report, None, None))
    checked = 0
    for events, cells in page.rows:
        told = [call[place] for place in events]
        for event in told:
            seen = event.data.get("observation") if event.kind == "measured" else None
            if seen and seen["f0"] and cells[0].startswith(("Turn", "Customer")):
                assert f"{seen['f0']['median_hz']:.0f}" in cells
                assert f"{seen['level']['rms_dbfs']:.1f}".replace("-", "−") in cells
                assert f"{seen['rate']['wpm']:.0f}" in cells
                checked += 1
            if event.kind == "reacted" and re.match(r"\d:\d\d", cells[0]):
                assert cells[0] == words.clock(event.at / SAMPLE_RATE_HZ)
                assert cells[1].startswith(f"{event.data['mood']['anger']:.1f}")
                checked += 1
    measured = sum(1 for event in call if event.kind == "measured" and event.data["observation"]["f0"])

    assert checked == measured + sum(1 for event in call if event.kind == "reacted")


def test_a_button_plays_a_moment_of_its_events(call: Sequence[Event], report: Report) -> None:
    """What is played lies inside what its events cover."""
    for start_s, events in Traced(as_html(report, None, "data:,")).plays:
        spans = [
            (call[place].data.get("start", call[place].at), call[place].data.get("end", call[place].at))
            for place in events or ()
        ]
        assert min(start for start, _ in spans) / SAMPLE_RATE_HZ - 0.01 <= start_s
        assert (
            start_s
            <= max(max(end, call[place].at) for (_, end), place in zip(spans, events or (), strict=True))
            / SAMPLE_RATE_HZ
        )
