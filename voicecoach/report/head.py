"""A session at a glance, from its events alone and without judging: what every list of sessions shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from voicecoach.nouns import RECORDED_TRAINEE, SAMPLE_RATE_HZ, Event
from voicecoach.report.facts import named, text

Kind = Literal["call", "retry", "drill", "review"]

CUT_OFF = "cut off"
"""Outcome of a call whose end is not on record."""


@dataclass(frozen=True)
class Head:
    """What is known of a session at a glance. A text is empty where it is missing or damaged."""

    wall: str
    trainee: str
    persona: str
    """The customer's name."""
    person: str
    level: str
    kind: Kind
    demo: bool
    """The recorded trainee took it, whatever the name."""
    turns: int
    """Of the trainee."""
    minutes: float
    """To the latest event, wherever in the log that stands."""
    outcome: str
    """Never empty: without one, CUT_OFF."""


def head_of(events: Sequence[Event]) -> Head:
    """The head of a session. Never raises, whatever is missing from the events or odd in them."""
    started: Mapping[str, Any] = next((event.data for event in events if event.kind == "started"), {})
    ended: Mapping[str, Any] = next((event.data for event in reversed(events) if event.kind == "ended"), {})
    customer = started.get("persona")
    who = customer if isinstance(customer, Mapping) else {}
    sound = started.get("sound")
    return Head(
        wall=text(started.get("wall")),
        trainee=text(started.get("trainee")),
        persona=named(customer),
        person=text(who.get("person")),
        level=text(who.get("level")),
        kind=_kind(started),
        demo=isinstance(sound, Mapping) and sound.get("port") == RECORDED_TRAINEE,
        turns=sum(event.kind == "spoke" for event in events),
        minutes=max((event.at for event in events), default=0) / SAMPLE_RATE_HZ / 60,
        outcome=text(ended.get("outcome")) or CUT_OFF,
    )


def _kind(started: Mapping[str, Any]) -> Kind:
    """What a session is. A drill comes first: it is repeated as a whole, and no moment of it can be retried."""
    if started.get("drill") is not None:
        return "drill"
    if started.get("retry") is not None:
        return "retry"
    return "review" if started.get("mode") == "review" else "call"
