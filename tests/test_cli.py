"""The command line: help at once, sentences for mistakes, documented exit codes, and no question without a terminal."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from typer.testing import CliRunner

from voicecoach import __version__, cli, record
from voicecoach.commands import common
from voicecoach.persona import LEVELS

HEAVY = (
    "numpy", "scipy", "librosa", "numba", "faster_whisper", "ctranslate2", "onnxruntime", "sounddevice", "soundfile", "soxr",
    "av", "swift_f0", "pydantic", "ruamel", "huggingface_hub", "voicecoach.session",
)  # fmt: skip


def voicecoach(*arguments: str, data: Path, stdin: Any = subprocess.DEVNULL, **environment: str) -> Any:
    """The program in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "voicecoach", "--data", str(data), *arguments], stdin=stdin, capture_output=True,
        text=True, errors="replace", timeout=120, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def session(data: Path, name: str, **started: Any) -> Path:
    """A short session."""
    folder = data / "sessions" / name
    with record.Writer(folder, "", "") as writer:
        writer.event("started", wall="2026-11-21T10:00:00+01:00", persona={"id": "d", "name": "Dana"}, **started)
        writer.event("said", at=10, line="opening", text="My printer!", anger=3.5)
        writer.event("said", at=32_000, line="resolved", text="Thank you.", anger=1.0)
        writer.event("ended", at=32_000, outcome="resolved", why="")
    return folder


