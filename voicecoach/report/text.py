"""The debrief for a terminal: plain text without markup, readable in a minute."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from voicecoach.judge.in_kind import HEATED_LEVEL, MIN_PAIRS, RISEN_DB
from voicecoach.judge.silence import LONG_GAP_S, LONG_PAUSE_S, Silence
from voicecoach.nouns import CallInKind
from voicecoach.report import rounds, trainer, words
from voicecoach.report.values import (
    AngerStep,
    CustomerLine,
    CycleLine,
    Limit,
    Point,
    Quote,
    Report,
    ReportTurn,
    StepLine,
    StepRemark,
    WorksheetLine,
)

NARROWEST = 40
"""Columns; a narrower terminal breaks the lines itself."""


def as_text(report: Report, width: int = 80) -> str:
    """The debrief in lines of at most `width` columns; it ends with a newline."""
    sheet = _Sheet(max(width, NARROWEST))
    _head(sheet, report)
    _list(sheet, "THE DRILL, ROUND BY ROUND", rounds.lines(report))
    _points(sheet, "DONE WELL", report.well, "Nothing stood out yet.")
    _points(sheet, "TO WORK ON", report.work, "Nothing to correct was heard.")
    for heading, lines in trainer.sections(report.desk):
        _list(sheet, heading.upper(), lines)
    _list(sheet, "STAYING CALM", report.calm)
    _anger(sheet, report.anger)
    _list(sheet, "DEGREES OF ANGER", report.degrees)
    _list(sheet, "NOT IN KIND", not_in_kind(report.in_kind))
    _list(sheet, "SILENCE", silence(report.silences))
    _transcript(sheet, report)
    _steps(sheet, report)
    _cycles(sheet, report)
    _list(sheet, "FAULTS", faults(report))
    _worksheet(sheet, report)
    for draft in filter(None, (report.action_draft, report.referral_draft)):
        _draft(sheet, draft)
    if report.lines and not report.rounds:
        _list(sheet, "THE CUSTOMER'S VIEW", _feelings(report))
    _notes(sheet, report)
    if answer_times(report):
        sheet.lines.append("")
        sheet.put(answer_times(report), 0)
    return "\n".join(sheet.lines).strip("\n") + "\n"


class _Sheet:
    """Lines of text, wrapped to a width."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []

    def title(self, text: str) -> None:
        """A heading with a blank line before it."""
        self.lines += ["", text]

    def put(self, text: str, indent: int = 2, hang: int = 0, lead: str = "") -> None:
        """A paragraph behind `lead`, which keeps its spaces; lines after its first are indented by `hang` more."""
        first = " " * indent + lead
        self.lines += textwrap.wrap(
            " ".join(text.split()), self.width, initial_indent=first, subsequent_indent=" " * (indent + hang)
        ) or [first.rstrip()]


def _head(sheet: _Sheet, report: Report) -> None:
    sheet.put(f"{title(report)}", 0)
    sheet.put(subtitle(report), 0)
    sheet.lines.append("")
    sheet.put(ending(report), 0)
    for problem in report.problems:
        sheet.put(f"! {problem}", 0, 2)


RECORDING = "Recording"
"""What the origin of a reviewed call begins with."""


def title(report: Report) -> str:
    """Who was called."""
    if report.origin.startswith(RECORDING):
        return "A recorded call"
    return f"Your call with {report.persona}" if report.persona else f"Your call {report.name}".rstrip()


def subtitle(report: Report) -> str:
    """When, how long, by whom and by which procedure."""
    date = report.wall.replace("T", " ")[:16]
    if date and report.origin.startswith(RECORDING):
        date = f"reviewed {date}"
    turns = words.count(len(report.turns), "turn")
    parts = (report.origin, date, words.length(report.duration_s), turns, report.trainee, report.procedure)
    return " · ".join(part for part in parts if part)


def ending(report: Report) -> str:
    """The outcome and why: "Resolved: Dana accepted the solution."."""
    outcome, why = words.call_outcome(report.outcome), report.why.strip()
    return f"{outcome}: {why}" if why else f"{outcome}."


def _points(sheet: _Sheet, heading: str, points: Sequence[Point], none: str) -> None:
    sheet.title(heading)
    if not points:
        sheet.put(none)
    for number, point in enumerate(points, 1):
        listen = "" if point.certain else " (worth a listen)"
        time = f"  [{words.clock(point.start_s)}]" if point.start_s is not None else ""
        sheet.put(f"{number}. {point.title}{listen}{time}", 2, 3)
        if point.quote:
            sheet.put(f"“{point.quote}”", 5)
        for line in (
            point.evidence,
            point.advice and f"Try: {point.advice}" if heading != "DONE WELL" else point.advice,
        ):
            if line:
                sheet.put(line, 5)
        sheet.put(_source(point.source, point.rule), 5)


