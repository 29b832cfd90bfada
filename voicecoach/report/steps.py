"""The procedure in the debrief: each turn with what was around it, and each step with its evidence in the recording."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voicecoach.judge.context import TOGETHER_S
from voicecoach.judge.cues import MOVES
from voicecoach.judge.cycles import brought, cycles
from voicecoach.judge.steps import Told, score
from voicecoach.nouns import Assessment, Finding, Procedure, Remark, Step, StepOutcome, TurnContext, Wait
from voicecoach.report import words
from voicecoach.report.chances import Chance, could_have_said
from voicecoach.report.facts import Facts, TurnFacts
from voicecoach.report.values import (
    CustomerLine,
    CycleLine,
    CycleStep,
    ReportTurn,
    Span,
    StepLine,
    StepQuote,
    StepRemark,
)

ANSWER_CHARS = 90
"""As much of the customer's answer as stands beside a question."""
REJECTING = (
    "vague", "need.heard", "need.acknowledged", "need.solution", "argued", "excused", "policy", "repeated", "parroted",
    "rushed_to_solve", "manager",
)  # fmt: skip
"""Keys of a persona's lines with which a solution is not taken; "story" brings something new."""


def call_as_told(facts: Facts, assessments: Mapping[int, Assessment], finished: Mapping[int, bool]) -> tuple[Told, ...]:
    """Every judged turn with the customer's lines around it and the silence after it."""
    lines = sorted(facts.lines, key=lambda line: line.start_s)
    turns = sorted((turn for turn in facts.turns if turn.number in assessments), key=lambda turn: turn.number)
    starts = tuple(line.start_s for line in lines)
    told = []
    for turn, before, after in zip(turns, (None, *turns), (*turns[1:], None), strict=False):
        began, ended = _voice(turn)
        since = _voice(before)[1] - TOGETHER_S if before else float("-inf")
        until = _voice(after)[0] if after else float("inf")
        heard = [line for line in lines if since <= line.start_s <= began - TOGETHER_S]
        coming = [line for line in lines if ended - TOGETHER_S <= line.start_s < until]
        following = coming[0] if coming else None
        who, silence_s = _next(ended, following, until)
        told.append(
            Told(
                turn.number,
                assessments[turn.number],
                turn.heard.text if turn.heard else "",
                turn.heard.words if turn.heard else (),
                finished=finished.get(turn.number, True),
                next_who=who,
                silence_s=silence_s,
                line_starts_s=starts,
                before=" ".join(line.heard for line in heard if line.heard),
                brought=_brought(heard),
                answer=" ".join(line.shown for line in coming if line.heard),
                alone=not lines,
                level=next((line.level for line in reversed(lines) if line.start_s <= began - TOGETHER_S), None),
                next_level=following.level if following else None,
            )
        )
    return tuple(told)


def _voice(turn: TurnFacts) -> Span:
    """Where the voice of a turn began and ended."""
    return (turn.speech[0][0], turn.speech[-1][1]) if turn.speech else (turn.start_s, turn.end_s)


def _next(
    ended: float, line: CustomerLine | None, until: float
) -> tuple[Literal["customer", "trainee", ""], float | None]:
    """Whose voice came after a turn, and after how much silence."""
    if line is not None:
        return "customer", max(0.0, line.start_s - ended)
    return ("trainee", max(0.0, until - ended)) if until < float("inf") else ("", None)


def _brought(lines: Sequence[CustomerLine]) -> Literal["", "rejects", "new problem"]:
    """What the customer did in these lines: by the line's key where it was authored, else by its words."""
    for line in lines:
        if line.voice == "recorded" or "." not in line.id:
            if found := brought(line.heard):
                return found
        elif line.id.startswith("story."):
            return "new problem"
        elif line.id.rpartition(".")[0] in REJECTING:
            return "rejects"
    return ""


def _as_marked(told: Sequence[Told], marked: Mapping[tuple[int, str], str]) -> tuple[Told, ...]:
    """The same turns with the trainer's marks, by (turn, code), in the place of the machine's.

    What the machine had not found has no place in the turn, so it is anywhere in it.
    """

    def findings(turn: Told, mine: Mapping[str, str]) -> Iterator[Finding]:
        known = {finding.code for finding in turn.said.findings}
        for finding in turn.said.findings:
            verdict = mine.get(finding.code, finding.outcome)
            if verdict != "not heard":
                yield replace(finding, outcome=verdict)  # type: ignore[arg-type]
        for code, verdict in mine.items():
            if code not in known and verdict != "not heard":
                kind: Literal["move", "fault"] = "move" if code in MOVES else "fault"
                yield Finding(code, kind, verdict, "", 0, len(turn.text), 1.0, "")  # type: ignore[arg-type]

    by_turn: dict[int, dict[str, str]] = {}
    for (number, code), verdict in marked.items():
        by_turn.setdefault(number, {})[code] = verdict
    return tuple(
        replace(turn, said=replace(turn.said, findings=tuple(findings(turn, by_turn[turn.number]))))
        if turn.number in by_turn
        else turn
        for turn in told
    )


