"""Whether words end like a finished step: what the customer waits for before answering.

A pause says little: calm speakers pause between sentences, and everybody does while looking for a word. The last words
say more. What ends in "and", "my" or "um", or announces a question without asking it, goes on. Only what is clear
counts: a wait too long is felt in every turn, while a customer who begins too early can stop again (session.py). The
lists are our own.
"""

from __future__ import annotations

import re

OPEN_WORDS = frozenset(
    """
    and but or nor because cause if unless until whether when whenever which whose than as although plus
    a an the my your our their its his some any every each these those
    to of with from for at by into onto about without between during against towards
    i we he she they
    i'm we're you're they're he's she's it's there's i'll we'll you'll they'll i've we've you've i'd we'd let's
    is are was were be would could should
    um uh uhm er erm eh ah hmm
    just also very maybe perhaps like
    """.split()  # noqa: SIM905 - a list of words reads as words
)
"""No sentence ends in these, but for what CLOSED has."""

_ASK = (
    r"(?:(?:can|could|may|might|must) (?:i|we)|let me|(?:i'd|i would|we'd|we would) (?:just )?like to"
    r"|(?:i|we) (?:just )?(?:want|need|have) to) (?:(?:just|please|quickly|also) )*ask(?: you)?"
)
ANNOUNCED = (
    rf"{_ASK}(?: something| one thing| this| (?:a|one|some|another|a few|two)(?: quick| more| last)? questions?)?",
    r"(?:i've|i have|i've got|we have) (?:just )?(?:a|one|another|two|a few|some)(?: quick| more| last)? questions?(?: for you)?",
)
"""A question that is announced and not asked."""
OPEN_PHRASES = (
    *ANNOUNCED,
    r"so(?: that)?",
    r"(?:sure|means|fact|is) that",
    r"while",
    r"let (?:me|us)(?: see| think| check| look| have a look| take a look)?",
    r"you know|i mean",
    r"(?:how|what) about|for (?:example|instance)|such as|as well as",
    r"first of all|firstly|secondly|thirdly",
    r"(?:here is|here's|this is|that's|that is)? ?what (?:i|we|i'll|we'll)(?: can| could| will| would)? do",
    r"(?:my|the (?:next|first|other|last|second|main|only)) (?:question|thing|point|step|option|problem|reason)",
)
"""After these something has to come."""
OPENERS = frozenset({"well", "first", "second", "third", "next", "now", "so first", "okay first"})
"""Where they are all that was said."""
CLOSED = (
    r"(?:think|hope|believe|guess|suppose|say|said|do|did) so",
    r"(?:a|quite a|little) while",
    r"(?:like|of|about|for|to|from|with) (?:these|those)",
    r"like (?:that|this)",
    r"is about|was about",
)
"""What ends like the above and is finished."""

_OPEN, _ANNOUNCED, _CLOSED = (
    re.compile(rf"(?:^|(?<= ))(?:{'|'.join(phrases)})$") for phrases in (OPEN_PHRASES, ANNOUNCED, CLOSED)
)
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
LAST_CHARS = 120
"""The end of a text; no phrase above is longer."""


def unfinished(text: str) -> bool:
    """Whether the words of a turn so far call for more: a trailing "and", "um" or comma, a question only announced."""
    said = text[-LAST_CHARS:].rstrip(" \t\n\"'”’)").lower().replace("’", "'")
    words = _WORD.findall(said)
    if not words:
        return False
    last = " ".join(words)
    if said.endswith("?"):
        return bool(_ANNOUNCED.search(last))
    if said.endswith((",", "...", "…", "-", "–", "—", ":", ";")):
        return True
    if _CLOSED.search(last):
        return False
    return last in OPENERS or words[-1] in OPEN_WORDS or bool(_OPEN.search(last))