def commands() -> list[tuple[str, ...]]:
    """Every command there is, found by looking."""
    found: list[tuple[str, ...]] = []

    def walk(command: Any, path: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            found.append((*path, name))
            walk(inner, (*path, name))

    walk(typer.main.get_command(cli.app), ())
    return found


# --- help ------------------------------------------------------------------------------------------


def test_all_commands_are_there() -> None:
    """Those that the README promises."""
    assert {name for name, *_ in commands()} == {
        "rehearse", "calibrate", "review", "report", "takes", "drill", "history", "personas", "procedures", "doctor", "delete",
        "measure", "judge", "export", "submit", "desk", "serve",
    }  # fmt: skip


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    """What it does, an example that begins with the command itself, and every option explained."""
    done = CliRunner().invoke(cli.app, [*command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})

    assert done.exit_code == 0
    assert f"Example: voicecoach {' '.join(command)}" in " ".join(done.output.split())


def test_examples_name_options_that_exist() -> None:
    """An example that fails would be worse than none."""
    app = typer.main.get_command(cli.app)
    for path in commands():
        command: Any = app
        for name in path:
            command = command.commands[name]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        lines = [line for line in (command.help or "").splitlines() if "`voicecoach " in line]
        used = {word.strip("`") for line in lines for word in line.split() if word.startswith("-")}

        assert used <= known, path


def test_help_imports_nothing_heavy() -> None:
    """House rule 10: no speech, audio, number or parsing library for --help and --version."""
    code = (
        "import sys\nsys.argv = ['voicecoach', sys.argv[1]]\nfrom voicecoach import cli\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    for option in ("--help", "--version"):
        done = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True)

        assert done.stderr.strip() == "[]"


def test_the_levels_of_a_call_are_those_of_its_customer() -> None:
    """The command line has its own list of them, because it reads no customer for --help."""
    assert get_args(common.LevelName) == LEVELS


def test_the_version(tmp_path: Path) -> None:
    """One line."""
    assert voicecoach("--version", data=tmp_path).stdout == f"voicecoach {__version__}\n"


# --- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rehearse", "dana-pinter"), 3, "Did you mean dana-printer?"),
        (("rehearse", "nobody", "--demo"), 3, "There is no persona called 'nobody'"),
        (("rehearse", "--procedure", "six-guide-lines"), 3, "Did you mean six-guidelines?"),
        (("rehearse", "missing.yaml"), 3, "missing.yaml cannot be read (No such file or directory)"),
        (("rehearse", "."), 3, "cannot be read (Is a directory)"),
        (("personas", "show", "dana"), 3, "There is no persona called 'dana'"),
        (("personas", "check", "missing.yaml", "dana-printer"), 3, "missing.yaml cannot be read"),
        (("procedures", "show", "x"), 3, "five-step-process"),
        (("procedures", "check", "five-tip", "five-tips"), 3, "Did you mean five-tips?"),
        (("procedures", "check", "missing.yaml"), 3, "missing.yaml cannot be read"),
        (("measure", "missing.wav", "--no-transcript"), 3, "missing.wav does not exist"),
        (("measure", "a.wav", "--baseline", "missing.wav", "--no-transcript"), 3, "missing.wav does not exist"),
        (("review", "missing.wav"), 3, "missing.wav does not exist"),
        (("calibrate", "missing.wav"), 3, "missing.wav does not exist"),
        (("calibrate", "x.wav", "--model", "huge"), 5, "There is no recogniser called 'huge'"),
        (("rehearse", "--demo", "--model", "small.en"), 5, "doctor --fetch small.en"),
        (("judge", "--jsonl", "missing.jsonl"), 3, "missing.jsonl cannot be read"),
        (("report",), 3, "There is none yet: `voicecoach rehearse`"),
        (("delete", "last", "--yes"), 3, "There is no session 'last'"),
        (("frobnicate",), 2, "No such command"),
        (("rehearse", "--patience", "9"), 2, "quick, normal, patient"),
        (("rehearse", "--patience", "slow"), 2, "quick, normal, patient"),
        (("rehearse", "--talk", "later"), 2, "manual"),
        (("rehearse", "--talk", "shout"), 2, "hands-free"),
        (("history", "--count", "0"), 2, "count"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
@pytest.mark.models
def test_mistakes_are_sentences_with_exit_codes(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """What happened and what to do, on standard error, and nothing else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["voicecoach", "--data", str(tmp_path / "data"), *arguments])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as caught:
        cli.main()
    out = capsys.readouterr()

    assert caught.value.code == code
    assert said in out.err
    assert "Traceback" not in out.err
    assert not (tmp_path / "data" / "sessions").exists()


def test_tracebacks_are_for_those_who_ask(tmp_path: Path) -> None:
    """With --debug, or VOICECOACH_DEBUG; never otherwise."""
    plain = voicecoach("report", "x", data=tmp_path)
    asked = voicecoach("--debug", "report", "x", data=tmp_path)
    also = voicecoach("report", "x", data=tmp_path, VOICECOACH_DEBUG="1")

    assert "Traceback" not in plain.stderr + plain.stdout
    assert all("Traceback" in done.stderr and "BadInput" in done.stderr for done in (asked, also))


def test_the_unexpected_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A bug of ours ends with 1 and tells how to see where it is."""

    def broken(root: Path) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(record, "list_sessions", broken)
    monkeypatch.setattr(sys, "argv", ["voicecoach", "history"])
    with pytest.raises(SystemExit) as caught:
        cli.main()

    assert caught.value.code == 1
    assert "ZeroDivisionError: a bug). Run again with --debug" in capsys.readouterr().err


# --- sessions --------------------------------------------------------------------------------------


def test_a_history_of_nothing(tmp_path: Path) -> None:
    """An empty or missing data folder is no error, and is not made by looking."""
    plain, as_json = voicecoach("history", data=tmp_path / "x"), voicecoach("history", "--json", data=tmp_path / "x")

    assert (plain.returncode, as_json.returncode) == (0, 0)
    assert "There are no sessions" in plain.stdout
    assert as_json.stdout == ""
    assert not (tmp_path / "x").exists()


def test_history_lists_the_newest_last(tmp_path: Path) -> None:
    """For people and as JSON."""
    for number in range(3):
        session(tmp_path, f"2026112{number}-100000-dana")
    plain, as_json = voicecoach("history", "-n", "2", data=tmp_path), voicecoach("history", "--json", data=tmp_path)
    rows = [json.loads(line) for line in as_json.stdout.splitlines()]

    assert [line.split()[0] for line in plain.stdout.splitlines()] == ["20261121-100000-dana", "20261122-100000-dana"]
    assert "anger 3.5 -> 1.0" in plain.stdout
    assert len(rows) == 3
    assert rows[0] == {
        "session": "20261120-100000-dana", "persona": "Dana", "minutes": 0.03, "turns": 0, "outcome": "resolved",
        "anger": [3.5, 1.0],
    }  # fmt: skip


def test_a_report_is_rebuilt_from_the_record(tmp_path: Path) -> None:
    """P9: the same bytes from another folder, in another time zone, with another hash seed."""
    session(tmp_path, "20261121-100000-dana")
    pages, texts = [], []
    for number, environment in enumerate(
        ({"TZ": "UTC", "PYTHONHASHSEED": "1"}, {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2"})
    ):
        page = tmp_path / f"{number}.html"
        done = voicecoach("report", "2026", "--html", str(page), data=tmp_path, **environment)
        assert done.returncode == 0, done.stderr
        pages.append(page.read_bytes())
        texts.append(done.stdout.replace(str(page), ""))

    assert pages[0] == pages[1]
    assert texts[0] == texts[1]
    assert json.loads(voicecoach("report", "last", "--json", data=tmp_path).stdout)["persona"] == "Dana"


def test_deleting_asks_or_needs_yes(tmp_path: Path) -> None:
    """Without a terminal nothing is asked and nothing is lost; with --yes it is gone."""
    folder = session(tmp_path, "20261121-100000-dana")
    refused = voicecoach("delete", "last", data=tmp_path)

    assert refused.returncode == 3
    assert "Nothing was deleted" in refused.stderr
    assert "--yes" in refused.stderr
    assert folder.is_dir()

    done = voicecoach("delete", "last", "--yes", data=tmp_path)

    assert done.returncode == 0
    assert "Deleted 1." in done.stdout
    assert not folder.exists()


def test_one_unknown_session_deletes_none(tmp_path: Path) -> None:
    """Names are all found before anything is deleted."""
    folder = session(tmp_path, "20261121-100000-dana")

    assert voicecoach("delete", "last", "nothing", "--yes", data=tmp_path).returncode == 3
    assert folder.is_dir()


def test_a_damaged_session_does_not_hide_the_others(tmp_path: Path) -> None:
    """P3: facts of another form are shown as far as they go."""
    folder = tmp_path / "sessions" / "20261120-bad"
    folder.mkdir(parents=True)
    lines = [{"at": 0, "kind": "started", "persona": "Dana", "sound": 5}, {"at": 9, "kind": "ended", "outcome": [1]}]
    (folder / "events.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    session(tmp_path, "20261121-100000-dana")
    history = voicecoach("history", data=tmp_path)

    assert history.returncode == 0, history.stderr
    assert "20261120-bad" in history.stdout
    assert "20261121-100000-dana" in history.stdout
    assert voicecoach("report", "20261120", data=tmp_path).returncode == 0


# --- customers and procedures ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["personas", "procedures"])
def test_what_there_is_is_listed_and_shown(kind: str) -> None:
    """The bare command lists as `list` does, and every name listed can be shown."""
    runner = CliRunner()
    listed = runner.invoke(cli.app, [kind, "list"]).stdout

    assert runner.invoke(cli.app, [kind]).stdout == listed
    assert listed
    for line in listed.splitlines():
        done = runner.invoke(cli.app, [kind, "show", line.split()[0]])

        assert done.exit_code == 0
        assert len(done.stdout) > 100


def test_personas_are_checked(tmp_path: Path) -> None:
    """Good ones are good; a bad one names each line, and the others are checked all the same."""
    from voicecoach import prepare

    text = prepare.choose_persona("dana-printer")[1]
    (tmp_path / "bad.yaml").write_text(text.replace("\nlines:", "\nliens:", 1) + "\nextra: 1\n")
    done = CliRunner().invoke(
        cli.app, ["personas", "check", "dana-printer", str(tmp_path / "bad.yaml"), "dana-printer"]
    )

    assert done.exit_code == 3
    assert done.stdout.count("dana-printer: good") == 2
    assert "Did you mean 'lines'?" in done.stderr
    assert "'extra' is not a key" in done.stderr


# --- odd surroundings ------------------------------------------------------------------------------


PROGRAM = f"{shlex.quote(sys.executable)} -m voicecoach"
PLAIN = ("history", "report last", "--help", "judge --text 'I see.'")


@pytest.mark.parametrize(
    ("command", "closed"),
    [*zip(PLAIN, ("<&-", ">&-", "2>&-"), strict=False), *((command, "<&- >&- 2>&-") for command in PLAIN)],
)
def test_closed_streams_are_no_crash(tmp_path: Path, command: str, closed: str) -> None:
    """Started by a service or a careless script."""
    session(tmp_path, "20261121-100000-dana")
    done = subprocess.run(
        f"{PROGRAM} --data {shlex.quote(str(tmp_path))} {command} {closed}", shell=True, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_closed_standard_input_has_no_turns(tmp_path: Path) -> None:
    """`judge --jsonl -` says that there is nothing to read."""
    done = subprocess.run(f"{PROGRAM} judge --jsonl - <&-", shell=True, capture_output=True, text=True, check=False)

    assert done.returncode == 3
    assert "Standard input is closed" in done.stderr


def test_a_full_disk_at_standard_output_is_a_sentence(tmp_path: Path) -> None:
    """P4: what could not be printed is not passed over."""
    session(tmp_path, "20261121-100000-dana")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "voicecoach", "--data", str(tmp_path), "history"], stdout=full,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert done.returncode == 6
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("encoding", "commands"), [("ascii", 4), ("latin-1", 1), ("cp1252", 1)])
def test_a_terminal_of_few_letters_is_no_crash(tmp_path: Path, encoding: str, commands: int) -> None:
    """A name in another script on an old terminal."""
    folder = session(tmp_path, "20261121-100000-dana")
    events = (folder / "events.jsonl").read_text().replace('"Dana"', '"Žofie 李 ☕"')
    (folder / "events.jsonl").write_text(events)
    surroundings = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    each = (("report", "last"), ("history",), ("judge", "--text", "I am sorry, Žofie ☕"), ("--help",))
    for command in each[:commands]:
        done = voicecoach(*command, data=tmp_path, **surroundings)

        assert done.returncode == 0, (command, done.stderr)


def test_judging_reads_a_pipe(tmp_path: Path) -> None:
    """One line in, one line out."""
    done = subprocess.run(
        [sys.executable, "-m", "voicecoach", "judge", "--jsonl", "-"], input='{"id": 1, "text": "I am so sorry."}\n',
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert json.loads(done.stdout)["id"] == 1


def test_a_wrong_choice_is_a_sentence_of_ours(tmp_path: Path) -> None:
    """It names what there is, and not the library that found it out."""
    done = voicecoach("rehearse", "--level", "furious", data=tmp_path)

    assert done.returncode == 2
    assert "Invalid value for '--level': 'furious' is not one of 'mild', 'medium', 'hard'." in done.stderr
