"""What was heard of each step of a procedure in a whole call: done, unsure or not heard, each with its evidence.

A procedure is scored by itself, from its data alone: nothing here knows one procedure from another. A step that came
out of the procedure's order is done, and the order is said. A question after which the procedure waits is followed by
what was measured: whether the trainee stopped, and for how long.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from voicecoach.judge.clauses import align, sentences
from voicecoach.nouns import (
    CUSTOMER_FINISHED,
    Assessment,
    Finding,
    Procedure,
    Remark,
    Step,
    StepOutcome,
    TooEarly,
    Wait,
    Word,
)

Where = tuple[tuple[int, Finding], ...]
Place = tuple[int, int]
"""(turn number, character offset): the order in which things were said."""

WAIT_S = 1.0
"""Silence after a question that lets the customer answer: five times the usual gap between turns of 0.2 s (Levinson &
Torreira 2015). That one should wait is 002.5, 003.2, 003.4 and 003.5; how long is our judgement."""
TAIL_WORDS = 2
"""Words behind a question that still belong to it, such as the customer's name or "please"."""
QUESTION_WORDS = 12
"""Without a full stop this near, a question ends where its finding does."""
_STOPPED = re.compile(r"[.?!…][\"'”’)\]]*$")
SOLVING = frozenset({"resolution", "alternatives", "work_together", "referral"})
"""Working on a solution, when anger that was cut short comes back (003.1)."""


@dataclass(frozen=True)
class Told:
    """One turn of the trainee as the procedures look at it: the verdicts, and what was around it."""

    number: int
    said: Assessment
    text: str = ""
    words: tuple[Word, ...] = ()
    finished: bool = True
    """False while the customer still had points of the story to tell."""
    next_who: Literal["customer", "trainee", ""] = ""
    """Whose voice came next."""
    silence_s: float | None = None
    """From the end of the turn to that voice."""
    line_starts_s: tuple[float, ...] = ()
    """When lines of the customer began, in the whole call."""
    before: str = ""
    """What the customer said just before this turn."""
    brought: Literal["", "rejects", "new problem"] = ""
    """What the customer did with that."""
    answer: str = ""
    """What the customer said next."""
    alone: bool = False
    """The customer is not on the recording, so what was said in between is not known."""
    level: int | None = None
    """Spoken anger, 0 to 5, of the line that the turn answers; `next_level` of the line that came next."""
    next_level: int | None = None


def score(
    procedure: Procedure,
    call: Sequence[Told],
    prepared: Mapping[str, bool] | None = None,
    done: Collection[str] = (),
) -> tuple[StepOutcome, ...]:
    """What was heard of each step, in the procedure's order.

    `done` are the steps of before, where the call began in its middle: nothing is too early for want of them.
    `prepared` tells of the worksheet and of getting focused whether each was done; what is not in it is not on record.
    """
    outcomes = [_score(step, call, prepared or {}, done) for step in procedure.steps]
    completed = {o.step.id: place for o in outcomes if (place := _completed(o)) is not None}
    return tuple(
        replace(
            outcome,
            remarks=(
                *outcome.remarks,
                *_too_early_for_a_step(outcome.step, call, completed, done),
                *(() if outcome.step.id in done else _order(outcome, outcomes, completed, procedure.document)),
            ),
        )
        for outcome in outcomes
    )


def _score(step: Step, call: Sequence[Told], prepared: Mapping[str, bool], done: Collection[str]) -> StepOutcome:
    if step.before_call:
        return _before_the_call(step, prepared)
    heard = _heard(step, call)
    remarks = [*_while_venting(step, call)]
    outcome: Literal["done", "unsure", "not heard"] = heard.outcome
    if outcome == "done" and step.id not in done:
        remarks += _left_before_the_end(step, call)
    if outcome == "done" and remarks:
        outcome = "unsure"
    if outcome == "done" and step.delivery:
        outcome = _quietly(heard.where, call)
        if outcome != "done":
            remarks.append(Remark("delivery", "said, but not in a quiet voice each time"))
    waits = tuple(_waits(step, call))
    if outcome == "done" and (missed := [wait for wait in waits if wait.waited is False]):
        remarks += [Remark("wait", "asked, but did not wait for the answer", m.turn, m.finding) for m in missed]
        if not any(wait.waited for wait in waits):
            outcome = "unsure"
    remarks += _anger_returned(step, call, [r.turn for r in remarks if r.kind == "too early" and r.turn is not None])
    return StepOutcome(step, outcome, heard.where, tuple(remarks), waits)


