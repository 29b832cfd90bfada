"""`voicecoach submit` and `voicecoach desk`: a trainee hands in one session, a trainer answers, both on plain folders."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from voicecoach.commands import common
from voicecoach.errors import BadInput

_Session = Annotated[Path, typer.Argument(help="A bundle or a session folder.")]
_Trainer = Annotated[str, typer.Option(help="Your name, as the trainee will read it.")]


class _Desk(TyperGroup):
    """`desk FOLDER` is `desk list FOLDER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See the class."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["list", *args]
        return super().parse_args(ctx, args)


desk_app = typer.Typer(cls=_Desk, no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(submit)
    app.add_typer(desk_app, name="desk")


@dataclass(frozen=True)
class Taken:
    """An assignment as `rehearse` takes it: names, and the event that the record gets."""

    scenario: str
    level: common.LevelName | None
    procedure: str
    event: tuple[str, dict[str, Any]]


def take(file: Path, sessions: Path, trainee: str) -> Taken:
    """Read an assignment, and say what it asks for and which attempt of this trainee it is."""
    from voicecoach import desk
    from voicecoach.report.trainer import assignment_lines

    task = desk.read_assignment(file)
    count = desk.attempt(sessions, task, trainee)
    typer.echo(f"Assignment, attempt {count}{f' of {task.attempts}' if task.attempts else ''}:")
    typer.echo("\n".join(f"  {line}" for line in assignment_lines(task)) + "\n")
    event = "assignment", {"assignment": asdict(task), "attempt": count}
    return Taken(desk.scenario_of(task, file.parent), task.level, desk.procedure_of(task, file.parent), event)


def submit(
    session: Annotated[
        str, typer.Argument(help="The one session to submit: its name, the beginning of it, its folder, or `last`.")
    ],
    to: Annotated[Path, typer.Option(help="The folder that your trainer reads.")],
    audio: Annotated[bool, typer.Option(help="With the recording, or the words and numbers only.")] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Give one session to your trainer; every other one stays private.

    Example: `voicecoach submit last --to /mnt/training/inbox`
    """
    from voicecoach import desk, record
    from voicecoach.keys import interactive

    folder = record.find(common.sessions(), session)
    typer.echo("\n".join(desk.contents_lines(desk.contents(folder, sound=audio))))
    if not yes:
        if not interactive():
            raise BadInput("Nothing was submitted: there is no terminal to ask on.", "Repeat the command with --yes.")
        if not typer.confirm("Submit it?"):
            typer.echo("Nothing was submitted.")
            return
    bundle = desk.submit(folder, to, sound=audio)
    typer.echo(f"Submitted: {bundle}")
    common.note_copy(folder, "submitted", bundle)


@desk_app.callback()
def _desk() -> None:
    """Look through submitted sessions, answer them, set assignments, compare your marks with the machine's.

    Example: `voicecoach desk /mnt/training/inbox`
    """


@desk_app.command("list")
def desk_list(
    folder: Annotated[Path, typer.Argument(help="The folder that trainees submit to.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per session.")] = False,
) -> None:
    """List the sessions in a folder, each with its state: new, commented, pass, fail, again.

    Example: `voicecoach desk list /mnt/training/inbox`
    """
    from voicecoach import desk, record

    found = desk.submissions(folder)
    if not found and not as_json:
        typer.echo(f"There is no session in {folder}. Trainees submit with: voicecoach submit SESSION --to {folder}")
    for one in found:
        if as_json:
            typer.echo(record.to_json({**asdict(one), "path": str(one.path)}))
            continue
        name, trainee, persona, day, outcome = map(
            desk.shown, (one.path.name, one.trainee, one.persona, one.wall[:10], one.outcome)
        )
        typer.echo(
            f"{name:40} {one.state:10} {trainee:14} {persona:12} {day:10} {one.turns:3} turns  {outcome}".rstrip()
        )
        for problem in one.problems:
            typer.echo(f"    ! {desk.shown(problem)}")


@desk_app.command("show")
def desk_show(
    session: _Session,
    html: Annotated[Path | None, typer.Option(help="Write the page, with the recording, to this file.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser (needs --html).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one line of JSON.")] = False,
) -> None:
    """Show the debrief of a session, with the trainer's words beside the machine's marks.

    Example: `voicecoach desk show inbox/20261121-dana.zip --html dana.html --open`
    """
    show(session, html, open_page, as_json)


def show(path: Path, html: Path | None = None, open_page: bool = False, as_json: bool = False) -> None:
    """The debrief of a bundle or a folder; its page is written only where it is asked for."""
    from voicecoach import debrief, desk, record
    from voicecoach.report.text import as_text

    path = desk.look_up(path)
    if html is None and open_page:
        raise BadInput("The page needs a place.", "Name a file with --html.")
    report, page = desk.page_of(path) if html else (desk.report_of(path), "")
    if as_json:
        typer.echo(record.to_json(report))
        return
    typer.echo(as_text(report, width=min(100, common.console().width)))
    if html is not None:
        written = debrief.write_page(page, html)
        typer.echo(f"The page with the recording: {written}")
        if open_page:
            common.open_page(written)


@desk_app.command("comment")
def desk_comment(
    session: _Session,
    text: Annotated[str, typer.Argument(help="What you want to say.")],
    turn: Annotated[int | None, typer.Option(help="The trainee's turn; without it the whole call.", min=1)] = None,
    trainer: _Trainer = "trainer",
) -> None:
    """Comment on a turn, or on the whole call.

    Example: `voicecoach desk comment inbox/20261121-dana.zip --turn 3 "Good: you waited for her answer."`
    """
    from voicecoach import desk, prepare

    _kept(desk.comment(desk.look_up(session), text, trainer, prepare.now(), turn))


@desk_app.command("override")
def desk_override(
    session: _Session,
    verdict: Annotated[str, typer.Option(help="done, unsure or not-heard; of a fault shown, listen or not-heard.")],
    reason: Annotated[str, typer.Option(help="Why: the trainee reads it beside the machine's mark.")],
    turn: Annotated[int | None, typer.Option(help="The trainee's turn.", min=1)] = None,
    code: Annotated[str, typer.Option(help="The move or fault, such as empathise.")] = "",
    step: Annotated[str, typer.Option(help="Instead: a step of the procedure, by its id.")] = "",
    trainer: _Trainer = "trainer",
) -> None:
    """Mark a move, a fault or a step as you hear it, with the reason; the machine's mark stays beside yours.

    Example: `voicecoach desk override inbox/20261121-dana.zip --turn 3 --code empathise --verdict done --reason "The tone."`
    """
    from voicecoach import desk, prepare

    path = desk.look_up(session)
    _kept(desk.override(path, verdict, reason, trainer, prepare.now(), turn=turn, code=code, step=step))


@desk_app.command("verdict")
def desk_verdict(
    session: _Session,
    verdict: Annotated[Literal["pass", "fail", "again"], typer.Argument(help="Your verdict on the session.")],
    text: Annotated[str, typer.Option(help="What you want to say with it.")] = "",
    following: Annotated[Path | None, typer.Option("--next", help="An assignment file that goes back with it.")] = None,
    trainer: _Trainer = "trainer",
) -> None:
    """Give a verdict on a session, and with it the next assignment.

    Example: `voicecoach desk verdict inbox/20261121-dana.zip again --text "Nearly." --next week-2.yaml`
    """
    from voicecoach import desk, prepare

    path, now = desk.look_up(session), prepare.now()
    assignment = desk.read_assignment(following) if following else None
    kept = desk.give_verdict(path, verdict, text, trainer, now)
    if assignment:
        desk.give_next(path, assignment, trainer, now)
    _kept(kept)


def _kept(path: Path) -> None:
    typer.echo(f"Kept in {path}")


@desk_app.command("assign")
def desk_assign(
    file: Annotated[Path, typer.Argument(help="The assignment: a new file, or one to check.")],
    scenario: Annotated[str, typer.Option(help="Which call: a bundled scenario, or a file beside this one.")] = "",
    level: Annotated[common.LevelName | None, typer.Option(help="How hard it is.")] = None,
    procedure: Annotated[str, typer.Option(help="What scores the call.")] = "six-guidelines",
    due: Annotated[str, typer.Option(help="The last day, such as 2026-12-31.")] = "",
    attempts: Annotated[int | None, typer.Option(help="How many calls count.", min=1, max=99)] = None,
    pass_mark: Annotated[int | None, typer.Option(help="Per cent of the steps needed to pass.", min=0, max=100)] = None,
    minimum: Annotated[
        list[str] | None, typer.Option(help="A mandatory step: its id, or id=unsure (may be repeated).")
    ] = None,
    title: Annotated[str, typer.Option(help="A title, for people to read.")] = "",
    note: Annotated[str, typer.Option(help="A note to the trainee.")] = "",
) -> None:
    """Write an assignment file, or check one that exists.

    Example: `voicecoach desk assign week-2.yaml --scenario dana-printer --level hard --pass-mark 60 --minimum clarify`
    """
    from voicecoach import desk
    from voicecoach.report.trainer import assignment_lines

    if scenario:
        found = _assignment(
            file, scenario=scenario, level=level, procedure=procedure, due=due, attempts=attempts, pass_mark=pass_mark,
            title=title, note=note, minimums=minimum or [],
        )  # fmt: skip
        desk.write_assignment(found, file)
        try:
            desk.read_assignment(file)
        except BadInput:
            file.unlink()
            raise
        typer.echo(f"Written: {file}")
    else:
        found = desk.read_assignment(file)
        typer.echo(f"{file}: good.")
    typer.echo("\n".join(f"  {line}" for line in assignment_lines(found)))
    typer.echo(f"Take it: voicecoach rehearse --assignment {file}")


def _assignment(file: Path, *, minimums: list[str], **values: Any) -> Any:
    from voicecoach.nouns import slug
    from voicecoach.report.desk import Assignment, Minimum

    name = slug(file.stem) or "assignment"
    try:
        steps = []
        for written in minimums:
            step, _, least = written.partition("=")
            if least not in ("", "done", "unsure"):
                raise ValueError(f"'{least[:40]}' is not a minimum: write done or unsure")
            steps.append(Minimum(step.strip(), "unsure" if least == "unsure" else "done"))
        return Assignment(id=name, minimums=tuple(steps), **values)
    except ValueError as error:
        raise BadInput(f"The assignment cannot be made: {error}.", "See `voicecoach desk assign --help`.") from error


@desk_app.command("collect")
def desk_collect(
    source: Annotated[Path, typer.Argument(help="The folder that you submitted to, or the trainer's file.")],
) -> None:
    """For trainees: fetch what the trainer wrote about your sessions; `voicecoach report` then shows it.

    Example: `voicecoach desk collect /mnt/training/inbox`
    """
    from voicecoach import desk

    found = desk.collect(source, common.sessions())
    for one in found:
        typer.echo(f"{one.session.name}: {one.lines} new. See it: voicecoach report {one.session.name}")
    if not found:
        typer.echo(f"There is nothing about a session of yours in {source}.")


@desk_app.command("agreement")
def desk_agreement(
    folder: Annotated[Path, typer.Argument(help="The folder with the sessions you have answered.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one line of JSON.")] = False,
) -> None:
    """Compare the machine's marks with yours over all sessions with a verdict: Cohen's kappa with its interval.

    Example: `voicecoach desk agreement /mnt/training/inbox`
    """
    from voicecoach import desk, record
    from voicecoach.report.agreement import as_lines

    found, problems = desk.agreement_in(folder)
    if as_json:
        typer.echo(record.to_json({**asdict(found), "problems": problems}))
        return
    typer.echo("\n".join(as_lines(found)))
    for problem in problems:
        typer.echo(f"! {desk.shown(problem)}")


@desk_app.command("schema")
def desk_schema() -> None:
    """Print the JSON Schema of an assignment file, by which editors complete and check it.

    Example: `voicecoach desk schema > assignment.schema.json`
    """
    from voicecoach import desk

    typer.echo(json.dumps(desk.schema(), indent=1, sort_keys=True))
