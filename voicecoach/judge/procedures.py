"""The published procedures: read from data files, and each scored by itself (they disagree on order)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from voicecoach import yamlfile
from voicecoach.errors import BadInput
from voicecoach.judge.cues import FAULTS, MOVES, line_of, suggestion
from voicecoach.nouns import Assessment, Finding, Procedure, Step, StepOutcome

Where = tuple[tuple[int, Finding], ...]


def load_procedure(path: Path) -> Procedure:
    """Read a procedure file; BadInput lists every problem with its line."""
    return parse_procedure(yamlfile.read_text(path), str(path))


def parse_procedure(text: str, name: str) -> Procedure:
    """As `load_procedure`, for text already read; `name` stands for the file in messages."""
    procedure = yamlfile.parse(text, Procedure, name)
    problems = _problems(procedure, text)
    if problems:
        lines = "\n".join(f"  line {line}: {what}" for line, what in problems)
        raise BadInput(f"{name} cannot be used:\n{lines}")
    return procedure


def _problems(procedure: Procedure, text: str) -> list[tuple[int, str]]:
    """What the types cannot tell: unknown codes, steps that nothing could show, ids used twice."""
    problems = []
    seen: set[str] = set()
    for step in procedure.steps:
        at = line_of(text, f"id: {step.id}") or 1
        if step.id in seen:
            problems.append((at, f"the step id '{step.id}' is used twice."))
        seen.add(step.id)
        for key, codes, known in (
            ("any_of", step.any_of, MOVES), ("all_of", step.all_of, MOVES), ("forbids", step.forbids, FAULTS)
        ):  # fmt: skip
            kind = "move" if known is MOVES else "fault"
            problems += [
                (line_of(text, code, at) or at, f"'{code}' in {key} is not a {kind}{suggestion(code, known)}.")
                for code in codes
                if code not in known
            ]
        if not (step.before_call or step.any_of or step.all_of or step.forbids):
            problems.append((at, f"nothing could show the step '{step.id}': give it any_of, all_of or forbids."))
    if not procedure.steps:
        problems.append((line_of(text, "steps") or 1, "'steps' is empty."))
    return sorted(problems)


def score(procedure: Procedure, assessments: Sequence[tuple[int, Assessment]]) -> tuple[StepOutcome, ...]:
    """What was heard of each step in the turns `(turn number, assessment)` of a call, in the procedure's order."""
    return tuple(_score(step, assessments) for step in procedure.steps)


def _score(step: Step, assessments: Sequence[tuple[int, Assessment]]) -> StepOutcome:
    if step.before_call:
        return StepOutcome(step, "before the call")
    against = _found(assessments, step.forbids)
    if any(finding.outcome == "shown" for _, finding in against):
        return StepOutcome(step, "not heard", against)
    asked = (*step.any_of, *step.all_of)
    heard = _found(assessments, asked)
    sure = {finding.code for _, finding in heard if finding.outcome == "done"}
    maybe = {finding.code for _, finding in heard}
    if not assessments or not _satisfied(step, maybe):
        return StepOutcome(step, "not heard")
    if not _satisfied(step, sure) or against:
        return StepOutcome(step, "unsure", (*heard, *against))
    done = tuple(pair for pair in heard if pair[1].outcome == "done")
    return StepOutcome(step, _quietly(done, assessments) if step.delivery else "done", done)


def _found(assessments: Sequence[tuple[int, Assessment]], codes: Sequence[str]) -> Where:
    return tuple(
        (turn, finding)
        for turn, said in assessments
        for finding in said.findings
        if finding.code in codes and not _too_early(finding, said)
    )


def _too_early(finding: Finding, said: Assessment) -> bool:
    """Whether a move is the very words of a premature solution: then it is the fault, not a step done (003.1)."""
    return finding.kind == "move" and any(
        fault.code == "premature_solution"
        and fault.outcome == "shown"
        and fault.start < finding.end
        and finding.start < fault.end
        for fault in said.findings
    )


def _satisfied(step: Step, codes: set[str]) -> bool:
    """Whether `codes` hold any of `any_of` (if it names any) and each of `all_of`."""
    return (not step.any_of or bool(codes & set(step.any_of))) and set(step.all_of) <= codes


def _quietly(done: Where, assessments: Sequence[tuple[int, Assessment]]) -> Literal["done", "unsure", "not heard"]:
    """A step that asks for a quiet voice: done when each turn of it was quiet, not heard when none was."""
    turns = {turn for turn, _ in done}
    voices = {said.delivery.loudness for turn, said in assessments if turn in turns}
    if voices == {"quiet"}:
        return "done"
    return "not heard" if voices <= {"raised", "shouting"} else "unsure"
