"""`voicecoach drill`: one step against rising anger."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Annotated

import typer

from voicecoach.commands import calls, calm_voice, common, devices
from voicecoach.errors import NoDevice


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(drill)


def drill(
    name: Annotated[str | None, typer.Argument(help="Which drill (default: the most urgent one).")] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the drills, the most urgent first.")] = False,
    demo: common.Demo = False,
    typing: Annotated[bool, typer.Option("--text", help="Type your answers; nothing is recorded.")] = False,
    scenario: Annotated[
        str | None, typer.Option(help="Whose lines: a name from `voicecoach personas`, or a .yaml file.")
    ] = None,
    trainee: common.Trainee = "trainee",
    input: common.Input = None,
    output: common.Output = None,
    speakers: common.Speakers = False,
    echo: common.Echo = "auto",
    seed: Annotated[int | None, typer.Option(help="The same seed chooses the same lines.")] = None,
    model: common.Model = "tiny.en",
) -> None:
    """Repeat one step against rising anger: the customer says a line, you answer one turn, and it is marked at once.

    Without a name it is the most urgent drill: one that is due, for the weakest marks of your recent calls.

    Example: `voicecoach drill`   or   `voicecoach drill apologise --demo`
    """
    from voicecoach import drills, history, prepare
    from voicecoach.keys import interactive
    from voicecoach.report import progress
    from voicecoach.world.echo import HALF_DUPLEX, HEADSET

    past = history.read(common.sessions()).rows
    wall = prepare.now()
    plan = progress.schedule(progress.own_rows(past, trainee), drills.all_drills(), now=wall)
    if listed:
        typer.echo("\n".join(progress.schedule_lines(plan)))
        return
    if name is None and interactive() and not demo:
        typer.echo("\n".join(progress.schedule_lines(plan)))
        name = (common.terminal().ask(f"\nWhich one? Enter: {plan[0].drill.id} ") or "").strip() or None
    chosen = drills.choose(name) if name else plan[0].drill
    customer, persona_text = (
        prepare.choose_persona(scenario)
        if scenario
        else drills.default_customer([row.scenario for row in reversed(past) if row.kind == "call"])
    )
    rules = prepare.rules()
    seed = seed if seed is not None else 1 if demo else random.randrange(1 << 30)
    call = replace(
        drills.call_of(chosen, customer, persona_text, rules, seed=seed, wall=wall),
        trainee=trainee,
        echo=HALF_DUPLEX if speakers else HEADSET,
    )
    typer.echo("\n".join(drills.introduction(chosen, customer, rules)) + "\n")
    sound = None
    if not demo and not typing:
        try:
            sound = devices.open_device(input, output, None)
        except NoDevice as error:
            if not interactive():
                raise NoDevice(error.what, "Use --demo or --text, or plug in a microphone and a speaker.") from error
            typer.echo(f"{error.what} So you type your answers.\n")
            typing = True
    if typing:
        drills.typed(call, common.terminal().ask, typer.echo)
        return
    try:
        ears, files = prepare.ears(model)
        voice = prepare.voice(customer, data=common.data())
        if sound is None:
            script = prepare.demo_trainee()
            script = replace(script, turns=drills.demo_replies(chosen, customer, rules, script.turns))
            call, sound = calls.with_demo(call, script, ears)
        else:
            call = calls.with_consent(call)
            call = calm_voice.with_baseline(call, sound, ears)
            voice.volume_db = devices.volume(sound, ask=interactive())
            call = calls.with_echo(call, sound, "half" if speakers else echo, voice.volume_db)
        calls.hold(call, sound, ears, files, voice, words=True)
    finally:
        if sound is not None:
            sound.close()
