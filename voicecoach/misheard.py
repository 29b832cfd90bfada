"""How many words of a spoken line were misheard: what was to be said and what was heard, in one spelling. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_SMALL = {word: number for number, word in enumerate(_NUMBERS)}
_TENS = {
    word: 10 * number
    for number, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
    "thirteenth", "fourteenth", "fifteenth",
)  # fmt: skip
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_SAME = {
    "ok": "okay", "alright": "all right", "mhm": "mm hmm", "hmm": "mm", "ms": "miss", "grey": "gray", "lbs": "pounds",
    "anymore": "any more", "st": "saint",
}  # fmt: skip
_MONEY = {"$": "dollars", "£": "pounds"}


def _number(words: Sequence[str]) -> tuple[int, int]:
    """(value, words used) of the number with which `words` begin; (0, 0) where they begin with none."""
    used = value = 0
    if words[0] == "a" and words[1:2] in (["hundred"], ["thousand"]):
        value, used = 1, 1
    elif words[0] in _TENS:
        value, used = _TENS[words[0]], 1
        if len(words) > 1 and 0 < _SMALL.get(words[1], 0) < 10:
            value, used = value + _SMALL[words[1]], 2
    elif words[0] in _SMALL:
        value, used = _SMALL[words[0]], 1
    elif words[0] in _ORDINALS:
        return 1 + _ORDINALS.index(words[0]), 1
    for name, size in (("hundred", 100), ("thousand", 1000)):
        if used and 0 < value < size and words[used : used + 1] == [name]:
            value, used = value * size, used + 1
            skip = used + (words[used : used + 1] == ["and"])
            more, length = _number(words[skip:]) if skip < len(words) else (0, 0)
            if 0 < more < size:
                value, used = value + more, skip + length
    return value, used


def plain(text: str) -> str:
    """`text` as bare words; numbers as digits, however they are said: "nine fifteen", "9:15" and "915" are the same."""
    text = re.sub(r"(?<=\d) ?,(?=\d{3}\b)", "", text.lower().replace("’", "'"))
    text = re.sub(r"([$£])(\d[\d.]*\d|\d)", lambda found: f"{found[2]} {_MONEY[found[1]]}", text)
    text = re.sub(r"(\d):00", r"\1", text)
    text = re.sub(r"(\d{3})-(\d{3})", r"\1\2", text)  # a number read out, not a range
    text = re.sub(r"(\d)-(\d)", r"\1 to \2", text)
    text = re.sub(r"(?<=\d)[,.:](?=\d)|(?<=\d)(?:st|nd|rd|th)\b", "", text)
    words = re.sub(r"[^a-z0-9' ]", " ", text).replace("'", "").split()
    words = re.sub(rf"\bdouble ({'|'.join(_NUMBERS[:10])})\b", r"\1 \1", " ".join(words)).split()
    out: list[str] = []
    at, was_number = 0, False
    while at < len(words):
        value, used = _number(words[at:])
        digits = str(value) if used else words[at] if words[at].isdigit() else ""
        if (
            words[at] == "oh"
            and was_number
            and at + 1 < len(words)
            and (_number(words[at + 1 :])[1] or words[at + 1].isdigit())
        ):
            digits = "0"
        if digits and was_number:
            out[-1] += digits
        else:
            out.append(digits or _SAME.get(words[at], words[at]))
        at, was_number = at + max(1, used), bool(digits)
    return re.sub(rf"\b(?:the )?(\d+) (?:of )?({_MONTHS})\b", r"\1 \2", " ".join(out))


def word_errors(text: str, heard: str) -> int:
    """Words that were heard wrongly, missed or made up (the smallest number of them)."""
    said, got = plain(text).split(), plain(heard).split()
    row = list(range(len(got) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def counted(text: str, heard: str) -> dict[str, int]:
    """Words and word errors, by the spelling rules of today."""
    return {"words": len(plain(text).split()), "errors": word_errors(text, heard)}


def word_error_rate(found: Iterable[Mapping[str, Any]]) -> float:
    """Word errors over words, in percent."""
    known = list(found)
    return 100.0 * sum(int(one["errors"]) for one in known) / max(1, sum(int(one["words"]) for one in known))
