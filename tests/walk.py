"""Walks over a debrief: from each mark on its page to the events of the record, and from the events to the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from voicecoach import record
from voicecoach.nouns import SAMPLE_RATE_HZ, Event
from voicecoach.report import words

VOID = {"meta", "link", "input", "br", "hr", "img"}
SLACK_S = 0.002
"""Times on the page are in thousandths."""


@dataclass
class Node:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None
    inside: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(one if isinstance(one, str) else one.text for one in self.inside)

    def nearest(self, name: str) -> str:
        """An attribute of it or of what it is in."""
        here: Node | None = self
        while here is not None and name not in here.attributes:
            here = here.parent
        return here.attributes[name] if here else ""

    def all(self, tag: str, kind: str = "") -> list[Node]:
        """Elements inside, by tag and one of their classes."""
        found = []
        for one in self.inside:
            if isinstance(one, Node):
                if one.tag == tag and (not kind or kind in one.attributes.get("class", "").split()):
                    found.append(one)
                found += one.all(tag, kind)
        return found


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Node("", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(node)
        if tag not in VOID:
            self.here = node

    def handle_endtag(self, tag: str) -> None:
        del tag
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.inside.append(data)


def tree(page: str) -> Node:
    """A page as elements."""
    made = _Tree()
    made.feed(page)
    return made.root


@dataclass(frozen=True)
class Seen:
    """A mark as the page shows it."""

    session: str
    events: tuple[int, ...]
    name: str
    quote: str
    span_s: tuple[float, float] | None


def marks_on(page: str, session: str) -> list[Seen]:
    """Every mark of the transcript, of the faults, of the takes."""
    found = []
    root = tree(page)
    items = [item for kind in ("marks", "faults") for ul in root.all("ul", kind) for item in ul.all("li")]
    for item in items:
        buttons = item.all("button", "play")
        span_s = (
            (float(buttons[0].attributes["data-start"]), float(buttons[0].attributes["data-end"])) if buttons else None
        )
        found.append(
            Seen(
                item.nearest("data-session") or session,
                tuple(map(int, item.nearest("data-events").split())),
                item.all("strong")[0].text,
                item.all("q")[0].text,
                span_s,
            )
        )
    return found


def walk(page: str, folder: Path) -> int:
    """Assert that every mark leads to its events and every finding on record to a mark; how many marks there were.

    Of the folder's own session all marks must be there; of its takes, those of the turns that were taken again.
    """
    seen = marks_on(page, folder.name)
    for mark in seen:
        events = record.read(folder.parent / mark.session).events
        _to_its_events(mark, [events[place] for place in mark.events])
    own = record.read(folder).events
    for place, event in enumerate(own):
        for finding in event.data["assessment"]["findings"] if event.kind == "assessed" else ():
            shown = [
                mark
                for mark in seen
                if mark.session == folder.name
                and place in mark.events
                and (mark.name, mark.quote) == (words.code(finding["code"]), finding["quote"])
            ]
            assert shown, (place, finding)
    return len(seen)


def _to_its_events(mark: Seen, events: list[Event]) -> None:
    """Its words were heard in one of its events, its verdict is in another, and what it plays lies in its turn."""
    of = {event.kind: event.data for event in events}
    assert {"spoke", "heard", "assessed"} <= set(of), mark
    assert mark.quote in of["heard"]["text"], mark
    findings: list[dict[str, Any]] = of["assessed"]["assessment"]["findings"]
    mine = [one for one in findings if (words.code(one["code"]), one["quote"]) == (mark.name, mark.quote)]
    assert mine, mark
    if mark.span_s is not None:
        start_s, end_s = (of["spoke"][name] / SAMPLE_RATE_HZ for name in ("start", "end"))
        assert start_s - SLACK_S <= mark.span_s[0] < mark.span_s[1] <= end_s + SLACK_S, mark
        timed = [one for one in mine if one["start_s"] is not None]
        assert not timed or any(abs(one["start_s"] - mark.span_s[0]) <= SLACK_S for one in timed), mark