def _before_the_call(step: Step, prepared: Mapping[str, bool]) -> StepOutcome:
    done = prepared.get(step.prepared_by)
    if done:
        return StepOutcome(step, "done", (), (Remark("before the call", "done before the call"),))
    say = "skipped before the call" if done is False else "nothing of it is on record: it belongs before the call"
    return StepOutcome(step, "not heard", (), (Remark("before the call", say),))


def _heard(step: Step, call: Sequence[Told]) -> StepOutcome:
    """By the moves and faults alone."""
    against = _found(call, step.forbids)
    if any(finding.outcome == "shown" for _, finding in against):
        return StepOutcome(step, "not heard", against)
    heard = _found(call, (*step.any_of, *step.all_of))
    sure = {finding.code for _, finding in heard if finding.outcome == "done"}
    maybe = {finding.code for _, finding in heard}
    if not call or not _satisfied(step, maybe):
        return StepOutcome(step, "not heard")
    if not _satisfied(step, sure) or against:
        return StepOutcome(step, "unsure", (*heard, *against))
    return StepOutcome(step, "done", tuple(pair for pair in heard if pair[1].outcome == "done"))


def _found(call: Sequence[Told], codes: Sequence[str]) -> Where:
    return tuple(
        (told.number, finding)
        for told in call
        for finding in told.said.findings
        if finding.code in codes and not premature(finding, told.said.findings)
    )


class Placed(Protocol):
    """A finding, or what a report makes of one."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def premature(move: Placed, beside: Iterable[Placed]) -> bool:
    """Whether a move is the very words of a premature solution: then it is the fault, not a step done (003.1).

    `beside` is what was found in its turn.
    """
    return move.kind == "move" and any(
        fault.code == "premature_solution"
        and fault.outcome == "shown"
        and fault.start < move.end
        and move.start < fault.end
        for fault in beside
    )


def _satisfied(step: Step, codes: set[str]) -> bool:
    """Whether `codes` hold any of `any_of` (if it names any) and each of `all_of`."""
    return (not step.any_of or bool(codes & set(step.any_of))) and set(step.all_of) <= codes


def _quietly(done: Where, call: Sequence[Told]) -> Literal["done", "unsure", "not heard"]:
    """A step that asks for a quiet voice: done when each turn of it was quiet, not heard when none was."""
    turns = {turn for turn, _ in done}
    voices = {told.said.delivery.loudness for told in call if told.number in turns}
    if voices == {"quiet"}:
        return "done"
    return "not heard" if voices <= {"raised", "shouting"} else "unsure"


# --- order -----------------------------------------------------------------------------------------


def _completed(outcome: StepOutcome) -> tuple[Place, Finding] | None:
    """Where the step was first complete, and the finding that completed it; None where nothing shows a place."""
    if outcome.outcome == "not heard":
        return None
    codes: set[str] = set()
    for turn, finding in outcome.where:
        if finding.kind == "move":
            codes.add(finding.code)
            if _satisfied(outcome.step, codes):
                return (turn, finding.start), finding
    return None


def _order(
    late: StepOutcome,
    outcomes: Sequence[StepOutcome],
    completed: Mapping[str, tuple[Place, Finding]],
    document: str,
) -> Iterator[Remark]:
    """That a step came after one that the procedure wants after it: it is done all the same."""
    if late.step.id not in completed:
        return
    place, finding = completed[late.step.id]
    earlier = [
        other.step.name
        for other in outcomes
        if late.step.id in other.step.after and other.step.id in completed and completed[other.step.id][0] < place
    ]
    if earlier:
        names = " and ".join(f"“{name}”" for name in earlier)
        heard = "done" if late.outcome == "done" else "heard"
        yield Remark("order", f"{heard}, but after {names}; {document} asks for it before", place[0], finding)


# --- too early -------------------------------------------------------------------------------------


def _while_venting(step: Step, call: Sequence[Told]) -> Iterator[Remark]:
    """The first sure move of each rule that came while the customer still had something to tell (002.3, 003.1)."""
    for rule in step.too_early:
        if rule.until == CUSTOMER_FINISHED:
            early = ((told.number, f) for told in call if not told.finished for f in _held_back(rule, told))
            yield from (Remark("too early", rule.say, turn, finding) for turn, finding in list(early)[:1])


def _left_before_the_end(step: Step, call: Sequence[Told]) -> Iterator[Remark]:
    """That the customer was left with something to tell: a step that only forbids asks for the whole story (002.2, 003.1)."""
    if not (step.any_of or step.all_of) and not call[-1].finished:
        yield Remark("too early", "your last words came while the customer still had more to tell")


def _too_early_for_a_step(
    step: Step, call: Sequence[Told], completed: Mapping[str, tuple[Place, Finding]], done: Collection[str]
) -> Iterator[Remark]:
    """The first sure move of each rule that came before the step that it should follow."""
    for rule in step.too_early:
        if rule.until != CUSTOMER_FINISHED and rule.until not in done:
            until = completed[rule.until][0] if rule.until in completed else (10**9, 0)
            found = ((told.number, finding) for told in call for finding in _held_back(rule, told))
            early = [(turn, finding) for turn, finding in found if (turn, finding.start) < until]
            yield from (Remark("too early", rule.say, turn, finding) for turn, finding in early[:1])


def _held_back(rule: TooEarly, told: Told) -> Iterator[Finding]:
    for finding in told.said.findings:
        invites = any(_plain(phrase) in _plain(finding.quote) for phrase in rule.unless)
        if finding.code in rule.moves and finding.outcome == "done" and not invites:
            yield finding


def _plain(text: str) -> str:
    """Lower-case words between single spaces, with a space at both ends."""
    words = re.findall(r"[^\W_]+", text.replace("’", "").replace("'", "").casefold())
    return f" {' '.join(words)} "


def _anger_returned(step: Step, call: Sequence[Told], early: Sequence[int]) -> Iterator[Remark]:
    """That the anger came back at the solution, after the venting had been cut short (003.1)."""
    if not step.anger_returns:
        return
    shown = [told.number for told in call if set(step.forbids) & set(told.said.codes("shown"))]
    cut = min([*shown, *early], default=None)
    if cut is None:
        return
    for told in call:
        solving = next((f for f in told.said.findings if f.code in SOLVING and f.outcome == "done"), None)
        if told.number <= cut or solving is None or told.level is None or told.next_level is None:
            continue
        if told.next_level > told.level:
            say = (
                "the customer had not been let finish, and the anger came back at the solution "
                f"(from {told.level} to {told.next_level} of 5)"
            )
            yield Remark("anger", say, told.number, solving)
            return


# --- waits -----------------------------------------------------------------------------------------


def _waits(step: Step, call: Sequence[Told]) -> Iterator[Wait]:
    """What came after each of the step's questions; questions behind one another are one."""
    for told in call:
        asked = [
            f
            for f in told.said.findings
            if f.code in step.wait_after and f.outcome == "done" and not premature(f, told.said.findings)
        ]
        for first, end in _joined(asked, told.text):
            yield _wait(told, first, end)


