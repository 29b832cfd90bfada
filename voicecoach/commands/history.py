"""`voicecoach history`: the sessions, trends over them, and the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicecoach.commands import common
from voicecoach.errors import BadInput, VoicecoachError

if TYPE_CHECKING:
    from voicecoach.report.progress import Progress


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(history)


def history(
    count: Annotated[int, typer.Option("-n", "--count", help="How many of the newest sessions.", min=1)] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON per session; with --trends, one of all.")
    ] = False,
    trends: Annotated[bool, typer.Option("--trends", help="Only the trends, without the list.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the history as one page.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    trainee: Annotated[str, typer.Option(help="Whose trends (default: whoever called last).")] = "",
    now: Annotated[
        str,
        typer.Option(
            help="The day for which drills are due, such as 2026-11-30 (default: today; in a page or JSON, the newest session)."
        ),
    ] = "",
) -> None:
    """List the sessions on this machine, newest last, with trends, bests and the next drill; or write them as a page.

    Example: `voicecoach history -n 5`   or   `voicecoach history --html history.html --open`
    """
    from voicecoach import debrief, prepare, record
    from voicecoach.report import progress_page, progress_text
    from voicecoach.report.facts import instant

    if now and instant(now) is None:
        raise BadInput(f"'{now}' is not a time.", "Write it as 2026-11-30 or 2026-11-30T09:00.")
    folders = record.list_sessions(common.sessions())
    paged = html is not None or open_page
    if not trends and not paged:
        _list(folders[-count:], as_json)
        if as_json or not folders:
            return
    # what is written down is the same from the same folders on any day, and says from which day it counts
    told = progress_of(trainee, now or ("" if paged or as_json else prepare.now()))
    if as_json:
        typer.echo(record.to_json(told))
    if paged:
        path = debrief.write_page(progress_page.as_html(told), _target(html), "voicecoach history --html FILE")
        typer.echo(f"The page: {path}", err=as_json)
        if open_page:
            common.open_page(path)
    elif not as_json:
        text = progress_text.as_text(told, min(100, common.console().width)).rstrip("\n")
        if text:
            typer.echo(text if trends else f"\n{text}")
        elif trends:
            typer.echo("There are no trends without a whole call. Take the first: voicecoach rehearse")


def progress_of(trainee: str, now: str) -> Progress:
    """The progress of a trainee over all sessions, with a note on the screen while the index is made."""
    from voicecoach import drills
    from voicecoach import history as sessions
    from voicecoach.report.progress import progress

    with common.console().status("") as status:
        found = sessions.read(
            common.sessions(), progress=lambda done, whole: status.update(f"Reading session {done + 1} of {whole}...")
        )
    if trainee and not any(row.trainee == trainee for row in found.rows):
        names = ", ".join(sorted({row.trainee for row in found.rows if row.trainee}))
        raise BadInput(f"There are no sessions of '{trainee}'.", f"There are sessions of: {names or 'nobody yet'}.")
    return progress(found.rows, drills.all_drills(), trainee=trainee, now=now, skipped=found.skipped)


def _target(html: Path | None) -> Path:
    if html is None:
        return common.data() / "history.html"
    return html / "history.html" if html.is_dir() else html


def _list(folders: Sequence[Path], as_json: bool) -> None:
    if not folders and not as_json:
        typer.echo(f"There are no sessions in {common.sessions()} yet. The first: voicecoach rehearse")
    for folder in folders:
        try:
            row = _row(folder)
        except VoicecoachError as error:
            typer.echo(str(error), err=True)
            continue
        if as_json:
            typer.echo(json.dumps(row, sort_keys=True))
            continue
        anger = f"anger {row['anger'][0]:.1f} -> {row['anger'][1]:.1f}" if row["anger"] else ""
        typer.echo(
            f"{row['session']:42} {row['persona']:14} {row['minutes']:5.1f} min  {row['turns']:3} turns  {row['outcome']:12} {anger}".rstrip()
        )


def _row(folder: Path) -> dict[str, Any]:
    from voicecoach import record
    from voicecoach.report.facts import number
    from voicecoach.report.head import head_of

    session = record.read_events(folder)
    head = head_of(session.events)
    angers = [anger for event in session.of("said") if (anger := number(event.data.get("anger"))) is not None]
    return {
        "session": folder.name,
        "persona": head.persona,
        "minutes": round(head.minutes, 2),
        "turns": head.turns,
        "outcome": head.outcome,
        "anger": [angers[0], angers[-1]] if angers else None,
    }
