"""A persona file as frozen values: who calls, what the story is, and every sentence the customer can say.

The format is shown by `personas/dana-printer.yaml`. Files come from other people: they are data only. A `{fact}`
in a line is replaced by that fact's text, once, and nothing else in a line is special.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from voicecoach import yamlfile
from voicecoach.errors import BadInput
from voicecoach.nouns import Strict, Worksheet
from voicecoach.persona.effects import EFFECTS

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""Ids end up in file names and in line ids, so they are short and plain."""
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


def _text(what: str, value: str) -> None:
    if not value.strip():
        raise ValueError(f"{what} must not be empty")
    if len(value) > MAX_CHARS:
        raise ValueError(f"{what} has {len(value)} characters; {MAX_CHARS} is the most")
    if not value.isprintable():
        raise ValueError(f"{what} holds a line break or a control character")


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
    """Anger at the start, the anger from which a manager is asked for (both 0 to 5), and how fast it cools."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    start: float = 3.0
    asks_for_manager_at: float = 4.6
    drift: Literal["slow", "normal", "fast"] = "normal"

    def __post_init__(self) -> None:
        if not 0 <= self.start <= 5:
            raise ValueError("'start' must be a number from 0 to 5")
        if not 3 <= self.asks_for_manager_at <= 5:
            raise ValueError("'asks_for_manager_at' must be a number from 3 to 5")


@dataclass(frozen=True)
class Persona:
    """A customer, as read from a file."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    id: str
    name: str
    about: str
    voice: VoiceWish
    story: tuple[Point, ...]
    lines: Mapping[str, tuple[Line, ...]]
    surname: str = ""
    mood: Temper = Temper()
    facts: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    effects: Mapping[str, float] = field(default_factory=dict)
    """Sizes of single effects that differ from the table in `effects.py`, such as `{interrupt: 1.2}`."""
    brief: Worksheet = NO_BRIEF
    """What the trainee may know and decide before the call (000.1); `cannot` are the limits of what may be promised."""

    def __post_init__(self) -> None:
        _slug("'id'", self.id)
        _text("'name'", self.name)

    @property
    def full_name(self) -> str:
        """First name and surname, for the trainee's screen."""
        return f"{self.name} {self.surname}".strip()


def load_persona(path: Path) -> Persona:
    """Read a persona file; BadInput lists every problem with its line."""
    return parse_persona(yamlfile.read_text(path), str(path))


def parse_persona(text: str, name: str) -> Persona:
    """As `load_persona`, for text already read; `name` stands for the file in messages."""
    persona = yamlfile.parse(text, Persona, name)
    problems = list(_problems(persona))
    if problems:
        numbered = sorted({(_line_of(text, path), what) for path, what in problems})
        listing = "\n".join(f"  line {line}: {what}" for line, what in numbered)
        raise BadInput(f"{name} cannot be used:\n{listing}")
    return persona


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
    return next(group for known, _, group in _groups(persona) if known == key)


def _groups(persona: Persona) -> Iterator[tuple[str, tuple[str | int, ...], tuple[Line, ...]]]:
    """(key, path in the file, lines) of each group of interchangeable lines."""
    for index, point in enumerate(persona.story):
        yield f"story.{point.id}", ("story", index, "lines"), point.lines
    for name, answer in persona.answers.items():
        yield f"answer.{name}", ("answers", name, "lines"), answer.lines
    for key, group in persona.lines.items():
        yield key, ("lines", key), group


def _problems(persona: Persona) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path in the file, sentence) for what no single part can know to be wrong."""
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
    for name in persona.lines.keys() - set(KEYS):
        yield ("lines", name), f"'{name[:50]}' is not a state of the engine.{_meant(name, KEYS)}"
    for name in set(KEYS) - persona.lines.keys():
        yield ("lines",), f"'lines' has no '{name}'; the customer needs at least one line for it."
    yield from _bad_brief(persona.brief)
    yield from _bad_effects(persona)
    yield from _bad_facts(persona)


def _bad_brief(brief: Worksheet) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Empty, long or unprintable text, and lists that are no short worksheet."""
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


def _bad_effects(persona: Persona) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, size in persona.effects.items():
        if name not in EFFECTS:
            yield ("effects", name), f"'{name[:50]}' is not an effect.{_meant(name, tuple(EFFECTS))}"
        elif not 0 <= size <= 2:
            yield ("effects", name), f"'effects.{name}' must be a number from 0 to 2."


def _bad_facts(persona: Persona) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, value in persona.facts.items():
        try:
            _text(f"'facts.{name}'", value)
        except ValueError as error:
            yield ("facts", name), f"{error}."
    for key, path, group in _groups(persona):
        if not group:
            yield path, f"'{key}' needs at least one line."
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


def _line_of(text: str, path: Sequence[str | int]) -> int:
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
