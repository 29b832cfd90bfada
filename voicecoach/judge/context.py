"""What the judge knows besides the words of a turn: the live loop and every report build it here, alike."""

from __future__ import annotations

from dataclasses import replace

from voicecoach.nouns import Assessment, TurnContext


def next_context(
    so_far: TurnContext,
    previous: Assessment | None,
    *,
    customer_said: str,
    customer_finished: bool,
    overlap_s: float,
) -> TurnContext:
    """The context in which the next turn of the trainee is judged.

    `so_far` is the context of the turn before, or `TurnContext(customer_name=...)` at the beginning of a call;
    `previous` is the assessment of the turn before, None at the beginning. `customer_said` is what the customer has
    said since the turn before (if nothing, what was said last is kept), `customer_finished` whether the whole story
    has been told, `overlap_s` the seconds of this turn during which the customer was speaking too; a turn that is
    nothing but a verbal nod is told apart by the judge of moves.
    """
    done = (
        () if previous is None else tuple(f.code for f in previous.findings if f.kind == "move" and f.outcome == "done")
    )
    return replace(
        so_far,
        customer_said=customer_said or so_far.customer_said,
        history=so_far.history + done,
        customer_finished=customer_finished,
        talked_over_s=overlap_s,
    )
