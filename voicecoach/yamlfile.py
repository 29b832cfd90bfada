"""YAML 1.2 files as data: read once, checked whole, refused with every problem's line and a suggestion.

YAML 1.2 keeps `No` a word. Aliases, tags, directives, deep nesting and large files are refused, because these files
come from other people: the parser's events are read one by one, and the first risky one ends the reading.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from voicecoach.errors import BadInput

MAX_BYTES = 64 * 1024
"""Larger files are refused unread (the largest bundled file is under half of it)."""
MAX_DEPTH = 12
"""Levels of lists and mappings; the deepest bundled file has five."""
MAX_VALUES = 4000
"""Values, keys, beginnings and ends of lists and mappings; the fullest bundled file has about 700."""
MAX_PROBLEMS = 20
"""Problems that are told one by one; the rest are counted."""
MAX_MENDS = 4
"""A mistake can hide another only a few levels deep."""

_UNPRINTABLE = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)
"""What YAML does not allow in a file, and the marks that make text look different from what it is."""
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None,
          "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}  # fmt: skip
_Path = tuple[str | int, ...]
_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}

T = TypeVar("T")


def load(path: Path, kind: type[T]) -> T:
    """Read `path` into the frozen dataclass `kind`.

    Raises BadInput naming the file and, for each problem, its line and what to write instead.
    """
    return parse(read_text(path), kind, str(path))


def read_text(path: Path) -> str:
    """The text of a small file, or BadInput saying why it cannot be read."""
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{path} cannot be read ({why or error}).", "Check the path and the permissions.") from error
    _refuse_large(len(raw), str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadInput(f"{path} line {line} is not UTF-8 text.", "Save the file as UTF-8.") from error


def parse(text: str, kind: type[T], name: str) -> T:
    """As `load`, for text already read; `name` stands for the file in messages."""
    value, problems = parse_all(text, kind, name)
    if value is None or problems:
        raise refusal(name, problems)
    return value


Problem = tuple[int, str]
"""(1-based line, sentence)"""
MendedPart = tuple[tuple[str | int, ...], Any]
"""Where a value that can be read goes instead of one that cannot: (path, value)."""
StandIn = Callable[[tuple[str | int, ...], Any], MendedPart | None]


def parse_all(
    text: str,
    kind: type[T],
    name: str,
    stand_in: StandIn = lambda *_: None,
) -> tuple[T | None, list[Problem]]:
    """Every mistake in the shape of a file, and what can be made of the rest, so that its meaning can be checked too.

    `stand_in` gives for the path of a mistake, and the whole, what is put there (or above it) instead; None where
    nothing can be. The value is None where no whole could be made. Raises BadInput for what is no YAML.
    """
    from pydantic import TypeAdapter, ValidationError

    _refuse_large(len(text.encode("utf-8", "replace")), name)
    tree = _read(text, name)
    if not isinstance(tree.value, dict):
        raise BadInput(f"{name} must be a YAML mapping with keys such as {', '.join(_known_keys(kind)[:3])}.")
    reader, problems = TypeAdapter(kind), set[Problem]()
    for _ in range(MAX_MENDS):
        try:
            return reader.validate_python(tree.value), sorted(problems)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            problems |= {_sentence(problem, tree, kind) for problem in errors}
            mends = [_mend(problem, tree, stand_in) for problem in errors]
        if None in mends:
            break
        for path, value in {mend[0]: mend[1] for mend in mends if mend}.items():
            _put(tree.value, path, value)
    return None, sorted(problems)


def refusal(name: str, problems: Iterable[Problem]) -> BadInput:
    """The message with every problem's line."""
    told = sorted(set(problems))
    lines = [f"  line {line}: {what}" for line, what in told[:MAX_PROBLEMS]]
    if len(told) > MAX_PROBLEMS:
        lines.append(f"  and {len(told) - MAX_PROBLEMS} more")
    return BadInput("\n".join([f"{name} cannot be used:", *lines]))


_GONE = object()


def _mend(problem: Any, tree: _Tree, stand_in: StandIn) -> MendedPart | None:
    """What to put where a mistake is; an unknown key is left out."""
    path = _existing(tree, problem["loc"], keep_last=problem["type"] == "missing")
    if problem["type"] in _UNKNOWN_KEY:
        return path, _GONE
    return stand_in(path, tree.value)


