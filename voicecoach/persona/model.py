"""A customer as frozen values: who calls, what the story is, and every sentence that can be said.

Two files make a customer: a person (`personas/people/dana.yaml`: voice, temper, ways of speaking) and a scenario
(`personas/dana-printer.yaml`: story, facts, what is accepted); `cast` puts them together at a level. One file with
everything is read too, and is what the record keeps. Files come from other people: they are data only. A `{fact}` in
a line is replaced by that fact's text, once, and nothing else in a line is special.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from voicecoach import yamlfile
from voicecoach.errors import BadInput
from voicecoach.nouns import SLUG, Strict, Worksheet
from voicecoach.persona.effects import EFFECTS

FACT = re.compile(r"\{([^{}]*)\}")
VOICE = re.compile(r"[a-z0-9]+/[A-Za-z0-9_-]+")
MAX_CHARS = 240
"""A line is one breath on the telephone; longer ones are refused (the longest bundled line has about half)."""
MAX_BRIEF = 8
"""Phrases in one list of the brief: a worksheet is read in half a minute."""
NO_BRIEF = Worksheet()

NEEDS = ("heard", "acknowledged", "apologised", "clarified", "solution")
"""What an upset customer needs, in the order in which the five procedures meet it (docs/customer.md)."""

KEYS = (
    "opening",
    *(f"need.{need}" for need in NEEDS),
    "need.when",
    "softened",
    "confirmed",
    "answered",
    "vague",
    "accepted",
    "prompted",
    "resolved",
    "closed",
    "repeated",
    "parroted",
    "interrupted",
    "rushed_to_solve",
    "argued",
    "calm_down",
    "policy",
    "excused",
    "too_loud",
    "too_fast",
    "silence",
    "manager",
    "transferred",
    "hangup",
    "goodbye",
)
"""The keys of `lines`: what the engine may want said. Each needs at least one line."""
FALLBACKS: Mapping[str, str] = {"cuts_in": "interrupted", "refused": "vague", "comes_back": "need.acknowledged"}
"""Keys that a scenario needs too. A customer in one file may lack them; the value is the key that is used instead."""
OPTIONAL = ("not_possible",)
"""Keys that may be left out: asking, once, for what is not possible."""
KNOWN = (*KEYS, *FALLBACKS, *OPTIONAL)

Drift = Literal["slow", "normal", "fast"]
Patience = Literal["low", "normal", "high"]
LevelName = Literal["mild", "medium", "hard"]
LEVELS: tuple[LevelName, ...] = get_args(LevelName)
DEFAULT_LEVEL: LevelName = "medium"
Situation = Literal[
    "quality-or-delivery",
    "return-or-cancellation",
    "wrong-information",
    "past-experience",
    "confrontation",
    "angry-customer",
    "explaining-policy",
    "escalation",
]
"""The eight situations that document 000 lists."""
MAX_PHRASES = 60
"""In one list of `triggers`, `vocabulary`, `accepts` or `any_of`."""


def _text(what: str, value: str) -> None:
    if not value.strip():
        raise ValueError(f"{what} must not be empty")
    if len(value) > MAX_CHARS:
        raise ValueError(f"{what} has {len(value)} characters; {MAX_CHARS} is the most")
    if not value.isprintable():
        raise ValueError(f"{what} holds a line break or a control character")


def _phrases(what: str, phrases: Sequence[str]) -> None:
    if len(phrases) > MAX_PHRASES:
        raise ValueError(f"{what} has {len(phrases)} phrases; {MAX_PHRASES} is the most")
    for phrase in phrases:
        _text(f"each phrase of {what}", phrase)


def _anger(what: str, value: float, low: float) -> None:
    if not low <= value <= 5:
        raise ValueError(f"{what} must be a number from {low:g} to 5")


def _slug(what: str, value: str) -> None:
    if not SLUG.fullmatch(value):
        raise ValueError(f"{what} '{value[:50]}' must be 1 to 40 of a-z, 0-9 and '-', not beginning with '-'")


@dataclass(frozen=True)
class Line:
    """One sentence or burst, and the lowest and highest anger level at which it may be spoken."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    say: str
    anger: tuple[int, int]

    def __post_init__(self) -> None:
        _text("'say'", self.say)
        low, high = self.anger
        if not 0 <= low <= high <= 5:
            raise ValueError(f"'anger' must be [lowest, highest] within 0 to 5, not [{low}, {high}]")

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels at which it may be spoken, lowest first."""
        return tuple(range(self.anger[0], self.anger[1] + 1))


@dataclass(frozen=True)
class Point:
    """One point of the story; `lines` are several ways to tell it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    about: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        _slug("'id'", self.id)


@dataclass(frozen=True)
class Answer:
    """What the customer can answer: a question of the trainee with any of `asks` in it brings one of `lines`."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    asks: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class VoiceWish:
    """Voices as engine/voice, the best first, and whether anger is loud and fast (hot) or slow and hard (cold)."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    prefer: tuple[str, ...]
    style: Literal["hot", "cold"] = "hot"

    def __post_init__(self) -> None:
        for voice in self.prefer:
            if not VOICE.fullmatch(voice):
                raise ValueError(f"voice '{voice[:50]}' must be written engine/voice, such as kokoro/af_bella")


@dataclass(frozen=True)
class Temper:
    """The mood of a call: where anger starts, when a manager is asked for (0 to 5), how it cools, and how patient."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    start: float = 3.0
    asks_for_manager_at: float = 4.6
    drift: Drift = "normal"
    patience: Patience = "normal"
    stays_irate: bool = False
    """Accepts in the end, but is still angry, whatever the trainee does (002 slide 20)."""
    refuses_first: bool = False
    """Turns the first good offer down, once."""

    def __post_init__(self) -> None:
        _anger("'start'", self.start, 0)
        _anger("'asks_for_manager_at'", self.asks_for_manager_at, 3)


@dataclass(frozen=True)
class Nature:
    """The part of a temper that belongs to the person, whatever the call is about."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    drift: Drift = "normal"
    patience: Patience = "normal"
    asks_for_manager_at: float = 4.6
    stays_irate: bool = False

    def __post_init__(self) -> None:
        _anger("'asks_for_manager_at'", self.asks_for_manager_at, 3)


@dataclass(frozen=True)
class Level:
    """What a level of difficulty changes; what is not given stays as the person is."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    start: float | None = None
    refuses_first: bool | None = None
    drift: Drift | None = None
    patience: Patience | None = None
    asks_for_manager_at: float | None = None
    stays_irate: bool | None = None

    def __post_init__(self) -> None:
        if self.start is not None:
            _anger("'start'", self.start, 0)
        if self.asks_for_manager_at is not None:
            _anger("'asks_for_manager_at'", self.asks_for_manager_at, 3)


NO_CHANGE = Level()
USUAL: Mapping[LevelName, Level] = {
    "mild": Level(start=2.0, refuses_first=False),
    "medium": Level(start=3.0, refuses_first=False),
    "hard": Level(start=4.0, refuses_first=True),
}
"""The levels, where a scenario says nothing else (our judgement)."""


@dataclass(frozen=True)
class Levels:
    """A scenario's own levels of difficulty."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    mild: Level = NO_CHANGE
    medium: Level = NO_CHANGE
    hard: Level = NO_CHANGE


USUAL_LEVELS = Levels()
NO_TEMPER = Temper()


@dataclass(frozen=True)
class Outcome:
    """A solution that is accepted: an offer with any of these words counts as it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    outcome: str
    any_of: tuple[str, ...]

    def __post_init__(self) -> None:
        _text("'outcome'", self.outcome)
        _phrases("'any_of'", self.any_of)
        if not self.any_of:
            raise ValueError("'any_of' needs words by which the offer is known")


@dataclass(frozen=True)
class Persona:
    """A customer, ready for a call."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    name: str
    about: str
    voice: VoiceWish
    story: tuple[Point, ...]
    lines: Mapping[str, tuple[Line, ...]]
    surname: str = ""
    mood: Temper = NO_TEMPER
    facts: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    effects: Mapping[str, float] = field(default_factory=dict)
    """Sizes of single effects that differ from the table in `effects.py`, such as `{interrupt: 1.2}`."""
    brief: Worksheet = NO_BRIEF
    """What the trainee may know and decide before the call (000.1); `cannot` are the limits of what may be promised."""
    title: str = ""
    situation: Situation | None = None
    person: str = ""
    """Id of the person, where the customer was cast from two files."""
    level: LevelName | None = None
    sex: Literal["female", "male"] | None = None
    accent: Literal["american", "british"] | None = None
    triggers: tuple[str, ...] = ()
    """What this person cannot bear to hear."""
    vocabulary: tuple[str, ...] = ()
    accepts: tuple[Outcome, ...] = ()
    """Which offers are accepted; if none are given, every concrete one is."""
    levels: Levels = USUAL_LEVELS

    def __post_init__(self) -> None:
        _slug("'id'", self.id)
        _text("'name'", self.name)
        _phrases("'triggers'", self.triggers)
        _phrases("'vocabulary'", self.vocabulary)

    @property
    def full_name(self) -> str:
        """First name and surname, for the trainee's screen."""
        return f"{self.name} {self.surname}".strip()


