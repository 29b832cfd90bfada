"""Drills: one step of a procedure, marked turn by turn. Data in assets/drills.yaml; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from voicecoach import yamlfile
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.judge.steps import TAIL_WORDS, question_end
from voicecoach.nouns import Assessment, Finding, Strict

TRIES = 3
"""Turns at one level before the drill ends: after that a break teaches more than another try. Our judgement."""

VOICE = ("raised", "rushed")
"""Verdicts on the delivery that a drill may train."""

Verdict = Literal["passed", "not yet", "unsure"]


@dataclass(frozen=True)
class Drill:
    """One step to be repeated; see the comments of the file."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    name: str
    source: str
    about: str
    trains: tuple[str, ...]
    keys: tuple[str, ...]
    levels: tuple[int, ...]
    thanks: str
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    quiet: bool = False
    question_last: bool = False
    story: Literal["told", "telling"] = "told"
    settled: bool = False
    before: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for codes, known in (
            ((*self.any_of, *self.all_of, *self.before), MOVES),
            (self.none_of, FAULTS),
            (self.trains, {*MOVES, *FAULTS, *VOICE}),
        ):
            unknown = [code for code in codes if code not in known]
            if unknown:
                raise ValueError(f"'{unknown[0]}' is not a code that is known; there are: {', '.join(sorted(known))}")
        if (
            not self.levels
            or list(self.levels) != sorted(set(self.levels))
            or not 0 <= self.levels[0] <= self.levels[-1] <= 5
        ):
            raise ValueError("levels must rise, from 0 to 5")


@dataclass(frozen=True)
class Drills:
    """A file of drills."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    drills: tuple[Drill, ...]


@dataclass(frozen=True)
class DrillMark:
    """The verdict on one turn of a drill, and why: phrases, each with the words or the numbers that show it."""

    verdict: Verdict
    why: tuple[str, ...]


def load_drills(path: Path) -> tuple[Drill, ...]:
    """Read a file of drills; BadInput names each problem with its line."""
    return yamlfile.load(path, Drills).drills


def mark(drill: Drill, said: Assessment, text: str, names: Mapping[str, str]) -> DrillMark:
    """Whether a turn (`text`, as judged in `said`) does what the drill asks for; `names` says codes in plain English."""
    lacks, doubts, shows = list(_faults(drill, said, names)), list[str](), list[str]()
    done = {f.code: f for f in said.findings if f.kind == "move" and f.outcome == "done"}
    perhaps = {f.code: f for f in said.findings if f.kind == "move" and f.outcome == "unsure"}
    for wanted in (*((code,) for code in drill.all_of), *((drill.any_of,) if drill.any_of else ())):
        found = next((done[code] for code in wanted if code in done), None)
        maybe = next((perhaps[code] for code in wanted if code in perhaps), None)
        if found:
            shows.append(_quoted(found, names))
        elif maybe:
            doubts.append(f"{_quoted(maybe, names)}: unsure, listen again")
        else:
            lacks.append(f"not heard: {' or '.join(_name(code, names) for code in wanted)}")
    if drill.question_last and not lacks:
        asked = [f for f in done.values() if f.code in (*drill.any_of, *drill.all_of)]
        rest = text[max((question_end(f, text) for f in asked), default=len(text)) :].split()
        if len(rest) > TAIL_WORDS:
            lacks.append(f"you went on after the question: “{' '.join(rest)}”")
    if drill.quiet:
        _voice(said, lacks, doubts, shows)
    if lacks:
        return DrillMark("not yet", tuple(lacks))
    return (
        DrillMark("unsure", tuple(doubts))
        if doubts
        else DrillMark("passed", tuple(shows or ["nothing against it was heard"]))
    )


def _faults(drill: Drill, said: Assessment, names: Mapping[str, str]) -> Iterator[str]:
    for finding in said.findings:
        if finding.kind == "fault" and finding.outcome == "shown" and finding.code in drill.none_of:
            yield _quoted(finding, names)


def _voice(said: Assessment, lacks: list[str], doubts: list[str], shows: list[str]) -> None:
    """Quietly, and not in a rush; what could not be measured is doubtful."""
    spoken = said.delivery
    evidence = "; ".join(spoken.evidence)
    if spoken.loudness in ("raised", "shouting"):
        lacks.append(f"your voice was raised ({evidence})")
    elif spoken.pace == "rushed":
        lacks.append(f"you rushed ({evidence})")
    elif spoken.loudness == "unsure":
        doubts.append(f"your voice could not be judged ({evidence})")
    else:
        shows.append(f"your voice stayed quiet ({evidence})")


def _name(code: str, names: Mapping[str, str]) -> str:
    return names.get(code, code.replace("_", " "))


def _quoted(finding: Finding, names: Mapping[str, str]) -> str:
    return f"{_name(finding.code, names)}, “{finding.quote}”"
