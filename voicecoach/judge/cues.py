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
"""Faults that words alone never prove: only ever worth a listen (moves.md)."""


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
    """A pattern that must be found in the same clause or the one before it."""
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
    files = [(path, yamlfile.load(path, CueFile)) for path in paths]
    terms = _expanded({name: value for _, file in files for name, value in file.terms.items()}, files[0][0])
    guards = {guard.name: _ready_guard(guard, terms, path) for path, file in files for guard in file.guards}
    ready = [_ready_cue(cue, terms, guards, path) for path, file in files for cue in file.cues]
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


def _fill(pattern: str, terms: Mapping[str, str], where: str) -> str:
    """`pattern` with each {term} written out."""

    def term(match: re.Match[str]) -> str:
        if match[1] not in terms:
            raise BadInput(f"{where}: {match[0]} is not one of the file's terms{suggestion(match[1], terms)}.")
        return f"(?:{terms[match[1]]})"

    return _TERM.sub(term, pattern)


def _expanded(terms: Mapping[str, str], path: Path) -> dict[str, str]:
    """Terms may use the terms written above them."""
    full: dict[str, str] = {}
    for name, value in terms.items():
        full[name] = _compiled(_fill(value, full, f"{path}, term '{name}'"), f"{path}, term '{name}'").pattern
    return full


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadInput(f"{where}: '{pattern}' is not a regular expression ({error}).") from error


def _ready_guard(guard: Guard, terms: Mapping[str, str], path: Path) -> ReadyGuard:
    def ready(pattern: str, ending: str = "") -> re.Pattern[str] | None:
        where = f"{path}, guard '{guard.name}'"
        return _compiled(f"(?:{_fill(pattern, terms, where)}){ending}", where) if pattern else None

    return ReadyGuard(
        guard.name, guard.effect, ready(guard.before, "$"), ready(guard.after), ready(guard.inside), ready(guard.unless)
    )


def _ready_cue(cue: Cue, terms: Mapping[str, str], guards: Mapping[str, ReadyGuard], path: Path) -> ReadyCue:
    where = f"{path}, the entry for '{cue.code}'"
    for name in cue.guards:
        if name not in guards:
            raise BadInput(f"{where}: '{name}' is not one of the file's guards{suggestion(name, guards)}.")
    whole = "|".join(rf"\b(?:{_fill(pattern, terms, where)})(?:(?<= )|(?!\w))" for pattern in cue.patterns)
    requires, followed_by = (
        _compiled(_fill(pattern, terms, where), where) if pattern else None
        for pattern in (cue.requires, cue.followed_by)
    )
    return ReadyCue(cue, _compiled(whole, where), requires, followed_by, tuple(guards[name] for name in cue.guards))