@dataclass(frozen=True)
class Person:
    """Who calls: everything that is not about this call."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    name: str
    about: str
    sex: Literal["female", "male"]
    accent: Literal["american", "british"]
    voice: VoiceWish
    lines: Mapping[str, tuple[Line, ...]]
    surname: str = ""
    temper: Nature = Nature()
    triggers: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    """Pet phrases, as a help for writing more lines."""
    effects: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _slug("'id'", self.id)
        _text("'name'", self.name)
        _phrases("'triggers'", self.triggers)
        _phrases("'vocabulary'", self.vocabulary)


@dataclass(frozen=True)
class Scenario:
    """What the call is about: everything that is not about the person."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    title: str
    situation: Situation
    person: str
    about: str
    story: tuple[Point, ...]
    brief: Worksheet = NO_BRIEF
    facts: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    accepts: tuple[Outcome, ...] = ()
    levels: Levels = USUAL_LEVELS
    lines: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _slug("'id'", self.id)
        _slug("'person'", self.person)
        _text("'title'", self.title)
        _text("'about'", self.about)


def cast(person: Person, scenario: Scenario, level: LevelName = DEFAULT_LEVEL) -> Persona:
    """The customer that `person` is in `scenario`; if both have lines for a key, the scenario's come first.

    A person's line with a {fact} that this scenario does not have is not said in it.
    """
    own = sayable(person, scenario.facts)
    keys = dict.fromkeys([*scenario.lines, *own])
    whole = Persona(
        id=scenario.id,
        name=person.name,
        surname=person.surname,
        about=scenario.about,
        voice=person.voice,
        story=scenario.story,
        lines={key: (*scenario.lines.get(key, ()), *own.get(key, ())) for key in keys},
        mood=replace(NO_TEMPER, **asdict(person.temper)),
        facts=scenario.facts,
        answers=scenario.answers,
        effects=person.effects,
        brief=scenario.brief,
        title=scenario.title,
        situation=scenario.situation,
        person=person.id,
        sex=person.sex,
        accent=person.accent,
        triggers=person.triggers,
        vocabulary=person.vocabulary,
        accepts=scenario.accepts,
        levels=scenario.levels,
    )
    return at_level(whole, level)


def sayable(person: Person, facts: Mapping[str, str]) -> Mapping[str, tuple[Line, ...]]:
    """The person's lines that need no other facts than these; a key without any is left out."""
    kept = {
        key: tuple(line for line in group if all(fact in facts for fact in FACT.findall(line.say)))
        for key, group in person.lines.items()
    }
    return {key: group for key, group in kept.items() if group or not person.lines[key]}


def at_level(persona: Persona, level: LevelName) -> Persona:
    """`persona` as mild, medium or hard as its scenario says, or as usual."""
    changes = {
        name: value
        for of in (USUAL[level], getattr(persona.levels, level))
        for name, value in asdict(of).items()
        if value is not None
    }
    return replace(persona, mood=replace(persona.mood, **changes), level=level)


# --- reading and writing ---------------------------------------------------------------------------

_SCENARIO = re.compile(r"^person[ \t]*:", re.MULTILINE)
_PERSON = re.compile(r"^(?:temper|sex|accent)[ \t]*:", re.MULTILINE)


def kind_of(text: str) -> type[Person | Scenario | Persona]:
    """What a file holds, by its keys: a scenario names a person and has no voice of its own; a person has a temper."""
    if _SCENARIO.search(text) and not re.search(r"^voice[ \t]*:", text, re.MULTILINE):
        return Scenario
    whole = re.search(r"^story[ \t]*:", text, re.MULTILINE)
    return Person if _PERSON.search(text) and not whole else Persona


