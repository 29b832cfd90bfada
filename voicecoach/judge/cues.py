"""The cue lexicon: what a move or a fault sounds like, read from data files and compiled once.

A pattern is a regular expression over plain words (see `clauses`): lower case, no punctuation, contractions written
out. `{name}` stands for one of the file's `terms`. Guards look around a match: `before` must match right up to it,
`after` right behind it (the two neighbouring clauses on each side included, set apart by `, . ?`), `inside` anywhere
in its clause; `unless`, found anywhere around it, stands the guard down.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from voicecoach import yamlfile
from voicecoach.errors import BadInput
from voicecoach.nouns import Strict

MOVES = (
    "verbal_nod", "empathise", "apologise", "use_name", "willingness", "clarify", "restate_facts", "restate_feelings",
    "check_understanding", "explain", "work_together", "resolution", "res_who", "res_when", "alternatives", "referral",
    "checkback", "follow_up",
)  # fmt: skip
FAULTS = (
    "interrupt", "premature_solution", "argue", "blame_customer", "excuse", "negative_language", "admit_liability",
    "overpromise", "insincere", "policy_hiding", "jargon", "calm_down",
)  # fmt: skip
NEVER_SHOWN = frozenset({"insincere"})
"""Faults that words alone never prove: only ever worth a listen (docs/procedures.md)."""
ACKNOWLEDGING = frozenset({"empathise", "apologise", "restate_facts", "restate_feelings"})
"""What a customer hears as "I was heard" (000.2-3, 002.4-5, 003.2): solutions come after one of these."""
OFFERED = frozenset({"resolution", "alternatives", "referral", "follow_up", "res_when"})
"""After one of these there is something to check back about."""


@dataclass(frozen=True)
class Guard:
    """A named reason why a match does not count (`cancel`) or counts for less (`weaken`)."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    name: str
    effect: Literal["cancel", "weaken"]
    about: str
    before: str = ""
    after: str = ""
    inside: str = ""
    unless: str = ""

    def __post_init__(self) -> None:
        for place in ("before", "after", "inside", "unless"):
            _check_regex(getattr(self, place), f"guard '{self.name}', {place}")


@dataclass(frozen=True)
class Cue:
    """Several ways of saying one thing. A strong cue shows it; a weak one is worth a listen."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    code: str
    kind: Literal["move", "fault"]
    source: str
    strength: Literal["strong", "weak"]
    patterns: tuple[str, ...]
    advice: str = ""
    guards: tuple[str, ...] = ()
    requires: str = ""
    """A pattern that must be found in the clause or before it in the sentence; without it the cue is weakened."""
    followed_by: str = ""
    """A pattern that must match right behind the cue, as a guard's `after` does."""
    yields_to: tuple[str, ...] = ()
    """Codes that, found in the same clause, explain the words better: then this one is not counted."""
    quote: Literal["clause", "match"] = "clause"
    """Whether the finding quotes the whole clause or only the matching words."""
    otherwise: str = ""
    """For a checkback: the code that the words count as while no solution has been offered."""

    def __post_init__(self) -> None:
        known = MOVES if self.kind == "move" else FAULTS
        if self.code not in known:
            raise ValueError(f"'{self.code}' is not a {self.kind} that is known here{suggestion(self.code, known)}")
        if self.otherwise and self.otherwise not in MOVES:
            raise ValueError(f"otherwise: '{self.otherwise}' is not a move{suggestion(self.otherwise, MOVES)}")
        for other in self.yields_to:
            if other not in MOVES + FAULTS:
                raise ValueError(f"yields_to: '{other}' is not known here{suggestion(other, MOVES + FAULTS)}")
        if self.code in NEVER_SHOWN and self.strength == "strong":
            raise ValueError(f"'{self.code}' may only be weak: words alone never prove it")
        if not self.patterns:
            raise ValueError(f"the entry for '{self.code}' has no patterns")
        for pattern in (*self.patterns, self.requires, self.followed_by):
            _check_regex(pattern, f"the entry for '{self.code}'")


