"""The debrief as one self-contained HTML file: it asks nothing of a network and reads whole without scripts.

Text from the record is data and is escaped wherever it stands; it is never in an address, an identifier, a style
or a script. A content policy in the page forbids everything but its own style, script and sound.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib import resources
from itertools import pairwise
from typing import Literal

from voicecoach.nouns import Delivery, InKind
from voicecoach.report import draw, rounds, sections, trainer, words
from voicecoach.report.desk import Desk
from voicecoach.report.markup import Play, play_button, time_only, traced
from voicecoach.report.markup import bullets as _list
from voicecoach.report.markup import chip as _chip
from voicecoach.report.markup import source as _source
from voicecoach.report.markup import table as _table
from voicecoach.report.takes import Takes
from voicecoach.report.takes import section as takes_section
from voicecoach.report.tell import measures
from voicecoach.report.text import (
    answer_times,
    cycle_line,
    ending,
    moment,
    quality,
    subtitle,
    title,
    worksheet_note,
    worksheet_rows,
)
from voicecoach.report.values import (
    AngerStep,
    CustomerLine,
    CycleStep,
    Events,
    Interruption,
    Mark,
    Point,
    Report,
    ReportTurn,
    StepLine,
    StepQuote,
    StepRemark,
)


def as_html(
    report: Report, waveform: Sequence[Sequence[float]] | None, audio: str | None, takes: Sequence[Takes] = ()
) -> str:
    """The page. `waveform` is a peak envelope (0 to 1) of each channel, trainee first, over the report's `duration_s`.

    `audio` is the recording as a `data:` URI; without it there is nothing to play and the page says so.
    """
    play = play_button if audio else time_only
    everything = (
        ("summary", "In short", _summary(report, play)),
        ("trainer", "Assignment and trainer", trainer.as_section(report)),
        ("rounds", "The drill, round by round", rounds.section(report)),
        ("takes", "Takes side by side", takes_section(takes)),
        ("picture", "The call as a picture", _picture(report, waveform, bool(audio))),
        ("voice", "Your voice", sections.voice(report)),
        ("procedure", "The procedure, step by step", _procedure(report, play)),
        ("faults", "Faults", sections.faults(report, play)),
        ("worksheet", "Promised, against the worksheet", _worksheet(report)),
        ("agreed", "What was agreed", sections.agreed(report)),
        ("customer", "The customer's view", sections.customer(report, play)),
        ("transcript", "Transcript", _transcript(report, play)),
        ("notes", "Notes", _notes(report)),
        ("measurements", "Measurements", _measurements(report)),
        ("settings", "Quality and settings", _settings(report)),
    )
    shown = [section for section in everything if section[2]]
    scripted = bool(audio or report.action_draft or report.referral_draft)
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            _head(report, scripted),
            "<body>",
            '<a class="skip" href="#main">Skip to the debrief</a>',
            _header(report, audio),
            _nav(shown),
            '<main id="main">',
            *(_section(*section) for section in shown),
            "</main>",
            f"<footer><p>{_footer(report)}</p></footer>",
            f"<script>{_asset('page.js')}</script>" if scripted else "",
            "</body>",
            "</html>",
            "",
        )
    )


# --- frame -------------------------------------------------------------------------------------------


@cache
def _asset(name: str) -> str:
    return resources.files("voicecoach.report").joinpath(name).read_text(encoding="utf-8")


def _hash(block: str) -> str:
    return base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()


def _head(report: Report, script: bool) -> str:
    style = _asset("page.css")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{_hash(style)}'",
            f"script-src 'sha256-{_hash(_asset('page.js'))}'" if script else "script-src 'none'",
            "media-src data:",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return "\n".join(
        (
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title(report))}: debrief</title>",
            f"<style>{style}</style>",
            "</head>",
        )
    )


def _header(report: Report, audio: str | None) -> str:
    player = (
        f'<audio id="audio" controls preload="auto" src="{escape(audio)}" aria-label="Recording of the whole call"></audio>'
        if audio
        else '<p class="hint">The recording is not part of this page, so nothing can be played from it.</p>'
    )
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in report.problems)
    return "\n".join(
        (
            "<header>",
            '<p class="brand">voicecoach · debrief</p>',
            f"<h1>{escape(title(report))}</h1>",
            f'<p class="facts">{escape(subtitle(report))}</p>',
            f'<p class="outcome">{escape(ending(report))}</p>',
            f'<ul class="problems" aria-label="Problems of the record">{problems}</ul>' if problems else "",
            player,
            "</header>",
        )
    )


def _nav(sections: Iterable[tuple[str, str, str]]) -> str:
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading, _ in sections)
    return f'<nav aria-label="On this page"><ul>{links}</ul></nav>'


def _section(name: str, heading: str, body: str) -> str:
    return f'<section id="{name}" aria-labelledby="{name}-h">\n<h2 id="{name}-h">{heading}</h2>\n{body}\n</section>'


# --- in short ----------------------------------------------------------------------------------------


def _summary(report: Report, play: Play) -> str:
    return (
        '<div class="two">\n'
        + _points("Done well", "well", report.well, "Nothing stood out yet.", play)
        + "\n"
        + _points("To work on", "work", report.work, "Nothing to correct was heard.", play)
        + "\n</div>"
    )


def _points(heading: str, kind: str, points: Sequence[Point], none: str, play: Play) -> str:
    items = "\n".join(_point(point, play) for point in points)
    body = f'<ol class="points">\n{items}\n</ol>' if items else f'<p class="hint">{none}</p>'
    return f'<div class="{kind}"><h3>{heading}</h3>\n{body}</div>'


def _point(point: Point, play: Play) -> str:
    where = "this moment of the call" if point.turn is None else f"your turn {point.turn}"
    button = play(point.start_s, point.end_s, f"{where}: {point.title}")
    listen = "" if point.certain else _chip("listen")
    parts = (
        f'<div class="row"><h4>{escape(point.title)}</h4>{listen}{button}</div>',
        f'<blockquote dir="auto">{escape(point.quote)}</blockquote>' if point.quote else "",
        f'<p class="evidence">{escape(point.evidence)}</p>' if point.evidence else "",
        sections.advice(point),
        _source(point.source, point.rule) if point.source else "",
    )
    return f"<li{traced(point.events)}>{''.join(parts)}</li>"


# --- the call as a picture -----------------------------------------------------------------------------


def _picture(report: Report, waveform: Sequence[Sequence[float]] | None, audio: bool) -> str:
    axis = draw.axis(report.duration_s)
    lanes = [draw.voices(report, waveform, axis)]
    if report.anger:
        lanes.append(draw.anger(report.anger, report.duration_s, axis))
    lanes += [draw.curve(curve, axis) for curve in draw.drawn(report.curves)]
    calm = "The dashed line is your calm voice. " if any(curve.baseline is not None for curve in report.curves) else ""
    hint = f'<span class="live">{_CLICK}</span>' if audio else ""
    long = " long" if axis.end_s > draw.LONG_S else ""
    return "\n".join(
        (
            f'<p class="hint">Filled bars are you, outlined bars the customer. A dotted line in front of your turn is how long the '
            f"customer waited, lines under it are your pauses, a dashed frame is where both spoke, ✕ an interruption. "
            f"{calm}{hint}</p>",
            '<div class="scroll" tabindex="0" role="region" aria-label="Drawings of the call over time">'
            f'<div class="lanes{long}" data-length="{axis.end_s:g}">',
            *lanes,
            draw.time_labels(axis),
            sections.slider(axis.end_s) if audio else "",
            "</div></div>",
            _anger_table(report.anger),
            _interruptions(report),
        )
    )


_CLICK = "Click into the picture to play from there, or move the slider below it and press Enter."


def _anger_table(steps: Sequence[AngerStep]) -> str:
    if not steps:
        return '<p class="hint">There is no simulated customer on record, so no anger is drawn.</p>'
    rows = [(words.clock(step.at_s), _height(step), f"{escape(moment(step))}{_causes(step)}") for step in steps]
    return _table(
        "The customer's anger, 0 calm to 5 shouting, and why it changed",
        ("Time", "Anger", "After, and why"),
        rows,
        "reasons",
        [step.events for step in steps],
    )


def _height(step: AngerStep) -> str:
    if step.why == "opening":
        return f"{step.after:.1f}"
    return f"{step.after:.1f} ({words.signed(step.after - step.before)})"


def _causes(step: AngerStep) -> str:
    items = "".join(
        f"<li>{words.signed(cause.delta)} {escape(cause.why)}"
        + (f' <span class="source" dir="auto">({escape(told)})</span>' if (told := sections.evidence(cause)) else "")
        + "</li>"
        for cause in step.causes
    )
    return f"<ul>{items}</ul>" if items else ""


def _interruptions(report: Report) -> str:
    met = [_met(cut, report.turns) for cut in report.interruptions]
    rows = [
        (
            words.clock(cut.start_s),
            "You cut in" if cut.by == "trainee" else "The customer cut in",
            "–" if both_s is None else f"{both_s:.1f} s",
            stopped,
            f'<span dir="auto">… {escape(" ".join(cut.words.split()[-_LAST_WORDS:]))}</span>' if cut.words else "",
        )
        for cut, (both_s, stopped, _) in zip(report.interruptions, met, strict=True)
    ]
    if not rows:
        return ""
    heads = ("Time", "Who", "Both spoke for", "The other stopped", "The customer had got to")
    told = len(heads) if any(row[-1] for row in rows) else len(heads) - 1
    return _table("Interruptions", heads[:told], [row[:told] for row in rows], events=[events for *_, events in met])


def _met(cut: Interruption, turns: Sequence[ReportTurn]) -> tuple[float | None, str, Events]:
    """(seconds for which both spoke, whether the other stopped, what that is told from); None and a dash where not measured.

    Of a customer who cuts in the record has the moment alone; for how long both spoke is told by the turn.
    """
    if cut.by == "trainee" or cut.end_s > cut.start_s:
        return cut.end_s - cut.start_s, "yes" if cut.stopped else "no", cut.events
    turn = next((turn for turn in turns if turn.start_s <= cut.start_s <= turn.end_s), None)
    after = [end - max(start, cut.start_s) for start, end in turn.overlap if end > cut.start_s] if turn else []
    if turn is None or not after:
        return None, "–", cut.events
    return math.fsum(after), "–", tuple(sorted({*cut.events, *turn.events}))


_LAST_WORDS = 8
"""Of the line that was cut off, as many as show where in the story that was."""


# --- transcript ----------------------------------------------------------------------------------------


def _transcript(report: Report, play: Play) -> str:
    if not report.timeline:
        return '<p class="hint">Nothing that was said is on record.</p>'
    items = "\n".join(
        _line(entry, play) if isinstance(entry, CustomerLine) else _turn(entry, play, report.desk)
        for entry in report.timeline
    )
    return f'<ol class="talk">\n{items}\n</ol>'


def _line(line: CustomerLine, play: Play) -> str:
    mood = words.level(line.level)
    cut = line.end_s < line.planned_end_s
    return (
        f'<li class="customer"{traced(line.events)}><p class="who">Customer{mood and f", {mood}"} '
        f"{play(line.start_s, line.end_s, 'the customer')}</p>"
        f'<p class="said" dir="auto">{escape(line.text)}</p>'
        + (f'<p class="hint">Cut off after {line.end_s - line.start_s:.1f} s.</p>' if cut else "")
        + "</li>"
    )


def _turn(turn: ReportTurn, play: Play, desk: Desk | None) -> str:
    said = (
        f'<p class="said" dir="auto">{_highlighted(turn)}</p>'
        if turn.text
        else '<p class="hint">No words were recognised.</p>'
    )
    marks = "\n".join(_mark(mark, play) for mark in turn.marks)
    cues = "".join(f'<p class="hint">{escape(_sentence(after.told))}</p>' for after in turn.after_cues)
    return (
        f'<li class="you" id="turn-{turn.number}"{traced(turn.events)}><div class="who"><h3>You, turn {turn.number}</h3> '
        f"{play(turn.start_s, turn.end_s, f'your turn {turn.number}')}</div>"
        f"{said}{_delivery(turn.delivery)}{_in_kind(turn.in_kind)}{cues}"
        + (f'<ul class="marks">{marks}</ul>' if marks else "")
        + trainer.beside(desk, turn.number)
        + "</li>"
    )


def _delivery(delivery: Delivery | None) -> str:
    if delivery is None:
        return ""
    said = f"<strong>Said {escape(words.delivery(delivery.loudness, delivery.pace))}</strong>"
    evidence = f" ({escape(words.evidence(delivery.evidence))})" if delivery.evidence else ""
    return f'<p class="delivery">{said}{evidence}. {escape(delivery.advice)}</p>'


def _in_kind(in_kind: InKind | None) -> str:
    kind = words.in_kind(in_kind.verdict, in_kind.level) if in_kind else ""
    if in_kind is None or not kind:
        return ""
    evidence = escape(words.evidence(in_kind.evidence))
    return f'<p class="delivery"><strong>{escape(_sentence(kind).rstrip("."))}</strong> ({evidence}).</p>'


def _sentence(phrase: str) -> str:
    """A phrase with a capital and a full stop."""
    return f"{phrase[:1].upper()}{phrase[1:]}."


def _mark(mark: Mark, play: Play) -> str:
    advice = f'<p class="advice">{escape(mark.advice)}</p>' if mark.advice else ""
    return (
        f'<li class="{mark.kind}"><div class="row"><strong>{escape(words.code(mark.code))}</strong> '
        f"{play(mark.start_s, mark.end_s, words.code(mark.code))}</div>"
        f'<p>{_chip(mark.outcome)} <q dir="auto">{escape(mark.quote)}</q></p>{advice}'
        f"{_source(mark.source, mark.rule)}</li>"
    )


def _highlighted(turn: ReportTurn) -> str:
    """The words of a turn with what carries a mark highlighted; where marks overlap, a fault shows through."""
    edges = sorted({0, len(turn.text), *(mark.start for mark in turn.marks), *(mark.end for mark in turn.marks)})
    parts = []
    for start, end in pairwise(edges):
        kinds = {mark.kind for mark in turn.marks if mark.start <= start and end <= mark.end}
        part = escape(turn.text[start:end])
        kind = "fault" if "fault" in kinds else "move"
        parts.append(f'<mark class="{kind}">{part}</mark>' if kinds else part)
    return "".join(parts)


# --- tables --------------------------------------------------------------------------------------------


def _procedure(report: Report, play: Play) -> str:
    if not report.steps:
        return ""
    rows = [
        (_rule(step), f"{_chip(step.outcome)}{_trainers(report, step)}{_quotes(step, play)}{_remarks(step, play)}")
        for step in report.steps
    ]
    events = [
        (*sections.events_of(report, _turns_of(step)), *sections.events_at(report, step.moment))
        for step in report.steps
    ]
    table = _table(report.procedure, ("Step, and what it asks for", "Heard"), rows, "steps", events)
    return table + _cycles(report, play)


def _trainers(report: Report, step: StepLine) -> str:
    """The trainer's outcome of a step beside the machine's."""
    found = trainer.at_step(report.desk, step.id)
    if found is None:
        return ""
    why = "with the trainer's marks" if found.follows else "your trainer"
    return f' <span class="theirs">{why}: {_chip(found.trainer)}</span>'


def _turns_of(step: StepLine) -> set[int | None]:
    return {*(quote.turn for quote in step.quotes), *(remark.turn for remark in step.remarks)}


def _rule(step: StepLine) -> str:
    return f"<strong>{escape(step.name)}</strong><p>{escape(step.rule)}</p>{_source(step.source)}"


def _quotes(step: StepLine, play: Play) -> str:
    def item(quote: StepQuote) -> str:
        button = play(quote.start_s, quote.end_s, f"{words.code(quote.code)}, your turn {quote.turn}")
        unsure = "" if quote.certain else f" {_chip('unsure')}"
        return f'<li>{button} <q dir="auto">{escape(quote.quote)}</q>{unsure}</li>'

    items = "".join(map(item, step.quotes))
    return f"<ul>{items}</ul>" if items else ""


def _remarks(step: StepLine, play: Play) -> str:
    """Order, waits and what came too early; and of a step that was not heard, what was listened for."""

    def item(remark: StepRemark) -> str:
        button = play(remark.start_s, remark.end_s, remark.say)
        say, quote = escape(remark.say), f'<q dir="auto">{escape(remark.quote)}</q>'
        parts = [say] if not remark.quote else [quote, say] if remark.kind == "wait" else [say, quote]
        return f'<li class="remark">{button} {": ".join(parts)}</li>'

    items = "".join(map(item, step.remarks))
    looked = f'<p class="source">Listened for: {escape(step.looked_for)}.</p>' if step.looked_for else ""
    could = f'<p class="advice" dir="auto">{escape(step.could)}</p>' if step.could else ""
    return (f"<ul>{items}</ul>" if items else "") + could + looked


def _cycles(report: Report, play: Play) -> str:
    """One row for each round, one column for each step that begins again."""
    if not report.cycles:
        return ""

    def cell(step: CycleStep) -> str:
        if step.quote is None:
            return _chip("not heard")
        button = play(step.quote.start_s, step.quote.end_s, f"{step.name}, your turn {step.quote.turn}")
        return f'{_chip("done")} {button} <q dir="auto">{escape(step.quote.quote)}</q>'

    headings = ("Round", *(escape(step.name) for step in report.cycles[0].steps))
    rows = [(escape(cycle_line(cycle)), *map(cell, cycle.steps)) for cycle in report.cycles]
    events = [
        sections.events_of(report, {step.quote.turn for step in cycle.steps if step.quote}) for cycle in report.cycles
    ]
    return _table("Rounds of the procedure", headings, rows, "rounds", events)


def _worksheet(report: Report) -> str:
    line = report.preparation.worksheet
    if line is None:
        return ""
    hint = f'<p class="hint">{escape(worksheet_note(line))}</p>'
    promised = {quote.turn for limit in (*line.can, *line.cannot) for quote in limit.promised}
    events = sections.events_of(report, promised | {quote.turn for quote in line.beyond})
    rows = "".join(_list(escape(heading), entries) for heading, entries in worksheet_rows(line))
    return f"{hint}<div{traced(events)}>{rows}</div>"


def _notes(report: Report) -> str:
    items = "".join(
        f"<li{traced(note.events)}>{words.clock(note.at_s)} {escape(note.text)}</li>" for note in report.notes
    )
    return f"<ul>{items}</ul>" if items else ""


def _footer(report: Report) -> str:
    made = "Made by voicecoach on the trainee's own machine. Every mark is a hint to listen again."
    return escape(f"{made} {answer_times(report)}".strip(), quote=False)


def _measurements(report: Report) -> str:
    if not report.timeline:
        return ""
    return _table(
        "What was measured, utterance by utterance (– is not measured)",
        (
            "Who",
            "Time",
            "Pitch, Hz",
            "Level, dBFS",
            "Effort, dB",
            "Words/min",
            "Syllables/s",
            "Pauses",
            "Wait before, s",
            "Overlap, s",
            "Quality",
        ),
        [_measured(entry) for entry in report.timeline],
        "numbers",
        [entry.events for entry in report.timeline],
    )


def _measured(entry: CustomerLine | ReportTurn) -> tuple[str, ...]:
    observation = entry.observation
    values = measures(observation)
    who = f"Turn {entry.number}" if isinstance(entry, ReportTurn) else "Customer"
    numbers = (
        _number(values.get("f0_hz"), 0),
        _number(values.get("level_dbfs"), 1),
        _number(values.get("effort_db"), 1),
        _number(values.get("wpm"), 0),
        _number(values.get("articulation_sps"), 1),
    )
    time = words.clock(entry.start_s)
    if observation is None:
        return (who, time, *numbers, "–", "–", "–", "not measured")
    pauses = observation.pauses
    longest = max((pause.end - pause.start for pause in pauses), default=0.0)
    return (
        who,
        time,
        *numbers,
        (f"{len(pauses)}, longest {longest:.1f} s" if pauses else "none") + _judged(entry, "pauses"),
        _number(observation.response_gap_s, 1) + _judged(entry, "gap"),
        _number(observation.overlap_s, 1),
        "good" if observation.quality.ok else escape(" ".join(observation.quality.reasons) or "not good enough"),
    )


def _judged(entry: CustomerLine | ReportTurn, what: Literal["gap", "pauses"]) -> str:
    """The verdict on a wait or on the pauses behind their number, where it is not simply good; its evidence as a hint."""
    waiting = entry.waiting if isinstance(entry, ReportTurn) else None
    if waiting is None:
        return ""
    verdict, told = (waiting.gap, waiting.gap_told) if what == "gap" else (waiting.pauses, waiting.pauses_told)
    return f' (<span title="{escape(told)}">{words.WAITING[verdict]}</span>)' if verdict in words.WAITING else ""


def _number(value: float | None, places: int) -> str:
    return "–" if value is None else f"{value:.{places}f}".replace("-", "−")


def _settings(report: Report) -> str:
    rows = [(escape(name), escape(value)) for name, value in report.settings]
    return "\n".join(
        (
            _list("Quality of the measurement", quality(report)),
            sections.machine_faults(report),
            _list("Judged differently today than in the call", report.differences),
            "<details><summary>Models, versions, devices and waiting times</summary>",
            sections.waiting_times(report),
            _table("Settings of this session", ("Setting", "Value"), rows, "settings") if rows else "",
            "</details>",
        )
    )
