"""Spoken text as clauses of plain words, each word tied to its place in the given text.

A recogniser may or may not write punctuation, capitals and apostrophes, and people stumble. So every word is brought
to one spelling ("I'm" and "im" become "i am", "apologize" becomes "apologise"), hesitations and stutters are passed
over, and clauses end at punctuation or at a spoken joint ("... and I", "... but we").
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from voicecoach.nouns import Word

MAX_CLAUSE_WORDS = 40
"""A run of words without any joint is cut here, so that the work stays linear in the length of the text."""
MAX_WORD_CHARS = 40
"""Longer "words" are noise; only their beginning is looked at."""
ALIGN_WINDOW_CHARS = 200
"""How far ahead in the text the next recognised word is looked for."""


@dataclass(frozen=True)
class Token:
    """One word of the given text, at [start, end), and its plain spelling (possibly several words: "i am")."""

    plain: str
    start: int
    end: int


@dataclass(frozen=True)
class Clause:
    """A run of tokens; `plain` is their spelling joined by spaces, `mark` is what ended it: one of `. ? ,`."""

    tokens: tuple[Token, ...]
    plain: str
    starts: tuple[int, ...]
    """Where each token begins in `plain`."""
    mark: str

    @property
    def start(self) -> int:
        """Offset of the first character in the given text."""
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """Offset after the last character in the given text."""
        return self.tokens[-1].end

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the given text of the whole tokens that [start, end) of `plain` touches."""
        first = max(0, bisect_right(self.starts, start) - 1)
        last = max(first, bisect_right(self.starts, max(start, end - 1)) - 1)
        return self.tokens[first].start, self.tokens[last].end


def listed(words: str) -> frozenset[str]:
    """A set of words, written as one line of them."""
    return frozenset(words.split())


