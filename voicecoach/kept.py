"""Small files that are kept from call to call: private, and whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from voicecoach.errors import DiskError

_CHANGING = Lock()
"""Calls on the page are threads of one process: each reads what the one before it wrote."""


def read(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none, also where the file is damaged."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def changed(path: Path, what: str) -> Iterator[dict[str, Any]]:
    """The JSON object in a file, to be changed: it is written at the end of the block, as in `write`."""
    with _CHANGING:
        entries = read(path)
        yield entries
        write(path, json.dumps(entries, indent=1, sort_keys=True) + "\n", what)


def write(path: Path, text: str, what: str) -> None:
    """Keep a text in the data folder, made if need be; raises DiskError, which begins with `what`."""
    try:
        for folder in reversed(path.parents):  # each of them private, which mkdir(parents=True) does not do
            folder.mkdir(mode=0o700, exist_ok=True)
        replace(path, text)
    except OSError as error:
        raise DiskError(
            f"{what} could not be kept in {path} ({error.strerror or error}).", "Choose another folder with --data."
        ) from error


def replace(path: Path, text: str) -> None:
    """Write a file for its owner only, completely or not at all; a failure leaves no draft. Raises OSError."""
    handle, name = tempfile.mkstemp(".tmp", ".", path.parent)  # a name of its own: two may write at once
    draft = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
