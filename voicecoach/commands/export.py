"""`voicecoach export`: a session as a file for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from voicecoach.commands import common
from voicecoach.errors import BadInput

if TYPE_CHECKING:
    from voicecoach.exports import Who

Format = Literal["json", "csv", "csv-sessions", "vtt", "srt", "textgrid", "audacity", "xapi", "zip"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    session: Annotated[
        str, typer.Argument(help="A session: its name, the beginning of it, its folder, a bundle, or `last`.")
    ] = "last",
    kind: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = "json",
    out: Annotated[
        Path | None,
        typer.Option(help="A file or a folder, or - for the screen (default: exports/ in the data folder)."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every session on this machine; --out is then a folder.")
    ] = False,
    actor: Annotated[
        str, typer.Option(help="xapi: the account name of the trainee (default: a pseudonym made from the name).")
    ] = "",
    home_page: Annotated[
        str, typer.Option(help="xapi: the address of the system that the account belongs to.")
    ] = "https://voicecoach.invalid",
) -> None:
    """Write a session for other programs: scorecard, tables, subtitles, labels, learning records, or all of it as a zip.

    Example: `voicecoach export last --format vtt --out call.vtt`
    """
    from voicecoach import bundles, debrief, exports, record

    who = _who(actor, home_page)
    if every:
        _all(kind, out, who)
        return
    given = Path(session)
    if bundles.is_bundle(given):
        if kind == "zip":
            raise BadInput(
                f"{given} is already a bundle: a new one would no longer show whether it was changed.",
                f"Copy the file, and {bundles.trainer_file(given).name} too if it is beside it.",
            )
        with bundles.opened(given) as told:
            if out is None or str(out) == "-":
                _print(exports.text_of(told, debrief.report_on(told), kind, who), kind)
                return
            typer.echo(f"Written: {exports.export(told, kind, _place(out), who)}")
        return
    folder = record.find(common.sessions(), session)
    if out is not None and str(out) == "-":
        told = record.read(folder)
        _print("" if kind == "zip" else exports.text_of(told, debrief.report_on(told), kind, who), kind)
        return
    typer.echo(f"Written: {_one(folder, kind, out, who)}")


def _who(actor: str, home_page: str) -> Who:
    from urllib.parse import urlsplit

    from voicecoach.exports import Who

    parts = urlsplit(home_page)
    if parts.scheme not in ("http", "https") or not parts.netloc or any(char.isspace() for char in home_page):
        raise BadInput(f"'{home_page[:80]}' is not an address.", "Write for example https://learning.example.org.")
    return Who(actor.strip(), home_page)


def _print(content: str, kind: str) -> None:
    if kind == "zip":
        raise BadInput("A zip cannot be printed.", "Name a file with --out.")
    sys.stdout.write(content)


def _place(out: Path) -> Path:
    """`out`, whose folder must be there."""
    if not out.is_dir() and not out.parent.is_dir():
        raise BadInput(f"There is no folder {out.parent}.", "Make it first, or choose another place with --out.")
    return out


def _one(folder: Path, kind: str, out: Path | None, who: Who) -> Path:
    """Write one session, and keep in mind where it went if that is outside the data folder."""
    from voicecoach import exports, record, retention

    if out is not None:
        written = exports.export(record.read(folder), kind, _place(out), who)
        common.note_copy(folder, "exported", written)
        return written
    place = retention.exports_of(folder, common.data())
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return exports.export(record.read(folder), kind, place, who)


def _all(kind: Format, out: Path | None, who: Who) -> None:
    from rich.progress import track

    from voicecoach import exports, record

    folders = record.list_sessions(common.sessions())
    if not folders:
        raise BadInput(f"There are no sessions in {common.sessions()}.", "`voicecoach rehearse` makes the first.")
    if out is not None and str(out) == "-":
        raise BadInput("All sessions cannot be printed at once.", "Name a folder with --out.")
    shown = track(folders, "Exporting", console=common.console(), transient=True, disable=not sys.stdout.isatty())
    if kind == "csv-sessions":
        target = _place(out) if out is not None else common.data() / "exports"
        if out is None:
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = exports.export_table(map(record.read, shown), target)
        for folder in folders if out is not None else ():
            common.note_copy(folder, "exported", written)
        typer.echo(f"Written: {written} ({len(folders)} sessions)")
        return
    if out is not None and not out.is_dir():
        raise BadInput(f"{out} is not a folder.", "Make it first: each session gets a file of its own there.")
    for folder in shown:
        written = _one(folder, kind, out, who)
    typer.echo(f"Written: {len(folders)} files, the last of them {written}")
