"""The trainer's part of a debrief, and its assignment: made from the record's lines, shown as text and on the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any, get_args

from voicecoach.report import words
from voicecoach.report.desk import (
    MAX_CHARS,
    MOVE_VERDICTS,
    Asked,
    Assignment,
    Comment,
    Desk,
    Held,
    Override,
    SessionVerdict,
    StepMark,
    Verdict,
    hold,
    verdicts_for,
)
from voicecoach.report.facts import instant, number, read, text
from voicecoach.report.markup import traced
from voicecoach.report.values import Report

MAX_ENTRIES = 2000
"""Lines of a trainer's file that are read; nobody writes as many about one call."""
VERDICTS = {"pass": "Passed", "fail": "Not passed", "again": "Once more, please"}
RESULTS = {
    "passed": "Passed",
    "not passed": "Not passed",
    "undecided": "Open: it hangs on steps that the machine is unsure of, so a listener must decide",
}


# --- from the record's lines ------------------------------------------------------------------------------

Machine = Mapping[tuple[int, str], str]
"""(turn, code) to the machine's mark; what is absent was not heard."""


def machine_marks(report: Report) -> dict[tuple[int, str], str]:
    """(turn, code) to the machine's mark, the surest where a code is found twice in a turn."""
    rank = {"done": 0, "shown": 0, "unsure": 1, "listen": 1}
    marks: dict[tuple[int, str], str] = {}
    for turn in report.turns:
        for mark in sorted(turn.marks, key=lambda one: rank.get(one.outcome, 2)):
            marks.setdefault((turn.number, mark.code), mark.outcome)
    return marks


def desk_of(
    report: Report,
    lines: Sequence[Mapping[str, Any]],
    assignment: Mapping[str, Any] | None = None,
    started: Mapping[str, Any] | None = None,
) -> Desk | None:
    """The trainer's `lines`, and the session against the `assignment` it was made for; None where there is neither."""
    asked = asked_of(assignment)
    if not lines and asked is None:
        return None
    steps = [StepMark(step.id, step.name, step.outcome, step.marked, bool(step.marked)) for step in report.steps]
    desk = entries_of(lines, machine_marks(report), steps)
    if asked is None:
        return desk
    set_up = started or {}
    persona = set_up.get("persona")
    scenario = persona if isinstance(persona, Mapping) else {}
    return replace(
        desk,
        held=hold(
            asked, desk.steps, report.wall, text(scenario.get("id")), text(set_up.get("procedure")),
            text(scenario.get("level")),
        ),
    )  # fmt: skip


def asked_of(data: Mapping[str, Any] | None) -> Asked | None:
    """From the event `assignment`; None where it is missing or does not hold together."""
    if data is None:
        return None
    found = _assignment(data.get("assignment"))
    count = number(data.get("attempt"))
    return None if found is None else Asked(found, int(count) if count is not None and count >= 1 else 1)


def _assignment(data: Any) -> Assignment | None:
    """As a file was once read, so that its own checks hold again; an edited one counts as none."""
    try:
        return read(Assignment, data)
    except ValueError:
        return None