def _source(source: str, rule: str) -> str:
    """The rule in words and where it comes from."""
    return f"{f'Rule: {rule} ' if rule else ''}Source: {words.source(source)}"


def _anger(sheet: _Sheet, steps: Sequence[AngerStep]) -> None:
    if not steps:
        return
    sheet.title("ANGER, 0 CALM TO 5 SHOUTING")
    for step in steps:
        causes = "; ".join(f"{cause.why} {words.signed(cause.delta)}" for cause in step.causes)
        lead = f"{words.clock(step.at_s):>5}  {step.after:.1f} {bar(step.after):<10}  "
        sheet.put(f"{moment(step)}{causes and ': ' + causes}", 2, len(lead), lead)


def bar(anger: float) -> str:
    """Anger as a bar of up to ten blocks, half a step of the scale each."""
    return "#" * round(2 * min(max(anger, 0.0), 5.0))


def moment(step: AngerStep) -> str:
    """What a step of anger answers."""
    if step.why == "opening":
        return "at the beginning"
    return f"turn {step.turn}" if step.turn is not None else step.why


def _transcript(sheet: _Sheet, report: Report) -> None:
    sheet.title("THE CALL")
    if not report.timeline:
        sheet.put("Nothing that was said is on record.")
    for entry in report.timeline:
        time = f"{words.clock(entry.start_s):>5}  "
        if isinstance(entry, CustomerLine):
            mood = words.level(entry.level)
            sheet.put(f"CUSTOMER{mood and f' ({mood})'}: {entry.text}{cut(entry)}", 2, 7, time)
        else:
            _turn(sheet, time, entry)
            for said in trainer.at_turn(report.desk, entry.number):
                sheet.put(f"~ trainer: {said}", 9, 2)


def cut(line: CustomerLine) -> str:
    """A remark behind a line that was not heard to its end."""
    heard = line.end_s - line.start_s
    return f" [cut off after {heard:.1f} s]" if line.end_s < line.planned_end_s else ""


def _turn(sheet: _Sheet, time: str, turn: ReportTurn) -> None:
    sheet.put(f"YOU, turn {turn.number}: {turn.text or '[no words were recognised]'}", 2, 7, time)
    if turn.delivery:
        spoken = turn.delivery
        telling = spoken.loudness in ("raised", "shouting") or spoken.pace == "rushed"
        evidence = words.evidence(spoken.evidence) if telling else ""
        sheet.put(f"~ said {words.delivery(spoken.loudness, spoken.pace)}{evidence and f' ({evidence})'}", 9, 2)
    if turn.in_kind and (kind := words.in_kind(turn.in_kind.verdict, turn.in_kind.level)):
        evidence = "" if turn.in_kind.verdict == "held" else f" ({words.evidence(turn.in_kind.evidence)})"
        sheet.put(f"~ {kind}{evidence}", 9, 2)
    for after in turn.after_cues:
        sheet.put(f"~ {after.told}", 9, 2)
    for mark in turn.marks:
        sign, outcome = SIGNS.get(mark.outcome, "?"), words.outcome(mark.outcome)
        sheet.put(f"{sign} {words.code(mark.code)} [{outcome}, {words.clock(mark.start_s)}]: “{mark.quote}”", 9, 2)
        if mark.advice:
            sheet.put(mark.advice if mark.outcome == "done" else f"Try: {mark.advice}", 11)
        sheet.put(_source(mark.source, mark.rule), 11)


SIGNS = {"done": "+", "unsure": "?", "shown": "-", "listen": "?", "not heard": "-", "before": "+"}
"""Signs of outcomes; the word always stands beside its sign."""


def _steps(sheet: _Sheet, report: Report) -> None:
    if report.steps:
        sheet.title(f"THE PROCEDURE: {report.procedure}")
    for step in report.steps:
        sheet.put(
            f"{SIGNS.get(step.outcome, '?')} {step.name} [{step.source}]: {words.outcome(step.outcome)}{_where(step)}",
            2,
            4,
        )
        if theirs := trainer.at_step(report.desk, step.id):
            why = "with the trainer's marks" if theirs.follows else "trainer"
            sheet.put(f"~ {why}: {words.outcome(theirs.trainer)}", 6, 2)
        for remark in step.remarks:
            sheet.put(f"~ {remark_line(remark)}", 6, 2)
        if step.looked_for:
            sheet.put(f"~ listened for: {step.looked_for}", 6, 2)
        if step.could:
            sheet.put(f"~ {step.could}", 6, 2)


