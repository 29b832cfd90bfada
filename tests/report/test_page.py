"""The debrief as a page: whole without scripts, closed to the network, and deaf to markup in the record."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from voicecoach.nouns import Event, Procedure
from voicecoach.report import draw, facts
from voicecoach.report.page import as_html
from voicecoach.report.tell import tell
from voicecoach.report.values import Interruption, Report

AUDIO = "data:audio/wav;base64,UklGRg=="


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def plays(self) -> list[dict[str, str | None]]:
        """The buttons that play."""
        return [attrs for attrs in self.all("button") if attrs.get("class") == "play"]

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def shape(self) -> list[tuple[str, list[str]]]:
        """Elements and attribute names alone."""
        return [(tag, list(attrs)) for tag, attrs in self.found]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for found, attrs in self.found if found == tag]


def test_golden(report: Report, waveform: Any, golden: Callable[[str, str], None]) -> None:
    """The page of the made call, byte by byte, with sound and without."""
    golden("call.html", as_html(report, waveform, AUDIO))
    golden("call-silent.html", as_html(report, None, None))


def test_page_is_small(report: Report, waveform: Any) -> None:
    """Without its audio the page stays under 400 KB."""
    assert len(as_html(report, waveform, None).encode()) < 400_000


def test_every_mark_turn_and_line_plays(report: Report) -> None:
    """A button plays each mark, each turn and each line, from its start to its end."""
    buttons = {(a["data-start"], a["data-end"]) for a in Elements(as_html(report, None, AUDIO)).plays()}
    moments = [*report.turns, *report.lines, *(mark for turn in report.turns for mark in turn.marks)]

    for moment in moments:
        assert (f"{moment.start_s:.3f}", f"{moment.end_s:.3f}") in buttons


def test_without_audio_nothing_pretends_to_play(report: Report) -> None:
    """No play buttons, no slider, and a sentence that says why; without drafts to copy, no script either."""
    page = Elements(as_html(report, None, None))
    bare = Elements(as_html(replace(report, action_draft="", referral_draft=""), None, None))

    assert not page.plays()
    assert not page.all("input")
    assert not page.all("audio")
    assert not bare.all("button")
    assert not bare.all("script")
    assert any("nothing can be played" in text for text in page.text)


@pytest.mark.parametrize("audio", [AUDIO, None])
def test_policy_allows_exactly_the_inline_blocks(report: Report, audio: str | None) -> None:
    """Everything is forbidden but the page's own style and script, by hash; nothing is fetched."""
    page = as_html(report, None, audio)
    elements = Elements(page)
    policy = next(a["content"] for a in elements.all("meta") if a.get("http-equiv") == "Content-Security-Policy") or ""

    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks]
        allowed = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
        assert f"{tag}-src {allowed}" in policy
    for _, attrs in elements.found:
        assert not {"style", "onclick", "srcset"} & set(attrs)
        for name in ("src", "href", "action"):
            assert (attrs.get(name) or "#").startswith(("#", "data:"))


def test_page_can_be_used_by_keyboard_and_screen_reader(report: Report, waveform: Any) -> None:
    """Landmarks, one h1, headings without gaps, named drawings, captions, buttons with words, ids once."""
    page = as_html(report, waveform, AUDIO)
    elements = Elements(page)
    ids = [a["id"] for _, a in elements.found if "id" in a]
    levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch("h[1-6]", tag)]

    assert len(ids) == len(set(ids))
    assert all(len(elements.all(tag)) == 1 for tag in ("header", "nav", "main", "footer", "h1"))
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.count("<table") == page.count("<caption>")
    assert all('role="img"' not in part or "<desc" in part for part in page.split('<div class="lane')[1:])
    assert page.count('class="play"') == page.count('<span class="vh">Play </span>')
    for target in re.findall(r'aria-labelledby="([^"]*)"', page):
        assert set(target.split()) <= set(ids)


def test_highlighting_keeps_the_words(report: Report) -> None:
    """The transcript with its marks reads as the words that were heard."""
    page = as_html(report, None, None)
    said = re.findall(r'<p class="said" dir="auto">(.*?)</p>', page)
    plain = ["".join(Elements(part).text) for part in said]

    for turn in report.turns:
        assert turn.text in plain


