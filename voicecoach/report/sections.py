"""Sections of the page that stand by themselves: the voice, the faults, what was agreed, the customer's view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from voicecoach.nouns import Cause
from voicecoach.report import words
from voicecoach.report.markup import Play, bullets, chip, source, traced
from voicecoach.report.text import UNKNOWN_CUSTOMER, measurement, not_in_kind, silence
from voicecoach.report.values import Events, Moment, Point, Quote, Report


def events_of(report: Report, turns: Iterable[int | None]) -> Events:
    """What these turns were told from."""
    wanted = set(turns)
    return tuple(sorted({place for turn in report.turns if turn.number in wanted for place in turn.events}))


def events_at(report: Report, moment: Moment | None) -> Events:
    """What is heard at a moment was told from."""
    if moment is None:
        return ()
    there = (entry.events for entry in report.timeline if entry.start_s <= moment.start_s <= entry.end_s)
    return next(there, ())


def everything_said(report: Report) -> Events:
    """What both voices were told from."""
    return tuple(sorted({place for entry in report.timeline for place in entry.events}))


def _listed(heading: str, lines: Sequence[str], events: Events) -> str:
    return f"<div{traced(events)}>{bullets(heading, lines)}</div>" if lines else ""


def advice(point: Point) -> str:
    """How to say it better here, or how to keep what was good."""
    return f'<p class="advice">{escape(point.advice)}</p>' if point.advice else ""


def voice(report: Report) -> str:
    """Staying calm, both voices side by side, and the silences."""
    said = everything_said(report)
    return (
        _listed("Staying calm", report.calm, said)
        + _listed("Not in kind", not_in_kind(report.in_kind), said)
        + _listed("Silence", silence(report.silences), said)
    )


def faults(report: Report, play: Play) -> str:
    """Every fault with its words and what to say instead, those that were clearly shown first."""
    if not report.turns:
        return ""
    marks = [(turn, mark) for turn in report.turns for mark in turn.marks if mark.kind == "fault"]
    if not marks:
        return '<p class="hint">No fault was heard.</p>'
    items = "".join(
        f'<li{traced(turn.events)}><div class="row"><strong>{escape(words.code(mark.code))}</strong> '
        f"{play(mark.start_s, mark.end_s, words.code(mark.code))}</div>"
        f'<p>{chip(mark.outcome)} <q dir="auto">{escape(mark.quote)}</q></p>'
        + (f'<p class="advice">{escape(mark.advice)}</p>' if mark.advice else "")
        + source(mark.source, mark.rule)
        + "</li>"
        for turn, mark in sorted(marks, key=lambda entry: (entry[1].outcome != "shown", entry[1].start_s))
    )
    return f'<ul class="faults">{items}</ul>'


def agreed(report: Report) -> str:
    """The drafts, with a button that copies; without scripts they are text to select."""
    quotes: list[Quote] = [
        quote for action in report.actions for quote in (*action.what, *action.who, *action.when, *action.follow_up)
    ]
    referred = [turn.number for turn in report.turns if any(mark.code == "referral" for mark in turn.marks)]
    drafts = (
        ("agreed action", report.action_draft, events_of(report, (quote.turn for quote in quotes))),
        ("written account", report.referral_draft, tuple(sorted({*everything_said(report), *_notes(report)}))
         if referred else ()),
    )  # fmt: skip
    shown = "".join(
        f'<div class="draft"{traced(events)}><button type="button" class="copy">Copy the {what}</button>'
        f'<pre dir="auto">{escape(draft)}</pre></div>'
        for what, draft, events in drafts
        if draft
    )
    if not shown:
        return ""
    hint = '<p class="hint">Drafts from your own words: blanks were not said. Copy them, or select the text.</p>'
    return hint + shown + '<p class="vh" role="status" id="copied"></p>'


def _notes(report: Report) -> list[int]:
    return [place for note in report.notes for place in note.events]


def customer(report: Report, play: Play) -> str:
    """What the customer felt, in the first person, each at its words; and the degrees of anger. Empty in a drill."""
    if not report.lines or report.rounds:
        return ""
    items = "".join(
        f"<li{traced(one.events)}>"
        f'<div class="row"><strong>{escape(one.say)}</strong> {play(one.start_s, one.end_s, one.say)}</div>'
        + (f'<p><q dir="auto">{escape(one.quote)}</q></p>' if one.quote else "")
        + "</li>"
        for one in report.feelings
    )
    felt = f'<ul class="feelings">{items}</ul>' if items else f'<p class="hint">{UNKNOWN_CUSTOMER}</p>'
    told = tuple(sorted({*everything_said(report), *(place for step in report.anger for place in step.events)}))
    return felt + _listed("Degrees of anger", report.degrees, told)


def slider(end_s: float) -> str:
    """The place in the recording, for the keyboard: it moves with the arrow keys and plays with Enter."""
    return (
        '<div class="lane seek"><div><input type="range" id="seek" min="0" step="1" value="0" '
        f'max="{end_s:g}" aria-label="Place in the recording; Enter plays from there"></div></div>'
    )


MEASURED = {
    "loud": ("effort",),
    "fast": ("words a minute", "syllables"),
    "quiet_and_slow": ("effort", "words a minute"),
}
"""What of a voice's numbers each cause is about; all of them stand beside the turn."""


def evidence(cause: Cause) -> str:
    """The words or the numbers that show a cause."""
    wanted = MEASURED.get(cause.cue)
    if wanted is None:
        return cause.evidence
    parts = [part for part in cause.evidence.split("; ") if any(name in part for name in wanted)]
    return "; ".join(parts) or cause.evidence


def machine_faults(report: Report) -> str:
    """What the machine, not the trainee, did wrong."""
    items = "".join(
        f"<li{traced(fault.events)}>{words.clock(fault.at_s)} "
        f"{escape(' '.join(part for part in (fault.what, fault.do, fault.detail) if part))}</li>"
        for fault in report.faults
    )
    return f"<h3>What the machine did wrong</h3><ul>{items}</ul>" if items else ""


def waiting_times(report: Report) -> str:
    """How fast the machine answered."""
    places = {place for one in report.latencies for place in one.events}
    return _listed("", measurement(report), tuple(sorted(places)))