def _put(value: Any, path: _Path, new: Any) -> None:
    for part in path[:-1]:
        value = value[part]
    if new is _GONE:
        value.pop(path[-1], None)
    else:
        value[path[-1]] = new


def _refuse_large(n_bytes: int, name: str) -> None:
    if n_bytes > MAX_BYTES:
        raise BadInput(
            f"{name} is over {MAX_BYTES // 1024} KiB, too large for a file of this kind.", "Shorten it or split it."
        )


@dataclass
class _Tree:
    """A file as plain values, and the 1-based line of everything in it by its path of keys and indices."""

    value: Any = None
    lines: dict[_Path, int] = field(default_factory=dict)


def _read(text: str, name: str) -> _Tree:
    """A file as plain values and lines. Raises BadInput for what is no YAML and for what a data file never needs."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    odd = _UNPRINTABLE.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise BadInput(
            f"{name} line {line} holds a control character (U+{ord(odd[0]):04X}).", "Type the line again without it."
        )
    try:
        return _Builder(name).build(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}" if mark else ""
        raise BadInput(
            f"{name}{where} is not valid YAML: {error.problem or error.context}.",
            "Check the indentation; put text in quotes if it holds ': ' or ' #', or begins with & * ! % @ ` or a quote.",
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadInput(
            f"{name} is not valid YAML ({type(error).__name__}).", "Check the indentation and the quotes."
        ) from error


class _Builder:
    """Makes a tree of the parser's events."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tree = _Tree()
        self._open: list[tuple[_Path, dict[str, Any] | list[Any]]] = []
        self._key: list[str | None] = []
        """Of each open mapping, the key that waits for its value."""

    def build(self, events: Iterable[Any]) -> _Tree:
        """Consume all events of one document."""
        documents = 0
        for number, event in enumerate(events):
            line = event.start_mark.line + 1
            self._refuse_if(number > MAX_VALUES, line, "holds too many values.", "Shorten the file or split it.")
            match type(event).__name__:
                case "DocumentStartEvent":
                    documents += 1
                    self._refuse_if(documents > 1, line, "begins a second document (---).", "One file holds one.")
                    risky = event.version not in {None, (1, 2)} or event.tags
                    self._refuse_if(risky, line, "has a YAML directive (%...), not used here.", "Remove it.")
                case "AliasEvent":
                    self._refuse_if(
                        True, line, "has a YAML alias (*...), not used in these files.",
                        "Write the value out, or put text that begins with '*' in quotes.",
                    )  # fmt: skip
                case "ScalarEvent":
                    self._refuse_marked(event, line)
                    self._add(event.value if not event.implicit[0] else self._plain(event.value), line, event.value)
                case "MappingStartEvent" | "SequenceStartEvent":
                    self._refuse_marked(event, line)
                    made: dict[str, Any] | list[Any] = {} if type(event).__name__.startswith("Map") else []
                    path = self._add(made, line, None)
                    self._open.append((path, made))
                    self._key.append(None)
                    deep = len(self._open) > MAX_DEPTH
                    self._refuse_if(deep, line, "is nested too deeply.", "A few levels are enough for these files.")
                case "MappingEndEvent" | "SequenceEndEvent":
                    self._open.pop()
                    self._key.pop()
        return self._tree

    def _refuse_if(self, wrong: object, line: int, what: str, do: str) -> None:
        if wrong:
            raise BadInput(f"{self._name} line {line} {what}", do)

    def _refuse_marked(self, event: Any, line: int) -> None:
        self._refuse_if(
            event.anchor is not None, line, "has a YAML anchor (&...), not used in these files.",
            "Write the value out, or put text that begins with '&' in quotes.",
        )  # fmt: skip
        self._refuse_if(
            event.tag is not None, line, "has a YAML tag (!...), not used in these files.",
            "Put text that begins with '!' in quotes.",
        )  # fmt: skip

    def _plain(self, value: str) -> Any:
        """A value without quotes by the core schema of YAML 1.2, in which `No`, dates and times are text."""
        if value in _WORDS:
            return _WORDS[value]
        if _INT.fullmatch(value):
            return int(value)
        if _NOT_FINITE.fullmatch(value):
            return float(value.replace(".", ""))  # the values' own checks refuse it by name
        return float(value) if _FLOAT.fullmatch(value) else value

    def _add(self, value: Any, line: int, key: str | None) -> _Path:
        """Put a value (as a key: its text) where the next one belongs; its path."""
        if not self._open:
            self._tree.value = value
            self._tree.lines[()] = line
            return ()
        path, parent = self._open[-1]
        waiting = self._key[-1]
        if isinstance(parent, list):
            parent.append(value)
            here: _Path = (*path, len(parent) - 1)
            self._tree.lines[here] = line
        elif waiting is None:
            self._refuse_if(key is None, line, "has a list or a mapping for a key.", "Keys are words.")
            here = (*path, str(key))
            first = self._tree.lines.get(here)
            self._refuse_if(first, line, f"has the key '{key}' again (first in line {first}).", "Keep one of them.")
            self._tree.lines[here] = line
            self._key[-1] = str(key)
        else:
            here = (*path, waiting)
            parent[waiting] = value
            self._key[-1] = None
        return here


