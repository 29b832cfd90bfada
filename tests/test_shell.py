"""Keys, screen, and the names of things: the small parts between a person and a call."""

from __future__ import annotations

import io
import os
import pty
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from voicecoach import keys, prepare
from voicecoach.errors import BadInput
from voicecoach.nouns import Event
from voicecoach.screen import Screen
from voicecoach.session import Tick
from voicecoach.world import places

# --- keys ------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal at standard input; what is written to the returned handle is typed there."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield master
    os.close(master)


@pytest.mark.parametrize(
    ("typed", "talk", "stop"),
    [
        (b"", False, False),
        (b" ", True, False),
        (b"  ", True, False),
        (b" n\r ", True, False),
        (b"q", False, True),
        (b"\x1b", False, True),
        (b" Q", True, True),
        (b"\x1b[A\x1b[B\x1b[C", False, False),
        (b"\x1bOA\x1bOP\x1b[15~\x1b[1;5C", False, False),
        (b"\x1b[A\x1b", False, True),
        ("é☕".encode(), False, False),
    ],
)
def test_keys_are_taken_one_by_one(terminal: int, typed: bytes, talk: bool, stop: bool) -> None:
    """Space talks, and goes on while it repeats, q and Esc stop, arrows and function keys do nothing; no Enter is needed."""
    keyboard = keys.Keyboard()
    with keyboard.listening():
        os.write(terminal, typed)
        pressed = keyboard()

        assert (pressed.talk, pressed.stop) == (talk, stop)


def test_the_terminal_is_left_as_it_was(terminal: int) -> None:
    """Also after an error in the call."""
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    during = []

    def call() -> None:
        with keys.Keyboard().listening():
            during.append(termios.tcgetattr(handle))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call()

    assert during != [before]
    assert termios.tcgetattr(handle) == before


@pytest.mark.parametrize("kind", ["none", "closed", "file"])
def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Standard input missing, closed or a file: nothing is pressed and nothing fails."""
    stdin = None if kind == "none" else io.StringIO("q")
    if stdin is not None and kind == "closed":
        stdin.close()
    monkeypatch.setattr(sys, "stdin", stdin)
    keyboard = keys.Keyboard()
    with keyboard.listening():
        pressed = keyboard()

    assert (pressed.talk, pressed.stop) == (False, False)
    assert not keys.interactive()


def test_the_first_ctrl_c_is_a_wish_and_the_second_an_order() -> None:
    """P20: the first lets the record end cleanly; the handler before comes back."""
    before = signal.getsignal(signal.SIGINT)
    keyboard = keys.Keyboard()
    with keyboard.listening():
        os.kill(os.getpid(), signal.SIGINT)

        assert keyboard().stop
        assert keyboard.interrupted
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


# --- screen ----------------------------------------------------------------------------------------


def shown(terminal: bool, *news: Event | Tick, words: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, color_system=None)
    with Screen(console, "Dana [bold]{x}", words=words, keys="q hangs up") as screen:
        for one in news:
            screen(one)
        if terminal:
            console.print(screen._view())
    return out.getvalue()


SAID = Event("said", 0, {"text": "[red]No![/red] {0} {name}", "anger": 3.26})
HEARD = Event("heard", 0, {"text": "I see.", "who": "trainee"})
FAULT = Event("fault", 0, {"what": "The device was lost [/].", "do": "Plug it in."})


def test_without_a_terminal_the_call_is_printed_line_by_line() -> None:
    """Words are data: no markup, no templates."""
    out = shown(False, SAID, HEARD, Event("interrupted", 0, {}), FAULT, Tick(1.0, "you", -30.0), Event("other", 0, {}))

    assert "Dana [bold]{x} (anger 3.3): [red]No![/red] {0} {name}" in out
    assert "You: I see." in out
    assert "You spoke over the customer." in out
    assert "The device was lost [/]. Plug it in." in out


@pytest.mark.parametrize("who", ["customer", "you", "thinking", "nobody"])
@pytest.mark.parametrize("level", [-200.0, -60.0, -30.0, 0.0, 20.0, float("-inf")])
def test_the_screen_shows_who_the_level_and_the_time(who: str, level: float) -> None:
    """Of any level, with the last words, the cue and the keys."""
    out = shown(True, SAID, HEARD, Tick(125.4, who, level, "softer"))

    assert "2:05" in out
    assert "softer" in out
    assert "I see." in out
    assert "q hangs up" in out
    assert "I see." not in shown(True, SAID, HEARD, Tick(1.0, who, level), words=False)


# --- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dana-pinter", "", "x" * 5000, "a\0b", "~nobody-here", "../..", "\ud800"])
def test_unknown_personas_get_the_list(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was typed: a short sentence with the names that there are."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        prepare.choose_persona(name)

    assert len(str(caught.value)) < 600
    assert ("Did you mean dana-printer?" in str(caught.value)) == (name == "dana-pinter")


def test_bundled_things_are_there() -> None:
    """At least one persona and trainee, and the five procedures, each readable by its name."""
    assert prepare.DEFAULT_PERSONA in prepare.names("personas")
    assert len(prepare.names("assets/procedures")) == 5
    assert all(prepare.choose_procedure(name)[0].id == name for name in prepare.names("assets/procedures"))
    assert all(prepare.choose_persona(name)[0].id == name for name in prepare.names("personas"))
    assert prepare.demo_trainee().turns


def test_a_file_of_ones_own_is_used(tmp_path: Path) -> None:
    """By its path, also where the name says nothing of YAML."""
    text = prepare.choose_persona(prepare.DEFAULT_PERSONA)[1]
    (tmp_path / "mine").write_text(text)

    assert prepare.choose_persona(str(tmp_path / "mine"))[1] == text


def test_where_data_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """VOICECOACH_DATA, with ~; without it the place of this system."""
    monkeypatch.setenv("VOICECOACH_DATA", "~/calls")
    assert places.data_home() == Path.home() / "calls"

    monkeypatch.setenv("VOICECOACH_DATA", "~nobody-here/calls")
    assert places.data_home() == Path("~nobody-here/calls")

    monkeypatch.delenv("VOICECOACH_DATA")
    assert places.data_home().name == "voicecoach"


def test_space_sends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a turn that is sent by hand the key counts at the moment when it is pressed; for push-to-talk it stays down."""
    seconds = iter(range(9))
    keyboard = keys.Keyboard(lambda: next(seconds))
    typed = iter([" ", "", " "])
    monkeypatch.setattr(keyboard, "_typed", lambda: next(typed))
    pressed = [keyboard() for _ in range(3)]

    assert [one.send for one in pressed] == [True, False, True]
    assert [one.talk for one in pressed] == [True, True, False]