def load_persona(path: Path, level: LevelName | None = None, people: Sequence[Path] = ()) -> Persona:
    """Read a customer: one file with everything, or a scenario with its person.

    The person is looked for in the folder `people` beside the scenario, beside the scenario itself, and in `people`.
    BadInput lists every problem with its line.
    """
    text = yamlfile.read_text(path)
    if kind_of(text) is not Scenario:
        whole = parse_persona(text, str(path))
        return at_level(whole, level) if level else whole
    scenario = parse_scenario(text, str(path))
    found = person_path(scenario.person, path, people)
    person_text = yamlfile.read_text(found)
    person = parse_person(person_text, str(found))
    persona = cast(person, scenario, level or DEFAULT_LEVEL)
    problems = list(of_two_files(scenario, person, persona, person_text, str(found), text))
    if problems:
        raise yamlfile.refusal(str(path), problems)
    return persona


def person_path(person: str, scenario: Path, people: Sequence[Path] = ()) -> Path:
    """The file of the person with this id; BadInput names where it was looked for."""
    folders = [scenario.parent / "people", scenario.parent, *people]
    for folder in folders:
        path = folder / f"{person}.yaml"
        if path.is_file() and path.resolve() != scenario.resolve():
            return path
    there = sorted({path.stem for folder in (folders[0], *people) for path in folder.glob("*.yaml")})
    raise BadInput(
        f"{scenario} cannot be used: there is no person called '{person}'.{_meant(person, there)}",
        f"Write {folders[0] / person}.yaml, or choose one of: {', '.join(there) or 'none yet'}.",
    )


def parse_persona(text: str, name: str) -> Persona:
    """As `load_persona`, for the text of one file with everything; `name` stands for the file in messages."""
    persona = yamlfile.parse(text, Persona, name)
    problems = of_persona(persona, text)
    if problems:
        raise yamlfile.refusal(name, problems)
    return persona


def parse_person(text: str, name: str) -> Person:
    """A person's file; BadInput lists every problem with its line."""
    person = yamlfile.parse(text, Person, name)
    problems = of_person(person, text)
    if problems:
        raise yamlfile.refusal(name, problems)
    return person


def of_person(person: Person, text: str) -> list[yamlfile.Problem]:
    """What is wrong with a person's file as a whole, though each part by itself is good."""
    found = (*_bad_keys(person.lines), *_bad_effects(person.effects), *_empty_groups(_of_lines(person)))
    return [(line_of(text, path), what) for path, what in found]


def of_persona(persona: Persona, text: str) -> list[yamlfile.Problem]:
    """The same for one file with everything."""
    found = (*_problems(persona), *_missing(persona, KEYS))
    return [(line_of(text, path), what) for path, what in found]


def parse_scenario(text: str, name: str) -> Scenario:
    """A scenario's file, by itself; BadInput lists every problem with its line."""
    return yamlfile.parse(text, Scenario, name)


NOBODY = Person("nobody", "Nobody", "", "female", "american", VoiceWish(()), {})
"""A person to cast a scenario with when it is checked by itself."""


def alone(scenario: Scenario, text: str) -> list[yamlfile.Problem]:
    """What is wrong with a scenario, whoever the person is."""
    return [(line_of(text, path), what) for path, what in _problems(cast(NOBODY, scenario))]


_LINE = {"say": "...", "anger": [0, 5]}
_STAND_INS: Mapping[str, Any] = {
    "id": "x", "title": "x", "about": "x", "name": "x", "person": "x", "situation": "angry-customer", "sex": "female",
    "accent": "american", "surname": "", "voice": {"prefer": []}, "story": [], "accepts": [], "facts": {},
    "answers": {}, "lines": {}, "brief": {}, "effects": {}, "triggers": [], "vocabulary": [], "temper": {}, "mood": {},
    "levels": {},
}  # fmt: skip


def _like(whole: Any, path: tuple[str | int, ...]) -> Mapping[str, Any]:
    """A line that can be read, with the words of the one at `path` where those are good."""
    try:
        for part in path:
            whole = whole[part]
        return {"say": Line(whole["say"], (0, 5)).say, "anger": [0, 5]}
    except (TypeError, KeyError, IndexError, AttributeError, ValueError):
        return _LINE


