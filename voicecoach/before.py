"""Around the call, in a terminal: a pause after a hard call, the worksheet, one slow breath; and notes afterwards.

Each part is short, can be skipped with `s`, and becomes an event of the record, done or skipped. What is typed is text
only: bounded, without control characters.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from voicecoach import record
from voicecoach.errors import BadInput
from voicecoach.nouns import Worksheet
from voicecoach.persona import Persona

Prepared = tuple[str, Mapping[str, Any]]
"""Kind and data of an event that was true before the call."""

MAX_CHARS = 240
"""Of one answer or one note; the rest of a longer line is dropped."""
MAX_PHRASES = 8
MAX_NOTES = 50
BREATH_IN_S, BREATH_OUT_S = 4.0, 6.0
"""One slow breath, the out longer than the in. That one should breathe is 002.1; how long is our judgement."""
RECENT_S = 3600.0
"""After a hard call longer ago than this no pause is needed (our judgement)."""
HARD_ANGER = 4.0
SKIP = frozenset({"s", "skip"})

PARTS = (
    ("can", "You can offer"),
    ("cannot", "You cannot offer"),
    ("problems", "Likely problems"),
    ("win_wins", "Where both sides win"),
)


@dataclass(frozen=True)
class Terminal:
    """What a person sits at; a test gives its own. `ask` returns None where no more can be typed."""

    say: Callable[[str], None]
    ask: Callable[[str], str | None]
    pause: Callable[[float], None]


def prepare(terminal: Terminal, customer: Persona, hard: str = "") -> tuple[Prepared, ...]:
    """All that comes before a call; `hard` says why the previous call was a hard one, if it was."""
    parts = (*_recovery(terminal, hard), _worksheet(terminal, customer), _focus(terminal))
    terminal.say("")
    return parts


def _worksheet(terminal: Terminal, customer: Persona) -> Prepared:
    """Goal, limits, problems and common gains (000.1): the scenario's, and what the trainee adds."""
    terminal.say(f"Before you answer: a worksheet (000.1). {customer.about}")
    sheet = customer.brief
    terminal.say(f"Goal: {sheet.goal}" if sheet.goal else "Goal: none is given.")
    answer = _line(terminal, "  Enter keeps it, or type your own goal (s skips the worksheet): ")
    if answer is None or answer.casefold() in SKIP:
        return "worksheet", {"outcome": "skipped"}
    return filled(sheet, answer, {key: _phrases(terminal, heading, getattr(sheet, key)) for key, heading in PARTS})


def filled(sheet: Worksheet, goal: str, own: Mapping[str, Sequence[str]]) -> Prepared:
    """The scenario's worksheet with the trainee's own goal, if there is one, and own phrases behind the given ones."""
    parts: dict[str, Any] = {"goal": plain(goal) or sheet.goal}
    for key, _ in PARTS:
        typed = [phrase for one in own.get(key, ()) if (phrase := plain(one))]
        parts[key] = (*getattr(sheet, key), *typed[:MAX_PHRASES])
    return "worksheet", {"outcome": "done", **asdict(replace(Worksheet(), **parts))}


def _phrases(terminal: Terminal, heading: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """Shows the scenario's phrases and asks for the trainee's own."""
    terminal.say(f"{heading}:")
    for phrase in given:
        terminal.say(f"  - {phrase}")
    own: list[str] = []
    while len(own) < MAX_PHRASES and (typed := _line(terminal, "  Add one, or Enter: ")):
        own.append(typed)
    return tuple(own)


def _focus(terminal: Terminal) -> Prepared:
    """Posture, notepad, and one slow breath (002.1)."""
    terminal.say("Get focused (002.1): sit or stand up straight, and have your notepad ready (n takes a note).")
    answer = _line(terminal, "  Enter: one slow breath (s skips it): ")
    if answer is None or answer.casefold() in SKIP:
        return "focus", {"outcome": "skipped"}
    terminal.say("  In ...")
    terminal.pause(BREATH_IN_S)
    terminal.say("  ... and slowly out.")
    terminal.pause(BREATH_OUT_S)
    return "focus", {"outcome": "done"}


def _recovery(terminal: Terminal, hard: str) -> tuple[Prepared, ...]:
    """A pause after a hard call (002 slide 34), as long as the trainee wants it."""
    if not hard:
        return ()
    terminal.say(f"Your last call was a hard one: {hard}. Take the time you need (002 slide 34).")
    terminal.say("  One slow breath, a sip of water, shoulders down, and: you know what to do (002 slides 31 and 32).")
    answer = _line(terminal, "  Enter when you are ready (s skips this): ")
    skipped = answer is None or answer.casefold() in SKIP
    return (("recovery", {"outcome": "skipped" if skipped else "done", "after": hard}),)


def notes(terminal: Terminal) -> tuple[str, ...]:
    """Notes for whoever comes after the trainee (001.2), a line each."""
    terminal.say("Notes for the record (001.2), a line each: what was said and agreed. Enter ends them.")
    taken: list[str] = []
    while len(taken) < MAX_NOTES and (note := _line(terminal, "  Note: ")):
        taken.append(note)
    return tuple(taken)


def _line(terminal: Terminal, prompt: str) -> str | None:
    """One typed line as plain text; None where no more can be typed."""
    typed = terminal.ask(prompt)
    return None if typed is None else plain(typed)


def lines(typed: str) -> list[str]:
    """What was typed as short lines without control characters; what is too long for one goes on in the next."""
    shown = "".join(char if char.isprintable() else " " for char in typed)
    return textwrap.wrap(" ".join(shown.split()), MAX_CHARS, break_on_hyphens=False)


def plain(typed: str) -> str:
    """What was typed as one short line without control characters."""
    shown = "".join(char if char.isprintable() else " " for char in typed[: 4 * MAX_CHARS])
    return " ".join(shown.split())[:MAX_CHARS]


def hard_call(sessions: Path, wall: str, trainee: str) -> str:
    """Why this trainee's newest call that is over was a hard one, as a phrase; empty if it was not, or is long over."""
    last = _newest_ended(sessions, wall, trainee)
    ended = last.first("ended") if last else None
    if last is None or ended is None:
        return ""
    outcome = ended.data.get("outcome")
    if outcome == "hung up":
        return "the customer hung up"
    if outcome == "manager":
        return "the customer asked for somebody else"
    angers = [event.data.get("anger") for event in last.of("said")]
    anger = angers[-1] if angers else None
    return "the customer was still irate" if isinstance(anger, int | float) and anger >= HARD_ANGER else ""


def _newest_ended(sessions: Path, wall: str, trainee: str) -> record.Record | None:
    """Among those of the last hour; the names of sessions are in the order of their time."""
    for folder in reversed(record.list_sessions(sessions)):
        try:
            told = record.read_events(folder)
        except BadInput:
            continue
        started = told.first("started")
        if started is None:
            continue
        if not _recent(started.data.get("wall"), wall):
            return None
        if started.data.get("trainee") == trainee and told.first("ended") is not None:
            return told
    return None


def _recent(then: Any, now: str) -> bool:
    try:
        passed = dt.datetime.fromisoformat(now) - dt.datetime.fromisoformat(str(then))
    except (ValueError, TypeError):  # TypeError: one has a zone and the other has none
        return False
    return 0 <= passed.total_seconds() <= RECENT_S
