"""Writing customers: a new file by questions, a rehearsal in text, the schema, and the commands around them."""

import json
import re
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicecoach import authoring, cli, persona, prepare
from voicecoach.errors import BadInput
from voicecoach.persona.check import check

ROOT = Path(__file__).parents[1]
ANSWERS = (
    "My late bus", "", "1", "dana", "A commuter whose bus never came.", "The bus at seven: never came. # true",
    "I lost my job {over} it.", "", "Hello, is this the 'bus' company?", "a free month ticket", "", "a new job", "",
    "ticket, refund", "bus line", "The forty two.",
)  # fmt: skip


def typed(*answers: str) -> Callable[[str], str | None]:
    rest = iter(answers)
    return lambda _: next(rest, None)


def write(folder: Path, *answers: str) -> Path:
    return authoring.new(typed(*answers), lambda _: None, folder, prepare.people())


def test_new_writes_a_file_that_can_be_played(tmp_path: Path) -> None:
    """Commented, free of problems, and a call from the first word to the last."""
    path = write(tmp_path, *ANSWERS)
    text = path.read_text()
    assert path.name == "my-late-bus.yaml"
    assert text.count("#") > 8
    assert check(path, prepare.people()).problems == ()
    customer, _ = prepare.choose_persona(str(path), "hard")
    assert customer.story[1].about == "I lost my job (over) it."
    said: list[str] = []
    call = authoring.play(
        customer, prepare.rules(), 1,
        typed("I see, go on.", "> Stop!", "", "!Calm down.", "Mm hmm.", "q"), said.append,
    )  # fmt: skip
    assert call.mood.turn >= 4
    assert any("you spoke over the customer" in row for row in said)
    assert any("you said nothing" in row for row in said)


def test_new_makes_a_person_too(tmp_path: Path) -> None:
    """Somebody who is in no file gets one of their own, and the call can be played."""
    nasty = 'of "Leeds": !!x {a} ../b'
    path = write(tmp_path, *ANSWERS[:3], "Zoë", "O'Neil", nasty, "woman", "british", "cold", *ANSWERS[4:])

    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.yaml")) == [
        path.name,
        "people/zoe.yaml",
    ]
    assert check(path, prepare.people()).problems == ()
    assert check(tmp_path / "people" / "zoe.yaml").problems == ()
    customer, _ = prepare.choose_persona(str(path))
    assert (customer.full_name, customer.sex, customer.accent) == ("Zoë O'Neil", "female", "british")
    assert (customer.voice.style, customer.voice.prefer[0]) == ("cold", "kokoro/bf_emma")


def test_new_never_writes_over_a_file(tmp_path: Path) -> None:
    write(tmp_path, *ANSWERS)
    second = write(tmp_path, ANSWERS[0], "", "another", *ANSWERS[2:])
    assert second.name == "another.yaml"


@pytest.mark.parametrize("count", range(len(ANSWERS)))
def test_new_without_answers_writes_nothing(tmp_path: Path, count: int) -> None:
    with pytest.raises(BadInput):
        write(tmp_path, *ANSWERS[:count])
    assert list(tmp_path.iterdir()) == []


def test_hostile_answers_stay_text(tmp_path: Path) -> None:
    """Quotes, colons, tags, dots and control characters are words of the customer and nothing else."""
    nasty = 'x" : !!python/object {a} \u202e - *b &c ../../etc'
    path = write(
        tmp_path, nasty, "nasty", "2", "dana", nasty, nasty, "", nasty, nasty, "", nasty, "", nasty, nasty, nasty
    )
    assert path.parent == tmp_path
    assert check(path, prepare.people()).problems == ()


@pytest.mark.parametrize("kind", authoring.KINDS)
def test_the_published_schema_is_that_of_the_program(kind: str) -> None:
    """assets/schemas is what `personas schema` prints, and knows every key of the files that come along."""
    published = json.loads((ROOT / "assets" / "schemas" / f"{kind}.schema.json").read_text())
    assert published == json.loads(CliRunner().invoke(cli.app, ["personas", "schema", kind]).stdout)
    folder = {"scenario": ROOT / "personas", "person": ROOT / "personas" / "people", "customer": None}[kind]
    for path in sorted(folder.glob("*.yaml")) if folder else []:
        keys = set(re.findall(r"^([a-z_]+):", path.read_text(), re.MULTILINE))
        assert keys <= set(published["properties"])
        assert set(published["required"]) <= keys


def test_check_tells_problems_of_both_files_at_once(tmp_path: Path) -> None:
    """The scenario's and the person's, each with its line, its reason and the nearest name."""
    scenario = (ROOT / "personas" / "dana-printer.yaml").read_text()
    someone = (ROOT / "personas" / "people" / "dana.yaml").read_text()
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "dana.yaml").write_text(
        someone.replace("  softened:", "  softend:").replace("sex: female", "sex: f")
    )
    (tmp_path / "mine.yaml").write_text(
        scenario.replace("title:", "titel:").replace("situation: quality", "situation: hungry")
    )
    done = CliRunner().invoke(cli.app, ["personas", "check", str(tmp_path / "mine.yaml")])
    assert done.exit_code == 3
    for expected in ("Did you mean 'title'?", "situation", "line 5", "'sex'", "people/dana.yaml"):
        assert expected in done.stderr


