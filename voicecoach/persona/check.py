"""Everything that can be said about a customer's files at once: what is wrong, and what is written for nothing.

What is wrong would be refused when a call begins. Remarks are about what no caller would ever hear or be asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicecoach import yamlfile
from voicecoach.errors import BadInput
from voicecoach.persona import model
from voicecoach.persona.model import FACT, LEVELS, Line, Person, Persona, Scenario

ENOUGH_LINES = 40
"""So many lines, and three calls in a row need not repeat (our judgement)."""
SPREAD = 1
"""The engine takes a line whose band is at most so many levels away from the anger, if it has one."""


@dataclass(frozen=True)
class Checked:
    """What a check found. `problems` are whole messages, `remarks` sentences with their lines."""

    path: Path
    who: str = ""
    """What the file holds, as a phrase."""
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def check(path: Path, people: Sequence[Path] = ()) -> Checked:
    """Check a scenario with its person, a person, or one file with everything.

    A mistake in one place does not hide those in others: what cannot be read is left out, and the rest is checked too.
    """
    try:
        text = yamlfile.read_text(path)
        match model.kind_of(text):
            case model.Person:
                return _person(path, text)
            case model.Persona:
                return _whole(path, text)
            case _:
                return _scenario(path, text, people)
    except BadInput as error:
        return Checked(path, problems=(str(error),))


def _person(path: Path, text: str) -> Checked:
    person, problems = yamlfile.parse_all(text, Person, str(path), model.stand_in)
    problems += model.of_person(person, text) if person else []
    if problems or person is None:
        raise yamlfile.refusal(str(path), problems)
    return Checked(path, f"the person {person.name}, {_count(person)} lines of their own")


def _whole(path: Path, text: str) -> Checked:
    persona, problems = yamlfile.parse_all(text, Persona, str(path), model.stand_in)
    problems += model.of_persona(persona, text) if persona else []
    if problems or persona is None:
        raise yamlfile.refusal(str(path), problems)
    return Checked(path, _who(persona), (), tuple(_remarks(persona, text, None)))


def _scenario(path: Path, text: str, people: Sequence[Path]) -> Checked:
    scenario, problems = yamlfile.parse_all(text, Scenario, str(path), model.stand_in)
    others: list[str] = []
    person: tuple[Path, str, Person] | None = None
    name = _person_of(text)
    if name:
        try:
            found = model.person_path(name, path, people)
            person_text = yamlfile.read_text(found)
            person = found, person_text, model.parse_person(person_text, str(found))
        except BadInput as error:
            others.append(str(error))
    if scenario and person:
        cast = model.cast(person[2], scenario)
        if scenario.person == name:
            problems += model.of_two_files(scenario, person[2], cast, person[1], str(person[0]), text)
    elif scenario:
        problems += model.alone(scenario, text)
    if problems:
        others.insert(0, str(yamlfile.refusal(str(path), problems)))
    if others or not scenario or not person:
        return Checked(path, problems=tuple(others))
    return Checked(path, _who(cast), (), tuple(_remarks(cast, text, scenario)))


def _person_of(text: str) -> str:
    """The person that a scenario names, also where the rest of it cannot be read."""
    found = re.search(r"^person[ \t]*:[ \t]*['\"]?([a-z0-9][a-z0-9-]{0,39})['\"]?[ \t]*(?:#.*)?$", text, re.MULTILINE)
    return found[1] if found else ""


def _count(of: Person | Persona) -> int:
    own = sum(map(len, of.lines.values()))
    if isinstance(of, Persona):
        own += sum(len(point.lines) for point in of.story) + sum(len(answer.lines) for answer in of.answers.values())
    return own


def _who(persona: Persona) -> str:
    return f"{_count(persona)} lines"


def _remarks(persona: Persona, text: str, scenario: Scenario | None) -> Iterator[str]:
    """Facts that nobody hears, lines that are never reached, and too few lines."""
    if _count(persona) < ENOUGH_LINES:
        yield f"there are {_count(persona)} lines; with {ENOUGH_LINES} or more, three calls in a row need not repeat."
    used = {fact for _, group in _all(persona) for line in group for fact in FACT.findall(line.say)}
    for name in persona.facts:
        if name not in used:
            yield f"line {model.line_of(text, ('facts', name))}: no line uses the fact '{name}'."
    for key, group in _all(persona):
        low, high = _range(persona, key)
        own = group if scenario is None or key.partition(".")[0] in ("story", "answer") else scenario.lines.get(key, ())
        for number, line in enumerate(own, 1):
            if _is_out_of_reach(line, group, low, high):
                where = _place(persona, key, number - 1)
                yield (
                    f"line {model.line_of(text, where)}: {key} line {number} is never said: it is for anger "
                    f"{line.anger[0]} to {line.anger[1]}, and there the anger is {low} to {high}."
                )


def _all(persona: Persona) -> Iterator[tuple[str, tuple[Line, ...]]]:
    for point in persona.story:
        yield f"story.{point.id}", point.lines
    for name, answer in persona.answers.items():
        yield f"answer.{name}", answer.lines
    yield from persona.lines.items()


def _place(persona: Persona, key: str, index: int) -> tuple[str | int, ...]:
    kind, _, name = key.partition(".")
    if kind == "story":
        return ("story", [point.id for point in persona.story].index(name), "lines", index)
    if kind == "answer":
        return ("answers", name, "lines", index)
    return ("lines", key, index)


def _range(persona: Persona, key: str) -> tuple[int, int]:
    """The lowest and highest anger at which the engine may want this key, over all levels."""
    starts = [model.at_level(persona, level).mood.start for level in LEVELS]
    match key:
        case "opening":
            return int(min(starts) + 0.5), int(max(starts) + 0.5)
        case "hangup":
            return 4, 5
        case "manager":
            return 2, 5
        case "cuts_in":
            return 4, 5
        case "accepted" | "prompted" | "resolved" | "closed":
            return 0, 4
        case _:
            return (2 if key.startswith("story.") else 0), 5


def _is_out_of_reach(line: Line, group: Sequence[Line], low: int, high: int) -> bool:
    """Whether every anger from `low` to `high` has a line that is nearer, and this one is too far away."""

    def distance(one: Line, anger: int) -> int:
        return max(one.anger[0] - anger, anger - one.anger[1], 0)

    return all(
        distance(line, anger) > max(SPREAD, min(distance(one, anger) for one in group))
        for anger in range(low, high + 1)
    )
