"""`voicecoach report`: a debrief again, from its record alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicecoach.commands import calls, common, desk


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    session: Annotated[
        str, typer.Argument(help="A session: its name, the beginning of it, its folder, a bundle, or `last`.")
    ] = "last",
    html: Annotated[
        Path | None,
        typer.Option(help="Where to write the page (default: in the session's folder; of a bundle, nowhere)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one line of JSON instead.")] = False,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser (of a bundle it needs --html).")
    ] = False,
) -> None:
    """Rebuild a debrief from its record alone: as text, and as one page with the recording in it.

    Example: `voicecoach report last --open`
    """
    from voicecoach import bundles, debrief, record, retention

    if bundles.is_bundle(Path(session)):
        desk.show(Path(session), html, open_page, as_json)
        return
    folder = record.find(common.sessions(), session)
    if as_json:
        typer.echo(record.to_json(debrief.report_on(record.read(folder))))
        return
    calls.show_debrief(folder, html, open_page)
    if html is not None:
        page = html / record.PAGE if html.is_dir() else html
        for heard in (folder, *retention.others(folder)):  # the page plays other takes of its moments, too
            common.note_copy(heard, "exported", page)