def with_text(events: Sequence[Event], text: str) -> list[Event]:
    """The same call with `text` in the place of every text in the record."""

    def swap(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: swap(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [swap(item, key) for item in value]
        return text if isinstance(value, str) and key not in KEPT else value

    return [Event(event.kind, event.at, swap(dict(event.data))) for event in events]


KEPT = {"kind", "outcome", "who", "by", "line", "loudness", "pace", "state", "code", "cue"}
"""What decides which elements there are."""


@given(text=st.text(min_size=1, max_size=30).filter(lambda text: text.strip()))
@example(text="</script><script>alert(1)</script>")
@example(text='" onmouseover="alert(1)')
@example(text="--><img src=x onerror=alert(1)>")
@example(text="]]>&lt;b&gt;&#60;b&#62;")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_markup_in_the_record_stays_text(text: str, call: tuple[Event, ...]) -> None:
    """Whatever the names and transcripts contain, the page has the same elements with the same attributes."""
    odd = f"x<i a=\"'>{text}x"
    even = "x" * len(facts.text(odd))  # as long as what is left of the other: offsets of quotes fit both alike
    marked, plain = (
        tell(with_text(call, words), name=words, persona=None, procedure=None, rules=None, problems=(words,))
        for words in (odd, even)
    )

    page = as_html(marked, None, AUDIO)

    assert Elements(page).shape() == Elements(as_html(plain, None, AUDIO)).shape()


def test_markup_is_shown_as_it_was_said(call: tuple[Event, ...]) -> None:
    """Escaped is not removed: the reader sees the very characters."""
    report = tell(with_text(call, "<b>&amp;</b>"), name="x", persona=None, procedure=None, rules=None)

    assert "<b>&amp;</b>" in Elements(as_html(report, None, None)).text


@pytest.mark.parametrize("waveform", [[], [[], []], [[0.5]], [[float("nan"), 7.0, -1.0], [0.2]]])
def test_odd_envelopes_are_drawn(report: Report, waveform: Any) -> None:
    """An envelope that is empty, short or out of range is drawn as far as it goes."""
    page = as_html(report, waveform, None)

    assert "nan" not in re.findall(r'd="([^"]*)"', page)


@pytest.mark.parametrize("duration_s", [0, 0.4, 34.9, 35, 36, 105.2, 600, 7199, 14400, 1e5])
def test_time_axis_ends_on_a_label_and_has_few(duration_s: float) -> None:
    """The axis covers the call and never has more labels than a phone can show."""
    axis = draw.axis(duration_s)

    assert axis.end_s >= duration_s
    assert axis.end_s % axis.tick_s == 0
    assert axis.end_s / axis.tick_s <= draw.MOST_TICKS


BUILD = """
import json, sys
from voicecoach.nouns import Event
from voicecoach.report.tell import tell
from voicecoach.report.text import as_text
from voicecoach.report.page import as_html
events = [Event(**event) for event in json.load(sys.stdin)]
report = tell(events, name="x", persona=None, procedure=None, rules=None)
sys.stdout.buffer.write((as_text(report) + as_html(report, [[0.1, 0.5], [0.2]], "data:,")).encode())
"""


def test_same_bytes_anywhere(call: tuple[Event, ...], tmp_path: Path) -> None:
    """The hash seed, the time zone, the locale and the folder do not show."""
    events = json.dumps([{"kind": e.kind, "at": e.at, "data": dict(e.data)} for e in call])

    def build(seed: str, zone: str, folder: Path) -> bytes:
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        run = [sys.executable, "-c", BUILD]
        return subprocess.run(run, input=events.encode(), env=env, cwd=folder, capture_output=True, check=True).stdout

    first = build("1", "UTC", tmp_path)

    assert first == build("4242", "Pacific/Auckland", Path("/"))
    assert len(first) > 10_000


def test_of_a_customer_who_cuts_in_only_what_was_measured_is_told(report: Report) -> None:
    """How long both spoke is what the turn's overlap says; whether the trainee stopped, and what is not known, is a dash."""
    cuts = tuple(Interruption("customer", at_s, at_s, "x", 0.0, False, events=(3,)) for at_s in (25.4, 50.0))
    page = as_html(replace(report, interruptions=cuts), None, None)

    assert "The customer cut in</td><td>0.5 s</td><td>–</td>" in page
    assert "The customer cut in</td><td>–</td><td>–</td>" in page
    assert "You cut in</td><td>0.8 s</td><td>yes</td>" in as_html(report, None, None)


def test_procedure_table_has_every_step(report: Report, procedure: Procedure) -> None:
    """Each step is there with one of its outcomes."""
    page = as_html(report, None, None)

    for step in procedure.steps:
        assert step.name in page
    assert [step.outcome for step in report.steps] == [
        "done",
        "not heard",
        "done",
        "done",
        "not heard",
        "done",
        "done",
    ]
