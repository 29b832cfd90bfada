"""What a trainee is told and agrees to before the first recording; kept once for each trainee, told in every record."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

from voicecoach.before import SKIP, Prepared, Terminal
from voicecoach.errors import DiskError

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
    given = _read(data).get(trainee)
    return given if isinstance(given, str) else ""


def save(data: Path, trainee: str, wall: str) -> None:
    """Keep that this trainee agreed; raises DiskError."""
    path = data / "consent.json"
    draft = path.with_name(f".{uuid.uuid4().hex}.tmp")  # two calls at once, on the page, write one each
    before = os.umask(0o077)
    try:
        data.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({**_read(data), trainee: wall}, indent=1, sort_keys=True) + "\n", "utf-8")
        draft.replace(path)
    except (OSError, UnicodeError) as error:
        raise DiskError(
            f"Your consent could not be kept in {path} ({error}).", "Choose another folder with --data."
        ) from error
    finally:
        os.umask(before)


def _read(data: Path) -> dict[str, object]:
    try:
        kept = json.loads((data / "consent.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}
