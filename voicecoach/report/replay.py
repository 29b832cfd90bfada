"""The call judged again, from its facts, under the rules of today.

What happened is not questioned: which turns there were, what was heard, and that the customer reacted to a turn
or to silence. How a turn is judged and how far it moved the customer is computed afresh where the rules and the
persona are at hand, and taken from the live events where they are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from voicecoach import RULES_VERSION, judge
from voicecoach import persona as customer
from voicecoach.judge import Rules
from voicecoach.judge.context import cut_short, next_context, talked_over_s
from voicecoach.nouns import Assessment, Mood, Reaction, TurnContext
from voicecoach.persona import Persona, drills
from voicecoach.persona.engine import CUTS_IN
from voicecoach.report import words
from voicecoach.report.facts import Facts, Reacted, TurnFacts
from voicecoach.report.moment import moment_of, seed_of
from voicecoach.report.rounds import drill_of
from voicecoach.report.values import AngerStep, Interruption

SAME_ANGER = 0.05
"""Anger (0 to 5) is shown to one decimal; what differs less is the same."""


@dataclass(frozen=True)
class Replay:
    """Each turn's assessment, the customer's anger over time, and where these are not what they were live."""

    assessments: Mapping[int, Assessment]
    anger: tuple[AngerStep, ...]
    differences: tuple[str, ...]
    finished: Mapping[int, bool]
    """Whether the customer had told the whole story when each turn began, where that is known."""


def replay(facts: Facts, persona: Persona | None, rules: Rules | None) -> Replay:
    """Judge the call again; without `rules` the live verdicts stand, without `persona` or `rules` the live anger does."""
    call = _Call(facts, persona, rules)
    for place, happened in sorted(_log(facts), key=lambda entry: entry[0]):
        if isinstance(happened, Interruption):
            call.cut(happened)
        elif isinstance(happened, str):
            if call.moment is None or place != facts.said[0][0]:  # a line said again was heard before
                call.said.append(happened)
        elif isinstance(happened, TurnFacts):
            call.judge(happened)
        else:
            call.react(happened)
    same_rules = facts.started.get("rules") == RULES_VERSION
    heard_again = {f"Turn {turn.number}" for turn in facts.turns if turn.reacted_to and same_rules}
    for turn in facts.turns:
        where = f"Turn {turn.number}"
        if where in call.changes and turn.heard and _plain(turn.reacted_to) not in ("", _plain(turn.heard.text)):
            call.changes[where].append(f"in the call the customer had heard “{turn.reacted_to}”")
    differences = tuple(_sentence(where, what, where in heard_again) for where, what in call.changes.items())
    return Replay(call.assessments, tuple(call.steps), differences, call.finished)


def _log(facts: Facts) -> Iterator[tuple[int, str | TurnFacts | Reacted | Interruption]]:
    """What the replay walks through, with its position in the log."""
    turns = {turn.number: turn for turn in facts.turns}
    yield from facts.said
    yield from ((place, turns[key]) for place, key in facts.spoke)
    yield from ((reacted.place, reacted) for reacted in facts.reacted)
    yield from ((cut.events[0], cut) for cut in facts.interruptions)


class _Call:
    """The state of the call while its log is walked through once."""

    def __init__(self, facts: Facts, persona: Persona | None, rules: Rules | None) -> None:
        self._facts, self.persona, self.rules = facts, persona, rules
        self.moment = moment_of(facts.started)
        """Where the call began, if that was not at the beginning."""
        self._drill = drill_of(facts.started)
        self.said: list[str] = list(self.moment.said) if self.moment else []
        """What the customer said since the last turn."""
        self.stopped = False
        """The trainee has stopped the customer's last line."""
        self.assessments: dict[int, Assessment] = {}
        self.texts: dict[int, str] = {}
        self.steps: list[AngerStep] = []
        self.changes: dict[str, list[str]] = {}
        """Where and how today's judgement is not the live one."""
        self.finished: dict[int, bool] = {}
        """Whether the customer had told the whole story when a turn began."""
        self._context = TurnContext(
            customer_name=persona.full_name if persona else "",
            cannot=persona.brief.cannot if persona else (),
            can=persona.brief.can if persona else (),
        )
        self._previous: Assessment | None = None
        self._begun = customer.begin(persona, seed_of(facts.started)).mood if persona else None
        """The mood at the beginning, which no judgement has made."""
        if self.moment is not None:
            self._context = self.moment.context
            self._previous = Assessment((), self.moment.delivery) if self.moment.delivery else None
            self._begun = self.moment.mood
        self._mood = self._begun if persona and rules else None
        anger = self._mood.anger if self._mood else next(iter(facts.angers), None)
        if anger is not None:
            at_s = facts.lines[0].start_s if facts.lines else 0.0
            events = facts.lines[0].events[:1] if facts.lines else ()
            met = self.moment.mood.met if self.moment else ()
            self.steps.append(AngerStep(at_s, anger, anger, None, "opening", met=met, events=events))

    def cut(self, cut: Interruption) -> None:
        """Of a line that the trainee stopped only what was heard has been said."""
        if cut.by == "customer" or not cut.stopped:
            return
        self.stopped = True
        line = next((line for line in self._facts.lines if cut.events[0] in line.events), None)
        if line is not None and (self.moment is None or line is not self._facts.lines[0]):
            said, self._context = cut_short(self.said, self._context, line.text, line.heard)
            self.said = list(said)

    def judge(self, turn: TurnFacts) -> None:
        """Assess one turn, and note where the live assessment was another."""
        finished = _finished(self.persona, self._mood or self._begun)
        if self.persona is not None:
            self.finished[turn.number] = finished
        if self.rules is None or turn.heard is None:
            if turn.assessed:
                self.assessments[turn.number] = _supported(turn.assessed, turn.heard.text if turn.heard else "")
            return
        text = self.texts[turn.number] = turn.heard.text
        self._context = next_context(
            self._context,
            self._previous,
            customer_said=" ".join(self.said),
            customer_finished=finished,
            cut_off=any(
                cut.by == "trainee" and cut.stopped and turn.start_s <= cut.start_s <= turn.end_s
                for cut in self._facts.interruptions
            ),
            overlap_s=talked_over_s(turn.overlap, [line.start_s for line in self._facts.lines], self._facts.taken_back),
        )
        self.said.clear()
        spoken = self._previous.delivery if self._previous else None
        today = judge.assess(text, turn.heard.words, turn.observation, self._context, self.rules, spoken)
        self._previous = self.assessments[turn.number] = today
        if turn.assessed:
            self._change(f"Turn {turn.number}", _changes(turn.assessed, today))

    def react(self, reacted: Reacted) -> None:
        """Let the customer react again, and note where the anger was another."""
        before = self.steps[-1].after if self.steps else None
        again, self.stopped = self._again(reacted), False
        self._mood = again.mood if again else reacted.mood or self._mood
        if self._mood is None:
            return
        after = self._mood.anger
        causes = again.causes if again else reacted.causes
        why: Literal["silence", "turn", "cut in"] = "turn"
        if reacted.turn is None:
            why = "cut in" if self._mood.state == CUTS_IN else "silence"
        self.steps.append(
            AngerStep(
                reacted.at_s, after if before is None else before, after, reacted.turn, why, causes,
                self._mood.met, (reacted.place,),
            )
        )  # fmt: skip
        if again and reacted.mood and abs(reacted.mood.anger - after) >= SAME_ANGER:
            place = f"The {'silence' if why == 'silence' else 'cutting in'} at {words.clock(reacted.at_s)}"
            where = place if reacted.turn is None else f"Turn {reacted.turn}"
            self._change(where, [f"anger {after:.1f}, was {reacted.mood.anger:.1f}"])

    def _again(self, reacted: Reacted) -> Reaction | None:
        """The customer's reaction by today's rules, where there is what it takes."""
        if self.persona is None or self.rules is None or self._mood is None:
            return None
        stopped = self.stopped and not self._drill  # in a drill nothing is told again
        if reacted.turn is None and reacted.mood and reacted.mood.state == CUTS_IN:
            return customer.cut_in(self.persona, self._mood, stopped)
        if reacted.turn is None:
            return customer.react_to_silence(self.persona, self._mood, stopped)
        if reacted.turn not in self.texts:
            return None
        react: Callable[..., Reaction] = partial(customer.react, stopped=stopped)
        if self._drill:
            react = drills.react(self._drill, words.NAMES)
        try:
            return react(self.persona, self._mood, self.assessments[reacted.turn], self.texts[reacted.turn])
        except (ArithmeticError, LookupError, ValueError):
            return None  # an edited record, in which no call can have come to this: its own moods stand

    def _change(self, where: str, what: Sequence[str]) -> None:
        if what:
            self.changes.setdefault(where, []).extend(what)


