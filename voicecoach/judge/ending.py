"""Whether words end like a finished step: what the customer waits for before answering.

A pause says little: calm speakers pause between sentences, and everybody does while looking for a word. The words say
more, and so does the step that they begin: what ends in "and", "my" or "um", announces a question without asking it,
promises two options and has told none or names a condition without what follows from it, goes on. Only what is clear
counts: a wait too long is felt in every turn, while a customer who begins too early can stop again (session.py). The
lists are our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# --- the last words ------------------------------------------------------------------------------------

NEVER_LAST = frozenset(
    """
    and but or nor because if unless until whether than although
    a an the my your our their its
    um uh uhm er erm ah hmm
    """.split()  # noqa: SIM905 - a list of words reads as words
)
"""Nothing ends in these, not even what a recogniser took for a question."""
OPEN_WORDS = NEVER_LAST | frozenset(
    """
    cause when whenever which whose as plus
    his some any every each
    i'm we're you're they're he's she's it's there's i'll we'll you'll they'll i've we've you've i'd we'd let's
    just also very maybe perhaps like
    that's what's thats im ive it'll that'll there'll you'd they'd he'd she'd gonna lemme mr mrs ms dr
    """.split()  # noqa: SIM905
)
"""No statement ends in these, but for what CLOSED has."""
PREPOSITIONS = frozenset("to of with from for at by into onto about without between during against towards".split())  # noqa: SIM905
"""No statement ends in these but in a clause that has put their noun first: "what it's for"."""
TOWARDS = frozenset(
    "go goes going gone get got been went talk talking talked speak speaking spoken spoke write send sent listen".split()  # noqa: SIM905
)
"""Before a "to" that such a clause can end in; other verbs follow it: "what I want to"."""
BE = frozenset("is are was were be would could should".split())  # noqa: SIM905
"""As before: "where they are"."""
PRONOUNS = frozenset("i we he she they".split())  # noqa: SIM905
"""No statement ends in these but in a question or its tag: "how old is he", "can we"."""

_AUX = (
    r"(?:can|could|may|might|must|will|would|shall|should|do|does|did|have|has|had|is|are|was|were|am"
    r"|[a-z]+n't|cannot)"
)
_ASK = (
    r"(?:(?:can|could|may|might|must) (?:i|we)|let me|(?:i'd|i would|we'd|we would) (?:just )?like to"
    r"|(?:i|we) (?:just )?(?:want(?:ed)?|need|have) to) (?:(?:just|please|quickly|also) )*ask(?: you)?"
)
ANNOUNCED = (
    rf"{_ASK}(?: something| one thing| this| (?:a|one|some|another|a few|two)(?: quick| more| last)? questions?)?",
    r"(?:i've|i have|i've got|we have) (?:just )?(?:a|one|another|two|a few|some)(?: quick| more| last)? questions?(?: for you)?",
)
"""A question that is announced and not asked."""
OPEN_PHRASES = (
    *ANNOUNCED,
    r"so(?: that)?",
    r"(?:sure|means|fact|is|sorry|afraid) that",
    r"while",
    r"let (?:me|us)(?: see| think| check| look| have a look| take a look)?",
    r"you know|i mean",
    r"(?:how|what) about|for (?:example|instance)|such as|as well as",
    r"first of all|firstly|secondly|thirdly",
    r"(?:here is|here's|this is|that's|that is)? ?what (?:i|we|i'll|we'll)(?: can| could| will| would)? do",
    r"(?:my|the (?:next|first|other|last|second|main|only)) (?:question|thing|point|step|option|problem|reason)",
    r"(?:if|when|because|unless|until|whether|once) (?:you|it)",
)
"""After these something has to come."""
CLOSED = (
    r"(?:think|hope|believe|guess|suppose|say|said|do|did) so",
    r"(?:a|quite a|little) while",
    r"(?:like|is|was) (?:that|this)",
    r"is about|was about",
    r"(?:see|check|know|find out|look at) what (?:i|we|they)(?:'ll| can| could| will)? do|not (?:my|our|your|the) problem",
    r"(?:there|here) (?:we|you|they|he|she|it) (?:are|is|was|were)|(?:all|what) (?:that|it|this) (?:is|was)",
    r"(?:right|course) you are",
    r"you know (?:how|what|who|where|why) it is",
    r"(?:not|ought|used|have|has|need|needs|supposed|going|meant) to be",
    r"m+ hmm|help any|with (?:[a-z']+ ){1,3}or without",
    r"(?:like|as|when|what|where|than) (?:[a-z']+ ){1,5}(?:told|asked|wants|wanted|needs) (?:me|you|us|him|her|them) to",
    r"every right to|(?:like|as|where|than) (?:[a-z']+ ){1,3}(?:supposed|meant|wanted|able|allowed|used) to",
    r"(?:if|as|what|whatever|whichever|however|anything|where) (?:you|they|we|i)(?:'d| would)? like",
    r"if (?:you|you'll|they|they'll|he|she) (?:will )?let (?:me|us)",
    r"(?:the|a|no|good|root|any) cause|(?:the|or|a) plus|an a|(?:for|of) each|you and i",
    r"(?:tell|hear|know|say|see|me|you|sure) which",
    r"than (?:i|we|he|she|they)",
    r"(?:n't|not|never|hardly) (?:[a-z']+ ){0,3}any",
)
"""What ends like the above and is finished."""
MOVED = (
    r"(?:what|which|who|whom|whose|where|how|than)(?:'[a-z]+)?(?: [a-z']+)+",
    r"(?:a|an|the|any) [a-z']+ (?:i|you|we|they|he|she)(?:'[a-z]+)?(?: [a-z']+)+",
    r"(?:anything|something|nothing|everything|else|one|ones|thing|things|all|the way|like|as)(?: [a-z0-9]+)*"
    r" (?:i|you|we|they|he|she|it|that|everyone)(?:'[a-z]+)?(?: [a-z']+)*",
)
"""What a clause begins with whose noun, or whose end, has been put first."""

NEAR_WORDS = 20
"""Such a clause is no longer; without marks a text has older ones in it."""

# --- whole sentences -----------------------------------------------------------------------------------

OPENERS = frozenset({"well", "first", "second", "third", "next", "now", "so first", "okay first"})
"""Where they are all that was said."""
_BEGINS = r"(?:(?:so|and|but|okay|ok|right|well|now|then|um|uh|er|yes|yeah|because|also|please|just|sorry) )*"
"""What a sentence begins with and does not change by."""
ADVERBS = r"(?:(?:please|just|also|then|quickly|maybe|really) )*"
BEGUN = (
    rf"{_AUX} (?:i|you|we|he|she|they|there)",
    rf"(?:can|could|may|might|will|would|do|did|have|has|should|shall) (?:i|you|we) {ADVERBS}"
    r"(?:have|get|got|take|give|give me|tell|tell me|send|send me|say|need|want|put)",
    r"(?:i was|i am|i'm|we were|we are)? ?(?:just |also )?wondering",
    r"(?:just )?one (?:more|other|last|final) (?:thing|question)",
    r"how (?:many|much)",
    r"(?:i'd|i would|we'd|we would) (?:just |also |really )?like to know",
    r"(?:i|we)(?:'ll| will| would| might| do)? (?:just |also )?(?:need|want)",
    r"(?:what|which|who|where|when|why|how)(?: [a-z']+){0,3} (?:did|does|has|had|can|could|will|would|should|is|are|was|were)",
)
"""A sentence that is no more than its beginning."""
SUBJECT = r"(?:(?:so|and|but|because|then|now|well) )*(?:i|we|you|he|she|it|they|that|this|there) (?:can|will|must|might|may|have|has|had|am|is|are|was|were|would|could|should)"
"""So is a subject with its auxiliary; after "yes" or "okay" it is an answer."""

# --- steps ---------------------------------------------------------------------------------------------

_PROMISED = re.compile(
    r"\b(?:there are|there's|(?:i|we|you)(?: have|'ve got| have got)|(?:i|we) (?:can|could) (?:do|offer|see|give you)|here are)"
    r" (?:just |only |basically )?(?:two|three|four|a couple of|a few|several) (?:[a-z]+ )?"
    r"(?:things|questions|options|choices|ways|steps|possibilities)\b"
)
"""Several things are promised; at least two of them have to come."""
_NEXT = re.compile(
    r"\b(?:second|secondly|other|another|also|and|or|either|then|next|finally|last|plus|after that|but|so)\b"
)
_FIRST = re.compile(
    rf"{_BEGINS}(?:firstly|first of all|first off|for one thing|on the one hand|to (?:begin|start) with"
    r"|first (?=(?:i|we|let|you)\b))"
)
"""The first of several steps."""
LONG_WORDS = 14
"""A sentence of more words is several that nobody has set marks between."""
_EITHER = re.compile(
    r"^(?!.*(?:n't|\bnot|\bno|\bnever|\bnor)\b).*\beither (?!ways?\b|ones?\b|of\b|is\b|will\b)(?!.*\bor\b)"
)
_BETWEEN = re.compile(
    r"\bbetween (?:[0-9]+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|[a-z]+day)(?: [ap]m| in the [a-z]+)?$"
)
"""One of two."""
_CONDITION = re.compile(rf"{_BEGINS}(?:if|once|unless|as soon as) (?:i|you|we|he|she|it|they|that|there)\b")
_CONSEQUENCE = re.compile(
    r"\b(?:i|you|we|he|she|it|they|that|there|this|please|let|then|who|what|tell|just)(?:'[a-z]+)?\b"
)
_POLITE = re.compile(
    r"\b(?:okay|ok|right|fine|like|may|might|possible|want|wish|prefer|suits?|helps?|works?|better|mind|sooner|need|can|could|were)\b"
)
"""A condition that often follows its consequence: "if you like", "if that works for you"."""

_OPEN, _ANNOUNCED, _CLOSED, _MOVED = (
    re.compile(rf"(?:^|(?<= ))(?:{'|'.join(phrases)})$") for phrases in (OPEN_PHRASES, ANNOUNCED, CLOSED, MOVED)
)
_BEGUN = re.compile(rf"{_BEGINS}(?:{'|'.join(BEGUN)})")
_SUBJECT = re.compile(SUBJECT)
_TELL_ME = re.compile(rf"{_BEGINS}tell me")
_ASKS = re.compile(rf"{_AUX}$")
_FROM_WH = re.compile(rf"{_BEGINS}(?:what|which|who|where|when|why|how)\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")

LAST_CHARS = 400
"""The end of a text: more than three sentences."""


def unfinished(text: str) -> bool:
    """Whether a turn so far calls for more: by its last words, its last sentence, or the step that it has begun."""
    said = text[-LAST_CHARS:].rstrip(" \t\n\"'”’)").lower().replace("’", "'")
    sentences = _SENTENCE.split(said)
    words = _WORD.findall(sentences[-1])
    if not words:
        return False
    last = " ".join(words)
    if _ANNOUNCED.search(last) or (words[-1] in NEVER_LAST and not _CLOSED.search(last)):
        return True
    if said.endswith("?"):
        return "questions" in said and _promised(sentences)
    if said.endswith((",", "...", "…", "-", "–", "—", ":", ";")):
        return True
    if _CLOSED.search(last):
        return False
    after_question = len(sentences) > 1 and sentences[-2].endswith("?")
    return (
        last in OPENERS
        or words[-1] in OPEN_WORDS
        or _hangs(words)
        or bool(_OPEN.search(last) or _BEGUN.fullmatch(last) or _SUBJECT.fullmatch(last))
        or bool(_TELL_ME.fullmatch(last) and not after_question)
        or _step_begun(sentences, last)
    )


def _step_begun(sentences: Sequence[str], last: str) -> bool:
    """Whether a step is begun whose other half is missing: one of several, one of two, a condition alone."""
    if _FIRST.match(last) and not _NEXT.search(last) and last.count(" ") < LONG_WORDS:
        return True
    if _EITHER.search(last) or _BETWEEN.search(last):
        return True
    condition = _CONDITION.match(last)
    if condition and "," not in sentences[-1] and not _POLITE.search(last):
        return not _CONSEQUENCE.search(last[condition.end() :])
    return _promised(sentences)


def _promised(sentences: Sequence[str]) -> bool:
    """Whether several things were promised and only one has been told so far, or none."""
    for place, sentence in enumerate(sentences):
        promise = _PROMISED.search(sentence)
        if promise and len(sentences) - place <= 2:
            return not _NEXT.search(" ".join([sentence[promise.end() :], *sentences[place + 1 :]]))
    return False


def _hangs(words: Sequence[str]) -> bool:
    """Whether the last word of a sentence waits for another that has not been put first."""
    *before, word = words
    if word in PRONOUNS:  # "how old is he", "can we"; "can we" alone is in BEGUN
        return not (before and _ASKS.match(before[-1]))
    if word == "to" and before and before[-1] not in TOWARDS:
        return True
    if word in PREPOSITIONS or word in BE:
        question = word in BE and _FROM_WH.match(" ".join(words))
        return bool(question) or not _MOVED.search(" ".join(before[-NEAR_WORDS:]))
    return False
