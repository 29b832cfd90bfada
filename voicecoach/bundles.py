"""Sessions as zip files: one way to write them, and a wary way to open those of others.

A bundle holds the files of a session folder at its top, and `manifest.json` first with the SHA-256 of each. It is not
compressed and bears no times, so that the same files give the same bytes with every version of every library. The
hashes show that something was changed afterwards; they are no signature and do not show by whom it was made.

What comes from others is taken apart here, by our own reader: only names that a session has are taken, each below its
limit, whatever the file claims. Names are never paths. What is torn is read as far as it goes, and said.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from voicecoach import record
from voicecoach.errors import BadInput, DiskError
from voicecoach.report.facts import text

MANIFEST = "manifest.json"
FORMAT = "voicecoach session 1"
MB = 1 << 20
LIMITS: Mapping[str, int] = {
    MANIFEST: MB,
    "events.jsonl": record.MAX_EVENTS_BYTES,
    "persona.yaml": record.MAX_TEXT_BYTES,
    "procedure.yaml": record.MAX_TEXT_BYTES,
    record.TRAINER: record.MAX_LINES_BYTES,
    "audio.flac": 1400 * MB,
    "audio.wav": 1400 * MB,
}
"""Most bytes of each file that is taken out: six hours of two channels are 1400 MB before they are packed."""
MAX_NAMES = 1000
"""Files in a bundle; a session has a dozen."""
MAX_DIRECTORY_BYTES = MB
MAX_TOLD = 5
_STORED, _DEFLATED = 0, 8
_BLOCK = 1 << 16


# --- writing -------------------------------------------------------------------------------------------


def write(folder: Path, names: Sequence[str], path: Path, *, mode: int = 0o600) -> str:
    """Bundle these files of a session folder, whole or not at all; the bundle's SHA-256. Raises DiskError."""
    hashes = {name: _hash(folder / name) for name in sorted(names, key=_rank)}
    manifest = record.to_json({"format": FORMAT, "session": folder.resolve().name, "files": hashes})
    draft = path.with_name(path.name + ".tmp")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), mode)
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
                bundle.writestr(_entry(MANIFEST), manifest + "\n")
                for name in hashes:
                    entry = _entry(name)
                    entry.file_size = (folder / name).stat().st_size
                    with open(folder / name, "rb") as source, bundle.open(entry, "w") as sink:
                        while block := source.read(_BLOCK):
                            sink.write(block)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except (OSError, zipfile.LargeZipFile) as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        why = error.strerror if isinstance(error, OSError) else error
        raise DiskError(
            f"{path} could not be written ({why or error}).", "Choose another place, or free some space."
        ) from error
    return hash_of(path)


def _rank(name: str) -> tuple[int, str]:
    """The words first and the sound last, so that of a torn bundle the words are still there."""
    return (name.startswith("audio.") + 2 * (name == record.PAGE), name)


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without a time or an owner."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o600) << 16
    return entry


def _hash(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": hash_of(path)}


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole(folder: Path) -> tuple[str, ...]:
    """Names of everything in a session folder that belongs to it: plain files, no drafts, no links."""
    found = []
    for path in folder.iterdir():
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and not path.name.endswith(".tmp") and path.name not in {MANIFEST, record.COPIES}:
            found.append(path.name)
    return tuple(sorted(found))


# --- opening ---------------------------------------------------------------------------------------------


def is_bundle(path: Path) -> bool:
    """Whether this is a file that calls itself, or begins as, a zip."""
    try:
        if not path.is_file():
            return False
        with open(path, "rb") as file:
            return path.suffix.lower() == ".zip" or file.read(4) == b"PK\x03\x04"
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def opened(path: Path, *, sound: bool = True) -> Iterator[record.Record]:
    """A session folder or a bundle as a record, for as long as the block lasts; without `sound` the audio stays packed.

    What is missing, damaged, changed or does not belong is among the record's problems. The trainer's lines are those
    inside and, of a bundle, those of the file beside it, as far as they are about this session. Raises BadInput where
    there is nothing to read.
    """
    if not is_bundle(path):
        session = record.read(path)
        own, strange = words_about(session, session.trainer)
        yield replace(session, trainer=own, problems=(*session.problems, *against_manifest(path), *strange))
        return
    with tempfile.TemporaryDirectory(prefix="voicecoach-") as temporary:
        folder = Path(temporary) / "session"
        folder.mkdir(mode=0o700)
        problems, name, left = _unpack(path, folder, sound)
        session = record.read(folder)
        inside, strange = words_about(session, session.trainer)
        lines, odd = record.read_lines(trainer_file(path))
        beside, others = words_about(session, lines)
        if odd:
            problems.append(f"{odd} lines of the trainer's file are damaged and left out.")
        missing = [
            said for said in session.problems if left.isdisjoint(("audio.flac", "audio.wav")) or not _of_sound(said)
        ]
        yield replace(
            session,
            folder=folder.rename(Path(temporary) / name) if name else folder,
            audio=Path(temporary) / name / session.audio.name if name and session.audio else session.audio,
            problems=(*problems, *missing, *strange, *others),
            trainer=(*inside, *beside),
        )


def trainer_file(path: Path) -> Path:
    """Where a trainer writes about a session: inside its folder, or beside its bundle."""
    return path.with_name(f"{path.stem}.{record.TRAINER}") if path.is_file() else path / record.TRAINER


def identity(session: record.Record) -> str:
    """What a session is known by wherever it lies: the hash of how it began."""
    started = session.first("started")
    return hashlib.sha256(
        record.to_json(started.data if started else [asdict(e) for e in session.events]).encode()
    ).hexdigest()


def words_about(
    session: record.Record, lines: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Mapping[str, Any], ...], list[str]]:
    """The lines of a trainer's file that are about this session, and a sentence where others are left out.

    A file says in its lines `about` what those below are about; a name may have become that of another session.
    """
    if not lines:
        return (), []
    mine = about = identity(session)
    kept, others = [], 0
    for line in lines:
        if line.get("kind") == "about":
            about = text(line.get("session"))
        if about == mine:
            kept.append(line)
        else:
            others += line.get("kind") != "about"
    told = f"{others} of the trainer's lines are about another session and left out."
    return tuple(kept), [told] if others else []