def _supported(live: Assessment, text: str) -> Assessment:
    """The live verdicts less those whose words are not on record, or not any more."""
    return replace(live, findings=tuple(found for found in live.findings if found.quote and found.quote in text))


def _plain(text: str) -> str:
    """Words only: punctuation and capitals are the recogniser's."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def _sentence(where: str, what: Sequence[str], heard_again: bool) -> str:
    why = "by the careful hearing" if heard_again else "today"
    return f"{where} is judged differently {why}: {'; '.join(what)}."


def _finished(persona: Persona | None, mood: Mood | None) -> bool:
    """Whether the customer has told the whole story; without a simulated customer that cannot be known."""
    return persona is None or mood is None or not customer.has_more_to_tell(persona, mood)


def _changes(live: Assessment, today: Assessment) -> list[str]:
    """How today's assessment is not the live one, as phrases."""
    then, now = ({(f.code, f.outcome) for f in assessment.findings} for assessment in (live, today))
    changes = [f"now {_name(mark)}" for mark in sorted(now - then)]
    changes += [f"no longer {_name(mark)}" for mark in sorted(then - now)]
    spoken = [(a.delivery.loudness, a.delivery.pace) for a in (today, live)]
    if spoken[0] != spoken[1]:
        changes.append(f"said {words.delivery(*spoken[0])}, was {words.delivery(*spoken[1])}")
    return changes


def _name(mark: tuple[str, str]) -> str:
    code, outcome = mark
    return f"“{words.code(code)}” ({words.outcome(outcome)})"
