"""Words and syllables of English text, and the two rates: words from the recogniser, time from voice activity."""

from __future__ import annotations

import re

from voicecoach.nouns import Rate, Word

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|\d+")
FILLERS = frozenset({"um", "uh", "uhm", "umm", "er", "erm", "ah", "hmm", "mm", "mhm", "uh-huh"})

# Words that the vowel-group rule gets wrong and that agents say often.
_EXCEPTIONS = {
    "area": 3, "annoyed": 2, "business": 2, "carefully": 3, "desire": 3, "employee": 3, "guidelines": 2, "inconvenience": 4, "being": 2, "believe": 2, "create": 2, "created": 3, "client": 2, "clients": 2,
    "colleague": 2, "comfortable": 3, "different": 2, "doing": 2, "every": 2, "everything": 3, "everyone": 3,
    "evening": 2, "experience": 4, "experienced": 4, "experiences": 5, "going": 2, "hour": 1, "influence": 3, "areas": 3, "anyone": 3, "beyond": 2, "hours": 1, "idea": 3,
    "immediate": 4, "immediately": 5, "interest": 2, "interested": 3, "machine": 2, "maybe": 2, "oblivious": 4, "people": 2, "period": 3,
    "quiet": 2, "really": 2, "sciences": 3, "seeing": 2, "situation": 4, "situations": 4, "safety": 2, "somewhat": 2, "therefore": 2, "somebody": 3, "someone": 2,
    "something": 2, "sometimes": 2, "science": 2, "the": 1, "trying": 2, "usually": 4, "various": 3, "whole": 1,
    "dr": 2, "mm": 1, "hmm": 1, "mr": 2, "mrs": 2, "ms": 1, "ok": 2, "tv": 2, "pc": 2,
}  # fmt: skip
_DIGITS = (2, 1, 1, 1, 1, 1, 1, 2, 1, 1)  # zero one two three four five six seven eight nine


_SILENT_E = (
    re.compile(r"(?:[^aeiouyl]|[aeiouy]l)e$"),  # 'make' and 'whole', but not 'table'
    re.compile(r"(?:[^aeioutdlr]|[aeiouy]l|[lr]l|[^d]r|ll)ed$"),  # 'called', but not 'waited', 'handled'
    re.compile(r"(?:[^aeiouyscgzxhl]|[aeiouy]l)es$"),  # 'makes', but not 'prices', 'tables'
    re.compile(r"[^aeioul]e(?:ments?|ful|fully|ly|less|ness)$"),  # 'statement', 'hopefully'
)
_HIATUS = re.compile(
    r"[yie]ing$|[^q]uing$|iet|^react|^reali|[rvdn]iou?[sd]|[rvdl]ia(?!l$|n)|oyal|oy[ei]|[^q]ua[lt]|creat|[^t]ienc"
)
"""Two vowels that belong to two syllables: 'trying', 'quiet', 'react', 'serious', 'liable', 'usual', 'experience'."""


def words_of(text: str) -> list[str]:
    """The words of a text as they are counted: letters with inner apostrophes, or a group of digits."""
    return [match.group().replace("’", "'").lower() for match in _WORD.finditer(text)]


def syllables(word: str) -> int:
    """Syllables of an English word by vowel groups and a few exceptions.

    Against CMUdict on running text such a rule errs by -1 % in total (docs/delivery.md); single words may be off by one.
    """
    word = word.lower().replace("’", "'")
    if word.isdigit():
        return sum(_DIGITS[int(digit)] for digit in word) if len(word) < 20 else len(word)
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    stem = re.sub(r"'(?:s|m|d|ll|re|ve)$", "", word)
    contraction = 1 if re.search(r"(?:[^aeiou]n't|[st]'ll|[^aeiouy]'d|(?:s|x|z|ch|sh)'s)$", word) else 0
    if word.endswith("n't") and word not in {"can't", "don't", "won't", "aren't", "weren't"}:
        stem = word[:-3]
        contraction = 1 if not stem.endswith(("re", "o", "a")) else 0
    elif word.endswith("n't"):
        stem, contraction = word[:-2], 0
    stem = stem.replace("'", "")
    if stem in _EXCEPTIONS:
        return _EXCEPTIONS[stem] + contraction
    groups = len(re.findall(r"[aeiouy]+", stem))
    if groups > 1 and any(ending.search(stem) for ending in _SILENT_E):
        groups -= 1
    if _HIATUS.search(stem):
        groups += 1
    return max(1, groups) + contraction


def rate(text: str, span_s: float, speech_s: float) -> Rate | None:
    """Both rates of an utterance: `span_s` first onset to last offset, `speech_s` voice activity only.

    None where there are no words or no time.
    """
    found = [word for word in words_of(text) if word not in FILLERS]
    if not found or span_s <= 0 or speech_s <= 0:
        return None
    count = sum(syllables(word) for word in found)
    return Rate(60.0 * len(found) / span_s, count / speech_s, len(found), count)


def fillers(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The recognised words that are hesitations. A recogniser leaves most of them out, so this is a lower bound."""
    return tuple(word for word in words if word.text.strip(" ,.!?").lower() in FILLERS)
