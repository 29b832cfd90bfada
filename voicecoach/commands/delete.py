"""`voicecoach delete`: sessions for good, one by one or by age, with all that was made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from voicecoach.commands import common
from voicecoach.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(delete)


def delete(
    sessions: Annotated[list[str] | None, typer.Argument(help="Sessions to delete: names, folders, or `last`.")] = None,
    older_than: Annotated[
        str | None, typer.Option(help="Every session older than this: 30d, 8w, 6m, 1y.", metavar="AGE")
    ] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Every session older than --keep allows.")] = False,
    keep: Annotated[
        str | None,
        typer.Option(
            help="Set how long sessions are kept (such as 90d, or `forever`); this deletes nothing.", metavar="AGE"
        ),
    ] = None,
    with_copies: Annotated[
        bool,
        typer.Option(
            "--copies",
            help="Also copies that were submitted (with the trainer's answer) or exported, if they are unchanged.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete sessions for good: recording, transcript, debrief, the trainer's words, and exports in the data folder.

    Example: `voicecoach delete last`   or   `voicecoach delete --older-than 30d`
    """
    from voicecoach import copies, prepare, record, retention
    from voicecoach.keys import interactive

    if keep is not None:
        _keep(keep)
    folders = [record.find(common.sessions(), session) for session in sessions or ()]
    if older_than is not None:
        folders += retention.older_than(common.sessions(), retention.days(older_than), prepare.now())
    if expired:
        kept = retention.load(common.data())
        if kept is None:
            raise BadInput("How long sessions are kept is not set.", "Set it: voicecoach delete --keep 90d")
        folders += retention.older_than(common.sessions(), kept, prepare.now())
    folders = list(dict.fromkeys(folder.resolve() for folder in folders))
    if not folders:
        if keep is None and not (expired or older_than):
            raise BadInput("No session is named.", "Name one, or use --older-than 30d.")
        if keep is None:
            typer.echo("No session is as old as that: nothing was deleted.")
        return
    made = {folder: copies.of(folder) for folder in folders}  # where they are is told in the folder
    told = dict.fromkeys(f"{copy.what}: {copy.path}" for found in made.values() for copy in found)
    _show(folders, list(told), with_copies)
    if not yes:
        if not interactive():
            raise BadInput("Nothing was deleted: there is no terminal to ask on.", "Repeat the command with --yes.")
        if not typer.confirm(
            f"Delete {'this session' if len(folders) == 1 else f'these {len(folders)} sessions'} for good?"
        ):
            typer.echo("Nothing was deleted.")
            return
    left: set[Path] = set()
    for folder in folders:
        retention.delete(folder, common.data())
        left |= {copy.path for copy in made[folder] if not with_copies or not copies.remove(copy)}
    typer.echo(f"Deleted {len(folders)}." + (f" {len(left)} copies are left." if left else ""))


def _show(folders: Sequence[Path], made: Sequence[str], with_copies: bool) -> None:
    for folder in folders:
        typer.echo(f"{folder}")
    if made:
        typer.echo("Copies that are deleted too:" if with_copies else "Copies that stay (--copies deletes them too):")
    for line in made:
        typer.echo(f"  {line}")


def _keep(written: str) -> None:
    from voicecoach import retention

    kept = None if written.strip().lower() == "forever" else retention.days(written)
    retention.save(common.data(), kept)
    typer.echo(
        "Sessions are kept until you delete them."
        if kept is None
        else f"Sessions are to be kept for {kept} days. `voicecoach doctor` tells you of older ones; "
        "`voicecoach delete --expired` deletes them."
    )