def remark_line(remark: StepRemark) -> str:
    """A remark with its words and its time."""
    if not remark.quote or remark.start_s is None:
        return remark.say
    quote = f"“{remark.quote}” {words.clock(remark.start_s)}"
    return f"{quote}: {remark.say}" if remark.kind == "wait" else f"{remark.say}: {quote}"


def _cycles(sheet: _Sheet, report: Report) -> None:
    if report.cycles:
        sheet.title("ROUNDS OF THE PROCEDURE")
    for cycle in report.cycles:
        sheet.put(f"{cycle_line(cycle)}", 2, 4)
        for step in cycle.steps:
            quote = step.quote
            heard = f"“{quote.quote}” {words.clock(quote.start_s)}" if quote else "not heard in this round"
            sheet.put(f"{'+' if quote else '-'} {step.name}: {heard}", 6, 2)


def cycle_line(cycle: CycleLine) -> str:
    """What began a round."""
    began = f": {cycle.why}" if cycle.why else ""
    return f"Round {cycle.number}{began}{f' (“{cycle.said}”)' if cycle.said else ''}"


def _worksheet(sheet: _Sheet, report: Report) -> None:
    line = report.preparation.worksheet
    if line is None:
        return
    sheet.title("WORKSHEET, AGAINST WHAT WAS PROMISED")
    sheet.put(worksheet_note(line))
    for heading, entries in worksheet_rows(line):
        sheet.put(f"{heading}:")
        for entry in entries:
            sheet.put(f"- {entry}", 4, 2)


def worksheet_note(line: WorksheetLine) -> str:
    """Whose worksheet it is, and what it is set against."""
    whose = {
        "done": "As you filled it in before the call.",
        "skipped": "You skipped the worksheet; this is the scenario's own.",
    }.get(line.filled, "The scenario's own: no worksheet is on record.")
    return f"{whose} A promise stands beside a line when they share words: worth a listen, no more."


