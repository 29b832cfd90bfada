"""The keyboard during a call: space talks (push-to-talk) or sends the turn (manual), n takes a note, q or Esc hangs up.

A terminal tells presses only: the space bar begins and sends by turns, and where it is held down, it talks for so long.

Nothing where there is no terminal.
"""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from voicecoach.session import Keys

STOP_KEYS = frozenset("qQ\x1b\x04")
NOTE_KEYS = frozenset("nN")
MAX_NOTE_CHARS = 240
MAX_NOTES = 50
"""Notes of one call; more are not taken."""
REPEAT_S = 0.15
"""Spaces closer together than this are one key held down: systems repeat a key 10 to 40 times a second, and nobody taps
as fast. The first repeat comes later and looks like a second press; the next one follows within `turns.KEY_TAIL_S`, so
the turn goes on. Our judgement."""
_ARROWS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.)")
"""What a terminal sends for arrows and function keys: it begins with Esc and is not Esc."""


class Keyboard:
    """What has been pressed. A terminal sends no key-up, so the space bar toggles, and its repeats mean that it is held."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._space_at = -REPEAT_S
        """When the last space came (s)."""
        self._held_down = False
        self.talk = False
        self.send = False
        self.stop = False
        self.interrupted = False
        """Ctrl-C was pressed."""
        self.draft: str | None = None
        """The note that is being typed."""
        self._notes: list[str] = []
        self._taken = 0

    def __call__(self) -> Keys:
        """The state now; reads whatever was typed without waiting."""
        self.send = False
        for key in self._typed():
            if self.draft is not None and key != "\x04":
                self._write(self.draft, key)
            elif key == " ":
                self._space()
            elif key in STOP_KEYS:
                self.stop = True
            elif key in NOTE_KEYS and self._taken < MAX_NOTES:
                self.draft = ""
        if self._held_down and self._clock() - self._space_at >= REPEAT_S:
            self.talk = self._held_down = False
        return Keys(self.talk, self.stop, self.send, self._notes.pop(0) if self._notes and not self.stop else "")

    def rest(self) -> list[str]:
        """Notes that the end of the call has overtaken."""
        rest, self._notes = self._notes, []
        return rest

    def _space(self) -> None:
        """A tap begins to talk, or sends; a repeat says that the key is still down."""
        now = self._clock()
        before, self._space_at = self._space_at, now
        if now - before < REPEAT_S:
            self.talk = self._held_down = True
        else:
            self.talk, self.send = not self.talk, True

    def _write(self, draft: str, key: str) -> None:
        """One key of a note: Enter keeps it, Esc drops it."""
        if key in "\r\n":
            if draft.strip():
                self._notes.append(draft.strip())
                self._taken += 1
            self.draft = None
        elif key == "\x1b":
            self.draft = None
        elif key in "\x7f\b":
            self.draft = draft[:-1]
        elif key.isprintable() and len(draft) < MAX_NOTE_CHARS:
            self.draft = draft + key

    def _typed(self) -> str:
        if sys.platform == "win32":
            import msvcrt

            typed = ""
            while msvcrt.kbhit():
                typed += msvcrt.getwch()
            return typed
        import os
        import select

        typed = ""
        try:
            while interactive() and select.select([sys.stdin], [], [], 0)[0]:
                chunk = os.read(sys.stdin.fileno(), 64).decode(errors="ignore")
                if not chunk:
                    break
                typed += chunk
        except (OSError, ValueError):
            return typed
        return _ARROWS.sub("", typed)

    @contextlib.contextmanager
    def listening(self) -> Iterator[Keyboard]:
        """Take keys one by one, and turn the first Ctrl-C into a wish to stop, so that the record ends cleanly."""
        with _one_by_one(), self._ctrl_c():
            yield self

    @contextlib.contextmanager
    def _ctrl_c(self) -> Iterator[None]:
        def wish(signum: int, frame: FrameType | None) -> None:
            del signum, frame
            if self.stop:
                raise KeyboardInterrupt
            self.stop = self.interrupted = True

        before = signal.signal(signal.SIGINT, wish)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _one_by_one() -> Iterator[None]:
    """Put the terminal into single-key mode and back."""
    if sys.platform == "win32" or not interactive():
        yield
        return
    import termios
    import tty

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle)
        yield
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


def interactive() -> bool:
    """Whether a person sits at standard input."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # closed
        return False
