"""What the judge knows besides the words of a turn: the live loop and every report build it here, alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voicecoach.nouns import Assessment, TurnContext

TOGETHER_S = 0.5
"""Speech that begins this soon after the customer's line is no reaction to it but the trainee going on: answering a
voice takes at least 0.2 s, and the sound devices add their latency (Levinson & Torreira 2015; docs/voice-loop.md)."""

GOES_ON_S = 0.5
"""After a shorter pause somebody who began together with the customer is still finishing the same words; who breathes
between clauses takes up to 0.45 s. Our judgement."""

STORY_CHARS = 12_000
"""The story goes back this far: a quarter of an hour of talking, more than any rehearsal holds. Every turn is compared
with it, so that a recording of hours would take ever longer otherwise. Our judgement."""


Span = tuple[float, float]


def talked_over_s(overlap: Sequence[Span], line_starts: Sequence[float], taken_back: Sequence[Span] = ()) -> float:
    """Seconds of the trainee's speech over the customer's, from stretches of overlap and the lines' starts (seconds).

    Where both began together nobody interrupted, so that stretch does not count, nor does what follows it after less
    than GOES_ON_S. Nor does speech over lines that the customer has `taken_back` (from when to when).
    """
    counted, together, before = 0.0, False, 0.0
    for start, end in overlap:
        begun = any(-TOGETHER_S < start - line < TOGETHER_S for line in line_starts)
        withdrawn = any(first - TOGETHER_S < start <= last for first, last in taken_back)
        together = begun or withdrawn or (together and start - before < GOES_ON_S)
        counted, before = counted + (0.0 if together else end - start), end
    return counted


def next_context(
    so_far: TurnContext,
    previous: Assessment | None,
    *,
    customer_said: str,
    customer_finished: bool,
    overlap_s: float,
    cut_off: bool = False,
) -> TurnContext:
    """The context in which the next turn of the trainee is judged.

    `so_far` is the context of the turn before, or `TurnContext(customer_name=..., cannot=..., can=...)` at the
    beginning of a call;
    `previous` is the assessment of the turn before, None at the beginning. `customer_said` is what the customer has
    said since the turn before (if nothing, what was said last is kept), `customer_finished` whether the whole story
    has been told, `overlap_s` the seconds of this turn spoken over the customer (`talked_over_s`), `cut_off` whether that stopped the customer in mid-line; a turn that is
    nothing but a verbal nod is told apart by the judge of moves.
    """
    done = (
        () if previous is None else tuple(f.code for f in previous.findings if f.kind == "move" and f.outcome == "done")
    )
    told = f"{so_far.story} {so_far.customer_said}".strip()[-STORY_CHARS:] if customer_said else so_far.story
    return replace(
        so_far,
        customer_said=customer_said or so_far.customer_said,
        story=told,
        history=so_far.history + done,
        customer_finished=customer_finished,
        talked_over_s=overlap_s,
        cut_off=cut_off and overlap_s > 0,
    )


def cut_short(said: Sequence[str], context: TurnContext, line: str, heard: str) -> tuple[tuple[str, ...], TurnContext]:
    """What the customer has `said` since the turn before, and the context of that one, once the last line is stopped.

    Only what was `heard` of it has been said, also where a nod over it has been judged already.
    """
    if tuple(said[-1:]) == (line,):
        return (*said[:-1], *filter(None, [heard])), context
    known = context.customer_said
    if said or not known.endswith(line):
        return tuple(said), context
    return (), replace(context, customer_said=f"{known.removesuffix(line)}{heard}".strip())
