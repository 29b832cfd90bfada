"""What a call needs before it can start: persona, procedure, rules, ears, voice, sound, baseline."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from voicecoach import judge, persona, record, yamlfile
from voicecoach.errors import BadInput, MissingModel, VoicecoachError
from voicecoach.judge.procedures import parse_procedure
from voicecoach.nouns import Baseline, Procedure
from voicecoach.persona import Persona
from voicecoach.persona.style import style_for, style_name
from voicecoach.world import reader
from voicecoach.world.ears import Ears, Whisper
from voicecoach.world.memory import few_arenas
from voicecoach.world.models import OFFLINE, ModelFiles, find
from voicecoach.world.places import bundled
from voicecoach.world.spoken import Spoken
from voicecoach.world.trainee import TraineeScript, load_script
from voicecoach.world.voice import CustomerVoice

DEFAULT_PERSONA = "dana-printer"
DEFAULT_PROCEDURE = "six-guidelines"
DEMO_TRAINEE = "demo"


def names(kind: str) -> list[str]:
    """Names of the bundled files of a kind ("personas", "assets/procedures", "assets/trainees")."""
    return sorted(path.stem for path in _folder(kind).glob("*.yaml"))


def _folder(kind: str) -> Path:
    top, _, rest = kind.partition("/")
    return bundled(top) / rest if rest else bundled(top)


def path_of(kind: str, name: str, what: str) -> Path:
    """The file that `name` means: a bundled one's name or a path. Raises BadInput with the nearest name."""
    if name in names(kind):
        return _folder(kind) / f"{name}.yaml"
    try:
        given = Path(name).expanduser()
        if name and (given.suffix in {".yaml", ".yml"} or given.exists()):
            return given
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, or an unknown ~user
        pass
    near = difflib.get_close_matches(name[:80], names(kind), n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise BadInput(
        f"There is no {what} called '{name[:80]}'.",
        f"{hint}There are: {', '.join(names(kind))}; or give the path of a .yaml file.",
    )


def choose_persona(name: str, level: persona.LevelName | None = None) -> tuple[Persona, str]:
    """A bundled customer or a file, at a level of difficulty, with the text of all of it for the record."""
    path = path_of("personas", name, "persona")
    chosen = persona.load_persona(path, level, people())
    if chosen.level is None:
        return chosen, yamlfile.read_text(path)
    return chosen, persona.as_text(chosen)


LAST_CALLS = 2
"""Three calls in a row do not repeat a line that has alternatives."""


def recent_lines(sessions: Path, customer: Persona) -> tuple[str, ...]:
    """Ids of the lines that this customer said in the last calls; a record that cannot be read counts for nothing."""
    said: list[str] = []
    calls = 0
    for folder in reversed(record.list_sessions(sessions)[-20:]):
        try:
            session = record.read(folder)
        except VoicecoachError:
            continue
        started = session.first("started")
        who = started.data.get("persona") if started else None
        if isinstance(who, dict) and who.get("id") == customer.id:
            said += [event.data["line"] for event in session.of("said") if isinstance(event.data.get("line"), str)]
            calls += 1
        if calls == LAST_CALLS:
            break
    return tuple(sorted(set(said)))


def people() -> list[Path]:
    """Where persons are looked for besides a scenario's own folder."""
    return [bundled("personas") / "people"]


def choose_procedure(name: str) -> tuple[Procedure, str]:
    """A bundled procedure or a procedure file, with its text for the record."""
    path = path_of("assets/procedures", name, "procedure")
    text = yamlfile.read_text(path)
    return parse_procedure(text, str(path)), text


@cache
def _rules_in(assets: Path) -> judge.Rules:
    """Read once: over ten thousand expressions take half a second."""
    return judge.load_rules(assets)


def rules(*, cues_only: bool = False) -> judge.Rules:
    """The rules that judge every turn; with `cues_only`, or where the text encoder is missing, the cues alone."""
    found = _rules_in(bundled("assets"))
    if cues_only:
        return found
    with contextlib.suppress(MissingModel):
        return replace(found, reading=reader.load(bundled("assets") / "moves"))
    return found


def ears(model: str = OFFLINE, *, silence_s: float | None = None, at_once: int = 1) -> tuple[Whisper, ModelFiles]:
    """The recogniser, loaded (see `Whisper` for `silence_s` and `at_once`), and its files."""
    few_arenas()
    files = find(model)
    return Whisper(files, silence_s, at_once), files


def spoken_folder() -> Path:
    """Where the lines are that come already spoken."""
    return bundled("assets") / "spoken"


def own_spoken_folder(data: Path) -> Path:
    """Where the lines of the trainer's own customers are, once they were spoken beforehand."""
    return data / "spoken"


def spoken(data: Path | None = None) -> Spoken:
    """The lines that come already spoken, and behind them those of the trainer's own customers."""
    ours = Spoken.open(spoken_folder())
    return ours if data is None else replace(ours, more=Spoken.open(own_spoken_folder(data)))


def voice(customer: Persona, *, telephone: bool = True, ready: bool = True, data: Path | None = None) -> CustomerVoice:
    """The customer's voice; `ready`: with an engine loaded where not every line is already spoken."""
    made = CustomerVoice(customer.voice.prefer, spoken(data), telephone=telephone)
    if not ready:
        return made
    temper = customer.voice.style
    lines = [
        (text, style_for(level, temper), style_name(level, temper))
        for _, text, levels in persona.lines(customer)
        for level in levels
    ]
    made.ready([(text, name) for text, _, name in lines])
    made.warm(lines)
    return made


def demo_trainee() -> TraineeScript:
    """The bundled recorded trainee."""
    return load_script(path_of("assets/trainees", DEMO_TRAINEE, "trainee"))


def demo_baseline(script: TraineeScript, listener: Ears) -> Baseline:
    """The recorded trainee's calm voice, from its own calibration sentences."""
    from voicecoach.calibration import calibrate
    from voicecoach.world.trainee import calibration_of

    samples = calibration_of(script, spoken())
    return calibrate(np.asarray(samples / 32768, np.float32), f"{script.name}, a recorded trainee", listener)[0]


def now() -> str:
    """The wall clock, ISO 8601 with the offset from UTC."""
    return dt.datetime.now().astimezone().isoformat(timespec="seconds")