def stand_in(path: tuple[str | int, ...], whole: Any) -> yamlfile.MendedPart | None:
    """What to put in a customer's file in place of a part that could not be read, so that the rest is checked too."""
    match path:
        case ("story" | "answers", _, "lines", int(), *_):
            return path[:4], _like(whole, path[:4])
        case ("lines", _, int(), *_):
            return path[:3], _like(whole, path[:3])
        case ("lines", _, *_):
            return path[:2], [_LINE]
        case ("story" | "answers", _, "lines", *_):
            return path[:3], [_LINE]
        case ("story", int(index), *rest):
            name = f"mistake-{index}"
            own = {"id": name, "about": "x"}
            first = rest[0] if rest else None
            if first in own:
                return path[:3], own[first]
            there = whole["story"][index]
            return path[:2], {**own, "lines": there.get("lines", [_LINE]) if isinstance(there, dict) else [_LINE]}
        case ("accepts", int(), *_):
            return path[:2], {"outcome": "x", "any_of": ["x"]}
        case ("answers", _, *_):
            return path[:2], {"asks": ["x"], "lines": [_LINE]}
        case ("facts", _, *_):
            return path[:2], "x"
        case (str(key), *_) if key in _STAND_INS:
            return path[:1], _STAND_INS[key]
    return None


def of_two_files(
    scenario: Scenario, person: Person, persona: Persona, person_text: str, person_name: str, text: str
) -> Iterator[tuple[int, str]]:
    """(line of the scenario's file, sentence) for what is wrong with the customer cast from both."""
    for path, what in (*_problems(persona), *_missing(persona, (*KEYS, *FALLBACKS))):
        if path[:1] != ("lines",) or len(path) < 3:
            yield line_of(text, path), what
            continue
        key, index = str(path[1]), int(path[2])
        own = len(scenario.lines.get(key, ()))
        if index < own:
            yield line_of(text, path), what
        else:
            line = line_of(person_text, ("lines", key))
            yield line_of(text, ("person",)), f"{person_name} line {line}: {what}"
    if person.id != scenario.person:
        yield line_of(text, ("person",)), f"{person_name} says that its id is '{person.id}'."


def as_text(persona: Persona) -> str:
    """`persona` as one file with everything, from which the same customer is read: what the record keeps."""
    flow = {"story", "answers", "lines", "facts", "brief", "accepts"}
    out = []
    for part in fields(persona):
        value = getattr(persona, part.name)
        if part.name == "levels" or value is None or value in ("", ()) or value == {}:
            continue
        plain = json.loads(json.dumps(value, default=asdict))
        if part.name not in flow:
            out.append(f"{part.name}: {_json(plain)}")
            continue
        out.append(f"{part.name}:")
        if isinstance(plain, list):
            out += [f"  - {_json(item)}" for item in plain]
        elif part.name == "lines":
            for key, group in plain.items():
                out += [f"  {key}:", *(f"    - {_json(line)}" for line in group)]
        else:
            out += [f"  {key}: {_json(item)}" for key, item in plain.items()]
    return "\n".join(out) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def fill(say: str, facts: Mapping[str, str]) -> str:
    """`say` with each `{fact}` replaced by its text, in one pass: facts are never looked into again."""
    return FACT.sub(lambda match: facts.get(match[1], match[0]), say)


def lines(persona: Persona) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """(line id, text with its facts, levels) of every line, in file order: what is rendered to audio."""
    return tuple(
        (f"{key}.{number}", fill(line.say, persona.facts), line.levels)
        for key, _, group in _groups(persona)
        for number, line in enumerate(group, 1)
    )


def lines_for(persona: Persona, key: str) -> tuple[Line, ...]:
    """The lines of one key: of `lines`, "story.POINT" or "answer.NAME"."""
    kind, _, name = key.partition(".")
    if kind == "story":
        return next(point.lines for point in persona.story if point.id == name)
    if kind == "answer":
        return persona.answers[name].lines
    return persona.lines[key]


def at_hand(persona: Persona, key: str) -> str:
    """`key`, or what is said instead where a customer of an older file has no lines for it."""
    return FALLBACKS[key] if key in FALLBACKS and key not in persona.lines else key


def _groups(persona: Persona) -> Iterator[tuple[str, tuple[str | int, ...], tuple[Line, ...]]]:
    """(key, path in the file, lines) of each group of interchangeable lines."""
    for index, point in enumerate(persona.story):
        yield f"story.{point.id}", ("story", index, "lines"), point.lines
    for name, answer in persona.answers.items():
        yield f"answer.{name}", ("answers", name, "lines"), answer.lines
    for key, group in persona.lines.items():
        yield key, ("lines", key), group


_Problem = tuple[tuple[str | int, ...], str]
"""(path in the file, sentence)"""


