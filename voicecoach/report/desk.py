"""What a trainer adds to a session, and the assignment it was made for; whether a session holds to it.

The trainer's words are lines of a file of their own. Nothing here changes a verdict of the machine: both stand side by
side, and where the trainer has overridden a step, an assignment goes by the trainer.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.nouns import SLUG, Strict
from voicecoach.persona import LevelName

AtLeast = Literal["done", "unsure"]
MarkVerdict = Literal["done", "unsure", "not heard", "shown", "listen"]
SessionVerdict = Literal["pass", "fail", "again"]
Result = Literal["passed", "not passed", "undecided"]

MOVE_VERDICTS = ("done", "unsure", "not heard")
FAULT_VERDICTS = ("shown", "listen", "not heard")
MAX_CHARS = 2000
"""Of a comment, a reason or a note: a page of handwriting."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""A bundled name, or a file beside the assignment: never a path that leads elsewhere."""


# --- the assignment ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Minimum:
    """A step that an assignment asks for: heard for certain, or at least not certainly missing."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    step: str
    """The step's id in the procedure."""
    at_least: AtLeast = "done"

    def __post_init__(self) -> None:
        if not SLUG.fullmatch(self.step):
            raise ValueError(f"'step' must be the id of a step of the procedure, not '{self.step[:50]}'")


@dataclass(frozen=True)
class Assignment:
    """What a trainer asks a trainee to do, as a file says it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    """Its own name: attempts are counted by it."""
    scenario: str
    """A bundled scenario's name, or a .yaml file beside the assignment."""
    procedure: str = "six-guidelines"
    level: LevelName | None = None
    title: str = ""
    due: str = ""
    """The last day, as 2026-12-31; empty for none."""
    attempts: int | None = None
    """How many calls count; None for any number."""
    pass_mark: int | None = None
    """Per cent of the procedure's steps that must be heard; None for no mark."""
    minimums: tuple[Minimum, ...] = ()
    note: str = ""
    """The trainer's words to the trainee."""

    def __post_init__(self) -> None:
        if not SLUG.fullmatch(self.id):
            raise ValueError(f"'id' must be 1 to 40 of a-z, 0-9 and '-', not '{self.id[:50]}'")
        for what, name in (("scenario", self.scenario), ("procedure", self.procedure)):
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"'{what}' must be a bundled name, or the name of a .yaml file beside the assignment, not '{name[:50]}'"
                )
        for what, words in (("title", self.title), ("note", self.note)):
            if len(words) > MAX_CHARS:
                raise ValueError(f"'{what}' has {len(words)} characters; {MAX_CHARS} is the most")
        if self.due and _day(self.due) is None:
            raise ValueError(f"'due' must be a day such as 2026-12-31, not '{self.due[:50]}'")
        if self.attempts is not None and not 1 <= self.attempts <= 99:
            raise ValueError("'attempts' must be a whole number from 1 to 99")
        if self.pass_mark is not None and not 0 <= self.pass_mark <= 100:
            raise ValueError("'pass_mark' must be a whole number from 0 to 100, per cent of the steps")
        steps = [minimum.step for minimum in self.minimums]
        if len(steps) > 30:
            raise ValueError("'minimums' has more than 30 steps, which no procedure has")
        if twice := next((step for step in steps if steps.count(step) > 1), ""):
            raise ValueError(f"'minimums' names the step '{twice}' twice")


def _day(written: str) -> dt.date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", written):
        return None
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        return None


@dataclass(frozen=True)
class Asked:
    """The assignment of one session, as it was when the session began, and which attempt this is."""

    assignment: Assignment
    attempt: int


@dataclass(frozen=True)
class StepMark:
    """One step as the machine heard it and, where the trainer said otherwise, as the trainer did."""

    id: str
    name: str
    machine: str
    trainer: str = ""
    follows: bool = False
    """The trainer's outcome follows from marks on moves and faults; the step itself was not marked."""

    @property
    def counts(self) -> str:
        """The outcome that counts: the trainer's, else the machine's."""
        return self.trainer or self.machine