def test_a_mistake_in_the_shape_hides_none_in_the_meaning(tmp_path: Path) -> None:
    """Every kind of mistake in one file, each with its line, in one go."""
    text = (ROOT / "personas" / "dana-printer.yaml").read_text()
    for old, new in (
        ("title: ", "title: 7 #"),
        ("situation: ", "situation: angry-custmer #"),
        ("  opening:", "  opning:"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    at = text.index("story:\n")
    text = (
        text[:at]
        + "story:\n  - {id: Bad Id, about: x, lines: [{say: 'It is {nofact}.', anger: [4, 2]}]}\n"
        + text[at + 7 :]
    )
    (tmp_path / "mine.yaml").write_text(text)
    (told,) = check(tmp_path / "mine.yaml", prepare.people()).problems

    for what in (
        "'title': this must be text", "did you mean 'angry-customer'?", "'opning' is not a key of 'lines'. Did you mean 'opening'?",
        "'Bad Id' must be 1 to 40", "'anger' must be [lowest, highest]", "'{nofact}' is not a fact.",
    ):  # fmt: skip
        assert what in told
    line = text[: text.index("Bad Id")].count("\n") + 1
    assert f"line {line}: '{{nofact}}'" in told


def test_check_remarks_on_what_is_written_for_nothing(tmp_path: Path) -> None:
    """A fact that no line uses, and a line that no anger reaches: remarks, with their lines."""
    scenario = (ROOT / "personas" / "dana-printer.yaml").read_text()
    scenario = scenario.replace("facts:", "facts:\n  unused: a thing", 1)
    scenario = re.sub(r"(  hangup:\n)", r'\1    - {say: "Bye, dear.", anger: [0, 1]}\n', scenario)
    (tmp_path / "mine.yaml").write_text(scenario)
    checked = check(tmp_path / "mine.yaml", prepare.people())
    assert checked.problems == ()
    assert any("no line uses the fact 'unused'" in remark for remark in checked.remarks)
    assert any("hangup line 1 is never said" in remark for remark in checked.remarks)


@pytest.mark.parametrize("path", sorted((ROOT / "personas").rglob("*.yaml")), ids=lambda path: path.stem)
def test_bundled_files_are_good_without_a_remark(path: Path) -> None:
    checked = check(path, prepare.people())
    assert checked.problems == ()
    assert checked.remarks == ()


def test_all_eight_situations_have_a_scenario_and_six_people_play_them() -> None:
    cast = [prepare.choose_persona(name)[0] for name in prepare.names("personas")]
    assert len({customer.situation for customer in cast}) == 8
    assert len({customer.person for customer in cast}) >= 6
    assert {customer.mood.drift for customer in cast} == {"slow", "normal", "fast"}
    assert {customer.voice.style for customer in cast} == {"hot", "cold"}
    assert any(customer.mood.stays_irate for customer in cast)


def test_people_are_found_but_never_outside(tmp_path: Path) -> None:
    """An unknown person is named with the nearest; a path is no id."""
    scenario = (ROOT / "personas" / "dana-printer.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(scenario.replace("person: dana", "person: dna"))
    with pytest.raises(BadInput, match="Did you mean 'dana'"):
        persona.load_persona(tmp_path / "mine.yaml", None, prepare.people())
    (tmp_path / "mine.yaml").write_text(scenario.replace("person: dana", "person: ../../etc/passwd"))
    with pytest.raises(BadInput, match="must be 1 to 40"):
        persona.load_persona(tmp_path / "mine.yaml", None, prepare.people())


def test_the_record_keeps_the_whole_customer() -> None:
    """Cast at a level and written as one file, the same customer is read again."""
    for name in prepare.names("personas"):
        for level in persona.LEVELS:
            customer, text = prepare.choose_persona(name, level)
            again = persona.parse_persona(text, "record")
            assert persona.as_text(again) == text
            assert (again.mood, again.level, again.lines) == (customer.mood, level, customer.lines)


def test_say_and_simulate(tmp_path: Path) -> None:
    """A bundled line is spoken without any engine; the curves go into a picture."""
    run = CliRunner().invoke
    done = run(cli.app, ["personas", "say", "manager.1", "--anger", "5", "--out", str(tmp_path / "a.wav")])
    assert done.exit_code == 0, done.output
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getframerate() == 16000
        assert file.getnframes() > 16000
    done = run(cli.app, ["personas", "simulate", "dana-printer", "--svg", str(tmp_path / "a.svg")])
    assert done.exit_code == 0, done.output
    assert "shouter" in done.stdout
    assert (tmp_path / "a.svg").read_text().count("<polyline") == 12
    done = run(cli.app, ["personas", "simulate", "dana-printer", "--level", "hard", "--json"])
    assert {json.loads(row)["level"] for row in done.stdout.splitlines()} == {"hard"}
