"""Persona and procedure files: data that other people wrote, read strictly and explained line by line."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests import memory
from voicecoach import yamlfile
from voicecoach.errors import BadInput
from voicecoach.nouns import Strict
from voicecoach.world.places import bundled


@dataclass(frozen=True)
class Inner:
    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    say: str
    level: int = 0


@dataclass(frozen=True)
class Outer:
    __pydantic_config__: ClassVar[Mapping[str, Any]] = Strict

    name: str
    tone: Literal["hot", "cold"] = "hot"
    speed: float = 1.0
    loud: bool = False
    first: Inner | None = None
    several: tuple[Inner, ...] = ()
    pair: tuple[int, int] = (0, 0)
    by_key: Mapping[str, tuple[Inner, ...]] | None = None
    either: int | str = 0


def parse(text: str) -> Outer:
    return yamlfile.parse(text, Outer, "x.yaml")


def refusal(text: str) -> str:
    """The message with which a text is refused, at once: the slowest takes 0.2 s here, a bomb would take for ever."""
    begun = time.thread_time()
    with pytest.raises(BadInput) as caught:
        parse(text)

    assert time.thread_time() - begun < 10
    return str(caught.value)


def test_a_whole_file_becomes_values() -> None:
    """Nested lists and mappings, blocks and flows, comments and several kinds of text."""
    text = """
    # a comment
    name: Dana   # another
    tone: cold
    speed: 1.5e0
    loud: true
    first: {say: "It's \\"me\\"", level: -2}
    several:
      - say: |
          two
          lines
      - {say: 'it''s', level: 3}
    pair: [1, 2]
    by_key:
      need.heard:
      - say: >-
          folded
          text
    """
    assert parse(text) == Outer(
        "Dana", "cold", 1.5, True, Inner('It\'s "me"', -2), (Inner("two\nlines\n"), Inner("it's", 3)), (1, 2),
        {"need.heard": (Inner("folded text"),)},
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["No", "yes", "on", "Off", "12:30:45", "2026-11-21", "1_000", "Fix it! Now!", "I paid & paid & paid.",
     "Really?! * 3", "five * four", "a -- b", "5 < 6 [sic] {so}", "50% off", "a&b", "he said: no".replace(": ", ":"),
     "#1 is not it".replace("#", "no#"), "C++ | Java", "!".join(["stop", "stop"]), "… naïve ☕ 🙂", "0x1G", "1.2.3"],
)  # fmt: skip
def test_ordinary_sentences_stay_text(text: str) -> None:
    """`No` is a word, a time is a time of day, and & * ! % in the middle of a sentence are only characters."""
    assert parse(f"name: {text}").name == text
    assert parse(f"name: x\nseveral:\n  - say: {text}").several[0].say == text


@pytest.mark.parametrize("text", ["*sigh* no", "& then?", "!Stop", "{not a fact}", "[laughs]", "a: b", "x # y", "%YAML 1.1",
                                  "---", "&a *a", "null", "true", "12"])  # fmt: skip
def test_anything_can_be_said_in_quotes(text: str) -> None:
    """What YAML would read as something else is text inside quotes of either kind, and in a block."""
    assert parse(f'name: "{text}"').name == text
    assert parse(f"name: '{text}'").name == text
    assert parse(f"name: |-\n  {text}\n").name == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\x85\u2028\u2029"), max_size=80))
@settings(max_examples=100, deadline=None)
def test_what_ruamel_writes_is_read_back(text: str) -> None:
    """Whatever another program writes as a text is read as that text, or refused as a control character.

    Without the odd line ends, which ruamel itself does not write back as they were.
    """
    buffer = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.version = "1.2"
    yaml.default_flow_style = False
    yaml.dump({"name": text}, buffer)
    try:
        said = parse(buffer.getvalue()).name
    except BadInput as error:
        said = str(error)

    assert said == text or "control character" in said


@given(st.text(st.sampled_from("ab:-?*&!|>'\"%@`#{}[], \n\t~0.01No"), max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    """P13: no file crashes the reader, and what it accepts is what YAML 1.2 says."""
    try:
        name = parse(f"name: {text}").name
    except BadInput:
        return
    yaml = YAML(typ="safe", pure=True)
    yaml.version = "1.2"

    assert str(yaml.load(f"name: {text}")["name"]) == name


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    """One reading shows everything that is wrong, in order, in plain words."""
    said = refusal(
        "tone: warm\nspeed: fast\nloud: 3\nfirst:\n  say: 5\n  levle: 2\nseveral:\n  - level: 1.5\n    say: ok\n"
        "  - say: fine\n    level: x\npair: [1]\nby_key: 7\n"
    )

    assert said.splitlines() == [
        "x.yaml cannot be used:",
        "  line 1: 'name': this key is missing.",
        "  line 1: 'tone': this must be 'hot' or 'cold'.",
        "  line 2: 'speed': this must be a number.",
        "  line 3: 'loud': this must be true or false.",
        "  line 5: 'first.say': this must be text (put it in quotes).",
        "  line 6: 'first.levle' is not a key that is known here. Did you mean 'level'?",
        "  line 8: 'several.0.level': this must be a whole number.",
        "  line 11: 'several.1.level': this must be a whole number.",
        "  line 12: 'pair.1': this key is missing.",
        "  line 13: 'by_key': this must be a mapping of keys to values.",
    ]


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("name: x\nnmae: y", 2, "Did you mean 'name'?"),
        ("name: x\nfirst: {say: y,\n  lvel: 2}", 3, "Did you mean 'level'?"),
        ("name: x\nseveral:\n- say: y\n- say: z\n  sya: w", 5, "Did you mean 'say'?"),
        ("name: x\nby_key:\n  a:\n  - say: y\n    leevl: 2", 5, "Did you mean 'level'?"),
        ("name: x\n1: y", 2, "not a key that is known"),
        ("name: x\n<<: {say: y}", 2, "not a key that is known"),
    ],
)
def test_unknown_keys_get_a_suggestion(text: str, line: int, hint: str) -> None:
    """A misspelt key is named where it is, with the nearest key of that place."""
    said = refusal(text)

    assert f"line {line}: " in said
    assert hint in said


def test_branches_of_a_choice_are_not_shown() -> None:
    """The path names what is in the file, not how the reader tried to read it."""
    said = refusal("name: x\neither: [1]")

    assert "line 2: 'either': this must be" in said
    assert "either.int" not in said


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("name: &a x", 1, "anchor"),
        ("name: x\nfirst: &b\n  say: y", 2, "anchor"),
        ("name: x\nfirst: {say: *a}", 2, "alias"),
        ("name: *sigh* no", 1, "'*' in quotes"),
        ("name: & then", 1, "in quotes"),
        ("name: !!python/object/apply:os.system ['true']", 1, "tag"),
        ("name: !Stop it", 1, "'!' in quotes"),
        ("name: x\nfirst: !<tag:yaml.org,2002:map> {say: y}", 2, "tag"),
        ("%YAML 1.1\n---\nname: No", 2, "directive"),
        ("%TAG ! tag:x,2026:\n---\nname: No", 2, "directive"),
        ("name: x\n---\nname: y", 2, "second document"),
        ("name: x\nname: y", 2, "the key 'name' again (first in line 1)"),
        ("name: x\nfirst: {say: y, say: z}", 2, "the key 'say' again"),
        ("name: x\n? [a]\n: y", 2, "list or a mapping for a key"),
        ("name: x\nfirst:\n\tsay: y", 3, "not valid YAML"),
        ("name: he said: no", 1, "not valid YAML"),
        ("name: 'open", 1, "not valid YAML"),
        ("name: x\n  tone: hot", 2, "not valid YAML"),
        ("name: [x", 1, "not valid YAML"),
        ("name: x\x00", 1, "control character (U+0000)"),
        ("name: x\ntone: \x1b[31mhot", 2, "control character (U+001B)"),
        ("name: x\ntone: \u202ehot", 2, "control character (U+202E)"),
        ("name: x\ntone: \ud800", 2, "control character (U+D800)"),
    ],
)
def test_what_a_data_file_never_needs_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    """Anchors, aliases, tags, directives, duplicates and damage: each a sentence with the line and a way out."""
    said = refusal(text)

    assert f"x.yaml line {line} " in said
    assert what in said


LAUGHS = "a: &a [lol, lol]\n" + "\n".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [LAUGHS, "name: " + "[" * 5000, "name: " + "{a: " * 5000, "- " * 30_000, "name: " + "[" * 5000 + "]" * 5000,
     "\n".join(" " * n + "a:" for n in range(300)), "name: " + "9" * 60_000, "name: " + "!" * 60_000,
     "name: " + "[1," + "1," * 30_000 + "]", "\n".join(f"k{n}: v" for n in range(7000)), "name: '" + "''" * 30_000,
     'name: "' + "\\x41" * 15_000 + '"\nb: c', "? " * 20_000, "name: |" + "\n\n" * 30_000 + "x: y", "a: b\n" * 10_000,
     "", "# only a comment", "just text", "- a\n- b", "~", "5"],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_bombs_and_rubbish_are_refused_at_once(text: str) -> None:
    """P13: nothing that fits into 64 KiB holds the reader up for a second, and the message stays short."""
    assert len(refusal(text)) < 3500


@memory.known
def test_bombs_need_little_memory() -> None:
    """P13: at most 100 MB above the program itself, in a process of its own."""
    code = (
        "from tests.test_yamlfile import BadInput, parse\n"
        "parse('name: warm')\n"
        "print(peak())\n"
        "for text in sys.stdin.read().split(chr(1)):\n"
        "    try: parse(text)\n"
        "    except BadInput: pass\n"
        "print(peak())\n"
    )
    bombs = [LAUGHS, "name: " + "[" * 5000, "name: [" + "1," * 30_000 + "]", "\n".join(f"k{n}: v" for n in range(7000))]
    before, after = memory.peaks(code, given=chr(1).join(bombs))

    assert after - before < 100 * 1024**2


def test_files_that_cannot_be_read_are_sentences(tmp_path: Path) -> None:
    """Missing, a folder, too large, not UTF-8, UTF-16: each names the file and what to do."""
    (tmp_path / "large.yaml").write_text("name: " + "x" * (64 * 1024))
    (tmp_path / "latin.yaml").write_bytes(b"name: x\ntone: na\xefve\n")
    (tmp_path / "utf16.yaml").write_bytes("name: x\n".encode("utf-16"))
    for name, what in {
        "missing.yaml": "cannot be read (No such file or directory)",
        ".": "cannot be read (Is a directory)",
        "a\0b.yaml": "cannot be read (embedded null byte)",
        "large.yaml": "over 64 KiB",
        "latin.yaml": "line 2 is not UTF-8",
        "utf16.yaml": "line 1 is not UTF-8",
    }.items():
        with pytest.raises(BadInput) as caught:
            yamlfile.load(tmp_path / name, Outer)

        assert what in str(caught.value)
        assert caught.value.do


def test_a_text_that_was_read_elsewhere_is_limited_too() -> None:
    """The persona beside a record is read by the record, so the limit stands here as well."""
    assert "over 64 KiB" in refusal("name: " + "x" * (64 * 1024))


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    """Editors on Windows write both."""
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfname: Dana\r\ntone: cold\r\n")

    assert yamlfile.load(tmp_path / "x.yaml", Outer) == Outer("Dana", "cold")


def test_the_limit_holds_for_files_without_an_end() -> None:
    """A device that never ends is read up to the limit and refused."""
    with pytest.raises(BadInput, match="over 64 KiB"):
        yamlfile.read_text(Path(os.devnull).with_name("zero"))


def test_every_bundled_file_reads_as_ruamel_reads_it() -> None:
    """Our reader of events and ruamel's loader agree on all our own files."""
    files = [*bundled("personas").glob("*.yaml"), *bundled("assets").rglob("*.yaml")]
    yaml = YAML(typ="safe", pure=True)
    yaml.version = "1.2"

    assert len(files) > 5
    for path in files:
        text = yamlfile.read_text(path)
        assert yamlfile._read(text, path.name).value == yaml.load(text), path.name