def _of_sound(problem: str) -> bool:
    return problem.startswith("The recording")


def against_manifest(folder: Path, left: Collection[str] = ()) -> list[str]:
    """What is not as a session's manifest says, a sentence each; no manifest, no sentence. `left` is not looked at."""
    files = _manifest(folder).get("files")
    if not isinstance(files, dict):
        return []
    problems = []
    for name, stated in list(files.items())[:MAX_NAMES]:
        known, wanted = text(name)[:80], stated.get("sha256") if isinstance(stated, dict) else None
        if name not in LIMITS or name in left:
            continue
        path = folder / name
        if not path.is_file():
            problems.append(f"{known} is missing, which was in the bundle when it was made.")
        elif hash_of(path) != wanted:
            problems.append(f"{known} is not as it was when it was bundled: it was damaged, or changed afterwards.")
    known_files = {name for name in LIMITS if name not in {MANIFEST, record.TRAINER} and (folder / name).is_file()}
    problems += [f"{name} was added after the bundle was made." for name in sorted(known_files - files.keys())]
    return problems


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_bytes()[:MB]) if (folder / MANIFEST).is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class _Entry:
    """One file of a zip as its directory has it; `at` is where its own header begins."""

    name: str
    method: int
    packed: int
    crc: int
    at: int
    encrypted: bool
    link: bool


def _unpack(path: Path, folder: Path, sound: bool) -> tuple[list[str], str, set[str]]:
    """Take the known files out; (problems, the session's name or nothing, names that were left packed)."""
    problems: list[str] = []
    left: set[str] = set()
    try:
        with open(path, "rb") as file:
            entries, torn = _entries(file)
            problems += torn
            taken = _chosen(entries, path, problems)
            for name, entry in taken.items():
                if name.startswith("audio.") and not sound:
                    left.add(name)
                    continue
                room = shutil.disk_usage(folder).free // 2
                why = _take(file, entry, folder / name, LIMITS[name], room)
                if why == _NO_ROOM:
                    left.add(name)  # it is not whole, but nobody has changed it
                if why:
                    problems.append(f"{name} in the bundle {why}; what was read until there is shown.")
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror or error}).", "Check the path and the permissions."
        ) from error
    if not (folder / "events.jsonl").is_file():
        raise BadInput(f"{path} holds no session: there is no events.jsonl that can be read.", *_hint(problems))
    manifest = _manifest(folder)
    name = _safe(manifest.get("session"), path)
    listed = manifest.get("files")
    if (folder / record.TRAINER).is_file() and not (isinstance(listed, dict) and record.TRAINER in listed):
        (folder / record.TRAINER).unlink()
        problems.append("The trainer's words inside the bundle are left out: its manifest does not name them.")
    if (folder / MANIFEST).is_file():
        problems += against_manifest(folder, left)
        (folder / MANIFEST).unlink()
    else:
        problems.append("There is no manifest: whether the session was changed afterwards cannot be told.")
    return problems, name, left


def _hint(problems: Sequence[str]) -> tuple[str]:
    return (" ".join(problems[:MAX_TOLD]) or "Ask for the bundle again: `voicecoach submit` makes it.",)


def _safe(name: Any, path: Path) -> str:
    """The session's name where it is one, else the bundle's own."""
    for given in (name, path.stem):
        if isinstance(given, str) and record.is_session_name(given):
            return given
    return ""


