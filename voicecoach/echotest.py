"""The start-up test of a pair of devices: how much of the customer comes back in the microphone, and what to do about it.

Kept for each pair, until the devices or the package for the cancellation change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from voicecoach import kept
from voicecoach.call.entries import is_echo_fault
from voicecoach.errors import DiskError, MissingModel
from voicecoach.nouns import Samples
from voicecoach.persona.style import style_for, style_name
from voicecoach.record import Record
from voicecoach.world import vad
from voicecoach.world.echo import (
    CANCELLED,
    HALF_DUPLEX,
    HEADSET,
    INSTALL,
    TRAINEE_DBFS,
    Canceller,
    EchoFault,
    EchoMode,
    EchoTest,
    decide,
    installed,
    listen_for_echo,
    measure,
)
from voicecoach.world.kokoro import CALIBRATION
from voicecoach.world.sound import Duplex
from voicecoach.world.spoken import Spoken
from voicecoach.world.voice import CustomerVoice, whole

WORDS: dict[str, EchoMode] = {"headset": HEADSET, "cancel": CANCELLED, "half": HALF_DUPLEX}
"""What the modes are called on the command line."""
VOICE = "kokoro/af_bella"
FURIOUS = 4
"""Of the customer's levels, 0 to 5: 1.5 dB below the loudest (persona/style.py)."""
UNTESTED: Mapping[EchoFault, str] = {
    "zeros": "the microphone gave nothing but zeros: is it muted?",
    "not played": "the sentence was not played: is there an output?",
    "away": "the sound device was away meanwhile",
}
"""Why a test says nothing."""


def sentence(spoken: Spoken, volume_db: float = 0.0) -> Samples:
    """What the test plays: a bundled sentence, as loud as a furious customer, and through the telephone as they are."""
    voice = CustomerVoice((VOICE,), spoken, volume_db=volume_db)
    return whole(voice.speak(CALIBRATION[0], style_for(FURIOUS, "hot"), style_name(FURIOUS, "hot"))).samples


def run(sound: Duplex, said: Samples, voice: Samples, trainee_dbfs: float = TRAINEE_DBFS) -> EchoTest:
    """Five seconds: play, listen, measure. `voice` is somebody speaking, laid over the echo to try the cancellation."""
    mic, out, away = listen_for_echo(sound, said)
    found = measure(mic, out, vad.probabilities, Canceller() if installed() else None, voice, trainee_dbfs)
    return replace(found, fault="away") if away else found


def told(found: EchoTest | None, mode: EchoMode, forced: bool = False) -> str:
    """The choice in one sentence."""
    if forced:
        return {
            HEADSET: "Echo: taken as a headset, as you chose.",
            CANCELLED: "Echo: cancelled, as you chose; barge-in is noticed through the cancellation.",
            HALF_DUPLEX: "Echo: half duplex, as you chose: the microphone rests while the customer speaks.",
        }[mode]
    if found is not None and found.fault:
        why = UNTESTED[found.fault]
        return f"Echo: not known ({why}), so half duplex for this call; with a headset: --echo headset."
    if mode == HEADSET:
        return "Echo: none is heard, as with a headset; you can speak over the customer, and the customer over you."
    if mode == CANCELLED:
        return "Echo: your speakers are heard in the microphone, and cancelled for noticing when you speak over the customer."
    if found is not None and found.left is None:
        why = f"(a headset is better; or cancel the echo: {INSTALL})"
    else:
        why = "(the echo is louder than you; use headphones)"
    return f"Echo: half duplex, the microphone rests while the customer speaks {why}."


def checked(mode: EchoMode) -> EchoMode:
    """The mode, where it can be had; raises MissingModel where the package for it is missing."""
    if mode == CANCELLED and not installed():
        raise MissingModel(
            "The echo cancellation is not installed.",
            f"Install it with: {INSTALL}; or use a headset, or --echo half.",
        )
    return mode


def for_call(
    data: Path, sound: Duplex, test: Callable[[], EchoTest], say: Callable[[str], None], *, again: bool = False
) -> tuple[EchoMode, EchoTest]:
    """The mode for these devices: as found before, or, where nothing was or `again`, by a test now, which is announced.

    A test that heard or played nothing is not kept.
    """
    found = None if again else load(data, sound)
    if found is None:
        say("Echo test: a sentence is played, and the microphone listens for five seconds. Please say nothing.")
        found = test()
        if not found.fault:
            save(data, sound, found)
    mode = decide(found)
    say(told(found, mode))
    return mode, found


# --- kept for each pair of devices -----------------------------------------------------------------

WHAT = "The echo test"


def load(data: Path, sound: Duplex) -> EchoTest | None:
    """What was found on these devices, or None; a damaged file counts as none."""
    return found_on(data).get(_pair(sound))


def found_on(data: Path) -> dict[str, EchoTest]:
    """What was found on each pair of devices, with the cancellation that is installed now."""
    found = {}
    for pair, entry in kept.read(_path(data)).items():
        if isinstance(entry, Mapping) and entry.get("cancellation") is installed():
            test = _test(entry.get("found"))
            if test is not None:
                found[pair] = test
    return found


def save(data: Path, sound: Duplex, found: EchoTest) -> None:
    """Keep what was found; raises DiskError."""
    with kept.changed(_path(data), WHAT) as tests:
        tests[_pair(sound)] = {"cancellation": installed(), "found": asdict(found)}


def unlearn(data: Path, call: Record) -> None:
    """Forget what was found on the devices of a call that heard an echo all the same: the next one tests them again."""
    if not any(is_echo_fault(event.data) for event in call.of("fault")):
        return
    # Where that cannot be written, the call is held all the same, and the next one hears the echo again.
    with contextlib.suppress(DiskError), kept.changed(_path(data), WHAT) as tests:
        for event in call.of("started"):
            tests.pop(f"{event.data['sound']['input']} / {event.data['sound']['output']}", None)


def _path(data: Path) -> Path:
    return data / "echo.json"


def _pair(sound: Duplex) -> str:
    return f"{sound.info.input} / {sound.info.output}"


def _test(entry: Any) -> EchoTest | None:
    if not isinstance(entry, Mapping):
        return None
    names = {"match", "delay_s", "echo_dbfs", "noise_dbfs", "voiced"}
    optional = {"left", "noticed_s", "trainee_dbfs"}
    numbers: dict[str, Any] = {
        name: float(value)
        for name, value in entry.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value
    }
    if not names <= set(numbers):
        return None
    return EchoTest(**{name: numbers[name] for name in names | (optional & set(numbers))})
