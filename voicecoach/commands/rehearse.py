"""`voicecoach rehearse`: a call, then its debrief."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from voicecoach.commands import calls, calm_voice, common, desk, devices, practice
from voicecoach.errors import BadInput, DeviceError, NoDevice

if TYPE_CHECKING:
    from voicecoach.measure.turns import Patience
    from voicecoach.world.sound import Duplex


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rehearse)


def rehearse(
    context: typer.Context,
    persona: Annotated[
        str, typer.Argument(help="Which call: a name from `voicecoach personas`, or a .yaml file.")
    ] = "dana-printer",
    scenario: Annotated[
        str | None, typer.Option("--scenario", "--persona", help="The same as PERSONA.", metavar="NAME")
    ] = None,
    level: Annotated[
        common.LevelName | None,
        typer.Option(help="How angry the customer is at the start, and how hard the call is."),
    ] = None,
    procedure: Annotated[
        str, typer.Option(help="What scores the call: a name from `voicecoach procedures`, or a .yaml file.")
    ] = "six-guidelines",
    talk: Annotated[
        Literal["hands-free", "push-to-talk", "manual"],
        typer.Option(
            help="hands-free: just speak; push-to-talk: hold space down, or tap it twice; manual: speak freely, space sends."
        ),
    ] = "hands-free",
    demo: common.Demo = False,
    auto: Annotated[
        bool, typer.Option("--auto", help="Live where there is a microphone, else the recorded trainee.")
    ] = False,
    trainee: common.Trainee = "trainee",
    input: common.Input = None,
    output: common.Output = None,
    rate: Annotated[
        int | None, typer.Option(help="Device rate in Hz (default: 48000, then what works).", min=8000, max=192000)
    ] = None,
    speakers: common.Speakers = False,
    echo: common.Echo = "auto",
    telephone: Annotated[bool, typer.Option(help="Hear the customer as on a telephone line.")] = True,
    cues: Annotated[bool, typer.Option(help="Show a sparse cue ('softer', 'slower') while you speak.")] = True,
    words: Annotated[bool, typer.Option(help="Show the last words on the screen.")] = True,
    patience: Annotated[
        str,
        typer.Option(
            help="Silence that ends your turn: quick, normal, patient, or seconds (0.3 to 3; 0.7 more after an unfinished sentence)."
        ),
    ] = "normal",
    time_limit: Annotated[float, typer.Option(help="Minutes after which the call ends.", min=0.2, max=60.0)] = 10.0,
    seed: Annotated[int | None, typer.Option(help="Repeat a call: the same seed chooses the same lines.")] = None,
    reword: Annotated[
        str | None,
        typer.Option(
            help="A language model rewords the lines: an OpenAI-compatible URL (default: off, nothing is sent)."
        ),
    ] = None,
    reword_model: Annotated[str, typer.Option(help="With --reword: the model's name there.")] = "llama3.2",
    assignment: Annotated[
        Path | None, typer.Option(help="A trainer's file: it sets the customer, the level and the procedure.")
    ] = None,
    retry: Annotated[
        tuple[str, int] | None,
        typer.Option(
            help="Say a turn of a recorded call again, from the customer's state then.", metavar="SESSION TURN"
        ),
    ] = None,
    prepared: Annotated[
        bool,
        typer.Option("--prepare/--no-prepare", help="Worksheet and one breath before, notes after (in a terminal)."),
    ] = True,
    model: common.Model = "tiny.en",
) -> None:
    """Take a call from an angry customer, and read the debrief.

    Example: `voicecoach rehearse dana-printer --level hard --procedure six-guidelines`

    Without a microphone: `voicecoach rehearse --demo`
    """
    import random
    from dataclasses import replace

    from voicecoach import before, prepare
    from voicecoach.keys import interactive
    from voicecoach.session import Call
    from voicecoach.world.echo import HALF_DUPLEX, HEADSET

    taken = None
    if assignment is not None:
        _refuse(common.stated(context, ("scenario", "persona", "procedure", "retry")))
        taken = desk.take(assignment, common.sessions(), trainee)
        _refuse(common.stated(context, ("level",)) if taken.level else [])
        scenario, level, procedure = taken.scenario, taken.level or level, taken.procedure
    customer, persona_text = prepare.choose_persona(scenario or persona, level)
    steps, procedure_text = prepare.choose_procedure(procedure)
    chosen_seed = seed if seed is not None else 1 if demo else random.randrange(1 << 30)
    call = Call(
        customer, persona_text, steps, procedure_text, prepare.rules(), trainee=trainee, seed=chosen_seed, mode=talk,
        patience=_patience(patience), time_limit_s=time_limit * 60, cues=cues, wall=prepare.now(),
        echo=HALF_DUPLEX if speakers else HEADSET,
        recent=prepare.recent_lines(common.sessions(), customer) if seed is None and not demo else (),
    )  # fmt: skip
    if taken is not None:
        call = replace(call, prepared=(taken.event,))
    skip = 0
    if retry is not None:
        call, skip = practice.retried(context, call, *retry)
        customer = call.persona
    if reword is not None:
        from voicecoach.world.reword import from_options

        call = replace(call, reword=from_options(reword, reword_model))
    sound: Duplex | None = None
    if not demo:
        try:
            sound = devices.open_device(input, output, rate)
        except DeviceError as error:
            if not auto:
                raise
            typer.echo(f"{error.what} The recorded trainee takes the call instead, through the same loop.")
            mend = "plug in a microphone and a speaker, and start again." if isinstance(error, NoDevice) else error.do
            typer.echo(f"To take it yourself: {mend}\n")
            demo = True
    try:
        if not demo:
            call = calls.with_consent(call)
        console = common.console()
        with console.status("Loading the recogniser and the customer's voice..."):
            ears, files = prepare.ears(model)
            voice = prepare.voice(customer, telephone=telephone, data=common.data())
        for notice in voice.notices:
            typer.echo(notice)
        if sound is None:
            script = prepare.demo_trainee()
            script = replace(script, turns=script.turns[skip:] or script.turns[-1:])
            if seed is None and call.moment is None:
                call = replace(call, seed=1)  # also where --auto chose the demo: it repeats
            call, sound = calls.with_demo(call, script, ears)
        else:
            call = calm_voice.with_baseline(call, sound, ears)
        asked = prepared and not demo and interactive()
        chosen_echo = "half" if speakers else echo
        if not demo:
            voice.volume_db = devices.volume(sound, telephone=telephone, ask=asked)
            call = calls.with_echo(call, sound, chosen_echo, voice.volume_db)
        if asked and call.moment is None:
            call = replace(
                call,
                prepared=(
                    *before.prepare(
                        common.terminal(), customer, before.hard_call(common.sessions(), call.wall, call.trainee)
                    ),
                    *call.prepared,
                ),
            )
        folder = calls.hold(call, sound, ears, files, voice, words=words, notes=asked)
        while asked and (again := practice.offered(call, folder)) is not None:
            again = calm_voice.with_baseline(
                again, sound, ears, ask=False
            )  # the devices may be others than at the beginning
            again = calls.with_echo(again, sound, "auto" if chosen_echo == "test" else chosen_echo, voice.volume_db)
            folder = calls.hold(again, sound, ears, files, voice, words=words)
    finally:
        if sound is not None:
            sound.close()


def _refuse(given: list[str]) -> None:
    """What an assignment says may not be said otherwise beside it."""
    if given:
        what = "a customer" if given[0] == "persona" else f"--{given[0]}"
        raise BadInput(
            f"The assignment says which call it is; {what} was given too.",
            "Leave it out, or rehearse without --assignment.",
        )


def _patience(text: str) -> Patience:
    from voicecoach.measure.turns import patience_of

    try:
        return patience_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="--patience") from error
