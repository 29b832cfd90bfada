"""Persona files: read, filled, and refused with every problem's line."""

import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from voicecoach.errors import BadInput
from voicecoach.persona.check import check
from voicecoach.persona.model import KEYS, MAX_CHARS, Persona, fill, lines, load_persona, parse_persona

PERSONAS = Path(__file__).parents[2] / "personas"


def smallest() -> str:
    """The text of the smallest persona that can be used."""
    needed = "".join(f"  {key}:\n    - {{say: About {key} and {{product}}., anger: [0, 5]}}\n" for key in KEYS).replace(
        "say: About", 'say: "About'
    )
    needed = needed.replace(".,", '.",')
    return (
        "id: tiny\nname: Tim\nabout: The smallest caller.\nvoice: {prefer: [kokoro/am_michael]}\n"
        "facts: {product: lamp}\n"
        'story:\n  - id: one\n    about: all\n    lines:\n      - {say: "My {product} broke.", anger: [2, 4]}\n'
        f"lines:\n{needed}"
    )


def refusal(text: str) -> str:
    """What is said when `text` is refused."""
    with pytest.raises(BadInput) as caught:
        parse_persona(text, "bad.yaml")
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(PERSONAS.glob("*.yaml")), ids=lambda path: path.stem)
def test_bundled_personas_are_complete(path: Path) -> None:
    """Every bundled file can be read, is called after its id and has enough lines for three calls."""
    persona = load_persona(path)
    said = lines(persona)
    assert persona.id == path.stem
    assert len(said) >= 45
    assert len({name for name, _, _ in said}) == len(said)
    assert len({text for _, text, _ in said}) == len(said)
    assert not any("{" in text or any(char.isdigit() for char in text) for _, text, _ in said)


def test_bundled_audio_stays_bounded() -> None:
    """The lines times their levels are what must be rendered: few enough for the package."""
    assert sum(len(levels) for _, _, levels in lines(load_persona(PERSONAS / "dana-printer.yaml"))) <= 160


def test_smallest_persona_is_read() -> None:
    """A file with one line for each state is enough, and defaults fill the rest."""
    persona = parse_persona(smallest(), "tiny.yaml")
    assert isinstance(persona, Persona)
    assert persona.full_name == "Tim"
    assert persona.mood.start == 3.0
    assert ("story.one.1", "My lamp broke.", (2, 3, 4)) in lines(persona)


def test_facts_are_replaced_once_and_are_never_templates() -> None:
    """A fact's own braces, format syntax and unknown names stay as they are."""
    facts = {"a": "{b}", "b": "boom"}
    assert fill("{a} {b} {c} {a.__class__} {a!r} {0} %s ${b}", facts) == "{b} boom {c} {a.__class__} {a!r} {0} %s $boom"


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("name: Tim", "nam: Tim", 2, "Did you mean 'name'"),
        ("id: tiny", "id: ../../etc/passwd", 1, "must be 1 to 40"),
        ("id: tiny", "id: Tiny", 1, "must be 1 to 40"),
        ("facts: {product: lamp}", "facts: {product: 12}", 5, "must be text"),
        ("facts: {product: lamp}", "facts: {produkt: lamp}", 10, "Did you mean 'produkt'"),
        ("  opening:", "  openign:", 12, "Did you mean 'opening'"),
        ("anger: [2, 4]", "anger: [4, 2]", 10, "within 0 to 5"),
        ("anger: [2, 4]", "anger: [2, 6]", 10, "within 0 to 5"),
        ("anger: [2, 4]", "anger: [2]", 10, "anger"),
        ("anger: [2, 4]", "anger: loud", 10, "must be a list"),
        ('"My {product} broke."', '""', 10, "must not be empty"),
        ('"My {product} broke."', '"My {product.__class__} broke."', 10, "is not a fact"),
        ('"My {product} broke."', '"My \\u0007 broke."', 10, "control character"),
        ('"My {product} broke."', f'"{"very " * 100}broken."', 10, f"{MAX_CHARS} is the most"),
        ("kokoro/am_michael", "/etc/passwd", 4, "engine/voice"),
        ("kokoro/am_michael", "../../x", 4, "engine/voice"),
        ("{prefer: [kokoro/am_michael]}", "{prefer: [kokoro/am_michael], style: warm}", 4, "hot"),
        ("about: The smallest caller.", "about: Tim.\nmood: {start: 9}", 4, "number from 0 to 5"),
        ("about: The smallest caller.", "about: Tim.\nmood: {start: .nan}", 4, "number from 0 to 5"),
        ("about: The smallest caller.", "about: Tim.\neffects: {interupt: 1.0}", 4, "Did you mean 'interrupt'"),
        ("about: The smallest caller.", "about: Tim.\neffects: {interrupt: -1}", 4, "number from 0 to 2"),
        ("about: The smallest caller.", "about: Tim.\nanswers: {order: {asks: ['?'], lines: []}}", 4, "words by which"),
        ("about: The smallest caller.", "about: Tim.\nanswers: {../x: {asks: [y], lines: []}}", 4, "must be 1 to 40"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, line: int, what: str) -> None:
    """Each kind of mistake is refused with the line it is on and what to write instead."""
    said = refusal(smallest().replace(old, new, 1))
    assert f"line {line}: " in said
    assert what in said