def worksheet_rows(line: WorksheetLine) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(heading, lines) of the worksheet, each limit with the promises that touch it."""
    sheet = line.sheet
    rows = (
        ("Goal", (sheet.goal,) if sheet.goal else ()),
        ("Can offer", tuple(_limit(limit) for limit in line.can)),
        ("Cannot offer", tuple(_limit(limit) for limit in line.cannot)),
        ("Promised more than can be kept", tuple(map(_promise, line.beyond))),
        ("Likely problems", sheet.problems),
        ("Where both sides win", sheet.win_wins),
    )
    return tuple((heading, entries) for heading, entries in rows if entries)


def _limit(limit: Limit) -> str:
    return f"{limit.phrase}: {'; '.join(map(_promise, limit.promised)) or 'not heard'}"


def _promise(quote: Quote) -> str:
    listen = "" if quote.certain else " (worth a listen)"
    return f"“{quote.text}” {words.clock(quote.start_s)}{listen}"


def _draft(sheet: _Sheet, draft: str) -> None:
    """A draft with its own line breaks."""
    first, *rest = draft.split("\n")
    sheet.lines.append("")
    sheet.put(first, 0)
    for line in rest:
        sheet.put(line, 2 + len(line) - len(line.lstrip()), 2)


def _where(step: StepLine) -> str:
    quotes = [f"“{quote.quote}” {words.clock(quote.start_s)}" for quote in step.quotes[:1]]
    more = len(step.quotes) - 1
    return "".join([f", {quote}" for quote in quotes] + ([f" and {more} more"] if more > 0 else []))


def _notes(sheet: _Sheet, report: Report) -> None:
    for heading, lines in _lists(report):
        _list(sheet, heading, lines)


def faults(report: Report) -> tuple[str, ...]:
    """Every fault with its words, those that were clearly shown first; one sentence where there is none."""
    marks = [mark for turn in report.turns for mark in turn.marks if mark.kind == "fault"]
    if not marks:
        return ("No fault was heard.",) if report.turns else ()
    return tuple(
        f"{words.code(mark.code)} [{words.outcome(mark.outcome)}, {words.clock(mark.start_s)}]: “{mark.quote}”"
        for mark in sorted(marks, key=lambda mark: (mark.outcome != "shown", mark.start_s))
    )


UNKNOWN_CUSTOMER = "What the customer of this call felt is not on record, so nothing is said of it."


def _feelings(report: Report) -> tuple[str, ...]:
    """What the customer felt, in the first person."""
    said = tuple(f"{one.say}{f' (“{one.quote}”)' if one.quote else ''}" for one in report.feelings)
    return said or (UNKNOWN_CUSTOMER,)


def _list(sheet: _Sheet, heading: str, lines: Sequence[str]) -> None:
    """A short list under its heading, or nothing."""
    if lines:
        sheet.title(heading)
    for line in lines:
        sheet.put(f"- {line}", 2, 2)


def _lists(report: Report) -> Iterator[tuple[str, Sequence[str]]]:
    """The short lists at the end."""
    faults = [f"{words.clock(f.at_s)} {f.what} {f.do}".rstrip() for f in report.faults]
    everything = (
        ("YOUR NOTES", [f"{words.clock(note.at_s)} {note.text}" for note in report.notes]),
        ("WHAT THE MACHINE DID WRONG", faults),
        ("NOT AS IT WAS JUDGED IN THE CALL", report.differences),
        ("QUALITY OF THE MEASUREMENT", (*quality(report), *measurement(report))),
    )
    return iter(everything)


def not_in_kind(call: CallInKind) -> tuple[str, ...]:
    """Both voices over the call in three sentences; of a recorded call, why no turn could be judged; else none."""
    if not call.held + call.drifted + call.matched:
        return (f"Not judged: {call.why_not}",) if call.why_not else ()
    heated = (
        f"While the customer was {RISEN_DB:g} dB or more over the own quieter voice"
        if call.measured
        else f"While the customer was {words.level(HEATED_LEVEL)} or worse"
    )
    lines = [
        f"{heated}: {words.count(call.held, 'turn')} held, {call.drifted} drifted, {call.matched} matched the anger.",
        _correlation(call),
    ]
    if call.chances:
        lines.append(
            f"The customer came down in the next line after {call.came_down} of "
            f"{words.count(call.chances, 'turn')} in which you held or became quieter: after, which need not mean because."
        )
    return tuple(lines)


def silence(silences: Sequence[Silence]) -> tuple[str, ...]:
    """Each long silence in a sentence with its time; what was announced is said not to count."""
    return tuple(_silence(one) for one in silences)


def _silence(one: Silence) -> str:
    if one.turn is None:
        where = "until the customer spoke again"
    else:
        where = f"{'in' if one.kind == 'pause' else 'before'} turn {one.turn}"
    length_s = one.end_s - one.start_s
    told = f"{words.clock(one.start_s)}: {length_s:.1f} s of silence {where}"
    if one.verdict == "explained":
        return f"{told}, after “{one.quote}”: you said so, so it is not held against you."
    if one.explained_s:
        return (
            f"{told}, after “{one.quote}”: {one.explained_s:.0f} s of it you had announced, "
            f"the {one.dead_s:.1f} s beyond are dead air. Say again that you are still there."
        )
    line_s = LONG_PAUSE_S if one.kind == "pause" else LONG_GAP_S
    return f"{told}: dead air, up to {line_s:g} s is easy to bear."


def _correlation(call: CallInKind) -> str:
    turns = words.count(call.pairs, "turn")
    both = f"The customer's {'effort' if call.measured else 'anger'} and your effort"
    if call.correlation is None:
        return f"{both}: no rank correlation from {turns}; it takes {MIN_PAIRS}, and both voices must change."
    return (
        f"{both}: rank correlation {call.correlation:+.2f} over {turns} "
        "(+1: they rose and fell together; 0: no relation)."
    ).replace("-", "−")


def quality(report: Report) -> tuple[str, ...]:
    """How much of the call was measured well, why the rest was not (each reason once, with its turns), and against what."""
    reasons: dict[str, list[str]] = {}
    well = 0
    for turn in report.turns:
        if turn.observation is None:
            reasons.setdefault("Nothing was measured.", []).append(str(turn.number))
        elif turn.observation.quality.ok:
            well += 1
        else:
            for reason in turn.observation.quality.reasons:
                reasons.setdefault(reason, []).append(str(turn.number))
    lines = [f"{well} of {words.count(len(report.turns), 'turn')} measured well."] if report.turns else []
    lines += [f"Turn {', '.join(turns)}: {reason}" for reason, turns in reasons.items()]
    calibration = dict(report.settings).get("Calibration", "")
    return (*lines, f"Your calm voice: {calibration}.") if calibration and report.turns else tuple(lines)


def measurement(report: Report) -> tuple[str, ...]:
    """How fast the machine answered."""
    if not report.latencies:
        return ()
    parts = ", ".join(f"{words.LATENCIES.get(x.id, x.id)} {x.median_ms:.0f} ms" for x in report.latencies)
    return (f"Median waiting time: {parts}.",)


def answer_times(report: Report) -> str:
    """How fast the customer answered, for the footer; empty where nothing was measured."""
    for part in report.latencies:
        if part.id == "answer" and part.p95_ms is not None:
            return (
                f"From the end of your speech to the customer's first sound: p50 {part.median_ms:.0f} ms, "
                f"p95 {part.p95_ms:.0f} ms over {words.count(part.count, 'turn')}, the sound device's own delay apart."
            )
    return ""
