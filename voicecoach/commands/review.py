"""`voicecoach review`: a recording that exists, scored like a rehearsal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from voicecoach.commands import calls, calm_voice, common
from voicecoach.errors import DiskError

if TYPE_CHECKING:
    from voicecoach.world.audiofiles import Spool


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)


def review(
    file: Annotated[Path, typer.Argument(help="A call: stereo with agent and customer, or mono with the agent alone.")],
    agent: Annotated[Literal["left", "right"], typer.Option(help="The agent's channel in a stereo file.")] = "left",
    baseline: Annotated[
        list[Path] | None, typer.Option(help="A calm recording of the agent (may be repeated).")
    ] = None,
    procedure: Annotated[
        str, typer.Option(help="What scores the call: a name from `voicecoach procedures`, or a .yaml file.")
    ] = "six-guidelines",
    model: common.Model = "tiny.en",
) -> None:
    """Score an existing recording: the same record and the same debrief as a rehearsal.

    Example: `voicecoach review call.wav --agent left --procedure five-step-process`
    """
    from rich.progress import Progress

    from voicecoach import prepare, record
    from voicecoach import review as reviewing
    from voicecoach.world.ears import SHORT_S, THREADS

    steps, procedure_text = prepare.choose_procedure(procedure)
    with _unpacked(file) as spool:
        sides = reviewing.sides_of(spool, agent, file)
        which = agent if sides[1] is not None else "both" if spool.channels > 1 else "only"
        faults = list(reviewing.faults_of(spool, file))
        for what, do in faults:
            typer.echo(f"{what} {do}\n")
        ears, files = prepare.ears(model, silence_s=SHORT_S, at_once=THREADS)
        own = calm_voice.of_files(baseline or (), "this recording", ears)
        root, wall = common.sessions(), prepare.now()
        record.make_room(root)
        with Progress(console=common.console(), transient=True) as progress:
            task = progress.add_task("Listening", total=1.0)
            said = reviewing.hear(
                *sides, name=file.name, ears=ears, progress=lambda share: progress.update(task, completed=share),
                fault=lambda what, do: faults.append((what, do)),
            )  # fmt: skip
        writer = record.Writer(record.new_folder(root, wall, f"review-{file.stem}"), "", procedure_text)
        try:
            reviewing.write(
                said, *sides, name=file.name, which=which, ears=ears, ears_files=files, rules=prepare.rules(),
                procedure=steps.id, baseline=own, writer=writer, wall=wall, faults=faults,
            )  # fmt: skip
            writer.close()
        except BaseException:
            calls.close(writer, clean=False)
            record.delete(writer.folder)  # nothing was recorded here that the given file does not hold
            raise
    calls.show_debrief(writer.folder)


def _unpacked(file: Path) -> Spool:
    """A recording of any length, on the disk where sessions are kept."""
    from voicecoach.world import audiofiles

    folder = common.data()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"The folder {folder} cannot be made ({error.strerror or error}).", "Choose another with --data."
        ) from error
    with common.console().status(f"Reading {file.name}..."):
        return audiofiles.spooled(file, folder)
