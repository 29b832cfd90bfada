"""The rounds of a call: a process that begins again when the customer rejects a solution or brings a new problem.

"We may actually have to go through the Five-Step Process many times during one customer interaction" (000).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from voicecoach.judge.steps import Told, premature
from voicecoach.nouns import Cycle, Finding, Procedure

Brought = Literal["", "rejects", "new problem"]

WHY = {"rejects": "the customer did not take the solution", "new problem": "the customer brought something new"}

_ACCEPTS = re.compile(r"^(?:yes|yeah|ok|okay|fine|good|great|perfect|sure|thank|all right|no,? (?:that|nothing|thank))")
_NEW = re.compile(
    r"\b(?:another (?:thing|problem|issue|question)|(?:one|two) more things?|something else|there(?:'s| is) also|"
    r"and also|on top of that|not the only (?:thing|problem)|what about)\b"
)
_REJECTS = re.compile(
    r"\b(?:not (?:good|acceptable|enough|an answer|a solution|what i|going to|gonna|interested|happy)|unacceptable|"
    r"(?:won't|will not|doesn't|does not|can't|cannot) (?:do|work|help|accept|wait|solve)|don't want|do not want|"
    r"still (?:doesn't|does not|isn't|is not|broken|not)|no (?:good|use|help|way)|useless|ridiculous|forget it)\b"
)


def brought(text: str) -> Brought:
    """How a customer takes a solution, by the words alone: enough to see that a round is over, no more."""
    plain = " ".join(text.replace("’", "'").casefold().split())
    if _NEW.search(plain):
        return "new problem"
    return "rejects" if _REJECTS.search(plain) and not _ACCEPTS.match(plain) else ""


def cycles(procedure: Procedure, call: Sequence[Told]) -> tuple[Cycle, ...]:
    """The rounds through the procedure's `cycle`, each step with its first evidence in that round.

    A round is over once one of the last two of its steps (a solution, or the check of it) was done and the customer
    rejects or brings something new; what is said after that belongs to the next one.
    """
    steps = [step for name in procedure.cycle for step in procedure.steps if step.id == name]
    rounds: list[tuple[str, str, dict[int, tuple[int, Finding]]]] = []
    again: tuple[str, str] | None = None
    for told in call:
        if told.brought and rounds and max(rounds[-1][2]) >= len(steps) - 2:
            again = (WHY[told.brought], told.before)
        for finding in told.said.findings:
            index = next((n for n, step in enumerate(steps) if finding.code in (*step.any_of, *step.all_of)), None)
            if index is None or finding.outcome != "done" or premature(finding, told.said.findings):
                continue
            if again or not rounds:
                rounds.append((*(again or ("", "")), {}))
                again = None
            rounds[-1][2].setdefault(index, (told.number, finding))
    return tuple(
        Cycle(number, why, said, tuple((step, found.get(n)) for n, step in enumerate(steps)))
        for number, (why, said, found) in enumerate(rounds, 1)
    )
