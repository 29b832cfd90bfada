"""What a trainee is told and agrees to before the first recording; kept once for each trainee, told in every record."""

from __future__ import annotations

from pathlib import Path

from voicecoach import kept
from voicecoach.before import SKIP, Prepared, Terminal

LINE = (
    "This call is recorded: your voice, your words, and what is measured in them. It stays on this machine, for you "
    "alone, until you submit a call to a trainer yourself. `voicecoach delete` removes it."
)


def before_recording(terminal: Terminal | None, data: Path, trainee: str, wall: str) -> Prepared | None:
    """The consent as an event; None where the trainee does not agree, and then nothing may be recorded.

    At a terminal it is asked for once; without one (None) the line is what `terminal` is for: told, and going on agrees.
    """
    earlier = load(data, trainee)
    if earlier:
        return "consent", {"line": LINE, "how": "earlier", "given": earlier}
    if terminal is None:
        return "consent", {"line": LINE, "how": "told", "given": wall}
    terminal.say(LINE)
    answer = terminal.ask("  Enter agrees, and is not asked again; s leaves without recording: ")
    if answer is None or answer.strip().casefold() in SKIP | {"n", "no"}:
        return None
    save(data, trainee, wall)
    return "consent", {"line": LINE, "how": "asked", "given": wall}


def load(data: Path, trainee: str) -> str:
    """When this trainee agreed; empty for never, also where the file is damaged."""
    given = kept.read(_path(data)).get(trainee)
    return given if isinstance(given, str) else ""


def save(data: Path, trainee: str, wall: str) -> None:
    """Keep that this trainee agreed; raises DiskError."""
    with kept.changed(_path(data), "Your consent") as given:
        given[trainee] = wall


def _path(data: Path) -> Path:
    return data / "consent.json"
