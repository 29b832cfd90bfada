"""Lines spoken beforehand: which there are, what is new, how they are listened to; no Kokoro is needed for this."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from voicecoach import cli, misheard, prepare, render, testing
from voicecoach import persona as customers
from voicecoach.commands import common, personas
from voicecoach.errors import MissingModel
from voicecoach.persona.style import style_for
from voicecoach.render import Line
from voicecoach.world import effects, kokoro
from voicecoach.world.spoken import delivered, spoken_key

BUNDLED = prepare.spoken_folder()
VOICE = "kokoro/af_bella"


def everyone() -> list[Any]:
    return [prepare.choose_persona(name)[0] for name in prepare.names("personas")]


@pytest.fixture(scope="module")
def plan() -> render.Plan:
    """Everything that comes along."""
    (found,) = render.plans(BUNDLED, Path("/nowhere"), [(one, True) for one in everyone()], [prepare.demo_trainee()])
    return found


def a_line(text: str = "Where is my printer?", level: int = 3) -> Line:
    return Line(VOICE, f"hot-{level}", style_for(level, "hot"), text)


# --- what ships ------------------------------------------------------------------------------------


def test_every_file_is_a_line_that_is_wanted(plan: render.Plan) -> None:
    """Under the hash of its voice, style and words; none that nobody says; all of it under 25 MB."""
    entries = render.read(BUNDLED)
    wanted = {line.key for line in plan.wanted}

    assert entries.keys() <= wanted
    assert all(key == spoken_key(entry["voice"], entry["style"], entry["text"]) for key, entry in entries.items())
    assert all(entry["file"] == f"{key}.opus" for key, entry in entries.items())
    assert {path.name for path in BUNDLED.glob("*.opus")} == {entry["file"] for entry in entries.values()}
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 25e6


def test_what_is_spoken_is_spoken_as_its_style_says_today(plan: render.Plan) -> None:
    """A line is fresh or was never spoken (else: voicecoach personas render)."""
    entries = render.read(BUNDLED)
    stale = [line.text for line in plan.wanted if line.key in entries and not line.fresh(entries, BUNDLED)]

    assert stale == []


@pytest.mark.parametrize("name", prepare.names("personas"))
def test_a_customer_is_spoken_whole(name: str) -> None:
    """Each line at each level at which it may be said."""
    entries = render.read(BUNDLED)
    lines = render.customer_lines([prepare.choose_persona(name)[0]])

    assert [line.text for line in lines if line.key not in entries] == []


def test_the_recorded_trainee_is_spoken_whole() -> None:
    entries = render.read(BUNDLED)

    assert all(line.key in entries for line in render.trainee_lines([prepare.demo_trainee()]))


def test_every_voice_has_what_it_is_measured_on() -> None:
    """Four sentences of each customer's voice, calm and furious."""
    entries = render.read(BUNDLED)
    lines = list(render.measured_lines(everyone()))

    assert len(lines) == 8 * 8
    assert all(line.key in entries for line in lines)


def test_anger_is_in_the_files() -> None:
    """Per hot voice, calm to furious, as delivered before the telephone band; cold anger is slow, low and hard."""
    entries, people = render.read(BUNDLED), everyone()
    for person in people:
        lines = list(render.measured_lines([person]))
        calm, furious = (
            [render._now(BUNDLED, line, entries) for line in lines if line.style_name.endswith(end)]
            for end in ("-0", "-4")
        )
        asked_none = 12 * np.log2(render._middle(calm, "f0_hz") / kokoro.own(lines[0].voice).f0_hz)
        assert abs(asked_none) <= 1, f"{person.id}: 0 st asked is {asked_none:+.1f} st got"
        at = {key: (render._middle(calm, key), render._middle(furious, key)) for key in render._MEASURES}
        st = 12 * np.log2(at["f0_hz"][1] / at["f0_hz"][0])
        span, rate = (at[key][1] / at[key][0] for key in ("f0_range_st", "wpm"))
        alpha, level = (at[key][1] - at[key][0] for key in ("alpha_db", "level_dbfs"))
        assert alpha >= 5, person.id
        if person.voice.style == "cold":
            assert (st < 0, rate < 1, level) == (True, True, pytest.approx(3, abs=0.2)), person.id
        else:
            assert (st >= 3.45, span >= 1.35, rate >= 1.25) == (True, True, True), person.id
            assert 10 <= level <= 13, person.id


def test_each_level_is_louder_than_the_one_below(plan: render.Plan) -> None:
    """The same words as delivered at each level at which they were spoken, peaks under -1 dBFS."""
    entries = render.read(BUNDLED)
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in plan.wanted:
        if line.key in entries and "-" in line.style_name:
            groups.setdefault((line.voice, line.text), []).append(line)
    several = [sorted(lines, key=lambda line: line.style_name) for lines in groups.values() if len(lines) > 1]
    assert len(several) > 20
    for lines in several[::4]:
        sounds = [delivered(BUNDLED / line.entry["file"], line.style.level_db) for line in lines]
        levels = [effects.speech_level_db(sound, 16_000) or 0.0 for sound in sounds]
        assert levels == sorted(levels), lines[0].text
        assert levels == pytest.approx([line.style.level_db for line in lines], abs=0.3), lines[0].text
        assert max(np.abs(sound).max() for sound in sounds) <= 10 ** (-1 / 20) + 1e-6


