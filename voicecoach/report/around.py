"""What stands around a call: the worksheet against the promises, degrees of anger in words, and staying calm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from voicecoach.judge.clauses import listed
from voicecoach.judge.delivery import RAISED_DB, too_few_words
from voicecoach.judge.in_kind import effort_db
from voicecoach.nouns import Worksheet
from voicecoach.report import words
from voicecoach.report.actions import sentences
from voicecoach.report.facts import Facts
from voicecoach.report.values import (
    AngerStep,
    CustomerLine,
    Limit,
    Preparation,
    Quote,
    ReportTurn,
    WorksheetLine,
)

PROMISES = frozenset({"resolution", "alternatives", "follow_up", "overpromise", "res_who", "res_when"})
SHARED = 0.5
"""A sentence may be about a phrase of the worksheet when it holds more than half of its content words (our judgement)."""
CLIMB_DB = 2.0
"""Effort that rose by this much over the calmest turn before has climbed: the limit up to which a voice counts as held
(docs/delivery.md, section 10)."""
HARD_ENDS = frozenset({"hung up", "manager"})
NOT_LISTENING = re.compile(r"\byou(?:'re| are) not listening\b", re.IGNORECASE)
SOMEONE_ELSE = re.compile(
    r"\b(?:(?:speak|talk)(?:ing)? (?:to|with)|put me (?:on|through) to|pass me (?:on )?to|get(?: me)?|give me|fetch|put|want|need|(?:'d|would) like|to see|"
    r"ask(?:ed|ing)? for) (?:(?:your|the|a) (?:manager|supervisor|boss)|(?:someone|somebody) else)\b",
    re.IGNORECASE,
)
"""A manager who is only spoken of ("the manager of your shop", "I run a shop, I am the manager") is not asked for."""
_NOT_NOW = re.compile(
    r"\b(?:not|no|never|don't|didn't|won't|needn't|rather than|instead of|had|tried|said|says|told(?! you))(?: [\w']+){0,3} ?$",
    re.IGNORECASE,
)
"""Right before such words: it is denied, or happened another time."""
_SMALL = listed(
    "the a an and or of to for from by with at in on it its is be that your you we our us them they their her his this "
    "will would can could again never ever any some now if not no"
)


# --- the worksheet -----------------------------------------------------------------------------------


def preparation(facts: Facts, turns: Sequence[ReportTurn], brief: Worksheet | None) -> Preparation:
    """What was done around the call; the worksheet is the trainee's own, or else the scenario's brief."""
    recorded = facts.worksheet
    filled = recorded[0] if recorded else ""
    sheet = recorded[1] if recorded and recorded[0] == "done" else brief
    line = _against(filled, sheet, turns) if sheet is not None and sheet != Worksheet() else None
    return Preparation(line, facts.focus, facts.recovery)


def _against(filled: str, sheet: Worksheet, turns: Sequence[ReportTurn]) -> WorksheetLine:
    """The worksheet beside the promises (000.4: "what you CAN do for the customer and what you CAN'T do")."""
    said = [quote for turn in turns for quote in sentences(turn, [m for m in turn.marks if m.code in PROMISES])]
    beyond = [mark for turn in turns for mark in turn.marks if mark.code == "overpromise"]

    def limits(phrases: Sequence[str]) -> tuple[Limit, ...]:
        return tuple(Limit(phrase, tuple(quote for quote in said if _meets(phrase, quote.text))) for phrase in phrases)

    quoted = (Quote(m.turn, m.quote, m.start_s, m.end_s, m.outcome == "shown") for m in beyond)
    return WorksheetLine(filled, sheet, limits(sheet.can), limits(sheet.cannot), tuple(quoted))


def _meets(phrase: str, said: str) -> bool:
    """Whether what was said holds enough of the phrase's content words."""
    wanted = _content(phrase)
    return len(wanted & _content(said)) > SHARED * len(wanted)


def _content(text: str) -> frozenset[str]:
    found = re.findall(r"[^\W_]+", text.replace("’", "'").casefold())
    return frozenset(word[:5] for word in found if word not in _SMALL and len(word) > 2)


# --- degrees of anger --------------------------------------------------------------------------------


def degrees(anger: Sequence[AngerStep], lines: Sequence[CustomerLine]) -> tuple[str, ...]:
    """The way of the customer's anger in words, and the two warnings of 002 where they were spoken."""
    path = [next(steps) for _, steps in groupby(anger, key=lambda step: words.degree(step.after))]
    told = []
    if path:
        way = ", then ".join(f"{words.degree(step.after)} ({words.clock(step.at_s)})" for step in path)
        told.append(f"The customer was {way}.")
    told += list(_warnings(lines))
    return tuple(told)


def _warnings(lines: Sequence[CustomerLine]) -> Iterator[str]:
    ordered = sorted(lines, key=lambda line: line.start_s)
    chance = next((line for line in ordered if NOT_LISTENING.search(_plain(line.heard))), None)
    if chance is not None:
        yield (
            f"At {words.clock(chance.start_s)} the customer said that you were not listening: that is one more chance; "
            "say back what was said, and how it was said (002 slides 17 and 18)."
        )
    other = next(
        (line for line in ordered if line.id.startswith("manager.") or _asks_for_another(_plain(line.heard))), None
    )
    if other is not None:
        yield (
            f"At {words.clock(other.start_s)} the customer asked for somebody else: know beforehand how to engage help "
            "(002 slide 18)."
        )


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").split())


def _asks_for_another(text: str) -> bool:
    return any(not _NOT_NOW.search(text[: asked.start()]) for asked in SOMEONE_ELSE.finditer(text))


# --- staying calm ------------------------------------------------------------------------------------


def calm(turns: Sequence[ReportTurn], facts: Facts, anger: Sequence[AngerStep]) -> tuple[str, ...]:
    """What was done to stay calm; a breath where the effort climbed (002 slide 31), a pause after a hard call (34)."""
    told = (
        (facts.recovery, "Before this call you took the time to get over a hard one (002 slide 34)."),
        (facts.focus, "Before this call you took one slow breath (002.1)."),
    )
    advice = [sentence for done, sentence in told if done == "done"]
    climbed = _climb(turns)
    if climbed is not None:
        turn, low, high = climbed
        advice.append(
            f"Your effort climbed from {words.signed(low)} to {words.signed(high)} dB over your calm voice at "
            f"turn {turn.number} ({words.clock(turn.start_s)}). When you notice it: one slow breath, and a sip of water (002 slide 31)."
        )
    if facts.outcome in HARD_ENDS or (anger and anger[-1].after >= 4):
        advice.append("That was a hard call. Take the time you need before the next one (002 slide 34).")
    return tuple(advice)


def _climb(turns: Sequence[ReportTurn]) -> tuple[ReportTurn, float, float] | None:
    """The turn of most effort, if it was raised and had climbed since the calmest turn before it (or calm itself).

    A few words, whose effort says nothing of loudness, say nothing here.
    """
    low, best = 0.0, None
    for turn in turns:
        effort = effort_db(turn.observation)
        if effort is None or (turn.observation and too_few_words(turn.observation)):
            continue
        if effort > RAISED_DB and effort - low >= CLIMB_DB and (best is None or effort > best[2]):
            best = (turn, low, effort)
        low = min(low, effort)
    return best
