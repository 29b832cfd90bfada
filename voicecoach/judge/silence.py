"""Silence: how long the customer waited, how the trainee paused, and which of it had been announced.

An announced silence ("one moment while I check") is explained and not held against anybody, up to EXPLAINED_S; what is
longer, or was not announced, is dead air (docs/delivery.md section 12 has the table of thresholds).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from voicecoach import yamlfile
from voicecoach.judge.clauses import split
from voicecoach.judge.cues import WHOLE_WORDS
from voicecoach.nouns import Pause, Strict, Word

PROMPT_S = 0.2
GOOD_GAP_S = 2.0
LONG_GAP_S = 4.0
"""Waiting before an answer: 0.2 to 2 s is good, up to 4 s a caution, more is hard for a listener to bear; below 0 the
trainee cut in. 0.2 s is the typical gap between turns (Levinson & Torreira 2015), 4 s are hard to process (Lundholm
Fors 2015), the upper lines are our judgement (docs/delivery.md section 12)."""
LONG_PAUSE_S = 3.0
"""A pause inside a turn: longer is dead air (docs/delivery.md section 12; our judgement)."""
PAUSE_SHARE = (0.10, 0.35)
"""Share of a turn from first to last voice that is pause: below, hardly a breath; above, halting (the same section;
our judgement)."""
MIN_SHARE_SPAN_S = 6.0
"""In shorter turns one breath more or less decides the share. Our judgement."""
EXPLAINED_S = 20.0
"""Silence that one announcement explains. Our judgement: "one moment" is believed for about as long as a look into a
system takes; after that the customer wants to hear something again."""
SLACK_S = 0.5
"""An announced silence may last this much longer, so that the customer who asks after EXPLAINED_S does not count."""
TAIL_WORDS = 12
"""The announcement ends at most this many words before the gap: "... while I check that for you, Miss Whitfield". Our
judgement."""

GapVerdict = Literal["good", "quick", "caution", "interrupting", "dead air", "explained", "not measured"]
PauseVerdict = Literal["good", "few", "many", "dead air", "explained", "not measured"]


# --- announcements -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SilenceFile:
    """The file of announcements as it is written; see its comments."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    about: str
    moments: tuple[str, ...]
    requests: tuple[str, ...]
    denied: str
    reported: str
    otherwise: str
    over: str

    def __post_init__(self) -> None:
        for pattern in (*self.moments, *self.requests, self.denied, self.reported, self.otherwise, self.over):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is not a regular expression ({error})") from error


@dataclass(frozen=True)
class Announcements:
    """The file, compiled."""

    moments: re.Pattern[str]
    requests: re.Pattern[str]
    denied: re.Pattern[str]
    reported: re.Pattern[str]
    otherwise: re.Pattern[str]
    over: re.Pattern[str]


def load_announcements(path: Path) -> Announcements:
    """Read a file of announcements; raises BadInput naming the file and the line."""
    file = yamlfile.load(path, SilenceFile)

    def either(patterns: Sequence[str]) -> re.Pattern[str]:
        return re.compile("|".join(WHOLE_WORDS.replace("{}", pattern) for pattern in patterns))

    return Announcements(
        either(file.moments),
        either(file.requests),
        re.compile(rf"\b(?:{file.denied})$"),
        re.compile(rf"(?:{file.reported})$"),
        re.compile(file.otherwise),
        re.compile(file.over),
    )


def announced(text: str, announcements: Announcements | None) -> str:
    """The words at the end of `text` that announce a silence, as they were said; empty where none do.

    `text` is what was said up to the gap. What is denied ("I will not put you on hold"), reported ("you said one
    moment"), or already over ("thank you for holding") does not count.
    """
    if announcements is None:
        return ""
    clauses = split(text)[-_CLAUSES:]
    plain, tokens, ends = "", [], []
    for clause in clauses:
        for token in clause.tokens:
            plain += (" " if plain else "") + token.plain
            tokens.append(token)
            ends.append(len(plain))
    starts = [0, *(end + 1 for end in ends[:-1])]
    breaks = _breaks(clauses)
    best = ""
    for kind in (announcements.moments, announcements.requests):
        for match in kind.finditer(plain):
            if _counts(match, plain, kind is announcements.requests, breaks, announcements):
                first = max(index for index, start in enumerate(starts) if start <= match.start())
                last = min(index for index, end in enumerate(ends) if end >= match.end())
                said = text[tokens[first].start : tokens[last].end]
                best = said if len(said) > len(best) else best
    return best


_CLAUSES = 8
"""Clauses that are looked at: more words than TAIL_WORDS and a long announcement."""


def _breaks(clauses: Sequence[Any]) -> tuple[int, ...]:
    """Where in the joined text a clause begins after punctuation that ends a sentence."""
    at, found = 0, []
    for clause in clauses:
        at += len(clause.plain) + 1
        if clause.mark in ".?":
            found.append(at)
    return tuple(found)


def _counts(match: re.Match[str], plain: str, guarded: bool, breaks: Sequence[int], a: Announcements) -> bool:
    """Whether a match announces the gap at the end of `plain`."""
    rest = plain[match.end() :]
    if len(rest.split()) > TAIL_WORDS or a.over.search(rest) or a.otherwise.match(rest):
        return False
    sentence = max((at for at in breaks if at <= match.start()), default=0)
    before = plain[sentence : match.start()]
    return not a.reported.search(before) and not (guarded and a.denied.search(before))


