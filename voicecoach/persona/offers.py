"""Whether an offer is one that this customer wants: by the words that the scenario gives for it.

Lenient: one word or phrase is enough, whatever its ending, and so is what the scenario says that the agent can offer.
"""

from __future__ import annotations

import functools

from voicecoach.persona.model import Persona, words

_SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "for",
        "from",
        "get",
        "have",
        "his",
        "her",
        "if",
        "in",
        "it",
        "its",
        "more",
        "no",
        "not",
        "of",
        "off",
        "on",
        "once",
        "one",
        "or",
        "our",
        "out",
        "own",
        "so",
        "some",
        "that",
        "the",
        "their",
        "them",
        "then",
        "this",
        "to",
        "two",
        "up",
        "us",
        "we",
        "will",
        "with",
        "you",
        "your",
        "call",
        "back",
        "phone",
        "person",
        "free",
        "today",
        "tomorrow",
        "morning",
        "afternoon",
        "evening",
        "noon",
        "week",
        "weeks",
        "month",
        "months",
        "day",
        "days",
        "hour",
        "hours",
        "offer",
        "agrees",
        "supervisor",
        "manager",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
)
"""Words that say nothing of what is offered (ours)."""
_ENDINGS = ("ment", "ing", "ied", "ed", "ies", "es", "e", "y")
_SHARED = 2
"""Words that an offer shares with a phrase of what can be offered, to be taken for it (ours)."""


def is_wanted(persona: Persona, text: str) -> bool:
    """Whether `text` holds one of the outcomes that are accepted; where none are given, every offer will do."""
    if not persona.accepts:
        return True
    said = _stems(text)
    if any(_stems(phrase) in said for outcome in persona.accepts for phrase in outcome.any_of):
        return True
    return any(_shares(phrase, said) for phrase in persona.brief.can)


def _shares(phrase: str, said: str) -> bool:
    telling = {f" {stem(word)} " for word in words(phrase).split() if word not in _SMALL}
    return bool(telling) and sum(word in said for word in telling) >= min(_SHARED, len(telling))


def _stems(text: str) -> str:
    """`text` as stems between single spaces, so that "replaced" meets "replacing"."""
    return " ".join(["", *map(stem, words(text).split()), ""])


@functools.lru_cache(4096)
def stem(word: str) -> str:
    """`word` without its ending, roughly."""
    word = word.removesuffix("'s").removesuffix("’s")
    if word.endswith("s") and not word.endswith(("ss", "ies")) and len(word) > 3:
        word = word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
