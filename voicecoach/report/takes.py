"""Takes of one moment side by side: what was said, its marks, what it did to the customer, and how it sounded."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from voicecoach.report import words
from voicecoach.report.markup import traced
from voicecoach.report.text import SIGNS
from voicecoach.report.values import Events, Mark, Report, ReportTurn


@dataclass(frozen=True)
class Take:
    """One take of a moment. Times are seconds in its own session's recording."""

    number: int
    """1 is the turn as it was said first."""
    session: str
    turn: int
    wall: str
    said: ReportTurn
    before: float | None
    after: float | None
    """The customer's anger, 0 to 5, before and after; None where nothing is on record."""
    answer: str
    """What the customer said to it."""
    start_s: float
    end_s: float
    audio: str | None = None
    """The turn's sound as a `data:` URI."""
    events: Events = ()
    """What it was told from, in its own session."""


@dataclass(frozen=True)
class Takes:
    """All takes of a moment, oldest first, and what of them is missing."""

    session: str
    turn: int
    takes: tuple[Take, ...]
    missing: tuple[str, ...] = ()


def take_of(report: Report, number: int, turn: int) -> Take | None:
    """Turn `turn` of a session as take `number`; None where there is no such turn."""
    said = next((one for one in report.turns if one.number == turn), None)
    if said is None:
        return None
    at, step = next(((at, step) for at, step in enumerate(report.anger) if step.turn == turn), (0, None))
    return Take(
        number=number,
        session=report.name,
        turn=turn,
        wall=report.wall,
        said=said,
        before=step.before if step else None,
        after=step.after if step else None,
        answer=_answer(report, at) if step else "",
        start_s=said.start_s,
        end_s=said.end_s,
        events=tuple(sorted({*said.events, *(step.events if step else ())})),
    )


def _answer(report: Report, at: int) -> str:
    """What the customer said when the anger took its step number `at`.

    By the order of the log, not by time: a line has begun before it is sure that it answers a turn, and is written down
    after the reaction that it belongs to and before the next one.
    """
    reacted = [min(step.events, default=-1) for step in report.anger[at:]]
    until = reacted[1] if len(reacted) > 1 else None
    told = (line for line in report.lines if line.events and line.events[0] > reacted[0])
    return next((line.shown for line in told if until is None or line.events[0] < until), "")


def _title(takes: Takes) -> str:
    return f"Turn {takes.turn} of {takes.session}"


def _head(take: Take) -> str:
    """Which take it is, and when: "Take 2, 2026-11-22 10:05"."""
    first = " (the first)" if take.number == 1 else ""
    return f"Take {take.number}{first}, {take.wall.replace('T', ' ')[:16]}".rstrip(", ")


def _anger(take: Take) -> str:
    if take.before is None or take.after is None:
        return "no reaction on record"
    return f"anger {take.before:.1f} to {take.after:.1f} ({words.signed(take.after - take.before)})"


def _manner(take: Take) -> str:
    """How it was said, with the numbers behind it."""
    spoken = take.said.delivery
    if spoken is None:
        return "not judged"
    evidence = f" ({words.evidence(spoken.evidence)})" if spoken.evidence else ""
    return f"said {words.delivery(spoken.loudness, spoken.pace)}{evidence}"


def _kind(take: Take, kind: str) -> list[Mark]:
    return [mark for mark in take.said.marks if mark.kind == kind]


# --- text ----------------------------------------------------------------------------------------------