def _in_order(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """As they were written: files that came by mail may be collected in any order. What has no time stays where it is."""
    now, found = dt.datetime.min.replace(tzinfo=dt.UTC), []
    for line in lines[:MAX_ENTRIES]:
        now = instant(text(line.get("wall"))) or now
        found.append((now, line))
    return [line for _, line in sorted(found, key=lambda one: one[0])]


def entries_of(lines: Sequence[Mapping[str, Any]], machine: Machine, steps: Sequence[StepMark]) -> Desk:
    """The trainer's lines in the order written; of two marks on the same thing the later counts, of two verdicts too."""
    comments: list[Comment] = []
    overrides: dict[tuple[int | None, str, str], Override] = {}
    verdict: Verdict | None = None
    following: Assignment | None = None
    odd = 0
    for line in _in_order(lines):
        at = _turn(line)
        who = _short(line.get("trainer"))[:80], text(line.get("wall"))[:40]
        kind, words = line.get("kind"), _short(line.get("text"))
        if kind == "comment" and words:
            comments.append(Comment(at, words, *who))
        elif kind == "mark" and (mark := _override(line, at, machine, steps, who)):
            overrides[mark.turn, mark.code, mark.step] = mark
        elif kind == "verdict" and line.get("verdict") in get_args(SessionVerdict):
            verdict = Verdict(line["verdict"], words, *who)
        elif kind == "next" and (set_next := _assignment(line.get("assignment"))):
            following = set_next
        elif kind != "about":
            odd += 1
    problems = [f"{odd} of the trainer's lines cannot be read and are left out."] if odd else []
    if len(lines) > MAX_ENTRIES:
        problems.append(f"The trainer's file has {len(lines)} lines; the first {MAX_ENTRIES} are read.")
    by_step = {mark.step: mark.verdict for mark in overrides.values() if mark.step}
    return Desk(
        verdict=verdict,
        comments=tuple(comments),
        overrides=tuple(overrides.values()),
        steps=tuple(
            replace(step, trainer=by_step[step.id], follows=False) if step.id in by_step else step for step in steps
        ),
        next=following,
        problems=tuple(problems),
    )


def marks_of(lines: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str], str]:
    """The trainer's marks on moves and faults by (turn, code), the later ones where there are several."""
    marks = (_override(line, _turn(line), {}, (), ("", "")) for line in _in_order(lines) if line.get("kind") == "mark")
    return {(mark.turn, mark.code): mark.verdict for mark in marks if mark and mark.turn is not None}


def _turn(line: Mapping[str, Any]) -> int | None:
    turn = line.get("turn")
    return turn if isinstance(turn, int) and not isinstance(turn, bool) and number(turn) is not None else None


def _short(value: Any) -> str:
    return text(value).strip()[:MAX_CHARS]


def _override(
    line: Mapping[str, Any], turn: int | None, machine: Machine, steps: Sequence[StepMark], who: tuple[str, str]
) -> Override | None:
    code, step, verdict = text(line.get("code")), text(line.get("step")), line.get("verdict")
    reason = _short(line.get("reason"))
    if step:
        known = next((one for one in steps if one.id == step), None)
        fits = known is not None and verdict in MOVE_VERDICTS
        return Override(None, "", step, known.machine, verdict, reason, *who) if fits and known else None  # type: ignore[arg-type]
    if turn is None or verdict not in verdicts_for(code):
        return None
    return Override(turn, code, "", machine.get((turn, code), "not heard"), verdict, reason, *who)


# --- in words --------------------------------------------------------------------------------------------


