"""Moments taken again, in the terminal: `rehearse --retry`, the offer after a debrief, and `takes`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicecoach.commands import common
from voicecoach.errors import BadInput

if TYPE_CHECKING:
    from voicecoach.session import Call

FROM_THE_RECORD = ("persona", "scenario", "level", "procedure", "seed")
"""Options of `rehearse` that a retry takes from the session."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(takes)


def retried(context: typer.Context, call: Call, session: str, turn: int) -> tuple[Call, int]:
    """`call` as it goes on from a recorded moment, and how many turns had been said before."""
    from dataclasses import replace

    from voicecoach import record, retry

    if given := common.stated(context, FROM_THE_RECORD):
        raise BadInput(
            f"--retry takes the customer, the procedure and the seed from the session; {given[0]} was given too.",
            "Leave it out, or start a new call without --retry.",
        )
    again = retry.prepare_retry(record.find(common.sessions(), session), turn, call.rules)
    call = retry.begin(call, again)
    own = common.stated(context, ("talk", "patience"))
    call = replace(
        call,
        mode=call.mode if "talk" in own else again.mode,
        patience=call.patience if "patience" in own else again.patience,
    )
    typer.echo(f"Turn {again.turn} of {again.session}, take {again.take}: {again.persona.name} says it again.")
    return call, again.turns_before


def offered(call: Call, folder: Path) -> Call | None:
    """After a debrief: the weakest turn once more, or another one, if the trainee wants that."""
    from dataclasses import replace

    from voicecoach import debrief, prepare, record, retry
    from voicecoach.takes import weakest

    report = debrief.report_on(record.read(folder), call.rules)
    worst = weakest(report)
    if worst is None:
        return None
    turn, why = worst
    ask = common.terminal().ask
    answer = ask(f"\nRetry turn {turn}, the weakest ({why})? y, or another turn's number; Enter ends: ")
    chosen = (answer or "").strip().lower()
    if chosen in {"y", "yes"}:
        chosen = str(turn)
    if not chosen.isdecimal():
        return None
    try:
        again = retry.prepare_retry(folder, int(chosen), call.rules)
    except BadInput as error:
        typer.echo(str(error))
        return None
    return replace(retry.begin(call, again), wall=prepare.now())


def takes(
    session: Annotated[str, typer.Argument(help="A session: its name, the beginning of it, its folder, or `last`.")],
    turn: Annotated[int | None, typer.Argument(help="A turn of it (default: every turn that was retried).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per moment.")] = False,
) -> None:
    """Compare the takes of a moment: the words, the marks and what each did to the customer. To hear them: `report`.

    Example: `voicecoach takes last 3`
    """
    from voicecoach import record
    from voicecoach import takes as taking
    from voicecoach.report.takes import as_text

    folder = record.find(common.sessions(), session)
    found = taking.takes_of(folder, turn)
    if not found:
        which = "No turn" if turn is None else f"Turn {turn}"
        raise BadInput(
            f"{which} of {folder.name} has been retried.",
            f"Retry it with: voicecoach rehearse --retry {folder.name} {turn or 'TURN'}",
        )
    for moment in found:
        if as_json:
            typer.echo(json.dumps(json.loads(record.to_json(moment)), sort_keys=True, ensure_ascii=False))
    if not as_json:
        typer.echo(as_text(found, min(100, common.console().width)).strip("\n"))
        typer.echo(f"\nTo hear them side by side: voicecoach report {folder.name} --open")