def _joined(asked: Sequence[Finding], text: str) -> list[tuple[Finding, int]]:
    """(first finding, end of the question) of each run of questions with hardly a word between them."""
    runs: list[tuple[Finding, int]] = []
    for finding in asked:
        end = question_end(finding, text)
        if runs and len(text[runs[-1][1] : finding.start].split()) <= TAIL_WORDS:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((finding, end))
    return runs


def question_end(finding: Finding, text: str) -> int:
    """The end of the sentence that the finding stands in, if it is near: none is at "$49.99", "10 a.m." or "Mr. Lee"."""
    until = next((end for _, end in sentences(text) if end >= finding.end), finding.end)
    sentence = text[:until].rstrip()
    stopped = _STOPPED.search(sentence, min(finding.end, len(sentence)))
    near = len(text[finding.end : until].split()) <= QUESTION_WORDS
    return len(sentence) if stopped and near else finding.end


def _wait(told: Told, first: Finding, end: int) -> Wait:
    aligned = align(told.text, told.words)
    start_s, end_s = aligned.times(first.start, end)
    asked = replace(first, quote=told.text[first.start : end] or first.quote, end=end, start_s=start_s, end_s=end_s)
    rest = told.text[end:]
    missed = None if told.alone else False
    if len(rest.split()) <= TAIL_WORDS:
        waited = told.next_who != "trainee" or told.silence_s is None or told.silence_s >= WAIT_S
        return Wait(told.number, asked, waited or missed, told.silence_s, told.answer)
    next_s = aligned.times(end + len(rest) - len(rest.lstrip()), len(told.text))[0]
    if end_s is None or next_s is None:
        return Wait(told.number, asked, False, None)
    answered = any(end_s <= at_s <= next_s for at_s in told.line_starts_s)
    silence_s = max(0.0, next_s - end_s)
    return Wait(told.number, asked, answered or silence_s >= WAIT_S or missed, silence_s)