@dataclass(frozen=True)
class CueFile:
    """A cue file as it is written."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    about: str
    terms: dict[str, str] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True)
class ReadyGuard:
    """A guard with its expressions compiled; None where the file gives none."""

    name: str
    effect: Literal["cancel", "weaken"]
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    inside: re.Pattern[str] | None
    unless: re.Pattern[str] | None


@dataclass(frozen=True)
class ReadyCue:
    """A cue with its patterns compiled into one expression."""

    cue: Cue
    regex: re.Pattern[str]
    requires: re.Pattern[str] | None
    followed_by: re.Pattern[str] | None
    guards: tuple[ReadyGuard, ...]


@dataclass(frozen=True)
class Cues:
    """All cues, compiled. `nod` matches a whole turn that is nothing but verbal nods."""

    ready: tuple[ReadyCue, ...]
    nod: re.Pattern[str] | None
    advice: Mapping[str, tuple[str, str]]
    """For each code the (source, advice) of its first cue: what findings from context alone are shown with."""


def load_cues(*paths: Path) -> Cues:
    """Read cue files as one lexicon; terms and guards of any of them serve all.

    Raises BadInput naming the file, the line and the entry.
    """
    files = [_Source.read(path) for path in paths]
    terms = _expanded(files)
    guards = {guard.name: _ready_guard(guard, terms, source) for source in files for guard in source.file.guards}
    ready = [_ready_cue(cue, terms, guards, source) for source in files for cue in source.file.cues]
    nods = [cue.regex.pattern for cue in ready if cue.cue.code == "verbal_nod"]
    nod = re.compile(rf"(?:{'|'.join(nods)})(?: (?:{'|'.join(nods)}))*") if nods else None
    advice: dict[str, tuple[str, str]] = {}
    for entry in ready:
        advice.setdefault(entry.cue.code, (entry.cue.source, entry.cue.advice))
    return Cues(tuple(cue for cue in ready if cue.cue.code != "verbal_nod"), nod, advice)


def suggestion(word: str, known: Iterable[str]) -> str:
    """`. Did you mean 'x'?` or nothing, without the last stop: the sentence goes on around it."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _check_regex(pattern: str, where: str) -> None:
    try:
        re.compile(_TERM.sub("x", pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{where}: '{pattern}' is not a regular expression ({error})") from error


_TERM = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class _Source:
    """A cue file with its text, to tell the line of a mistake."""

    path: Path
    text: str
    file: CueFile

    @classmethod
    def read(cls, path: Path) -> _Source:
        text = yamlfile.read_text(path)
        return cls(path, text, yamlfile.parse(text, CueFile, str(path)))

    def problem(self, what: str, near: str, problem: str) -> BadInput:
        """A BadInput about `what`, at the first line that holds `near` as it is written."""
        line = line_of(self.text, near.replace("'", "''")) or line_of(self.text, near) or 1
        return BadInput(f"{self.path} line {line}, {what}: {problem}.")


def line_of(text: str, written: str, after: int = 1) -> int | None:
    """The first line, counted from 1, from line `after` on that contains `written`."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if number >= after and written in line), None)


def _compiled(pattern: str, terms: Mapping[str, str], source: _Source, what: str, frame: str = "{}") -> re.Pattern[str]:
    """`pattern`, with each {term} written out, set into `frame` and compiled."""

    def term(match: re.Match[str]) -> str:
        if match[1] not in terms:
            raise source.problem(what, pattern, f"{match[0]} is not one of the terms{suggestion(match[1], terms)}")
        return f"(?:{terms[match[1]]})"

    try:
        return re.compile(frame.replace("{}", _TERM.sub(term, pattern)), re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise source.problem(what, pattern, f"'{pattern}' is not a regular expression ({error})") from error


def _expanded(files: Iterable[_Source]) -> dict[str, str]:
    """Terms may use the terms written above them."""
    full: dict[str, str] = {}
    for source in files:
        for name, value in source.file.terms.items():
            full[name] = _compiled(value, full, source, f"term '{name}'").pattern
    return full


def _ready_guard(guard: Guard, terms: Mapping[str, str], source: _Source) -> ReadyGuard:
    def ready(pattern: str, frame: str = "{}") -> re.Pattern[str] | None:
        return _compiled(pattern, terms, source, f"guard '{guard.name}'", frame) if pattern else None

    return ReadyGuard(
        guard.name,
        guard.effect,
        ready(guard.before, "(?:{})$"),
        ready(guard.after),
        ready(guard.inside),
        ready(guard.unless),
    )


WHOLE_WORDS = r"\b(?:{})(?:(?<= )|(?!\w))"
"""A pattern begins and ends with whole words."""


def _ready_cue(cue: Cue, terms: Mapping[str, str], guards: Mapping[str, ReadyGuard], source: _Source) -> ReadyCue:
    what = f"the entry for '{cue.code}'"
    for name in cue.guards:
        if name not in guards:
            raise source.problem(what, name, f"'{name}' is not one of the guards{suggestion(name, guards)}")
    each = [_compiled(pattern, terms, source, what, WHOLE_WORDS).pattern for pattern in cue.patterns]
    requires, followed_by = (
        _compiled(pattern, terms, source, what) if pattern else None for pattern in (cue.requires, cue.followed_by)
    )
    whole = re.compile("|".join(each), re.IGNORECASE)
    return ReadyCue(cue, whole, requires, followed_by, tuple(guards[name] for name in cue.guards))
