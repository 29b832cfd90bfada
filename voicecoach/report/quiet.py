"""The silences of a call: which were long and the trainee's, which had been announced, and each turn's verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from voicecoach.judge.silence import Announcements, Said, Silence, judge_gap, judge_pauses, silences, words_before
from voicecoach.report.facts import TurnFacts
from voicecoach.report.values import CustomerLine, Waiting


def long_silences(
    lines: Sequence[CustomerLine],
    turns: Sequence[TurnFacts],
    announcements: Announcements | None,
    latency_s: float,
    others: Sequence[tuple[float, float]] = (),
    unheard: Sequence[tuple[float, float]] = (),
) -> tuple[Silence, ...]:
    """The long silences of a call; `latency_s` is how much later the trainee hears the customer than the record does.

    What ends a silence too (`others`, seconds): the sound device was away, so that nobody could have said anything; a
    voice was heard, though no words in it. After the trainee's own voice (`unheard`) it is the customer's to speak.
    Without a customer on record there are none: who spoke in between is not known.
    """
    if not lines:
        return ()
    around = [Said("customer", line.start_s, line.end_s + latency_s) for line in lines]
    around += [Said("customer", start_s, end_s) for start_s, end_s in others]
    around += [Said("trainee", start_s, end_s) for start_s, end_s in unheard]
    return silences([*around, *(said for turn in turns for said in _said(turn))], announcements)


def _said(turn: TurnFacts) -> Iterator[Said]:
    """The stretches of a turn, each with all that had been said when it ended."""
    heard = turn.heard
    text, words = (heard.text, heard.words) if heard else ("", ())
    spans = turn.speech or ((turn.start_s, turn.end_s),)
    for (start_s, end_s), (following_s, _) in pairwise(spans):
        yield Said("trainee", start_s, end_s, turn.number, words_before(text, words, (end_s, following_s)))
    yield Said("trainee", *spans[-1], turn.number, text)


def waiting(turn: TurnFacts, found: Sequence[Silence], nod: bool) -> Waiting | None:
    """The verdicts on the wait before a turn and on its pauses."""
    seen = turn.observation
    if seen is None or nod:
        return None
    own = [one for one in found if one.turn == turn.number]
    announced = any(one.kind == "answer" and one.verdict == "explained" for one in own)
    explained_s = max((one.explained_s for one in own if one.kind == "pause"), default=0.0)
    gap, gap_told = judge_gap(seen.response_gap_s, announced)
    pauses, pauses_told = judge_pauses(seen.pauses, seen.span_s, explained_s)
    return Waiting(gap, gap_told, pauses, pauses_told)