def sections(desk: Desk | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(heading, lines) of what is to be told; the same for the terminal and for the page."""
    if desk is None:
        return ()
    parts = (
        ("Assignment", held_lines(desk.held) if desk.held else ()),
        ("Your trainer's verdict", _verdict(desk)),
        ("Your trainer's comments", tuple(_comment(desk, at) for at in range(len(desk.comments)))),
        ("Marks beside the machine's", tuple(_mark_line(mark, desk) for mark in desk.overrides)),
        ("Steps, as these marks make them", tuple(step_line(step) for step in desk.steps if step.follows)),
        ("Your next assignment", assignment_lines(desk.next) if desk.next else ()),
        ("The trainer's file", desk.problems),
    )
    return tuple((heading, lines) for heading, lines in parts if lines)


def _verdict(desk: Desk) -> tuple[str, ...]:
    found = desk.verdict
    if found is None:
        return ()
    who = _signed(found.trainer, found.wall)
    return (f"{VERDICTS[found.verdict]}{f': {found.text}' if found.text else '.'}{who}",)


def _comment(desk: Desk, at: int) -> str:
    comment = desk.comments[at]
    where = "The call" if comment.turn is None else f"Turn {comment.turn}"
    return f"{where}: {comment.text}{_signed(comment.trainer, comment.wall)}"


def _mark_line(mark: Override, desk: Desk) -> str:
    if mark.step:
        name = next((step.name for step in desk.steps if step.id == mark.step), mark.step)
        what = f"Step “{name}”"
    else:
        what = f"Turn {mark.turn}, “{words.code(mark.code)}”"
    both = (
        f"machine and trainer: {mark.verdict}"
        if mark.machine == mark.verdict
        else f"machine: {words.outcome(mark.machine)}; trainer: {words.outcome(mark.verdict)}"
    )
    return f"{what}: {both}. Reason: {mark.reason or 'none given'}{_signed(mark.trainer, mark.wall)}"


def step_line(step: StepMark) -> str:
    """A step as the trainer's marks on moves and faults make it."""
    both = f"machine: {words.outcome(step.machine)}; with the trainer's marks: {words.outcome(step.trainer)}"
    return f"Step “{step.name}”: {both}"


def at_turn(desk: Desk | None, turn: int) -> tuple[str, ...]:
    """What the trainer said about one turn, for beside it."""
    if desk is None:
        return ()
    said = [f"{one.text}{_signed(one.trainer, one.wall)}" for one in desk.comments if one.turn == turn]
    marks = [
        f"“{words.code(mark.code)}”: {words.outcome(mark.verdict)}. {mark.reason}".rstrip()
        for mark in desk.overrides
        if mark.turn == turn
    ]
    return (*said, *marks)


def at_step(desk: Desk | None, step: str) -> StepMark | None:
    """A step that the trainer marked, or that follows from the marks; None where the machine's outcome stands alone."""
    found = next((one for one in desk.steps if one.id == step), None) if desk else None
    return found if found and found.trainer else None


def _signed(trainer: str, wall: str) -> str:
    name = ", ".join(filter(None, (trainer, wall[:10])))
    return f" ({name})" if name else ""


def held_lines(held: Held) -> tuple[str, ...]:
    """Passed or not, which attempt it was, and what decided it."""
    task = held.asked.assignment
    of = f" of {task.attempts}" if task.attempts is not None else ""
    lines = [f"{task.title or task.id}, attempt {held.asked.attempt}{of}: {RESULTS[held.result].lower()}."]
    if task.pass_mark is not None:
        sure = f"{held.lowest} %"
        both = sure if held.lowest == held.highest else f"{sure} for certain, {held.highest} % with the unsure ones"
        lines.append(f"Steps heard: {both}; the mark is {task.pass_mark} %.")
    if held.missing:
        lines.append(f"Mandatory and not heard: {', '.join(held.missing)}.")
    if held.open:
        lines.append(f"Mandatory and unsure, listen again: {', '.join(held.open)}.")
    return (*lines, *held.remarks)


def assignment_lines(task: Assignment) -> tuple[str, ...]:
    """An assignment for a reader."""
    parts = (
        task.title and f"{task.title} ({task.id})",
        f"Scenario {task.scenario}{f', {task.level}' if task.level else ''}; procedure {task.procedure}.",
        f"By {task.due}." if task.due else "",
        f"{words.count(task.attempts, 'attempt')} count." if task.attempts is not None else "",
        f"Pass mark: {task.pass_mark} % of the steps." if task.pass_mark is not None else "",
        f"Mandatory: {', '.join(f'{one.step} ({one.at_least})' for one in task.minimums)}." if task.minimums else "",
        " ".join(task.note.split()),
    )
    return tuple(filter(None, parts))


# --- on the page -------------------------------------------------------------------------------------------


def as_section(report: Report) -> str:
    """The body of the page's section; empty where there is nothing to tell. What it says of turns names their events."""
    told = sections(report.desk)
    there = set(_turns_in(report.desk))
    events = tuple(sorted({place for turn in report.turns if turn.number in there for place in turn.events}))
    body = "".join(f"<h3>{escape(heading)}</h3><ul>{_items(lines)}</ul>" for heading, lines in told)
    links = "".join(f'<li><a href="#turn-{number}">Go to turn {number}</a></li>' for number in sorted(there))
    to = f'<ul class="turns" aria-label="Turns that your trainer spoke of">{links}</ul>' if links else ""
    return f"<div{traced(events)}>{body}{to}</div>" if body else ""


def _turns_in(desk: Desk | None) -> Iterator[int]:
    """The turns that the trainer spoke of."""
    spoken: tuple[Comment | Override, ...] = (*desk.comments, *desk.overrides) if desk else ()
    for one in spoken:
        if one.turn is not None:
            yield one.turn


def beside(desk: Desk | None, turn: int) -> str:
    """What the trainer said about a turn, for under it."""
    said = _items(at_turn(desk, turn))
    return f'<div class="theirs"><strong>Your trainer</strong><ul>{said}</ul></div>' if said else ""


def _items(lines: Sequence[str]) -> str:
    return "".join(f'<li dir="auto">{escape(line)}</li>' for line in lines)
