"""`voicecoach judge`: words in, moves and faults out."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from voicecoach.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(judge)


def judge(
    text: Annotated[str | None, typer.Option(help="What the agent said.")] = None,
    context: Annotated[str, typer.Option(help="What the customer had said before.")] = "",
    customer_name: Annotated[str, typer.Option(help="The customer's name.")] = "",
    limit: Annotated[
        list[str] | None, typer.Option(help="What may not be promised, as a short phrase (may be repeated).")
    ] = None,
    offer: Annotated[
        list[str] | None, typer.Option(help="What can be offered, as a short phrase (may be repeated).")
    ] = None,
    jsonl: Annotated[
        str | None, typer.Option(help="A file with one turn per line of JSON, or - for standard input.")
    ] = None,
    cues_only: Annotated[
        bool, typer.Option("--cues-only", help="Go by the cues alone, without the text encoder: faster, finds less.")
    ] = False,
) -> None:
    """Judge what was said: moves and faults of a turn, each with its quote, rule and advice, as JSON.

    Example: `voicecoach judge --text "I am so sorry you have been upset." --context "This is the third time!"`

    Lines of --jsonl: `{"id", "text", "context", "customer_name", "history_steps": [codes], "limits": [phrases],
    "offers": [phrases], "finished": true or false}`; all but `text` may be left out.
    """
    from voicecoach import plumbing, prepare

    rules = prepare.rules(cues_only=cues_only)
    if rules.reading is None and not cues_only:
        typer.echo("The judge's text encoder is missing: judged by the cues alone, which find less.", err=True)
    if (text is None) == (jsonl is None):
        raise BadInput("Give either --text or --jsonl.", 'For example: voicecoach judge --text "I see, go on."')
    if text is not None:
        told = {"context": context, "customer_name": customer_name, "limits": limit, "offers": offer}
        line = {"id": "text", "text": text, **told}
        typer.echo(json.dumps(plumbing.judge_line(line, rules), ensure_ascii=False))
        return
    for result in plumbing.judge_lines(str(jsonl), rules):
        typer.echo(json.dumps(result, ensure_ascii=False))
