"""`voicecoach personas`: the customers, listed, shown, checked, written, tried and spoken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from voicecoach.commands import common, devices
from voicecoach.errors import BadInput, DiskError

if TYPE_CHECKING:
    from voicecoach.nouns import Samples

personas_app = typer.Typer(invoke_without_command=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(personas_app, name="personas")


@personas_app.callback()
def _personas(context: typer.Context) -> None:
    """List, show and check the customers that can call.

    Example: `voicecoach personas`
    """
    if context.invoked_subcommand is None:
        personas_list()


@personas_app.command("list")
def personas_list() -> None:
    """List the bundled customers.

    Example: `voicecoach personas list`
    """
    from voicecoach import prepare

    for name in prepare.names("personas"):
        customer, _ = prepare.choose_persona(name)
        typer.echo(f"{name:20} {customer.name}: {customer.about}")


@personas_app.command("show")
def personas_show(name: Annotated[str, typer.Argument(help="A customer's name or a .yaml file.")]) -> None:
    """Show who a customer is and what the call is about.

    Example: `voicecoach personas show dana-printer`
    """
    from voicecoach import persona as customers
    from voicecoach import prepare

    customer, _ = prepare.choose_persona(name)
    lines = customers.lines(customer)
    typer.echo(f"{customer.full_name} ({customer.id})\n{customer.about}\n")
    if customer.situation:
        typer.echo(f"{customer.title} ({customer.situation.replace('-', ' ')})\n")
    for heading, phrases in (
        ("You can offer", customer.brief.can),
        ("You cannot offer", customer.brief.cannot),
        ("Accepted", tuple(outcome.outcome for outcome in customer.accepts)),
    ):
        if phrases:
            typer.echo("\n".join([f"{heading}:", *(f"  - {phrase}" for phrase in phrases), ""]))
    typer.echo(f"{len(lines)} lines. The first words: {lines[0][1]}")


@personas_app.command("check")
def personas_check(
    files: Annotated[list[str], typer.Argument(help="Scenarios, people, or names of bundled scenarios.")],
) -> None:
    """Check scenarios and people: every problem with its line and what to write instead.

    Example: `voicecoach personas check my-customer.yaml`
    """
    from voicecoach import prepare
    from voicecoach.persona.check import check

    failed = False
    for name in files:
        try:
            checked = check(prepare.path_of("personas", name, "persona"), prepare.people())
        except BadInput as error:
            failed = True
            typer.echo(str(error), err=True)
            continue
        for problem in checked.problems:
            typer.echo(problem, err=True)
        if checked.problems:
            failed = True
            continue
        typer.echo(f"{name}: good, {checked.who}.")
        for remark in checked.remarks:
            typer.echo(f"  {remark}")
    if failed:
        raise typer.Exit(BadInput.exit_code)


@personas_app.command("new")
def personas_new(
    out: Annotated[Path, typer.Option(help="Folder for the new file.")] = Path(),
) -> None:
    """Ask ten questions and write a new scenario, and a new person if you like, with comments, ready to be played.

    Example: `voicecoach personas new --out my-calls`
    """
    from voicecoach import authoring, prepare

    path = authoring.new(common.terminal().ask, typer.echo, out, [out / "people", *prepare.people()])
    typer.echo(f"\nWritten: {path}")
    typer.echo(f"Try it in text: voicecoach personas play {path}")
    typer.echo(f"Check it:       voicecoach personas check {path}")


@personas_app.command("play")
def personas_play(
    name: Annotated[str, typer.Argument(help="A customer's name or a .yaml file.")] = "dana-printer",
    level: common.Level = None,
    seed: Annotated[int, typer.Option(help="The same seed chooses the same lines.")] = 1,
) -> None:
    """Rehearse in text, in the terminal: no sound, and every change of the anger with its reason.

    Example: `voicecoach personas play dana-printer --level hard`
    """
    from voicecoach import authoring, prepare

    customer, _ = prepare.choose_persona(name, level)
    authoring.play(customer, prepare.rules(), seed, common.terminal().ask, typer.echo)


@personas_app.command("say")
def personas_say(
    line: Annotated[str, typer.Argument(help="Words, or the id of a line such as manager.1.")],
    anger: Annotated[int, typer.Option(help="0 calm to 5 shouting.", min=0, max=5)] = 3,
    customer: Annotated[str, typer.Option("--scenario", "--persona", help="Whose voice.")] = "dana-printer",
    out: Annotated[Path | None, typer.Option(help="Write a WAV file instead of playing it.")] = None,
    output: common.Output = None,
    telephone: Annotated[bool, typer.Option(help="As on a telephone line.")] = True,
) -> None:
    """Speak one line in a customer's voice, as angry as you like.

    Example: `voicecoach personas say "Where is my parcel?" --anger 4 --out parcel.wav`
    """
    from voicecoach import persona as customers
    from voicecoach import prepare
    from voicecoach.nouns import SAMPLE_RATE_HZ
    from voicecoach.world.voice import whole

    chosen, _ = prepare.choose_persona(customer)
    text = next((said for name, said, _ in customers.lines(chosen) if name == line), line)
    voice = prepare.voice(chosen, telephone=telephone, ready=False, data=common.data())
    temper = chosen.voice.style
    spoken = whole(voice.speak(text[:600], customers.style_for(anger, temper), customers.style_name(anger, temper)))
    typer.echo(f"{spoken.engine}, {len(spoken.samples) / SAMPLE_RATE_HZ:.1f} s: {text}")
    if out is None:
        _play_aloud(spoken.samples, output)
        return
    from voicecoach.world import audiofiles

    audiofiles.write_wav(out, spoken.samples)
    typer.echo(f"Written: {out}")


def _play_aloud(samples: Samples, output: str | None) -> None:
    """Play a line and wait for its end."""
    import time

    sound = devices.open_device(None, output, None)
    try:
        sound.play(samples)
        while sound.playing():
            sound.read()
        time.sleep(0.3)
    finally:
        sound.close()


@personas_app.command("simulate")
def personas_simulate(
    names: Annotated[list[str] | None, typer.Argument(help="Customers (default: all bundled ones).")] = None,
    level: common.Level = None,
    trainees: Annotated[Path | None, typer.Option(help="Your own scripted trainees; see the bundled file.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed chooses the same lines.")] = 1,
    svg: Annotated[Path | None, typer.Option(help="Draw the curves into this SVG file (one customer).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per call.")] = False,
) -> None:
    """Let scripted trainees, from excellent to awful, call a customer, and draw how the anger goes.

    Example: `voicecoach personas simulate dana-printer --level hard --svg curves.svg`
    """
    from voicecoach import prepare, simulate
    from voicecoach.judge.in_kind import spearman
    from voicecoach.world.places import bundled

    scripts = simulate.load_trainees(trainees or bundled("assets") / "scripted" / "twelve.yaml")
    chosen = names or prepare.names("personas")
    if svg is not None and len(chosen) != 1:
        raise BadInput("An SVG shows one customer.", "Name one, such as: voicecoach personas simulate dana-printer")
    rules = prepare.rules()
    for name in chosen:
        customer, _ = prepare.choose_persona(name, level)
        calls = [simulate.simulate(customer, script, rules, seed) for script in scripts]
        rho = spearman([(call.design, call.anger[-1]) for call in calls])
        if as_json:
            for call in calls:
                row = {
                    "customer": customer.id, "level": customer.level, "trainee": call.trainee, "design": call.design,
                    "anger": [round(anger, 3) for anger in call.anger], "outcome": call.outcome,
                }  # fmt: skip
                typer.echo(json.dumps(row, sort_keys=True))
            continue
        typer.echo(f"{customer.full_name} ({customer.id}, {customer.level or 'as written'})")
        typer.echo("\n".join(simulate.curve(calls)))
        typer.echo(f"Correlation of design and final anger: {rho:.2f} (Spearman).\n" if rho is not None else "")
        if svg is not None:
            try:
                svg.write_text(simulate.svg(calls, f"{customer.full_name}: {customer.title or customer.id}"), "utf-8")
            except OSError as error:
                raise DiskError(f"{svg} cannot be written ({error.strerror}).", "Choose another place.") from error


@personas_app.command("render")
def personas_render(
    names: Annotated[
        list[str] | None, typer.Argument(help="Customers, or your own .yaml files (default: everything bundled).")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the lines that exist, and say what is wrong.")
    ] = False,
    table: Annotated[bool, typer.Option("--table", help="Only print what was measured, as Markdown.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Speak everything again.")] = False,
    jobs: Annotated[int, typer.Option(help="How many lines at a time.", min=1, max=64)] = 1,
) -> None:
    """Speak customers' lines beforehand in Kokoro's voices: those that are new or changed, each checked by a recogniser.

    You can stop at any time; the next run continues. Calls do not need this: what was not spoken beforehand is
    spoken by the best voice that is installed.

    Example: `voicecoach personas render my-customer.yaml`   or   `voicecoach personas render --check`
    """
    from voicecoach import prepare, render

    bundled = prepare.names("personas")
    chosen = [(prepare.choose_persona(name)[0], name in bundled) for name in names or bundled]
    scripts = [] if names else [prepare.demo_trainee()]
    wrong = 0
    for plan in render.plans(prepare.spoken_folder(), prepare.own_spoken_folder(common.data()), chosen, scripts):
        if table:
            typer.echo("\n".join(render.tables(plan)))
            continue
        todo = plan.wanted if again else plan.missing()
        typer.echo(f"{len(plan.wanted)} lines in {plan.folder}, {len(todo)} of them not spoken yet.")
        if check:
            render.again(plan.folder, plan.wanted, typer.echo)
        elif todo:
            render.render(todo, plan.folder, jobs, typer.echo)
        if plan.whole and not check:
            for name in render.tidy(plan.folder, plan.wanted):
                typer.echo(f"{name} was no longer needed.")
        for problem in render.problems(plan.folder, plan.wanted):
            wrong += 1
            typer.echo(problem, err=True)
    if wrong and check:
        raise typer.Exit(BadInput.exit_code)


@personas_app.command("schema")
def personas_schema(
    kind: Annotated[Literal["scenario", "person", "customer"], typer.Argument(help="Which kind of file.")] = "scenario",
) -> None:
    """Print the JSON Schema, by which editors complete and check the files while you type.

    Example: `voicecoach personas schema scenario > scenario.schema.json`
    """
    from voicecoach import authoring

    typer.echo(json.dumps(authoring.schema(kind), indent=1, sort_keys=True))