def test_whisper_understands_them() -> None:
    """By what was heard when each was spoken: at most 3 % of the words over all, and at every level."""
    levels: dict[str, list[dict[str, int]]] = {}
    for entry in render.read(BUNDLED).values():
        found = misheard.counted(entry["text"], entry["measured"]["heard"])
        levels.setdefault(entry["style"].rpartition("-")[2], []).append(found)

    assert misheard.word_error_rate([one for found in levels.values() for one in found]) <= render.MAX_WER
    assert {
        level: wer for level, found in levels.items() if (wer := misheard.word_error_rate(found)) > render.MAX_WER
    } == {}


def test_nothing_is_wrong_with_what_ships(plan: render.Plan) -> None:
    """Every file was understood, its pitch is near what its style asks, and its peaks are limited."""
    assert list(render.problems(BUNDLED, plan.wanted)) == []


# --- what is new -----------------------------------------------------------------------------------


def test_the_most_needed_lines_come_first() -> None:
    """For every customer the opening, the story, the needs, the ends; then the rest."""
    people = everyone()
    voices = [line.voice for line in render.customer_lines(people)][:60]

    assert len(set(voices)) == len(people)
    said = [line.text for line in render.customer_lines(people[1:2])]
    texts = {name: text for name, text, _ in customers.lines(people[1])}
    order = [said.index(texts[name]) for name in ("opening.1", "need.heard.1", "silence.1", "manager.1")]
    assert order == sorted(order)


def test_only_what_changed_is_spoken_again(tmp_path: Path) -> None:
    """A new text, style or voice is another line; new numbers make a line stale, but its level is set when played."""
    line = a_line()
    (tmp_path / line.entry["file"]).write_bytes(b"")
    entries = {line.key: {**line.entry, "seconds": 1.0}}

    assert line.fresh(entries, tmp_path)
    assert a_line("Where is it?").fresh(entries, tmp_path) is False
    assert replace(line, style=replace(line.style, level_db=-10.0)).fresh(entries, tmp_path)
    assert not replace(line, style=replace(line.style, wpm=100.0)).fresh(entries, tmp_path)
    (tmp_path / line.entry["file"]).unlink()
    assert not line.fresh(entries, tmp_path)


def test_tidy_drops_what_nobody_says(tmp_path: Path) -> None:
    """Entries and files; what is wanted stays."""
    keep, drop = a_line(), a_line("Never mind.")
    for line in (keep, drop):
        (tmp_path / line.entry["file"]).write_bytes(b"")
    (tmp_path / "x.part").write_bytes(b"")
    render.write(tmp_path, {line.key: line.entry for line in (keep, drop)})

    assert render.tidy(tmp_path, [keep]) == [drop.entry["file"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([keep.entry["file"], "manifest.json"])


# --- listening -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("The nine fifteen train.", "the 9:15 train", 0),
        ("It's six two nine, oh four, one.", "It's 629-041.", 0),
        ("Nine three one, double four, seven.", "931-247", 1),
        ("Forty-five minutes.", "45 minutes", 0),
        ("Two hundred and fifty boxes", "250 boxes", 0),
        ("Four thousand one hundred and eighteen dollars", "$4,118", 0),
        ("Number four one seven two.", "number 4172", 0),
        ("A hundred and eighteen pounds", "£118", 0),
        ("It's four oh seven, two nine. Oh, no.", "It's 40729. Oh, no.", 0),
        ("Dated the ninth of April.", "dated 9 April", 0),
        ("The second one.", "The 2nd one", 0),
        ("OK, that's it!", "okay thats it", 0),
        ("Where is my printer?", "Where is the printer?", 1),
        ("Four thousand one hundred eighteen dollars", "$4 ,118", 0),
        ("Where is my printer?", "", 4),
        ("Stop.", "Stop it now.", 2),
    ],
)
def test_words_are_compared_however_they_are_written(said: str, heard: str, errors: int) -> None:
    assert misheard.word_errors(said, heard) == errors


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    """Words that nobody understands, and a pitch that nobody asked for."""
    lines = [a_line(f"I have told you {n} times.") for n in range(9)]
    entries = {}
    for line in lines:
        soundfile.write(tmp_path / line.entry["file"], testing.tone(220, 1.0), 24_000, "OPUS", format="OGG")
        found = {"heard": line.text, "f0_hz": 189.2 * 2 ** (2.5 / 12)}
        entries[line.key] = {
            **line.entry,
            "seconds": 1.0,
            "measured": {**found, **misheard.counted(line.text, line.text)},
        }
    render.write(tmp_path, entries)
    assert list(render.problems(tmp_path, lines)) == []

    entries[lines[0].key]["measured"]["heard"] = "What?"
    entries[lines[1].key]["measured"]["f0_hz"] = 90.0
    render.write(tmp_path, entries)
    told = list(render.problems(tmp_path, lines))
    assert ["is not understood" in told[0], "has a pitch of 90 Hz" in told[1], len(told)] == [True, True, 2]

    for entry in entries.values():
        entry["measured"] |= {"f0_hz": 300.0, "heard": entry["text"]}
    render.write(tmp_path, entries)
    assert any("the pitch is" in one for one in render.problems(tmp_path, lines))


