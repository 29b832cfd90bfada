"""The published procedures as data files: read, and checked line by line (docs/procedures.md, "Your own procedure")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from voicecoach import yamlfile
from voicecoach.errors import BadInput
from voicecoach.judge.cues import FAULTS, MOVES, line_of, suggestion
from voicecoach.nouns import CUSTOMER_FINISHED, SLUG, Procedure, Step

MAX_STEPS = 20
MAX_CHARS = 240
"""As much as fits a screen."""
MAX_PHRASES = 20


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
    """What the types cannot tell: unknown codes and steps, steps that nothing could show, ids used twice."""
    ids = [step.id for step in procedure.steps]
    problems: list[tuple[int, str]] = []
    at = 1
    for index, step in enumerate(procedure.steps):
        at = line_of(text, f"id: {step.id}", at) or line_of(text, f"id: {step.id}") or 1
        if step.id in ids[:index]:
            problems.append((at, f"the step id '{step.id}' is used twice."))
        problems += [(line_of(text, near, at) or at, what) for near, what in _of_step(step, index, ids)]
        at += 1
    whole = [("id:", what) for what in _bad_slug("the procedure's id", procedure.id)]
    whole += [(key, what) for key in ("name", "about") for what in _bad_text(key, getattr(procedure, key))]
    whole += [("cycle", _unknown(name, "cycle", ids)) for name in procedure.cycle if name not in ids]
    if len(procedure.cycle) == 1:
        whole.append(("cycle", "'cycle' names one step; a round has at least two."))
    if not ids:
        whole.append(("steps", "'steps' is empty."))
    if len(ids) > MAX_STEPS:
        whole.append(("steps", f"'steps' has {len(ids)} steps; {MAX_STEPS} is the most."))
    return sorted({*problems, *((line_of(text, near) or 1, what) for near, what in whole)})


def _of_step(step: Step, index: int, ids: list[str]) -> Iterator[tuple[str, str]]:
    """(text near the mistake, sentence) for each mistake in one step."""
    yield from ((f"id: {step.id}", what) for what in _bad_slug("the step's id", step.id))
    for key in ("name", "rule", "source"):
        yield from ((f"{key}:", what) for what in _bad_text(key, getattr(step, key)))
    codes = [("any_of", step.any_of, MOVES), ("all_of", step.all_of, MOVES), ("forbids", step.forbids, FAULTS)]
    codes += [("wait_after", step.wait_after, MOVES)]
    codes += [("too_early", rule.moves, MOVES) for rule in step.too_early]
    for key, given, known in codes:
        kind = "move" if known is MOVES else "fault"
        yield from ((c, f"'{c}' in {key} is not a {kind}{suggestion(c, known)}.") for c in given if c not in known)
    for name in step.after:
        if name not in ids:
            yield name, _unknown(name, "after", ids)
        elif name not in ids[:index]:
            yield "after", f"'{name}' in after does not stand above '{step.id}': write the steps in their order."
    for rule in step.too_early:
        if rule.until not in (*ids, CUSTOMER_FINISHED):
            yield rule.until, _unknown(rule.until, "until", [*ids, CUSTOMER_FINISHED])
        if not rule.moves:
            yield "too_early", "a rule of 'too_early' names no moves."
        if len(rule.unless) > MAX_PHRASES:
            yield "unless", f"'unless' has {len(rule.unless)} phrases; {MAX_PHRASES} is the most."
        for phrase in (rule.say, *rule.unless):
            yield from ((phrase[:20] or "too_early", what) for what in _bad_text("too_early", phrase))
    if step.prepared_by and not step.before_call:
        yield "prepared_by", f"'prepared_by' belongs to a step before the call: add before_call: true to '{step.id}'."
    if not (step.before_call or step.any_of or step.all_of or step.forbids):
        yield f"id: {step.id}", f"nothing could show the step '{step.id}': give it any_of, all_of or forbids."


def _unknown(name: str, key: str, ids: list[str]) -> str:
    return f"'{name[:50]}' in {key} is not a step{suggestion(name, ids)}."


def _bad_slug(what: str, value: str) -> Iterator[str]:
    if not SLUG.fullmatch(value):
        yield f"{what} '{value[:50]}' must be 1 to 40 of a-z, 0-9 and '-', not beginning with '-'."


def _bad_text(key: str, value: str) -> Iterator[str]:
    if not value.strip():
        yield f"'{key}' must not be empty."
    if len(value) > MAX_CHARS:
        yield f"'{key}' has {len(value)} characters; {MAX_CHARS} is the most."
    if not value.isprintable():
        yield f"'{key}' holds a line break or a control character."
