"""Steps that were not heard: what could have been said, and at which moment of this very call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from voicecoach.judge.better import PLAINLY, better, could_say
from voicecoach.judge.context import STORY_CHARS
from voicecoach.judge.cues import OFFERED
from voicecoach.judge.steps import Told
from voicecoach.judge.theirs import telling
from voicecoach.nouns import Finding, StepOutcome, TurnContext
from voicecoach.report import words
from voicecoach.report.values import CustomerLine, Moment, Span

Chance: TypeAlias = tuple[str, Moment | None]
"""What could have been said and when, as a sentence, and where that was."""
NOTHING: Chance = ("", None)

LATE = frozenset(
    {"resolution", "alternatives", "referral", "res_who", "res_when", "checkback", "follow_up", "work_together"}
)
"""Moves that come when the story is told; the others come as soon as there is something to answer."""
AFTER_OFFER = frozenset({"checkback", "follow_up"})
"""Moves that come once something was offered."""
QUOTE_CHARS = 80
"""As much of the customer's words as names a moment."""


def could_have_said(
    outcome: StepOutcome,
    told: Sequence[Told],
    times: Mapping[int, Span],
    lines: Sequence[CustomerLine],
    known: TurnContext,
) -> Chance:
    """One sentence for a step that was not heard, and its place; nothing for any other, and where nobody spoke."""
    step = outcome.step
    if outcome.outcome != "not heard" or step.before_call or not told:
        return NOTHING
    moments = [(one, context) for one, context in zip(told, _contexts(told, known), strict=True) if one.number in times]
    for number, finding in outcome.where:
        if finding.kind == "fault":
            return _instead(number, finding, moments, times), _own(finding, times[number])
    if outcome.where:  # said, but with the wrong voice
        number, finding = outcome.where[0]
        say = f"{_quoted(finding, times[number])}: these are the words; say them low and slow."
        return say, _own(finding, times[number])
    made = {finding.code for one in told for finding in one.said.findings if finding.kind == "move"}
    wanted = [] if made & set(step.any_of) else list(step.any_of)
    wanted += [code for code in step.all_of if code not in made]
    return next(_chances(wanted or [*step.any_of, *step.all_of], moments, times, lines), NOTHING)


def _contexts(told: Sequence[Told], known: TurnContext) -> Iterator[TurnContext]:
    """What the customer had said before each turn."""
    said = story = ""
    for one in told:
        if one.before:
            said, story = one.before, f"{story} {said}".strip()[-STORY_CHARS:]
        yield replace(known, customer_said=said, story=story, customer_finished=one.finished)


def _instead(
    number: int, finding: Finding, moments: Sequence[tuple[Told, TurnContext]], times: Mapping[int, Span]
) -> str:
    """What to do instead of the fault that stood against the step."""
    context = next((context for one, context in moments if one.number == number), TurnContext())
    quote = finding.quote if finding.code == "overpromise" else ""  # the quote stands in front already
    advice = better(finding.code, finding.outcome, quote, context) or finding.advice
    return f"{_quoted(finding, times[number])}: {advice}" if advice else ""


def _quoted(finding: Finding, turn: Span) -> str:
    start_s = finding.start_s if finding.start_s is not None else turn[0]
    return f"At “{_short(finding.quote)}” ({words.clock(start_s)})"


def _chances(
    wanted: Sequence[str],
    moments: Sequence[tuple[Told, TurnContext]],
    times: Mapping[int, Span],
    lines: Sequence[CustomerLine],
) -> Iterator[Chance]:
    """Sentences for the wanted moves, those made of this call's own words first."""
    answering = [(one, context) for one, context in moments if one.before]
    for code in wanted:
        late = code in LATE
        for one, context in reversed(answering) if late else sorted(answering, key=_weight, reverse=True):
            if say := could_say(code, context if late else replace(context, story="")):
                yield _sentence(_moment(code, one, moments, times, lines), say)
    for code in wanted:
        say = PLAINLY.get(code, "")
        if say and moments:
            one = moments[-1 if code in LATE else 0][0]
            yield _sentence(_moment(code, one, moments, times, lines), say)


def _weight(moment: tuple[Told, TurnContext]) -> float:
    """How much the customer told just before a turn."""
    said = telling(moment[0].before).said
    return said.weight if said else 0.0


def _sentence(moment: tuple[str, Moment], say: str) -> Chance:
    return f"{moment[0]}, for example: “{say}”", moment[1]


def _own(finding: Finding, turn: Span) -> Moment:
    """The trainee's words."""
    start_s, end_s = finding.start_s, finding.end_s
    return Moment("trainee", finding.quote, *((start_s, end_s) if start_s is not None and end_s is not None else turn))


def _moment(
    code: str,
    one: Told,
    moments: Sequence[tuple[Told, TurnContext]],
    times: Mapping[int, Span],
    lines: Sequence[CustomerLine],
) -> tuple[str, Moment]:
    """After which words, with their time: the trainee's offer, or what the customer had just said."""
    if code in AFTER_OFFER:
        for turn, _ in reversed(moments):
            for finding in turn.said.findings:
                if finding.code in OFFERED - AFTER_OFFER and finding.outcome == "done":
                    phrase = _quoted(finding, times[turn.number]).replace("At ", "After ", 1)
                    return phrase, _own(finding, times[turn.number])
    heard = [line for line in lines if line.start_s < times[one.number][0] and line.heard and line.heard in one.before]
    if not heard:
        return f"In turn {one.number} ({words.clock(times[one.number][0])})", Moment("trainee", "", *times[one.number])
    facts = telling(one.before).said or telling(one.before).fact
    clause = facts.words if facts else ""
    line = next((line for line in reversed(heard) if clause and clause in line.heard), heard[-1])
    quote = _short(clause if clause in line.heard and clause else line.heard)
    return f"After “{quote}” ({words.clock(line.start_s)})", Moment("customer", quote, line.start_s, line.end_s)


def _short(text: str) -> str:
    text = text.replace("“", "").replace("”", "").replace('"', "").strip()
    return text if len(text) <= QUOTE_CHARS else text[: QUOTE_CHARS - 1].rsplit(" ", 1)[0] + " …"