# --- verdicts ----------------------------------------------------------------------------------------


def judge_gap(gap_s: float | None, explained: bool = False) -> tuple[GapVerdict, str]:
    """The verdict on the silence before an answer, with its number beside the threshold; negative: it cut in."""
    if gap_s is None:
        return "not measured", ""
    if gap_s < 0:
        return "interrupting", f"began {-gap_s:.1f} s before the customer had ended"
    if gap_s > LONG_GAP_S:
        if explained:
            return "explained", f"{gap_s:.1f} s of silence, announced"
        return "dead air", f"{gap_s:.1f} s of silence; up to {LONG_GAP_S:g} s is easy to bear"
    if gap_s > GOOD_GAP_S:
        return "caution", f"{gap_s:.1f} s of silence; good up to {GOOD_GAP_S:g}"
    if gap_s < PROMPT_S:
        return "quick", f"{gap_s:.1f} s of silence; {PROMPT_S:g} to {GOOD_GAP_S:g} leaves the customer the last word"
    return "good", f"{gap_s:.1f} s of silence; good from {PROMPT_S:g} to {GOOD_GAP_S:g}"


def judge_pauses(pauses: Sequence[Pause], span_s: float, explained_s: float = 0.0) -> tuple[PauseVerdict, str]:
    """The verdict on the pauses of a turn of `span_s` from first to last voice, of which `explained_s` were announced."""
    longest = max((pause.end - pause.start for pause in pauses), default=0.0)
    if longest > LONG_PAUSE_S:
        if explained_s >= longest:
            return "explained", f"a pause of {longest:.1f} s, announced"
        return "dead air", f"a pause of {longest:.1f} s; up to {LONG_PAUSE_S:g} s is easy to bear"
    if span_s < MIN_SHARE_SPAN_S:
        return "not measured", f"{span_s:.1f} s are too short for a share of pauses; {MIN_SHARE_SPAN_S:g} are needed"
    share = sum(pause.end - pause.start for pause in pauses) / span_s
    low, high = PAUSE_SHARE
    told = f"{100 * share:.0f} % pauses; good from {100 * low:.0f} to {100 * high:.0f}"
    return ("few" if share < low else "many" if share > high else "good"), told


# --- every long silence of a call ---------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """A stretch of speech of either side, in seconds, in the order of the call; `words` and `text` are the trainee's."""

    who: Literal["trainee", "customer"]
    start_s: float
    end_s: float
    turn: int | None = None
    text: str = ""
    """Everything of the turn up to the end of this stretch."""


@dataclass(frozen=True)
class Silence:
    """A long silence that was the trainee's to fill. `explained_s` of it, from its beginning, had been announced."""

    kind: Literal["pause", "answer"]
    start_s: float
    end_s: float
    explained_s: float
    quote: str
    """The announcing words; empty where there were none."""
    turn: int | None
    """The trainee's turn that the silence lies in or comes before; None where the customer spoke first."""
    verdict: Literal["dead air", "explained"]

    @property
    def dead_s(self) -> float:
        """Seconds that nobody had announced."""
        return self.end_s - self.start_s - self.explained_s


def silences(said: Sequence[Said], announcements: Announcements | None) -> tuple[Silence, ...]:
    """The long silences of a call that were the trainee's: pauses over LONG_PAUSE_S, waits over LONG_GAP_S.

    After the trainee's words the next is the customer's to say, so that silence counts only where it was announced.
    One announcement explains EXPLAINED_S in all, until the trainee speaks again.
    """
    found: list[Silence] = []
    left_s, quote, until = 0.0, "", 0.0
    before: Said | None = None
    for one in sorted(said, key=lambda entry: entry.start_s):
        if before is not None and one.start_s > until:
            gap_s = one.start_s - until
            inside = before.who == one.who == "trainee" and before.turn == one.turn is not None
            owed = before.who == "customer" or inside or bool(quote)
            if owed and gap_s > (LONG_PAUSE_S if inside else LONG_GAP_S):
                explained_s = min(gap_s, left_s)
                left_s -= explained_s
                kind: Literal["pause", "answer"] = "pause" if inside else "answer"
                said_so = quote if explained_s else ""
                verdict: Literal["dead air", "explained"] = (
                    "explained" if said_so and gap_s <= explained_s + SLACK_S else "dead air"
                )
                found.append(Silence(kind, until, one.start_s, explained_s, said_so, one.turn, verdict))
        if one.who == "trainee":
            quote = announced(one.text, announcements)
            left_s = EXPLAINED_S if quote else 0.0
        if before is None or one.end_s >= until:
            before = one
        until = max(until, one.end_s)
    return tuple(found)


def words_before(text: str, words: Sequence[Word], gap: tuple[float, float]) -> str:
    """What of a turn was said before a gap inside it, by the times of its words; empty where words have no times.

    A word belongs before the gap where its middle lies before the gap's: recognisers stretch words into silence.
    """
    middle = (gap[0] + gap[1]) / 2
    return " ".join(word.text.strip() for word in words if (word.start_s + word.end_s) / 2 < middle) if text else ""