# --- the command -----------------------------------------------------------------------------------


def test_without_kokoro_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with all that is missing; nothing is written."""
    monkeypatch.setattr(kokoro.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(kokoro, "archive", lambda: tmp_path / kokoro.ARCHIVE)
    with pytest.raises(MissingModel, match=r"lacks: onnx, kokoro-onnx.*kokoro-js.*pip install.*npm pack"):
        render.render([a_line()], tmp_path / "out", 1, lambda _: None)

    assert not (tmp_path / "out").exists()


def test_a_voice_that_was_never_measured_is_a_sentence() -> None:
    with pytest.raises(MissingModel, match="kokoro/xx_nobody was never measured"):
        kokoro.own("kokoro/xx_nobody")
    assert [kokoro.accent(name) for name in ("kokoro/bf_emma", "kokoro/af_bella")] == ["en-gb", "en-us"]


def test_every_customer_has_a_voice_that_was_measured() -> None:
    for person in everyone():
        assert kokoro.own(render.voice_of(person) or "").f0_hz > 60, person.id


def test_own_customers_are_spoken_beside_the_trainees_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is bundled is left alone, and the call finds the lines."""
    own = tmp_path / "mine.yaml"
    shutil.copy(prepare.path_of("personas", "dana-printer", "persona"), own)
    monkeypatch.setattr(common.Options, "data", tmp_path / "data")
    asked: list[tuple[int, Path]] = []
    monkeypatch.setattr(render, "render", lambda lines, folder, jobs, tell: asked.append((len(lines), folder)))
    personas.personas_render([str(own)])

    ((count, folder),) = asked
    assert (count > 100, folder) == (True, tmp_path / "data" / "spoken")
    folder.mkdir(parents=True)
    line = a_line("Mine alone.")
    (folder / line.entry["file"]).write_bytes(b"")
    render.write(folder, {line.key: line.entry})
    assert prepare.spoken().find(VOICE, "hot-3", "Mine alone.") is None
    assert prepare.spoken(tmp_path / "data").find(VOICE, "hot-3", "Mine alone.") == folder / line.entry["file"]


def test_the_tables(plan: render.Plan) -> None:
    """What anger makes of each voice, each voice at each level, and how much there is."""
    done = CliRunner().invoke(cli.app, ["personas", "render", "dana-printer", "--table"])

    assert done.exit_code == 0, done.output
    assert "| af_bella | +3." in done.stdout
    assert "| af_bella | hot-5 |" in done.stdout
    assert "of words" not in done.stdout
    assert "are misheard." in done.stdout.splitlines()[-1]
    assert "0 of 3 lines are spoken" in list(render.tables(render.Plan(Path("/nowhere"), plan.lines[:3])))[-1]


def test_check_listens_to_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file once, by whatever recogniser there is; what is wrong is the exit code."""
    line = a_line("Hello there, where is my printer now?")
    folder = tmp_path / "spoken"
    folder.mkdir()
    soundfile.write(folder / line.entry["file"], testing.voice_like(2.0, 218.0), 16_000, "OPUS", format="OGG")
    measured = {"heard": "", "words": 7, "errors": 7, "f0_hz": 218.0}
    render.write(folder, {line.key: {**line.entry, "seconds": 2.0, "measured": measured}})
    monkeypatch.setattr(render, "plans", lambda *_: [render.Plan(folder, (line,))])
    heard = iter([line.text, "Something else."])

    class Ears:
        name = "script"

        def hear(self, samples: Any) -> str:
            return next(heard)

    monkeypatch.setattr(render, "Listener", Ears)
    good = CliRunner().invoke(cli.app, ["personas", "render", "--check"])
    bad = CliRunner().invoke(cli.app, ["personas", "render", "--check"])

    assert (good.exit_code, bad.exit_code) == (0, 3)
    assert "1/1 checked" in good.stdout
    kept = json.loads((folder / "manifest.json").read_text("utf-8"))[line.key]["measured"]
    assert (kept["heard"], kept["ears"]) == ("Something else.", "script")
    assert kept["f0_hz"] == pytest.approx(218, rel=0.05)