_PLAIN_ENGLISH = {
    "missing": "this key is missing",
    "string_type": "this must be text (put it in quotes)",
    "bool_type": "this must be true or false",
    "bool_parsing": "this must be true or false",
    "float_type": "this must be a number",
    "float_parsing": "this must be a number",
    "int_type": "this must be a whole number",
    "int_parsing": "this must be a whole number",
    "int_from_float": "this must be a whole number",
    "tuple_type": "this must be a list",
    "list_type": "this must be a list",
    "dict_type": "this must be a mapping of keys to values",
    "dataclass_type": "this must be a mapping of keys to values",
}


def _sentence(problem: Any, tree: _Tree, kind: type[Any]) -> tuple[int, str]:
    """(line, sentence) for one pydantic error."""
    path = _existing(tree, problem["loc"], keep_last=problem["type"] == "missing")
    spot = ".".join(str(part)[:60] for part in path) or "the file"
    line = next(tree.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in tree.lines)
    if problem["type"] in _UNKNOWN_KEY:
        close = difflib.get_close_matches(str(path[-1])[:60], _known_keys(_kind_at(kind, path[:-1])), n=1, cutoff=0.5)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        return line, f"'{spot}' is not a key that is known here.{hint}"
    said = problem["msg"].removeprefix("Value error, ").replace("Input should be", "this must be")
    if problem["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
        close = difflib.get_close_matches(str(problem["input"])[:60], choices, n=1, cutoff=0.5)
        said += f"; did you mean '{close[0]}'?" if close else ""
        return line, f"'{spot}': {said}" + ("" if close else ".")
    return line, f"'{spot}': {_PLAIN_ENGLISH.get(problem['type'], said)}."


def _existing(tree: _Tree, loc: Sequence[str | int], *, keep_last: bool) -> _Path:
    """`loc` without the steps that pydantic adds for the branches of its types."""
    path: _Path = ()
    for number, part in enumerate(loc, 1):
        if (*path, part) in tree.lines or (keep_last and number == len(loc)):
            path = (*path, part)
    return path


def _kind_at(kind: Any, path: Sequence[str | int]) -> Any:
    """The type that is expected at `path` below `kind`, as far as the annotations tell."""
    for part in path:
        kind = _chosen(kind)
        if is_dataclass(kind):
            kind = get_type_hints(kind).get(str(part))
            continue
        inner = get_args(kind)
        if not inner:
            return None
        fixed = get_origin(kind) is tuple and Ellipsis not in inner and isinstance(part, int) and part < len(inner)
        kind = inner[part] if fixed and isinstance(part, int) else inner[-1] if isinstance(part, str) else inner[0]
    return _chosen(kind)


def _chosen(kind: Any) -> Any:
    """Of `X | None`, X; of other choices, the one that has keys."""
    if get_origin(kind) not in {Union, types.UnionType}:
        return kind
    branches = [branch for branch in get_args(kind) if branch is not type(None)]
    return next((branch for branch in branches if is_dataclass(branch)), branches[0])


def _known_keys(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []
