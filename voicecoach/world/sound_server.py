"""Which devices a sound server has behind its default: PortAudio calls all of them "default".

Asked of `pactl`, which PulseAudio and PipeWire have. Without it the names stay as they are. A server moves streams
without stopping them: when the default changes, or when a headset is pulled out of its socket.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Sequence

ROUTED = frozenset({"default", "pulse", "pipewire"})
"""What PortAudio calls devices of a server, by way of ALSA."""
ANSWERS_WITHIN_S = 1.0
"""A server that is frozen does not answer at all."""
ASKED_EVERY_S = 2.0
"""While a call goes on. The two questions take 13 ms of processor, 0.7 % of a core."""


def behind(names: tuple[str, str]) -> tuple[str, str]:
    """The names of microphone and speaker, a server's with the device and the port behind it: its sockets differ.

    A name stays as it is where the server does not answer, or not wholly.
    """
    if not ROUTED.intersection(names):
        return names
    defaults, blocks = _told("info"), _told("list").split("\n\n")
    return _named(names[0], "Source", defaults, blocks), _named(names[1], "Sink", defaults, blocks)


def _named(name: str, kind: str, defaults: str, blocks: Sequence[str]) -> str:
    """`name` with what the server tells of the device that it stands for: the one that has our stream, or the default."""
    device = os.environ.get(f"PULSE_{kind.upper()}") or _line(f"Default {kind}", defaults)
    if name not in ROUTED or not device:
        return name
    stream = {"Source": "Source Output #", "Sink": "Sink Input #"}[kind]
    ours = f'application.process.id = "{os.getpid()}"'
    number = next((_line(kind, one) for one in blocks if one.startswith(stream) and ours in one), "")
    devices = {_heading(one): one for one in blocks if one.startswith(f"{kind} #")}
    default = next((one for one in devices.values() if _line("Name", one) == device), "")
    block = devices.get(f"{kind} #{number}", default)
    about = [_line("Description", block) or _line("Name", block), _line("Active Port", block)]
    return f"{name} ({', '.join(filter(None, about))})" if block else name


def _heading(block: str) -> str:
    return block.partition("\n")[0].strip()


class Lookout:
    """Asks, beside the loop, which devices the server has behind `names` now. `close` ends it."""

    def __init__(self, names: tuple[str, str]) -> None:
        self.seen: tuple[str, str] | None = None
        """The last whole answer, as `behind` gives it; None before the first."""
        self._names, self._closed = names, threading.Event()
        threading.Thread(target=self._look, name="voicecoach-lookout", daemon=True).start()

    def _look(self) -> None:
        while not self._closed.wait(ASKED_EVERY_S):
            told = behind(self._names)
            if all(now != name for now, name in zip(told, self._names, strict=True) if name in ROUTED):
                self.seen = told

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()


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
