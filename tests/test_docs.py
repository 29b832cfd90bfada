"""The documents are tested: commands, references, links, make targets, JSON and the example cannot rot unnoticed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import soundfile
import typer

from voicecoach import cli, plumbing, prepare, testing
from voicecoach.errors import BadInput, DeviceError, DiskError, MissingModel, VoicecoachError, install
from voicecoach.judge import stream
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.judge.procedures import parse_procedure
from voicecoach.nouns import SAMPLE_RATE_HZ, Remark
from voicecoach.report.tell import Report

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
SOURCES = [
    path
    for folder in ("voicecoach", "personas", "assets", "tools", "benchmarks", "tests")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".yaml", ".js", ".css", ".sh"} and path != Path(__file__).resolve()
]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def commands() -> dict[str, Any]:
    """Every command and sub-command by its words, such as "personas check"."""
    found: dict[str, Any] = {}

    def walk(group: Any, words: tuple[str, ...]) -> None:
        for name, command in group.commands.items():
            found[" ".join((*words, name))] = command
            if hasattr(command, "commands"):
                walk(command, (*words, name))

    walk(typer.main.get_command(cli.app), ())
    return found


def section(command: str) -> str:
    """What docs/commands.md says under the heading of a command (its first word)."""
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")
    parts = re.split(r"^## ", text, flags=re.M)
    heading = f"`voicecoach {command.split()[0]}`"
    return next((part for part in parts if part.startswith(heading)), "")


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a document in one language."""
    return [body for kind, body in _FENCE.findall(path.read_text("utf-8")) if kind == language]


def prose(path: Path) -> str:
    """A document without its fenced blocks."""
    return _FENCE.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """The anchors that a document's headings make, as the usual renderers form them."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_is_documented(command: str) -> None:
    """Its name and each of its options stand in its section of docs/commands.md."""
    text = section(command)

    assert f"voicecoach {command}" in text
    for parameter in commands()[command].params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert not option.startswith("-") or option == "--help" or re.search(rf"{option}(?![\w-])", text), option


def test_options_before_the_command_are_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")

    for parameter in typer.main.get_command(cli.app).params:
        assert any(f"`{option}" in text for option in parameter.opts), parameter.opts


@pytest.mark.parametrize("kind", [VoicecoachError, BadInput, DeviceError, MissingModel, DiskError])
def test_every_exit_code_is_documented(kind: type[VoicecoachError]) -> None:
    assert f"\n| {kind.exit_code} | " in (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert f" {kind.exit_code} " in cli.EPILOG


def environment() -> set[str]:
    """The variables that our own code reads by our own name."""
    return {name for path in SOURCES for name in re.findall(r"VOICECOACH_[A-Z_]+", path.read_text("utf-8"))}


def test_every_environment_variable_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")

    assert [name for name in sorted(environment()) if f"`{name}`" not in text] == []


def test_documents_that_the_code_refers_to_exist() -> None:
    """Every docs/NAME.md in the code is a file."""
    referred = {
        (match, path.relative_to(ROOT).as_posix())
        for path in SOURCES
        for match in re.findall(r"docs/[\w-]+\.md", path.read_text("utf-8"))
    }

    assert [(name, where) for name, where in sorted(referred) if not (ROOT / name).is_file()] == []


def sections_referred_to() -> Iterator[tuple[str, str, str]]:
    """(document, section number, file) of each "delivery.md §5" or "docs/delivery.md, section 4" in the code."""
    for path in SOURCES:
        text = path.read_text("utf-8")
        for name, first, rest in re.findall(
            r"(delivery|customer)\.md`?,? (?:§|section )(\d+)((?:\.\d+)?(?: and §\d+)?)", text
        ):
            for number in (first, *re.findall(r"§(\d+)", rest)):
                yield name, number, path.relative_to(ROOT).as_posix()


def test_sections_that_the_code_refers_to_exist() -> None:
    referred = sorted(set(sections_referred_to()))

    assert referred
    for name, number, where in referred:
        text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
        assert re.search(rf"^## {number}\. ", text, re.M), (name, number, where)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_resolve(path: Path) -> None:
    """Each link to a file finds it, and each link to a heading finds the heading."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text("utf-8"), re.M)
        if name
    }

    assert {"run", "test", "demo"} <= named
    assert named <= targets


def test_no_document_names_this_machine() -> None:
    for path in [*DOCUMENTS, ROOT / "NOTICE"]:
        assert not re.search(r"/(?:work|root|home|tmp)/", path.read_text("utf-8")), path


