"""The second layer of the judge: a small text encoder reads the turn as a whole, and says what each clause does.

The cues (moves.py) are sure where they fit, and miss what is said in other words; the encoder was trained on our own
corpus (benchmarks/moves) to hear the rest. It sees the words of the turn in the light of the customer's, and, per
clause, what the cues found. What is pure of it is here: what it is asked, and what its probabilities mean. The model
itself runs outside (`voicecoach/world/reader.py`) and is handed in as a `Read`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voicecoach.judge.clauses import Clause
from voicecoach.judge.content import content, content_of
from voicecoach.judge.cues import ACKNOWLEDGING, FAULTS, MOVES, OFFERED
from voicecoach.nouns import Finding, Floats, Question, TurnContext

CODES = (*MOVES, *FAULTS)
INDEX = {code: index for index, code in enumerate(CODES)}
OF_CONTEXT = 14
N_FEATURES = 2 * len(CODES) + OF_CONTEXT


def question(text: str, clauses: Sequence[Clause], context: TurnContext, found: Sequence[Finding]) -> Question:
    """The question about a turn; `found` is what the cues found in it."""
    heard = f"{context.story} {context.customer_said}".strip()
    said = f"{context.customer_name}: {heard}" if context.customer_name else heard
    return Question(
        text,
        said,
        tuple((clause.start, clause.end) for clause in clauses),
        features(clauses, context, found),
    )


def features(clauses: Sequence[Clause], context: TurnContext, found: Sequence[Finding]) -> Floats:
    """What is known of each clause besides its words [shape=(n_clauses, N_FEATURES)].

    Two columns for each of CODES (found surely, found perhaps), then OF_CONTEXT columns: the course of the call, the
    place in the turn, the mark behind it, and how many of its content words are the customer's own.
    """
    import numpy as np

    told = content_of(f"{context.story} {context.customer_said}")
    done = set(context.history)
    finished = 0.5 if context.customer_finished is None else float(context.customer_finished)
    rows = np.zeros((len(clauses), N_FEATURES), np.float32)
    for row, (index, clause) in zip(rows, enumerate(clauses), strict=True):
        for finding in found:
            if finding.start < clause.end and clause.start < finding.end:
                row[2 * INDEX[finding.code] + (finding.outcome not in ("done", "shown"))] = 1
        words = content(clause.plain)
        shared = len(words & told)
        row[-OF_CONTEXT:] = (
            finished,
            bool(done & ACKNOWLEDGING),
            bool(done & OFFERED),
            bool(context.customer_name),
            index == 0,
            index == len(clauses) - 1,
            len(clauses) == 1,
            clause.mark == "?",
            clause.mark == ".",
            min(shared, 4) / 4,
            shared / max(1, len(words)),
            bool(context.customer_said),
            len(clause.tokens) / 20,
            bool(re.search(r"\byour?\b", clause.plain)),
        )
    return rows