# --- steps -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Around:
    """What the steps of a call are scored with, besides the words of its turns."""

    turns: tuple[ReportTurn, ...]
    prepared: Mapping[str, bool]
    """What of the preparation was done (True) or skipped, by the names that procedures call it."""
    notes: int
    """How many there are on record."""
    lines: tuple[CustomerLine, ...]
    """The customer's."""
    known: TurnContext
    """What else is known of the call, for what could have been said."""
    done: Collection[str]
    """The steps that were done before a retry began: where nothing of them is heard in it, their outcome is "before"."""


def step_lines(
    procedure: Procedure | None, told: Sequence[Told], around: Around, marked: Mapping[tuple[int, str], str]
) -> tuple[StepLine, ...]:
    """Every step of the procedure with its outcome and what shows it; see `tell` for `marked`."""
    if procedure is None:
        return ()
    own = _scored(procedure, told, around)
    theirs = _scored(procedure, _as_marked(told, marked), around) if marked else own
    return tuple(
        replace(step, marked=other.outcome) if other.outcome != step.outcome else step
        for step, other in zip(own, theirs, strict=True)
    )


def _scored(procedure: Procedure, told: Sequence[Told], around: Around) -> tuple[StepLine, ...]:
    times = {turn.number: (turn.start_s, turn.end_s) for turn in around.turns}
    found = (
        _line(outcome, times, around.notes, could_have_said(outcome, told, times, around.lines, around.known))
        for outcome in score(procedure, told, around.prepared, around.done)
    )
    return tuple(_before(line) if line.id in around.done else line for line in found)


def _before(line: StepLine) -> StepLine:
    """A step that had been done before the retry began; what the retry itself shows stands."""
    if line.outcome == "done":
        return line
    if line.outcome == "not heard" and not line.quotes:
        return replace(line, outcome="before", remarks=(), looked_for="", could="")
    return replace(line, remarks=(*line.remarks, StepRemark("before", "it had been done before this moment")))


def _line(outcome: StepOutcome, times: Mapping[int, Span], notes: int, could: Chance) -> StepLine:
    step = outcome.step
    return StepLine(
        id=step.id,
        name=step.name,
        rule=step.rule,
        source=step.source,
        outcome=outcome.outcome,
        quotes=tuple(_quote(turn, finding, times) for turn, finding in outcome.where),
        remarks=(
            *(_remark(remark, times) for remark in outcome.remarks),
            *(_waited(wait, times) for wait in outcome.waits),
            *_notes(step, notes),
        ),
        looked_for=_looked_for(outcome),
        could=could[0],
        moment=could[1],
    )


def _looked_for(outcome: StepOutcome) -> str:
    step = outcome.step
    return "" if outcome.outcome != "not heard" else words.looked_for(step.any_of, step.all_of, step.forbids)


def _quote(turn: int, finding: Finding, times: Mapping[int, Span]) -> StepQuote:
    start, end = times_of(finding, times[turn])
    return StepQuote(turn, finding.code, finding.quote, start, end, finding.outcome in ("done", "shown"))


def _remark(remark: Remark, times: Mapping[int, Span]) -> StepRemark:
    if remark.turn is None or remark.finding is None:
        return StepRemark(remark.kind, remark.say)
    start, end = times_of(remark.finding, times[remark.turn])
    return StepRemark(remark.kind, remark.say, remark.turn, remark.finding.quote, start, end)


def _waited(wait: Wait, times: Mapping[int, Span]) -> StepRemark:
    """A question and what came after it; one that was not waited for has its own remark, so only the silence here."""
    start, end = times_of(wait.finding, times[wait.turn])
    seconds = "" if wait.silence_s is None else f" {wait.silence_s:.1f} s"
    answer = f", and the customer said “{_short(wait.answer)}”" if wait.waited and wait.answer else ""
    if wait.waited:
        say = f"waited{seconds}{answer}" if seconds or answer else "waited; nobody spoke any more"
    elif wait.waited is None:
        say = f"you went on after{seconds}; whether the customer answered is not on the recording"
    else:
        say = f"left{seconds} before going on" if seconds else "went straight on in the same turn"
    return StepRemark("wait", say, wait.turn, wait.finding.quote, start, end)


def _short(text: str) -> str:
    return text if len(text) <= ANSWER_CHARS else text[: ANSWER_CHARS - 1].rsplit(" ", 1)[0] + " …"


def _notes(step: Step, notes: int) -> tuple[StepRemark, ...]:
    """Whether there is a record of what was said, where the step asks for one (001.2, 002.3)."""
    if not step.notes:
        return ()
    return (StepRemark("notes", f"{words.count(notes, 'note')} on record" if notes else "no notes are on record"),)


def times_of(finding: Finding, turn: Span) -> Span:
    """Where to hear the finding: its own words, or the whole turn where these have no times."""
    start, end = finding.start_s, finding.end_s
    return turn if start is None or end is None or not 0 <= start < end else (start, end)


# --- cycles ------------------------------------------------------------------------------------------


def cycle_lines(
    procedure: Procedure | None, told: Sequence[Told], turns: Sequence[ReportTurn]
) -> tuple[CycleLine, ...]:
    """The rounds of the call, where the procedure has any (000)."""
    if procedure is None:
        return ()
    times = {turn.number: (turn.start_s, turn.end_s) for turn in turns}
    return tuple(
        CycleLine(
            cycle.number,
            cycle.why,
            _short(cycle.said),
            tuple(CycleStep(step.name, found and _quote(*found, times)) for step, found in cycle.steps),
        )
        for cycle in cycles(procedure, told)
    )