def examples() -> list[dict[str, Any]]:
    """The JSON examples of README and docs/commands.md: a block is one value, or one a line."""
    found = []
    for path in (ROOT / "README.md", ROOT / "docs" / "commands.md"):
        for block in blocks(path, "json"):
            try:
                found.append(json.loads(block))
            except ValueError:
                found += [json.loads(line) for line in block.splitlines()]
    return found


def test_json_examples_parse() -> None:
    assert len(examples()) >= 6
    assert all(isinstance(example, dict) for example in examples())


def _shortened(findings: list[dict[str, Any]], shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The findings without the keys that the example leaves out."""
    return [{key: finding[key] for key in (shown[0] if shown else finding)} for finding in findings]


def test_judge_examples_are_true() -> None:
    """Each example of `judge` that shows an output comes out of today's rules, whatever else they find."""
    rules = prepare.rules()
    said = dict(re.findall(r'judge --text "([^"]+)"()', (ROOT / "README.md").read_text("utf-8")))
    ours = [example for example in examples() if {"moves", "faults"} <= example.keys()]
    readme = next(example for example in ours if example["faults"])

    assert said
    assert ours
    for text in said:
        told = plumbing.judge_line({"id": "text", "text": text}, rules)
        assert {kind: _shortened(told[kind], readme[kind]) for kind in readme if kind != "id"} | {
            "id": "text"
        } == readme
    assert all(set(example) == {"id", "moves", "faults"} for example in ours)


@pytest.mark.models
def test_keys_of_measure_are_those_of_the_examples(tmp_path: Path) -> None:
    path = tmp_path / "reply.wav"
    soundfile.write(path, testing.voice_like(3.0, syllables_per_s=5.0), SAMPLE_RATE_HZ)
    result = plumbing.measure(path, None, None)

    measured = [example for example in examples() if "span_s" in example]

    assert len(measured) == 2
    for example in measured:
        assert list(example) == list(result)
        for part in ("f0", "level", "effort", "quality"):
            assert list(example[part]) == list(result[part])


def test_every_key_of_the_report_is_documented() -> None:
    text = section("report")

    assert [field.name for field in fields(Report) if f"`{field.name}`" not in text] == []


def test_every_key_of_a_judged_line_is_documented() -> None:
    text = section("judge")

    assert [key for key in stream.KEYS if f"`{key}`" not in text] == []


def test_every_kind_of_remark_is_documented() -> None:
    """Those of the procedure's steps, and what the report adds."""
    kinds = {*get_args(get_type_hints(Remark)["kind"]), "notes", "before"}
    (line,) = re.findall(r"A remark of a step has `kind` \(([^)]*)\)", section("report"))

    assert kinds == set(line.replace("; in a retry also ", ", ").split(", "))


def test_extras_are_installed_from_the_checkout() -> None:
    """There is no release, so nothing says to get an extra from an index; and each extra that is named exists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = {path: path.read_text("utf-8") for path in (*DOCUMENTS, *SOURCES)}
    named = {name for text in texts.values() for name in re.findall(r'pip install "\.\[(\w+)\]"', text)}

    assert [path for path, text in texts.items() if re.search(r"pip install \W?voicecoach", text)] == []
    assert {"echo", "piper", "web"} == named == set(project["optional-dependencies"])
    assert install("echo") == 'pip install ".[echo]" in the folder of voicecoach'


def test_every_move_fault_and_procedure_is_documented() -> None:
    text = (ROOT / "docs" / "procedures.md").read_text("utf-8")

    assert [name for name in (*MOVES, *FAULTS) if f"\n| `{name}` |" not in text] == []
    for name in prepare.names("assets/procedures"):
        steps = prepare.choose_procedure(name)[0]
        assert f"`{name}`" in text
        for step in steps.steps:
            row = re.search(rf"^\| {re.escape(step.source)} \|.*$", text, re.M)
            assert row, step.source
            assert set(re.findall(r"`(\w+)`", row.group())) == {*step.any_of, *step.all_of, *step.forbids}


@pytest.mark.models
def test_the_example_of_the_house_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """A contributor who copies it gets what the page says."""
    house = ROOT / "docs" / "house.md"
    (code,) = blocks(house, "python")
    (printed,) = blocks(house, "text")

    exec(compile(code, str(house), "exec"), {"__name__": "example"})

    assert capsys.readouterr().out == printed


def test_the_example_procedure_is_good() -> None:
    """What a trainer copies from docs/procedures.md can be used as it stands."""
    (example,) = blocks(ROOT / "docs" / "procedures.md", "yaml")

    assert [step.id for step in parse_procedure(example, "example").steps] == ["prepare", "listen", "settle"]
