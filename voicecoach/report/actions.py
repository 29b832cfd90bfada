"""Drafts from the trainee's own words: the record of the agreed action, and the written account for a referral.

"Record at the time what the agreed action is. Specify [what] will be done, when and by whom" (001.5); "if you are
referring to someone else be sure to provide a written account of the issue and what has been said and agreed" (001.6).
Nothing is invented: what was not said is a blank, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from voicecoach.judge import clauses
from voicecoach.judge.steps import Told, premature
from voicecoach.report import words
from voicecoach.report.values import Action, CustomerLine, Mark, Note, Quote, ReportTurn

Span = tuple[int, int]

OFFER = frozenset({"resolution", "alternatives", "referral"})
BLANK = "________ (not said)"
MOST_LINES = 12
"""Lines of the customer in a written account; the recording holds the rest."""


def actions(turns: Sequence[ReportTurn], told: Sequence[Told]) -> tuple[Action, ...]:
    """What was offered since the customer last rejected something, each offer with what was added to it later.

    Who, when and the follow-up belong to the last offer before them. An offer that was made too early, and was the
    fault, is none.
    """
    around = {one.number: one for one in told}
    groups: list[list[ReportTurn]] = []
    for turn in turns:
        here = around.get(turn.number)
        if here is not None and here.brought == "rejects":
            groups.clear()
        marks = _sayings(turn, here)
        if any(mark.code in OFFER for mark in marks):
            groups.append([turn])
        elif groups and marks:
            groups[-1].append(turn)
    return tuple(_action(group, around) for group in groups)


def _sayings(turn: ReportTurn, told: Told | None) -> list[Mark]:
    """The marks that tell of an action, less those that were said too early."""
    early = {(f.code, f.start) for f in told.said.findings if premature(f, told.said.findings)} if told else set()
    codes = {*OFFER, "res_who", "res_when", "follow_up"}
    return [m for m in turn.marks if m.kind == "move" and m.code in codes and (m.code, m.start) not in early]


def _action(group: Sequence[ReportTurn], around: Mapping[int, Told]) -> Action:
    marks = [(turn, mark) for turn in group for mark in _sayings(turn, around.get(turn.number))]
    promises = {(turn.number, span) for turn, mark in marks if (span := _follows_up(turn, mark, marks))}
    offered = [(turn, mark) for turn, mark in marks if (turn.number, _sentence_of(turn, mark)) not in promises]
    answers = (around[turn.number].answer for turn in group if turn.number in around)
    return Action(
        what=sentences(group[0], [mark for turn, mark in offered if turn is group[0]]),
        who=_quotes(mark for _, mark in offered if mark.code == "res_who"),
        when=_quotes(mark for _, mark in offered if mark.code == "res_when"),
        follow_up=tuple(
            quote
            for turn in group
            for quote in sentences(turn, [m for t, m in marks if t is turn and m.code == "follow_up"])
        ),
        answer=next(filter(None, answers), ""),
    )


def _follows_up(turn: ReportTurn, mark: Mark, marks: Sequence[tuple[ReportTurn, Mark]]) -> Span | None:
    """The sentence of a promise to report back, where it offers nothing else: its who and when are its own."""
    span = _sentence_of(turn, mark)
    beside = {other.code for there, other in marks if there is turn and _sentence_of(turn, other) == span}
    return span if mark.code == "follow_up" and not beside & OFFER else None


def _sentence_of(turn: ReportTurn, mark: Mark) -> Span:
    """[start, end) of the sentence that a mark begins in, and of those that it goes on into."""
    end = max(mark.end, mark.start + 1)
    found = [span for span in clauses.sentences(turn.text) if span[0] < end and mark.start < span[1]]
    return (found[0][0], found[-1][1]) if found else (0, len(turn.text))


def _quotes(marks: Iterable[Mark]) -> tuple[Quote, ...]:
    return tuple(Quote(m.turn, m.quote, m.start_s, m.end_s, m.outcome == "done") for m in marks)


def sentences(turn: ReportTurn, marks: Sequence[Mark]) -> tuple[Quote, ...]:
    """The whole sentences of the marks: one clause is often only its announcement ("here is what I will do")."""
    quotes = []
    for span in sorted({_sentence_of(turn, mark) for mark in marks}):
        inside = [mark for mark in marks if _sentence_of(turn, mark) == span]
        start_s, end_s = min(mark.start_s for mark in inside), max(mark.end_s for mark in inside)
        certain = any(mark.outcome == "done" for mark in inside)
        quotes.append(Quote(turn.number, turn.text[slice(*span)].strip(), start_s, end_s, certain))
    return tuple(quotes)


# --- text to copy ------------------------------------------------------------------------------------


def action_draft(offers: Sequence[Action], customer: str, wall: str) -> str:
    """The record of the agreed action; empty where nothing was offered."""
    if not offers:
        return ""
    return "\n".join(("RECORD OF THE AGREED ACTION (a draft from your own words: check it)", *_head(customer, wall),
                      *_agreed(offers)))  # fmt: skip


def _head(customer: str, wall: str) -> tuple[str, str]:
    return f"Customer: {customer or BLANK}", f"Date: {wall.replace('T', ' ')[:16] or BLANK}"


def _agreed(offers: Sequence[Action]) -> Iterator[str]:
    for number, offer in enumerate(offers, 1):
        if len(offers) > 1:
            yield f"Offer {number}"
        rows = (("What", offer.what), ("Who", offer.who), ("By when", offer.when), ("Follow-up", offer.follow_up))
        yield from (f"{name}: {_said(quotes)}" for name, quotes in rows)
        yield f"The customer answered: {f'“{offer.answer}”' if offer.answer else BLANK}"


def _said(quotes: Sequence[Quote]) -> str:
    shown = (f"“{q.text}” ({words.clock(q.start_s)}{'' if q.certain else ', unsure: listen again'})" for q in quotes)
    return "; ".join(shown) or BLANK


def referral_draft(
    turns: Sequence[ReportTurn],
    lines: Sequence[CustomerLine],
    offers: Sequence[Action],
    notes: Sequence[Note],
    customer: str,
    wall: str,
) -> str:
    """The written account for whoever takes over; empty where no referral was heard."""

    def of(*codes: str) -> tuple[Quote, ...]:
        return _quotes(mark for turn in turns for mark in turn.marks if mark.code in codes and mark.kind == "move")

    referred = of("referral")
    if not referred:
        return ""
    told = sorted((line for line in lines if line.heard), key=lambda line: line.start_s)
    rest = len(told) - MOST_LINES
    return "\n".join(
        (
            "WRITTEN ACCOUNT FOR THE REFERRAL (a draft from what was said: check it)",
            *_head(customer, wall),
            f"Referred to, and why: {_said(referred)}",
            "The issue, in the customer's words:",
            *(f"  {words.clock(line.start_s)} “{line.shown}”" for line in told[:MOST_LINES]),
            *([f"  and {words.count(rest, 'more line')} in the recording"] if rest > 0 else []),
            f"What you said back: {_said(of('restate_facts', 'restate_feelings'))}",
            "Said and agreed:",
            *(f"  {line}" for line in (list(_agreed(offers)) or [BLANK])),
            "Your notes:",
            *([f"  {note.text}" for note in notes] or [f"  {BLANK.replace('not said', 'none taken')}"]),
        )
    )