# --- words -----------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[ap]\.m\b\.?|[£$€]?\d+(?:[.,:]\d+)+|[£$€]?[^\W_]+(?:['’ʼ`´][^\W_]+)*", re.IGNORECASE)
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ`´", "'"))

_SPELLINGS = {
    "a.m": "am", "a.m.": "am", "p.m": "pm", "p.m.": "pm",
    "can't": "cannot", "cant": "cannot", "won't": "will not", "wont": "will not", "shan't": "shall not",
    "ain't": "is not", "let's": "let us", "lets": "let us", "gonna": "going to", "wanna": "want to",
    "gotta": "got to", "dunno": "do not know", "lemme": "let me", "y'all": "you all",
    "im": "i am", "ive": "i have", "youre": "you are", "youve": "you have", "youll": "you will",
    "youd": "you would", "theyre": "they are", "theyll": "they will", "theyve": "they have", "weve": "we have",
    "thats": "that is", "thatll": "that will", "itll": "it will", "its": "it is", "whats": "what is",
    "theres": "there is", "heres": "here is", "wheres": "where is", "hows": "how is",
    "okay": "ok", "yeah": "yes", "yep": "yes", "yup": "yes", "mhm": "mm hmm", "mmhmm": "mm hmm", "hm": "hmm",
    "mmm": "mm", "apologize": "apologise", "apologizes": "apologises", "apologized": "apologised",
    "apologizing": "apologising", "organize": "organise", "realize": "realise", "authorize": "authorise",
    "prioritize": "prioritise", "canceled": "cancelled", "canceling": "cancelling", "program": "programme",
}  # fmt: skip
_NOT = re.compile(
    r"^(do|does|did|is|are|was|were|has|have|had|would|could|should|must|need|might)n(?:'t|t)$"
)  # "don't" and "dont"
_ENDINGS = {"'m": " am", "'re": " are", "'ve": " have", "'ll": " will", "'d": " would"}
_IS = listed("it that what there here he she who how where this everything nothing something when")

_AFTER_HAS = listed("been got gone had")
_AFTER_IS = listed("going coming not just already still always never playing being on down broken late")

_HESITATIONS = listed("um umm uhm erm er err ehm ah")
_STUTTERED = listed("i we you the a to it and that is so really very my your our of in for")

# Recognisers that drop apostrophes make other words of "I'll", "we'll", "we're", "I'd"; the next word tells.
_ILL_NOT_AFTER = listed("am is are was were be been feel feels felt very fell get got so seriously really")
_AFTER_WELL = listed("get send have make refund call sort keep fix arrange replace ship do be let credit")
_AFTER_WERE = listed("sorry going happy really so here doing sending very")
_AFTER_ID = listed("like love be also rather feel really suggest hate")
_AFTER_WOULD = listed("rather like prefer be just please want care mind give let bear tell hold")
_NO_SUBJECT = frozenset(["", "and", "but", "so", "because", "ok", "yes", "well", "right"])


def _plain(word: str, before: str, after: str) -> str:
    """The plain spelling of `word`, given its neighbours' written forms in lower case."""
    if word in ("you'd", "youd") and before in ("if", "wish") and after not in _AFTER_WOULD:
        return "you had"
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    if negated := _NOT.match(word):
        return f"{negated[1]} not"
    if word == "ill" and before not in _ILL_NOT_AFTER and after:
        return "i will"
    if word == "well" and after in _AFTER_WELL:
        return "we will"
    if word == "were" and before in _NO_SUBJECT and after in _AFTER_WERE:
        return "we are"
    if word == "id" and after in _AFTER_ID:
        return "i would"
    for ending, full in _ENDINGS.items():
        if word.endswith(ending):
            return word.removesuffix(ending).replace("'", "") + full
    if word.endswith("'s") and after in _AFTER_HAS:
        return word[:-2] + " has"
    if word.endswith("'s") and (word[:-2] in _IS or after in _AFTER_IS):
        return word[:-2] + " is"
    return word.replace("'", "")


def _tokens(text: str) -> Iterator[tuple[Token, str]]:
    """Each word that counts, with the mark that stands before it ("" for none)."""
    found = list(_TOKEN.finditer(text))
    written = [match[0].lower().translate(_APOSTROPHES)[:MAX_WORD_CHARS] for match in found]
    end, previous, hesitated = 0, "", False
    for index, (match, word) in enumerate(zip(found, written, strict=True)):
        after = written[index + 1] if index + 1 < len(written) else ""
        if word in _HESITATIONS or (word == "uh" and after != "huh"):
            hesitated = True
            continue
        mark = _mark(text[end : match.start()], previous)
        if hesitated and mark == ",":
            mark = ""  # the comma belongs to the hesitation: "I'm, um, sorry"
        stutter = word == previous and word in _STUTTERED and mark in ("", ",")
        end, hesitated = match.end(), False
        if stutter:
            continue
        yield Token(_plain(word, previous, after), match.start(), match.end()), mark
        previous = word


_TITLES = listed("mr mrs ms dr miss sir st no")


def _mark(gap: str, previous: str) -> str:
    """What the characters between two words say: the end of a question, of a sentence, of a clause, or nothing."""
    if "?" in gap:
        return "?"
    if re.search(r"[!\n\r…。！？]", gap) or ("." in gap and previous not in _TITLES):
        return "."
    return "," if re.search(r"[,;:()\"“”—–]|\s-+\s", gap) else ""


# --- sentences -------------------------------------------------------------------------------------

_STOP = re.compile(r"[.?!…]+[\"'”’)\]]*\s+|[\n\r。！？]+\s*")
"""The end of a sentence, behind a word that can end one."""
_AFTER_HOUR = re.compile(r"(?:I|We|You|He|She|They|It|Our|Then|That)\b")
"""What begins a sentence behind "10 a.m.", whose last full stop may be that of the sentence or not."""


@lru_cache(maxsize=32)
def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """[start, end) of each sentence of `text`, one behind the other: "$49.99", "10 a.m." and "Mr. Lee" end none."""
    words = pairwise(_TOKEN.finditer(text))
    bounds = [0, *filter(None, (_sentence_end(text, word, after.start()) for word, after in words)), len(text)]
    return tuple((start, end) for start, end in pairwise(bounds) if start < end)


def _sentence_end(text: str, word: re.Match[str], after: int) -> int:
    """Where a sentence ends between `word` and the one that begins at `after`; 0 where it goes on."""
    gap = text[word.end() : after]
    if word[0].endswith(".") and not gap.strip():
        return after if _AFTER_HOUR.match(text, after) else 0
    stop = _STOP.search(gap) if _mark(gap, word[0].lower()) in (".", "?") else None
    return word.end() + stop.end() if stop else 0


# --- clauses ---------------------------------------------------------------------------------------

_ALWAYS_JOINTS = listed("but however although though")
_NOTHING_BUT = listed("nothing anything all none even as")
_JOINTS = listed("and but so because however although though")
_AFTER_JOINT = listed(
    "i we you he she they it that this there what let my our your here please can could would if how then"
)
_OPENERS = re.compile(
    r"^(?:let (?:me|us)\b|(?:can|could|would|did|do|may|shall|will|have|am) (?:you|i|we)\b|"
    r"i (?:am|will|have|understand|apologise|hear|see|would|completely|totally|really)\b|i can (?:see|hear|imagine|understand)\b|"
    r"we (?:are|will|have)\b|what i can\b|is that (?:right|correct|ok|okay|fair|all|everything|about|fine)\b|is there (?:anything|something)\b|does that\b|how does\b|please\b|when did\b|what (?:is|was) (?:the|your)\b)"
)
# Words after which "I will", "can you" and the like go on with the clause instead of opening one.
_BINDS = listed(
    "that if what when why how where which who whom whose because and but so or know think sure promise hope while "
    "before after until as since everything all say said told tell guarantee whatever anything nothing not to than "
    "believe mean check checked confirm understand wish feel sorry once unless whether the a my your our this is was best see swear however ok yes "
    "something soon only though although until till every until like can could would will may shall do did please "
    "then now well right nor i we you he she they it have has had way time moment one day week reason person also"
)
_MIN_BEFORE_OPENER = 3


@lru_cache(maxsize=32)
def split(text: str) -> tuple[Clause, ...]:
    """The clauses of `text`, in order. Joints begin the clause that they lead into."""
    stream = list(_tokens(text))
    clauses: list[Clause] = []
    run: list[Token] = []
    for index, (token, mark) in enumerate(stream):
        if run and (mark or _opens(stream, index, len(run)) or len(run) >= MAX_CLAUSE_WORDS):
            clauses.append(_clause(run, mark or ","))
            run = []
        run.append(token)
    if run:
        clauses.append(_clause(run, _mark(text[run[-1].end :], "") or "."))
    return tuple(clauses)


def _opens(stream: Sequence[tuple[Token, str]], index: int, length: int) -> bool:
    """Whether an unpunctuated clause begins at `stream[index]`, `length` words into the one before."""
    here, previous = stream[index][0].plain, stream[index - 1][0].plain.split()[-1]
    following = " ".join(token.plain for token, _ in stream[index + 1 : index + 3])
    if here in _ALWAYS_JOINTS and previous not in _NOTHING_BUT:
        return True
    if here in _JOINTS:
        return following.split(" ")[0] in _AFTER_JOINT
    return length >= _MIN_BEFORE_OPENER and previous not in _BINDS and bool(_OPENERS.match(f"{here} {following}"))


def _clause(tokens: Sequence[Token], mark: str) -> Clause:
    starts, at = [], 0
    for token in tokens:
        starts.append(at)
        at += len(token.plain) + 1
    return Clause(tuple(tokens), " ".join(token.plain for token in tokens), tuple(starts), mark)


# --- times -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Aligned:
    """The recognised words that were found in the text, in order: their offsets and their times."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    words: tuple[Word, ...]

    def times(self, start: int, end: int) -> tuple[float | None, float | None]:
        """Seconds from the first to the last word that touches [start, end) of the text; None where there is none."""
        first = bisect_right(self.ends, start)
        last = bisect_right(self.starts, end - 1) - 1
        if first > last:
            return None, None
        return self.words[first].start_s, self.words[last].end_s


def align(text: str, words: Sequence[Word]) -> Aligned:
    """Walk the text and the recognised words together; a word that is not in the text is passed over."""
    low = text.lower() if len(text.lower()) == len(text) else text
    starts, ends, kept, at = [], [], [], 0
    for word in words:
        wanted = word.text.strip().lower()
        found = low.find(wanted, at, at + ALIGN_WINDOW_CHARS + len(wanted)) if wanted else -1
        if found < 0:
            continue
        at = found + len(wanted)
        starts.append(found)
        ends.append(at)
        kept.append(word)
    return Aligned(tuple(starts), tuple(ends), tuple(kept))