def test_all_problems_are_told_at_once() -> None:
    """Two unknown facts and a missing state come in one message."""
    text = smallest().replace("My {product}", "My {lamp} and {bulb}").replace("  goodbye:", "  goodby:")
    said = refusal(text)
    assert "{lamp}" in said
    assert "{bulb}" in said
    assert "'lines' has no 'goodbye'" in said
    assert "Did you mean 'goodbye'" in said


@pytest.mark.parametrize("key", KEYS)
def test_every_state_needs_a_line(key: str) -> None:
    """A file without lines for a state is refused: the engine could be left speechless."""
    start = smallest().index(f"  {key}:\n")
    end = smallest().index("\n", smallest().index("- {", start)) + 1
    assert f"no '{key}'" in refusal(smallest()[:start] + smallest()[end:])
    assert f"'{key}' needs at least one line" in refusal(smallest()[:start] + f"  {key}: []\n" + smallest()[end:])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b\n",
        "a: &x [1]\nb: *x\n",
        "id: !!python/object/apply:os.system ['true']\n",
        "id: tiny\nid: tiny\n",
        "[" * 5000,
        "id: " + "x" * (64 * 1024),
        "lines: {" + "a: {" * 30 + "}" * 31,
        "id: [unclosed\n",
        "\0\1\2",
        "story: 3\nlines: 4\nvoice: 5\nid: [6]\n",
        "story: [null]\nlines: {opening: null}\nanswers: {a: null}\n",
    ],
)
def test_hostile_files_are_refused_quickly(text: str, tmp_path: Path) -> None:
    """Bombs, tags, deep nesting and wrong types end as one sentence each, at once."""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    began = time.thread_time()
    with pytest.raises(BadInput):
        load_persona(path)
    assert time.thread_time() - began < 10


@pytest.mark.parametrize(
    "text",
    [
        "person: dana\n" + "x" * 10_000_000,
        "person: ../../../etc/passwd\nid: a\n",
        "person: dana\n" + "lines: {" + "a: {" * 30 + "}" * 31,
        "person: &x dana\nid: *x\n",
        "person: [dana]\nstory: 3\n",
        "temper: hot\nid: <b>a</b>\n",
        "sex: female\nid: a\nname: 1\nlines: []\n",
    ],
)
def test_hostile_scenarios_and_people_are_refused_quickly(text: str, tmp_path: Path) -> None:
    """As above, with their file and a reason, by the check too, and without much memory."""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    tracemalloc.start()
    began = time.thread_time()
    with pytest.raises(BadInput, match=r"bad\.yaml"):
        load_persona(path)
    checked = check(path)
    assert time.thread_time() - began < 10
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert checked.problems


def test_importing_the_room_reads_no_yaml_library() -> None:
    """The room is imported on the way to `--help`, so heavy libraries wait until a file is read."""
    code = (
        "import sys, voicecoach.persona; print([m for m in ('pydantic', 'ruamel.yaml', 'numpy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# --- the brief ---------------------------------------------------------------------------------------


def test_the_brief_is_read() -> None:
    """Goal and lists for the worksheet; without them it is empty."""
    brief = "brief:\n  goal: Keep her\n  can: [a coupon]\n  cannot: [a refund, an engineer today]\n"

    assert parse_persona(smallest() + brief, "x").brief.cannot == ("a refund", "an engineer today")
    assert parse_persona(smallest(), "x").brief.goal == ""


@pytest.mark.parametrize(
    ("brief", "what"),
    [
        ("  cant: [a refund]", "Did you mean 'can'?"),
        ("  cannot: a refund", "this must be a list"),
        ("  cannot: ['']", "'brief.cannot.0' must not be empty"),
        (f"  goal: {'x' * 300}", "300 characters"),
        (f"  can: [{', '.join('abcdefghij')}]", "'brief.can' has 10 phrases; 8 is the most"),
    ],
)
def test_a_brief_is_short_text(brief: str, what: str) -> None:
    """Each mistake with what to write instead."""
    assert what in refusal(f"{smallest()}brief:\n{brief}\n")