def as_text(moments: Sequence[Takes], width: int = 80) -> str:
    """The takes in lines of at most `width` columns; empty where there are none."""
    lines: list[str] = []
    for moment in moments:
        lines += ["", f"TAKES OF ONE MOMENT: {_title(moment)}"]
        lines += textwrap.wrap(f"! {' '.join(moment.missing)}", width, initial_indent="  ") if moment.missing else []
        for take in moment.takes:
            lines += ["", f"  {_head(take)}  [{take.session}, {words.clock(take.start_s)}]"]
            rows = [f"“{take.said.text}”", f"~ {_manner(take)}"]
            rows += [
                f"{SIGNS.get(mark.outcome, '?')} {words.code(mark.code)} [{words.outcome(mark.outcome)}]: “{mark.quote}”"
                for mark in (*_kind(take, "move"), *_kind(take, "fault"))
            ]
            rows += [f"Customer: “{take.answer}”" if take.answer else "", _anger(take)]
            for row in filter(None, rows):
                lines += textwrap.wrap(row, width, initial_indent="    ", subsequent_indent="      ")
        lines += ["", *(f"  {row}" for row in _compared(moment))]
    return "\n".join(lines).rstrip("\n") + "\n" if lines else ""


def _compared(moment: Takes) -> list[str]:
    """What the last take shown has that the first one shown has not, and the other way round."""
    if len(moment.takes) < 2:
        return []
    first, last = moment.takes[0], moment.takes[-1]
    had, has = ({m.code: m.kind for m in take.said.marks if m.outcome in ("done", "shown")} for take in (first, last))

    def only(some: Mapping[str, str], others: Mapping[str, str], kind: str) -> str:
        return ", ".join(words.code(code) for code in sorted(some) if some[code] == kind and code not in others)

    rows = (
        ("New in take {}", only(has, had, "move")),
        ("No longer in take {}", only(had, has, "move")),
        ("Faults gone in take {}", only(had, has, "fault")),
        ("New faults in take {}", only(has, had, "fault")),
    )
    found = [f"{heading.format(last.number)}: {marks}" for heading, marks in rows if marks]
    return found or [f"Take {last.number} has the same marks as take {first.number}."]


# --- page ----------------------------------------------------------------------------------------------


def section(moments: Sequence[Takes]) -> str:
    """The takes as a part of a page: one card a take, each with its own sound. Empty where there are none."""
    return "\n".join(map(_moment, moments))


def _moment(moment: Takes) -> str:
    missing = "".join(f'<p class="hint">{escape(what)}</p>' for what in moment.missing)
    compared = "".join(f"<li>{escape(row)}</li>" for row in _compared(moment))
    return f'<h3>{escape(_title(moment))}</h3>{missing}<div class="two">{"".join(map(_card, moment.takes))}</div>' + (
        f"<ul>{compared}</ul>" if compared else ""
    )


def _card(take: Take) -> str:
    head = _head(take)
    sound = (
        f'<audio controls preload="metadata" src="{escape(take.audio)}" aria-label="{escape(head)}, your turn"></audio>'
        if take.audio
        else '<p class="hint">Its recording is not part of this page.</p>'
    )
    marks = "".join(_mark(mark) for mark in (*_kind(take, "move"), *_kind(take, "fault")))
    return (
        f'<div data-session="{escape(take.session)}"{traced(take.events)}><h4>{escape(head)}</h4>'
        f'<blockquote dir="auto">{escape(take.said.text)}</blockquote>{sound}'
        f'<p class="evidence">{escape(_manner(take))}</p>'
        + (f'<ul class="marks">{marks}</ul>' if marks else '<p class="hint">No marks.</p>')
        + (f'<p>Customer: <q dir="auto">{escape(take.answer)}</q></p>' if take.answer else "")
        + f'<p class="source">{escape(_anger(take))}; {escape(take.session)}, {words.clock(take.start_s)}</p></div>'
    )


def _mark(mark: Mark) -> str:
    sure = {"done": "yes", "shown": "no"}.get(mark.outcome, "maybe")
    sign = {"done": "✓", "shown": "!"}.get(mark.outcome, "?")
    return (
        f'<li class="{mark.kind}"><strong>{escape(words.code(mark.code))}</strong> '
        f'<span class="chip {sure}"><span aria-hidden="true">{sign}</span> {escape(words.outcome(mark.outcome))}</span>'
        f'<p><q dir="auto">{escape(mark.quote)}</q></p></li>'
    )
