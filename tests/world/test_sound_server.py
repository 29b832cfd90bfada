"""What a sound server has behind its default: told by `pactl`, or not at all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.waiting import wait_until
from voicecoach.world import sound_server

INFO = """Server Name: PulseAudio (on PipeWire 1.0.5)
Default Sink: alsa_output.pci.analog-stereo
Default Source: bluez_input.00_11
"""
LIST = """Module #1
\tName: module-null-sink

{sources}
{sinks}
Sink Input #7
\tDriver: protocol-native.c
\tSink: 47
\tProperties:
\t\tapplication.process.id = "{pid}"

Card #1
\tName: alsa_card
"""
SINKS = """Sink #46
\tState: RUNNING
\tName: alsa_output.pci.analog-stereo
\tDescription: Built-in Audio Analog Stereo
\tPorts:
\t\tanalog-output-speaker: Speakers (type: Speaker, priority: 10000)
\tActive Port: {port}

Sink #47
\tName: other
\tDescription: Other
"""
SOURCES = """Source #12
\tName: bluez_input.00_11
\tDescription: Headset
"""


def pactl(monkeypatch: pytest.MonkeyPatch, port: str = "analog-output-speaker", pid: int = 1) -> None:
    listed = LIST.format(sources=SOURCES, sinks=SINKS.format(port=port), pid=pid)
    answers = {"info": INFO, "list": listed}
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, answers[command[-1]], "")
    )


def test_the_default_is_named_by_what_is_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headphones in the same socket are another port, and so another device."""
    monkeypatch.delenv("PULSE_SINK", raising=False)
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    pactl(monkeypatch)
    speakers = sound_server.behind(("default", "default"))
    pactl(monkeypatch, "analog-output-headphones")
    headphones = sound_server.behind(("default", "pulse"))

    assert speakers == ("default (Headset)", "default (Built-in Audio Analog Stereo, analog-output-speaker)")
    assert headphones == ("default (Headset)", "pulse (Built-in Audio Analog Stereo, analog-output-headphones)")


def test_the_device_that_has_our_stream_goes_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may move it, and may change its default without moving it."""
    pactl(monkeypatch, pid=os.getpid())

    assert sound_server.behind(("default", "default"))[1] == "default (Other)"


def test_the_lookout_sees_a_plug_that_is_pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an answer, from a server that hangs, is none."""
    monkeypatch.setattr(sound_server, "ASKED_EVERY_S", 0.01)
    speakers = ("default (Headset)", "default (Built-in Audio Analog Stereo, analog-output-speaker)")
    pactl(monkeypatch, "analog-output-headphones")
    lookout = sound_server.Lookout(("default", "default"))
    wait_until(lambda: lookout.seen is not None)
    before = lookout.seen
    asked: list[str] = []

    def half(what: str, *_: object) -> str:
        asked.append(what)
        return INFO if what == "info" else ""

    with monkeypatch.context() as hanging:
        hanging.setattr(sound_server, "_told", half)
        wait_until(lambda: asked.count("info") > 2)  # the second answer has been looked at wholly
        kept = lookout.seen
    pactl(monkeypatch)
    wait_until(lambda: lookout.seen == speakers)
    lookout.close()

    assert before == kept
    assert before != speakers


def test_what_the_environment_chooses_goes_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the server's own library has it."""
    monkeypatch.setenv("PULSE_SINK", "other")
    pactl(monkeypatch)

    assert sound_server.behind(("USB microphone", "default")) == ("USB microphone", "default (Other)")


@pytest.mark.parametrize("names", [("USB microphone", "USB headset"), ("sysdefault", "hw:0,0")])
def test_real_devices_keep_their_names(monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]) -> None:
    """Nobody is asked then."""

    def run(*_: object, **__: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(subprocess, "run", run)

    assert sound_server.behind(names) == names


@pytest.mark.parametrize(
    "error", [FileNotFoundError("pactl"), subprocess.TimeoutExpired("pactl", 1), PermissionError("pactl")]
)
def test_a_server_that_cannot_be_asked_changes_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """No pactl, a frozen server, no server."""

    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    assert sound_server.behind(("default", "default")) == ("default", "default")

    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "Connection refused")
    )
    assert sound_server.behind(("default", "default")) == ("default", "default")


def test_the_command_is_asked_in_plain_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A real process, whatever the language of the system; names are data, also those with marks in them."""
    tool = tmp_path / "pactl"
    tool.write_text(
        '#!/bin/sh\ncase "$LC_ALL $*" in\n"C info") printf "Default Sink: a\\nDefault Source: b\\n";;\n'
        '"C list") printf "Source #2\\n\\tName: b\\n\\nSink #1\\n\\tName: a\\n\\tDescription: [x]: y\\n";;\n*) exit 1;;\nesac\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("PULSE_SINK", raising=False)
    monkeypatch.delenv("PULSE_SOURCE", raising=False)

    assert sound_server.behind(("default", "default")) == ("default (b)", "default ([x]: y)")
