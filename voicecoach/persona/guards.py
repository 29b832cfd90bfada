"""What a re-worded line of the customer must be: the same act in other words, and nothing else.

A language model may only re-word the line that the engine chose. Small models turn into the agent within a reply
(docs/customer.md), invent facts, or talk about themselves; whatever fails here is not said, and the authored line is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from voicecoach.nouns import Reaction
from voicecoach.persona.model import words

MAX_WORDS = 30
LONGER = 2.0
"""A re-worded line has at most so many times the words of the authored one (and five more)."""
FIXED = ("answer.", "accepted.", "manager.", "need.when.", "not_possible.", "refused.", "prompted.")
"""Lines whose exact words carry a fact or a decision: never re-worded, nor is any line that ends the call."""

_ODD = re.compile(r"[<>{}\[\]|\\^`*_#~=\n\r\t]|https?:|www\.|[\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_MODEL = re.compile(
    r"\b(?:as an? (?:ai|assistant|language|customer)|ai|language model|assistant|chatbot|prompt|system|role ?play|customer said|i cannot comply)\b"
)
_AGENT = re.compile(
    r"\b(?:how (?:can|may) (?:i|we) (?:help|assist)|(?:i|we)(?:'ll| will| can| would| could) (?:help|assist|send|offer|"
    r"replace|refund|fix|arrange|look into|check|transfer|give you|make sure|get (?:that|this|you))|thank you for "
    r"(?:calling|your patience|contacting|reaching)|is there anything else|your (?:order|account|feedback) (?:is|has)|"
    r"we apologi[sz]e|our (?:team|policy|company|apologies)|valued customer)\b"
)
_SOFT = re.compile(
    r"\b(?:sorry|apologi[sz]e|apologies|thank you|thanks|appreciate|no problem|that works|i accept|deal|goodbye|bye)\b"
)
_NUMBER = re.compile(
    r"\d+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|hundred|"
    r"thousand|once|twice|monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|tomorrow|yesterday|noon|"
    r"january|february|march|april|may|june|july|august|september|october|november|december)\b"
)


def may_be_reworded(reaction: Reaction) -> bool:
    """Whether the words of this line are free at all."""
    return not reaction.reply.ends and not reaction.reply.line.startswith(FIXED)


def why_not(authored: str, said: str, facts: Mapping[str, str]) -> str:
    """Why `said` must not stand for `authored`; empty if it may."""
    text, was = said.strip(), words(authored)
    plain, now = text.casefold(), words(text)
    if not now:
        return "it is empty"
    if len(now.split()) < min(3, len(was.split())):
        return "it is too short"
    if len(now.split()) > min(MAX_WORDS, LONGER * len(was.split()) + 5):
        return "it is too long"
    if not text.isprintable() or _ODD.search(text):
        return "it holds markup, an address or a control character"
    if _MODEL.search(plain):
        return "it speaks of itself"
    if _AGENT.search(plain.replace("’", "'")):
        return "it speaks as the agent"
    if set(_SOFT.findall(plain)) - set(_SOFT.findall(authored.casefold())):
        return "it says what the line does not: thanks, an apology, a yes or a farewell"
    if set(_NUMBER.findall(plain)) - set(_NUMBER.findall(authored.casefold())):
        return "it holds a number or a day that the line does not"
    if any(words(fact) in was and words(fact) not in now for fact in facts.values() if words(fact)):
        return "it has lost a fact"
    return ""
