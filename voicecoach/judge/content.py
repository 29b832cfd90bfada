"""What a text is about: its content words, roughly stemmed, so that "waited" and "waiting" meet."""

from __future__ import annotations

from functools import lru_cache

from voicecoach.judge.clauses import listed, split

LIMIT_SHARE = 0.6
"""An offer with this share of a limit's content words is worth a listen, with all of them it breaks it: our judgement."""

_STOPWORDS = listed(
    "the a an and or but so if of in on at to for from by with about as is am are was were be been being do does did "
    "have has had will would can could should may might must shall not no yes ok i you he she it we they me him her us "
    "them my your his its our their this that these those there here what which who when where why how all any some "
    "just now then than too very really up down out off over again still more most much many only even also because "
    "get got go going know say said tell told want like well right let make see think thing things one please "
    "cannot sorry hello hi thank thanks sir mr mrs ms miss"
)


def content(plain: str) -> frozenset[str]:
    """The content words of `plain`, which is in the spelling of `clauses`."""
    words = (word for word in plain.split() if word not in _STOPWORDS and (len(word) > 2 or word[0].isdigit()))
    return frozenset(_stem(word) for word in words)


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s", "d", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=256)
def content_of(text: str) -> frozenset[str]:
    """The content words of a text as it was written or said."""
    return content(" ".join(clause.plain for clause in split(text)))
