"""Which devices a sound server has behind its default: PortAudio calls all of them "default".

Asked of `pactl`, which PulseAudio and PipeWire have. Without it the names stay as they are.
"""

from __future__ import annotations

import os
import re
import subprocess

ROUTED = frozenset({"default", "pulse", "pipewire"})
"""What PortAudio calls devices of a server, by way of ALSA."""
ANSWERS_WITHIN_S = 1.0
"""A server that is frozen does not answer at all."""


def behind(names: tuple[str, str]) -> tuple[str, str]:
    """The names of microphone and speaker, a server's with the device and the port behind it: its sockets differ."""
    if not ROUTED.intersection(names):
        return names
    info = _told("info")
    source, sink = (
        os.environ.get(f"PULSE_{kind.upper()}") or _line(f"Default {kind}", info) for kind in ("Source", "Sink")
    )
    return _named(names[0], source, "sources"), _named(names[1], sink, "sinks")


def _named(name: str, device: str, kind: str) -> str:
    """`name` with what the server tells of its `device`."""
    if name not in ROUTED or not device:
        return name
    blocks = _told("list", kind).split("\n\n")
    block = next((block for block in blocks if _line("Name", block) == device), "")
    about = [_line("Description", block) or device, _line("Active Port", block)]
    return f"{name} ({', '.join(filter(None, about))})"


def _line(name: str, text: str) -> str:
    """What stands behind `name` in the first line of the text that begins so."""
    found = re.search(rf"^\s*{name}: (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _told(*arguments: str) -> str:
    """The answer of pactl; "" where there is none."""
    try:
        done = subprocess.run(
            ["pactl", *arguments],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWERS_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