def _problems(persona: Persona) -> Iterator[_Problem]:
    """What is wrong with the customer as a whole, though each part by itself is good."""
    if not persona.story:
        yield ("story",), "'story' needs at least one point: a customer without a story has nothing to be heard."
    ids = [point.id for point in persona.story]
    for index, point in enumerate(persona.story):
        if point.id in ids[:index]:
            yield ("story", index, "id"), f"the story has two points called '{point.id}'."
    for name in persona.answers:
        if not SLUG.fullmatch(name):
            yield ("answers", name), f"'{name[:50]}' must be 1 to 40 of a-z, 0-9 and '-'."
        if not persona.answers[name].asks or not all(map(words, persona.answers[name].asks)):
            yield ("answers", name), f"'answers.{name}.asks' needs words by which the question is known."
    for index, outcome in enumerate(persona.accepts):
        if not all(map(words, outcome.any_of)):
            yield ("accepts", index), "'any_of' needs words by which the offer is known."
    yield from _bad_keys(persona.lines)
    yield from _bad_brief(persona.brief)
    yield from _bad_effects(persona.effects)
    yield from _bad_facts(persona)
    yield from _empty_groups(_groups(persona))


def _missing(persona: Persona, keys: Sequence[str]) -> Iterator[_Problem]:
    names = [f"'{name}'" for name in keys if name not in persona.lines]
    if names:
        listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        each = "each of them" if len(names) > 1 else "it"
        yield ("lines",), f"'lines' has no {listed}; the customer needs at least one line for {each}."


def _bad_keys(groups: Mapping[str, tuple[Line, ...]]) -> Iterator[_Problem]:
    for name in groups.keys() - set(KNOWN):
        yield ("lines", name), f"'{name[:50]}' is not a key of 'lines'.{_meant(name, KNOWN)}"


def _of_lines(person: Person) -> Iterator[tuple[str, tuple[str | int, ...], tuple[Line, ...]]]:
    for key, group in person.lines.items():
        yield key, ("lines", key), group


def _empty_groups(groups: Iterator[tuple[str, tuple[str | int, ...], tuple[Line, ...]]]) -> Iterator[_Problem]:
    for key, path, group in groups:
        if not group:
            yield path, f"'{key}' needs at least one line."


def _bad_brief(brief: Worksheet) -> Iterator[_Problem]:
    """Empty, long or unprintable text, and lists that are too long for a worksheet."""
    texts: list[tuple[tuple[str | int, ...], str]] = [(("brief", "goal"), brief.goal)] if brief.goal else []
    for key in ("can", "cannot", "problems", "win_wins"):
        phrases: tuple[str, ...] = getattr(brief, key)
        if len(phrases) > MAX_BRIEF:
            yield ("brief", key), f"'brief.{key}' has {len(phrases)} phrases; {MAX_BRIEF} is the most."
        texts += [(("brief", key, index), phrase) for index, phrase in enumerate(phrases)]
    for path, value in texts:
        try:
            _text(f"'{'.'.join(map(str, path))}'", value)
        except ValueError as error:
            yield path, f"{error}."


def _bad_effects(effects: Mapping[str, float]) -> Iterator[_Problem]:
    for name, size in effects.items():
        if name not in EFFECTS:
            yield ("effects", name), f"'{name[:50]}' is not an effect.{_meant(name, tuple(EFFECTS))}"
        elif not 0 <= size <= 2:
            yield ("effects", name), f"'effects.{name}' must be a number from 0 to 2."


def _bad_facts(persona: Persona) -> Iterator[_Problem]:
    for name, value in persona.facts.items():
        try:
            _text(f"'facts.{name}'", value)
        except ValueError as error:
            yield ("facts", name), f"{error}."
    for _, path, group in _groups(persona):
        for index, line in enumerate(group):
            for fact in FACT.findall(line.say):
                if fact not in persona.facts:
                    yield (*path, index), f"'{{{fact[:50]}}}' is not a fact.{_meant(fact, tuple(persona.facts))}"


def _meant(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""


def words(text: str) -> str:
    """`text` as plain lower-case words between single spaces, with a space at both ends; empty if it has none."""
    found = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.casefold())
    return f" {' '.join(found)} " if found else ""


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The 1-based line of the deepest part of `path` in the YAML `text` (read again: only errors need lines)."""
    from ruamel.yaml import YAML

    node: Any = YAML(typ="rt", pure=True).load(text)
    line = 1
    for part in path:
        if isinstance(node, Mapping):
            if part not in node:
                break
            line = node.lc.key(part)[0] + 1  # type: ignore[attr-defined]
        else:
            line = node.lc.item(part)[0] + 1
        node = node[part]
    return line
