"""The sound devices of a command, and how loud customers are on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from voicecoach.commands import common

if TYPE_CHECKING:
    from voicecoach.world.sound import Duplex


def open_device(device_in: str | None, device_out: str | None, rate: int | None) -> Duplex:
    """The microphone and the speaker, by parts of their names or by number; None: the system's own."""
    from voicecoach.world.sound import Device

    return Device(device_in, device_out, rate)


def volume(sound: Duplex, *, telephone: bool = True, ask: bool, again: bool = False) -> float:
    """The volume kept for this output device; without one, or `again`, it is asked for, if anybody can be asked."""
    from voicecoach import prepare, volume

    device = sound.info.output
    kept = volume.load(common.data(), device)
    if not ask or not sound.realtime or (kept is not None and not again):
        return kept or 0.0
    lines = prepare.spoken()
    chosen = volume.choose(
        common.terminal(),
        lambda db: volume.play_through(sound, volume.sample(lines, db, telephone=telephone)),
        kept or 0.0,
    )
    if chosen is None:
        typer.echo("Skipped. To set it later: voicecoach calibrate --volume\n")
        return kept or 0.0
    volume.save(common.data(), device, chosen)
    typer.echo(f"The volume on {device}: {chosen:+g} dB. To change it: voicecoach calibrate --volume\n")
    return chosen