def _chosen(entries: Sequence[_Entry], path: Path, problems: list[str]) -> dict[str, _Entry]:
    """Known files by name, from the top or from the one folder that the session lies in."""
    plain = [entry for entry in entries if not entry.name.endswith("/")]
    sessions = sorted({entry.name for entry in plain if _last(entry.name) == "events.jsonl" and not _odd(entry.name)})
    if len(sessions) > 1:
        raise BadInput(f"{path} holds {len(sessions)} sessions.", "Unpack it, and open one of them.")
    top = sessions[0].removesuffix("events.jsonl") if sessions else ""
    chosen: dict[str, _Entry] = {}
    strange = []
    for entry in plain:
        name = entry.name.removeprefix(top)
        if entry.link or _odd(entry.name) or not entry.name.startswith(top) or name not in LIMITS:
            if name not in {record.PAGE, record.COPIES} or entry.link:
                strange.append(text(entry.name)[:60] or "(no name)")
        elif entry.encrypted:
            problems.append(f"{name} is locked with a password and left out.")
        elif name in chosen:
            raise BadInput(
                f"{path} holds {name} twice, so it cannot be told which is meant.", "Ask for the bundle again."
            )
        else:
            chosen[name] = entry
    if strange:
        more = f" and {len(strange) - MAX_TOLD} more" if len(strange) > MAX_TOLD else ""
        problems.append(f"Left out, as no session has it: {', '.join(strange[:MAX_TOLD])}{more}.")
    return chosen


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _odd(name: str) -> bool:
    """A name that leads somewhere else, or that no system means well by."""
    return name.startswith("/") or "\\" in name or ":" in name or "\0" in name or ".." in name.split("/")


def _entries(file: IO[bytes]) -> tuple[list[_Entry], list[str]]:
    """What a zip holds: by its directory, or where that is torn off, by walking through it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at >= 0 and len(tail) >= at + 22:
        count, length, offset = struct.unpack_from("<HII", tail, at + 10)
        if count > MAX_NAMES or length > MAX_DIRECTORY_BYTES:
            raise BadInput(
                "The zip claims to hold more than any session does.",
                "Ask for the bundle again: `voicecoach submit` makes it.",
            )
        file.seek(offset)
        found = _directory(file.read(length))
        if len(found) == count:
            return found, []
    found = _walk(file, size)
    if not found:
        raise BadInput(
            "This is not a zip file that can be read.", "Ask for the bundle again: `voicecoach submit` makes it."
        )
    return found, ["The bundle is torn: its end is missing. What is readable is shown."]


def _directory(raw: bytes) -> list[_Entry]:
    found, at = [], 0
    while raw[at : at + 4] == b"PK\x01\x02" and len(raw) >= at + 46:
        flags, method = struct.unpack_from("<HH", raw, at + 8)
        crc, packed, _, names, extra, comment = struct.unpack_from("<IIIHHH", raw, at + 16)
        mode, start = struct.unpack_from("<II", raw, at + 38)
        name = raw[at + 46 : at + 46 + names].decode("utf-8", "replace")
        link = stat.S_ISLNK(mode >> 16)
        found.append(_Entry(name, method, packed, crc, start, bool(flags & 1), link))
        at += 46 + names + extra + comment
    return found


def _walk(file: IO[bytes], size: int) -> list[_Entry]:
    """Entries by their own headers, as far as these state their length."""
    found: list[_Entry] = []
    at = 0
    while len(found) < MAX_NAMES:
        file.seek(at)
        head = file.read(30)
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            break
        flags, method = struct.unpack_from("<HH", head, 6)
        crc, packed, _, names, extra = struct.unpack_from("<IIIHH", head, 14)
        name = file.read(names).decode("utf-8", "replace")
        packed = size - at if flags & 8 and not packed else packed
        found.append(_Entry(name, method, packed, crc, at, bool(flags & 1), link=False))
        at += 30 + names + extra + packed
    return found


_NO_ROOM = "is larger than the free space here allows"


def _take(file: IO[bytes], entry: _Entry, target: Path, limit: int, room: int) -> str:
    """Write one entry out, at most `limit` bytes and what there is `room` for; what was wrong, as the rest of a sentence."""
    if entry.method not in (_STORED, _DEFLATED):
        return "is packed in a way that is not used here"
    file.seek(entry.at)
    head = file.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        return "is missing"
    file.seek(entry.at + 30 + sum(struct.unpack_from("<HH", head, 26)))
    crc, written = 0, 0
    try:
        with open(target, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as sink:
            for block in _blocks(file, entry):
                if written + len(block) > limit:
                    return f"is over {limit >> 20 or 1} MB, as in no session"
                if written + len(block) > room:
                    return _NO_ROOM
                sink.write(block)
                crc, written = zlib.crc32(block, crc), written + len(block)
    except (zlib.error, EOFError):
        return "is damaged"
    except OSError as error:
        raise DiskError(
            f"There is no room to open the bundle ({error.strerror or error}).", "Free some space."
        ) from error
    return "" if crc == entry.crc else "is damaged"


def _blocks(file: IO[bytes], entry: _Entry) -> Iterator[bytes]:
    """The content, never more than a block at a time; raises EOFError where the file ends too early."""
    left = entry.packed
    unpacker = zlib.decompressobj(-15) if entry.method == _DEFLATED else None
    while left > 0 and not (unpacker and unpacker.eof):
        raw = file.read(min(_BLOCK, left))
        if not raw:
            raise EOFError
        left -= len(raw)
        if unpacker is None:
            yield raw
            continue
        yield unpacker.decompress(raw, _BLOCK)
        while unpacker.unconsumed_tail:
            yield unpacker.decompress(unpacker.unconsumed_tail, _BLOCK)
    if unpacker:
        yield unpacker.flush()
