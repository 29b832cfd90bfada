"""YAML 1.2 files as data: read once, checked whole, refused with every problem's line and a suggestion.

YAML 1.2 keeps `No` a word. Aliases, tags and large files are refused: these files come from other people.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from voicecoach.errors import BadInput

MAX_BYTES = 64 * 1024
"""Larger files are refused unread (the largest bundled file is under half of it)."""
MAX_DEPTH = 12

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
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror or error}).", "Check the path and the permissions."
        ) from error
    if len(raw) > MAX_BYTES:
        raise BadInput(
            f"{path} is over {MAX_BYTES // 1024} KiB, too large for a file of this kind.", "Shorten it or split it."
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadInput(f"{path} line {line} is not UTF-8 text.", "Save the file as UTF-8.") from error


def parse(text: str, kind: type[T], name: str) -> T:
    """As `load`, for text already read; `name` stands for the file in messages."""
    from pydantic import TypeAdapter, ValidationError
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    _refuse_risky(text, name)
    yaml = YAML(typ="rt", pure=True)
    yaml.version = "1.2"
    try:
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}" if mark else ""
        raise BadInput(
            f"{name}{where} is not valid YAML: {error.problem or error.context}.",
            "Check the indentation and the quotes.",
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadInput(
            f"{name} is not valid YAML ({type(error).__name__}).", "Check the indentation and the quotes."
        ) from error
    if not isinstance(tree, Mapping):
        raise BadInput(f"{name} must be a YAML mapping with keys such as {', '.join(_known_keys(kind)[:3])}.")
    try:
        return TypeAdapter(kind).validate_python(_plain(tree))
    except ValidationError as error:
        problems = sorted({_sentence(problem, tree, kind) for problem in error.errors()})
        lines = "\n".join(f"  line {line}: {what}" for line, what in problems)
        raise BadInput(f"{name} cannot be used:\n{lines}") from error


def _refuse_risky(text: str, name: str) -> None:
    """Refuse what a plain data file never needs: anchors, tags, deep nesting (they can be made into bombs)."""
    depth_left = MAX_DEPTH * 3
    for number, line in enumerate(text.splitlines(), 1):
        bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'", '""', line)
        bare = re.sub(r"(^|\s)#.*$", "", bare)
        if re.search(r"(?:^|[\s:\-\[,{])(?:&|\*)[A-Za-z0-9_]+(?:\s|$|[,\]}])", bare):
            raise BadInput(
                f"{name} line {number}: YAML anchors and aliases (& and *) are not used in these files.",
                "Write the value out.",
            )
        if re.search(r"(?:^|[\s:\-\[,{])!{1,2}[A-Za-z<]", bare) and re.search(r"(?:^|[:\-\[,{])\s*!", bare):
            raise BadInput(
                f"{name} line {number}: YAML tags (!...) are not used in these files.",
                "Write plain text, in quotes if it begins with '!'.",
            )
        if bare.count("[") + bare.count("{") > depth_left:
            raise BadInput(f"{name} line {number} is nested too deeply.")


def _plain(node: Any, depth: int = 0) -> Any:
    """Ruamel's round-trip nodes as plain Python values."""
    if depth > MAX_DEPTH:
        raise BadInput("The file is nested too deeply.", "No file of this kind needs more than a few levels.")
    if isinstance(node, Mapping):
        return {str(key): _plain(value, depth + 1) for key, value in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str | bytes):
        return [_plain(value, depth + 1) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    if isinstance(node, float):
        return float(node)
    return str(node)


_PLAIN_ENGLISH = {
    "missing": "this key is missing",
    "string_type": "this must be text (put it in quotes)",
    "bool_type": "this must be true or false",
    "float_type": "this must be a number",
    "float_parsing": "this must be a number",
    "int_type": "this must be a whole number",
    "int_parsing": "this must be a whole number",
    "tuple_type": "this must be a list",
    "list_type": "this must be a list",
    "dict_type": "this must be a mapping of keys to values",
}


def _sentence(problem: Any, tree: Any, kind: type[Any]) -> tuple[int, str]:
    """(line, sentence) for one pydantic error."""
    path = [part for part in problem["loc"] if isinstance(part, int) or not str(part).startswith("function-")]
    spot = ".".join(str(part) for part in path) or "the file"
    line = _line(tree, path)
    if problem["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        close = difflib.get_close_matches(str(path[-1]), _known_keys(_kind_at(kind, path[:-1])), n=1, cutoff=0.5)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        return line, f"'{spot}' is not a key that is known here.{hint}"
    what = _PLAIN_ENGLISH.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return line, f"'{spot}': {what}."


def _line(tree: Any, path: Sequence[Any]) -> int:
    """The 1-based line of the deepest node on `path` that exists."""
    node, line = tree, 1
    for part in path:
        try:
            line = (node.lc.key(part) if isinstance(node, Mapping) else node.lc.item(part))[0] + 1  # type: ignore[attr-defined]
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _kind_at(kind: Any, path: Sequence[Any]) -> Any:
    """The dataclass that is expected at `path` below `kind`, as far as the annotations tell."""
    for part in path:
        if is_dataclass(kind) and isinstance(part, str):
            kind = get_type_hints(kind).get(part)
        else:
            options = [arg for arg in get_args(kind) if arg is not Ellipsis]
            kind = next((arg for arg in reversed(options) if is_dataclass(arg)), options[-1] if options else None)
        if kind is not None and not is_dataclass(kind):
            nested = [arg for arg in get_args(kind) if is_dataclass(arg)]
            if nested and not isinstance(part, int) and type(None) in get_args(kind):
                kind = nested[0]
    return kind


def _known_keys(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []
