"""The small pieces that every section of the page is made of. Text from the record is escaped here or by the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from voicecoach.report import words
from voicecoach.report.values import Events

Play = Callable[[float | None, float | None, str], str]
"""(start_s, end_s, what is heard) to a play button, or to nothing where there is no audio."""


def play_button(start_s: float | None, end_s: float | None, what: str) -> str:
    """Plays from `start_s` to `end_s`; nothing where there is no such place."""
    if start_s is None or end_s is None:
        return ""
    start, end = words.clock(start_s), words.clock(end_s)
    return (
        f'<button type="button" class="play" data-start="{start_s:.3f}" data-end="{end_s:.3f}">'
        f'<span class="vh">Play </span><span class="at">{start}</span><span class="vh"> to {end}, {escape(what)}</span></button>'
    )


def time_only(start_s: float | None, _end_s: float | None, _what: str) -> str:
    """The time alone, where there is nothing to play."""
    return "" if start_s is None else f'<span class="time">{words.clock(start_s)}</span>'


def traced(events: Events) -> str:
    """The attribute that says which events of the record an element was told from; places in it, counted from 0."""
    return f' data-events="{" ".join(map(str, events))}"' if events else ""


def chip(outcome: str) -> str:
    """An outcome: a sign and its word, never colour alone."""
    sign = _SIGNS.get(outcome, "?")
    kind = _CHIPS.get(outcome, "maybe")
    return f'<span class="chip {kind}"><span aria-hidden="true">{sign}</span> {escape(words.outcome(outcome))}</span>'


_SIGNS = {"done": "✓", "unsure": "?", "shown": "!", "listen": "?", "not heard": "–", "before": "✓"}
_CHIPS = {"done": "yes", "shown": "no", "not heard": "no"}


def source(reference: str, rule: str = "") -> str:
    """The rule in words and where it comes from, in small type."""
    told = f"Rule: {escape(rule)} " if rule else ""
    return f'<p class="source">{told}Source: {escape(words.source(reference))}</p>'


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    kind: str = "",
    events: Sequence[Events] = (),
) -> str:
    """A table that scrolls by itself where the window is narrow; `events` are those of each row.

    Cells are ready markup; the first heads its row.
    """
    head = "".join(f'<th scope="col">{cell}</th>' for cell in headings)
    listed = list(rows)
    traces = [*map(traced, events), *([""] * (len(listed) - len(events)))]
    body = "\n".join(
        f'<tr{trace}><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>"
        for row, trace in zip(listed, traces, strict=True)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="{kind}">'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def bullets(heading: str, lines: Sequence[str]) -> str:
    """Lines of plain text under a heading; nothing where there are none."""
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return (f"<h3>{heading}</h3>" if heading else "") + f"<ul>{items}</ul>"