@dataclass(frozen=True)
class Held:
    """A session against its assignment. `lowest` and `highest`: per cent of the steps heard, without and with the unsure."""

    asked: Asked
    result: Result
    lowest: int
    highest: int
    missing: tuple[str, ...]
    """Names of the mandatory steps that were not heard as the assignment asks."""
    open: tuple[str, ...]
    """Names of the mandatory steps that only a listener can decide."""
    remarks: tuple[str, ...]
    """Late, beyond the attempts, another scenario or procedure."""


def hold(asked: Asked, steps: Sequence[StepMark], wall: str, scenario: str, procedure: str, level: str) -> Held:
    """Whether a session passes: every mandatory step and the mark, both by what is certain.

    What is unsure decides nothing: where the result hangs on it, it is `undecided` until the trainer has listened.
    """
    assignment = asked.assignment
    outcomes = {step.id: step for step in steps}
    missing, undecided = [], []
    for minimum in assignment.minimums:
        step = outcomes.get(minimum.step)
        heard = step.counts if step else "not heard"
        name = step.name if step else minimum.step
        if not steps:
            undecided.append(name)
        elif heard == "not heard":
            missing.append(name)
        elif heard != "done" and minimum.at_least == "done":
            undecided.append(name)
    heard_all = [step.counts for step in steps]
    lowest, highest = (_share([one in kinds for one in heard_all]) for kinds in (("done",), ("done", "unsure")))
    mark = assignment.pass_mark or 0
    result: Result = "passed"
    if steps and (missing or highest < mark):
        result = "not passed"
    elif not steps or undecided or lowest < mark:
        result = "undecided"
    remarks = []
    if assignment.due and wall[:10] > assignment.due:
        remarks.append(f"After the due date, {assignment.due}.")
    if assignment.attempts is not None and asked.attempt > assignment.attempts:
        remarks.append(f"Attempt {asked.attempt}, of {assignment.attempts} that count.")
    for what, was, wanted in (
        ("procedure", procedure, _bundled(assignment.procedure)),
        ("scenario", scenario, _bundled(assignment.scenario)),
        ("level", level, assignment.level or level),
    ):
        if was and wanted and was != wanted:
            remarks.append(f"Another {what} than the one that was set: {was}, not {wanted}.")
    return Held(asked, result, lowest, highest, tuple(missing), tuple(undecided), tuple(remarks))


def _share(heard: Sequence[bool]) -> int:
    """Per cent, cut and not rounded, so that a mark is never reached by rounding."""
    return 100 * sum(heard) // len(heard) if heard else 0


def _bundled(name: str) -> str:
    """The name as the record of a call has it; empty for a file, whose own name for itself is not known here."""
    return "" if re.search(r"\.ya?ml$", name) else name


# --- the trainer's words ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comment:
    """The trainer's words on a turn, or (None) on the whole call."""

    turn: int | None
    text: str
    trainer: str
    wall: str


@dataclass(frozen=True)
class Override:
    """The trainer's mark where the machine's is another, or is confirmed: of a code in a turn, or of a step."""

    turn: int | None
    code: str
    step: str
    machine: str
    """The machine's mark under the rules of this report; "not heard" where there is none."""
    verdict: MarkVerdict
    reason: str
    trainer: str
    wall: str


@dataclass(frozen=True)
class Verdict:
    """The trainer's verdict on the session."""

    verdict: SessionVerdict
    text: str
    trainer: str
    wall: str


@dataclass(frozen=True)
class Desk:
    """All that joins a session from outside the call: its assignment, and what came back from the trainer."""

    held: Held | None = None
    verdict: Verdict | None = None
    comments: tuple[Comment, ...] = ()
    overrides: tuple[Override, ...] = ()
    steps: tuple[StepMark, ...] = ()
    """Every step of the procedure, with the trainer's outcome where there is one."""
    next: Assignment | None = None
    problems: tuple[str, ...] = ()

    @property
    def spoken(self) -> bool:
        """Whether the trainer has said anything."""
        return bool(self.verdict or self.comments or self.overrides or self.next)


def verdicts_for(code: str) -> tuple[str, ...]:
    """What can be said of a move or of a fault; empty for an unknown code."""
    return MOVE_VERDICTS if code in MOVES else FAULT_VERDICTS if code in FAULTS else ()
