"""The trainer's desk on plain folders and zip bundles: hand in, look through, say something, bring home, compare.

A session stays with the trainee until one is submitted, and the trainer's words are lines of a file of their own:
inside a session folder `trainer.jsonl`, beside a bundle `NAME.trainer.jsonl`. Nothing of the trainee's is written to.
"""

from __future__ import annotations

import contextlib
import json
import math
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voicecoach import RULES_VERSION, bundles, debrief, judge, prepare, record, yamlfile
from voicecoach.errors import BadInput, DiskError, VoicecoachError
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.report.agreement import Agreement, agreement
from voicecoach.report.desk import MAX_CHARS, MOVE_VERDICTS, Assignment, SessionVerdict, verdicts_for
from voicecoach.report.facts import instant, text
from voicecoach.report.head import head_of
from voicecoach.report.subtitles import one_line
from voicecoach.report.trainer import entries_of, machine_marks
from voicecoach.report.values import Report

SUBMITTED = ("events.jsonl", "persona.yaml", "procedure.yaml")
AUDIO = ("audio.flac", "audio.wav")
MAX_SESSIONS = 5000
"""Sessions of one folder that are looked at."""
SPELLINGS = {"not-heard": "not heard", "not_heard": "not heard"}
"""How "not heard" may be written on a command line."""


# --- the trainee hands in --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contents:
    """What a trainee is about to give away."""

    session: str
    trainee: str
    files: tuple[str, ...]
    minutes: float
    turns: int
    notes: int
    sound: bool


def contents(session: Path, *, sound: bool = True) -> Contents:
    """What would be in a submission; nothing is written."""
    told = record.read(session)
    head = head_of(told.events)
    names = tuple(name for name in (*SUBMITTED, *(AUDIO if sound else ())) if (session / name).is_file())
    return Contents(
        session=session.resolve().name,
        trainee=head.trainee,
        files=names,
        minutes=head.minutes,
        turns=head.turns,
        notes=sum(1 for _ in told.of("note")),
        sound=any(name in AUDIO for name in names),
    )


def contents_lines(given: Contents) -> list[str]:
    """The same for a reader, before the question."""
    sound = (
        f"the recording of both voices, {given.minutes:.1f} minutes"
        if given.sound
        else "no recording: the words and numbers only"
    )
    return [
        f"What you would share of {given.session}:",
        f"  - {sound}",
        f"  - what was said, word for word: {given.turns} turns of yours, and what was measured and judged in them",
        f"  - your worksheet, {given.notes} notes, the name '{given.trainee}', and the names of your sound devices",
        f"  Files: {', '.join(given.files)}",
        "Anyone who can read the folder can then read and hear it. Your other sessions stay private.",
    ]


def submit(session: Path, to: Path, *, sound: bool = True) -> Path:
    """Put one session into a folder as a bundle; what is there is never overwritten. Returns the bundle.

    Where it went is for the caller to note (`copies.note`), so that deleting the session can tell of it.
    Raises BadInput where `to` is no folder or the same bundle is there already, DiskError where it cannot be written.
    """
    if not to.is_dir():
        raise BadInput(f"{to} is not a folder.", "Ask your trainer where to submit, or make the folder.")
    names, name = contents(session, sound=sound).files, session.resolve().name
    count = 1
    while (bundle := to / (f"{name}.zip" if count == 1 else f"{name}-{count}.zip")).exists():
        count += 1
    sha256 = bundles.write(session, names, bundle, mode=0o666)  # for others, as far as the umask lets them
    for earlier in sorted(to.glob(f"{name}*.zip")):
        if earlier != bundle and earlier.is_file() and bundles.hash_of(earlier) == sha256:
            bundle.unlink()
            raise BadInput(f"This session was submitted before: {earlier}.", "Nothing was written.")
    return bundle


# --- the trainer looks through ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Submission:
    """One session on the desk, as the list shows it."""

    path: Path
    name: str
    trainee: str
    persona: str
    wall: str
    turns: int
    outcome: str
    state: str
    """new, commented, pass, fail or again."""
    problems: tuple[str, ...]


def sessions_in(folder: Path) -> tuple[Path, ...]:
    """Bundles and session folders directly in a folder, by name, also those that may not be opened.

    Raises BadInput where it is none.
    """
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{folder} is not a folder that can be read ({why}).", "Check the path.") from error
    return tuple(path for path in found if path.suffix.lower() == ".zip" or _is_session(path))[:MAX_SESSIONS]


def _is_session(path: Path) -> bool:
    """Whether this is a session folder; so is one that may not be entered, for whoever opens it is then told why."""
    try:
        return stat.S_ISREG((path / "events.jsonl").stat().st_mode)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def submissions(folder: Path) -> tuple[Submission, ...]:
    """What is on the desk; what cannot be opened is listed with its reason."""
    return tuple(_submission(path) for path in sessions_in(folder))


def _submission(path: Path) -> Submission:
    try:
        with bundles.opened(path, sound=False) as session:
            return _summary(path, session)
    except VoicecoachError as error:
        return Submission(path, path.name, "", "", "", 0, "cannot be opened", "", (str(error),))


def _summary(path: Path, session: record.Record) -> Submission:
    head = head_of(session.events)
    verdict = entries_of(session.trainer, {}, ()).verdict
    said = any(line.get("kind") in ("comment", "mark", "next") for line in session.trainer)
    return Submission(
        path=path,
        name=path.stem if path.is_file() else path.name,
        trainee=head.trainee,
        persona=head.persona,
        wall=head.wall,
        turns=head.turns,
        outcome=head.outcome,
        state=verdict.verdict if verdict else "commented" if said else "new",
        problems=session.problems,
    )


def shown(words: str) -> str:
    """What others have named, as one line that alters no terminal."""
    return one_line(text(words))


def look_up(path: Path) -> Path:
    """The bundle or session folder at `path`; raises BadInput with a sentence where there is none."""
    if bundles.is_bundle(path) or _is_session(path):
        return path
    if path.is_dir() and (inside := sessions_in(path)):
        example = shown(str(inside[0]))
        raise BadInput(f"{path} holds {len(inside)} sessions.", f"Name one of them, for example {example}.")
    raise BadInput(f"{path} is neither a session folder nor a bundle.", "`voicecoach desk FOLDER` lists what there is.")


def report_of(path: Path, rules: judge.Rules | None = None) -> Report:
    """The debrief of a session or bundle, with the trainer's words beside the machine's."""
    with bundles.opened(path, sound=False) as session:
        return debrief.report_on(session, rules)


def page_of(path: Path) -> tuple[Report, str]:
    """The same with its page, the recording in it where there is one."""
    with bundles.opened(path) as session:
        report = debrief.report_on(session)
        return report, debrief.page_of(session, report)


# --- the trainer says something ----------------------------------------------------------------------------


def comment(path: Path, words: str, trainer: str, wall: str, turn: int | None = None) -> Path:
    """Write a comment on a turn, or on the whole call; the file it went to."""
    return _say(path, {"kind": "comment", "turn": turn, "text": _words(words, "comment")}, trainer, wall, turn=turn)


def override(
    path: Path,
    verdict: str,
    reason: str,
    trainer: str,
    wall: str,
    *,
    turn: int | None = None,
    code: str = "",
    step: str = "",
) -> Path:
    """Mark a code in a turn, or a step, as the trainer hears it, with the reason. The machine's mark stays beside it.

    Raises BadInput where the turn, the code, the step or the verdict is none.
    """
    said = SPELLINGS.get(verdict, verdict)
    report = report_of(path)
    if bool(step) == bool(code):
        raise BadInput("Say what you mark.", "Either --turn N --code CODE, or --step STEP.")
    if step:
        ids = [one.id for one in report.steps]
        if step not in ids:
            raise BadInput(
                f"The procedure of this session has no step '{step[:50]}'.", f"There are: {', '.join(ids) or 'none'}."
            )
        allowed: tuple[str, ...] = MOVE_VERDICTS
        machine = next(one.outcome for one in report.steps if one.id == step)
    else:
        allowed = verdicts_for(code)
        if not allowed:
            raise BadInput(f"There is no move or fault '{code[:50]}'.", f"There are: {', '.join((*MOVES, *FAULTS))}.")
        if turn is None:
            raise BadInput("Say in which turn.", "For example --turn 3.")
        _known_turn(report, turn)
        machine = machine_marks(report).get((turn, code), "not heard")
    if said not in allowed:
        raise BadInput(
            f"'{verdict[:50]}' is not a verdict on that.",
            f"Say {', '.join(allowed)}.".replace("not heard", "not-heard"),
        )
    entry = {
        "kind": "mark", "turn": None if step else turn, "code": code, "step": step, "verdict": said,
        "reason": _words(reason, "reason"), "machine": machine, "rules": RULES_VERSION,
    }  # fmt: skip
    return _say(path, entry, trainer, wall)


def give_verdict(path: Path, verdict: SessionVerdict, words: str, trainer: str, wall: str) -> Path:
    """Write the verdict on the session. A later one counts instead of it."""
    return _say(path, {"kind": "verdict", "verdict": verdict, "text": text(words).strip()[:MAX_CHARS]}, trainer, wall)


def give_next(path: Path, assignment: Assignment, trainer: str, wall: str) -> Path:
    """Send the next assignment along with what comes back."""
    return _say(path, {"kind": "next", "assignment": asdict(assignment)}, trainer, wall)


def _words(given: str, what: str) -> str:
    said = text(given).strip()
    if not said:
        raise BadInput(f"The {what} is empty.", "Write at least a word: it is what the trainee learns from.")
    if len(said) > MAX_CHARS:
        raise BadInput(
            f"The {what} has {len(said)} characters; {MAX_CHARS} is the most.", "Make it shorter, or two of it."
        )
    return said


def _known_turn(report: Report, turn: int) -> None:
    numbers = [one.number for one in report.turns]
    if turn not in numbers:
        there = f"It has turns {numbers[0]} to {numbers[-1]}." if numbers else "It has none."
        raise BadInput(f"This session has no turn {turn}.", there)


def _say(path: Path, entry: Mapping[str, Any], trainer: str, wall: str, *, turn: int | None = None) -> Path:
    """Append to the trainer's file; its first line says which session it is about."""
    with bundles.opened(path, sound=False) as session:
        if turn is not None:
            _known_turn(debrief.report_on(session), turn)
        about = bundles.identity(session)
        target = bundles.trainer_file(path)
        lines, odd = record.read_lines(target)
        own, _ = bundles.words_about(session, lines)
    if len(own) < len(lines):
        other = path.resolve().with_name(f"{path.stem}-before.{record.TRAINER}")
        raise BadInput(
            f"{target} holds words about another session, and yours would be mixed with them.",
            f"Move it, for example to {other}, where `voicecoach desk collect` still finds it. Then repeat the command.",
        )
    if not target.exists() or (odd == 0 and not lines):
        record.append_line(target, {"kind": "about", "session": about}, mode=0o666 if path.is_file() else 0o600)
    record.append_line(target, {**entry, "trainer": text(trainer).strip()[:80], "wall": wall}, mode=0o666)
    return target


# --- the trainee brings it home ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Collected:
    """What came back about one session: how many lines are new."""

    session: Path
    lines: int


def collect(source: Path, sessions: Path) -> tuple[Collected, ...]:
    """Take what the trainer wrote, from a folder or one file, into the sessions that it is about.

    A line that is there already is not taken twice; what is about no session of this machine is left alone.
    """
    if not source.exists():
        raise BadInput(f"{source} is not there.", "Name the folder that you submitted to, or the file that came back.")
    inside = sessions_in(source) if source.is_dir() else ()
    files = sorted(source.glob(f"*.{record.TRAINER}")) if source.is_dir() else [source]
    files += [path / record.TRAINER for path in inside if not bundles.is_bundle(path)]
    mine = {bundles.identity(session): folder for folder, session in _read_all(sessions)}
    new: dict[Path, list[Mapping[str, Any]]] = {}
    for file in files:
        lines, _ = record.read_lines(file)
        about = next((text(line.get("session")) for line in lines if line.get("kind") == "about"), "")
        folder = mine.get(about)
        if folder is None or folder.resolve() == file.parent.resolve():
            continue
        there = {
            record.to_json(line) for line in (*record.read_lines(folder / record.TRAINER)[0], *new.get(folder, ()))
        }
        new.setdefault(folder, []).extend(line for line in lines if record.to_json(line) not in there)
    for folder, fresh in new.items():
        for line in fresh:
            record.append_line(folder / record.TRAINER, line)
    return tuple(Collected(folder, sum(line.get("kind") != "about" for line in fresh)) for folder, fresh in new.items())


def _seconds(wall: Any) -> float:
    """When something was written, to compare; before everything else where that is no time."""
    at = instant(text(wall))
    return at.timestamp() if at else -math.inf


def _read_all(sessions: Path) -> Iterator[tuple[Path, record.Record]]:
    for folder in record.list_sessions(sessions):
        with contextlib.suppress(VoicecoachError):
            yield folder, record.read(folder)


# --- assignments -----------------------------------------------------------------------------------------------


def read_assignment(path: Path) -> Assignment:
    """An assignment file. Raises BadInput with every problem and its line, also for a scenario, procedure or step that is none."""
    found = yamlfile.load(path, Assignment)
    scenario_of(found, path.parent)
    steps, _ = prepare.choose_procedure(procedure_of(found, path.parent))
    known = [step.id for step in steps.steps]
    if strange := [one.step for one in found.minimums if one.step not in known]:
        raise BadInput(
            f"{path}: the procedure {found.procedure} has no step '{strange[0]}'.", f"There are: {', '.join(known)}."
        )
    return found


def scenario_of(assignment: Assignment, folder: Path) -> str:
    """The scenario as `rehearse` takes it: a bundled name, or the file beside the assignment. Raises BadInput."""
    name = _beside(assignment.scenario, folder)
    prepare.choose_persona(name, assignment.level)
    return name


def procedure_of(assignment: Assignment, folder: Path) -> str:
    """The procedure in the same way."""
    return _beside(assignment.procedure, folder)


def _beside(name: str, folder: Path) -> str:
    return str(folder / name) if name.endswith((".yaml", ".yml")) else name


def write_assignment(assignment: Assignment, path: Path) -> Path:
    """Write a new assignment file that `read_assignment` reads; never over another. Raises BadInput, DiskError."""
    lines = ["# An assignment for a rehearsal: voicecoach rehearse --assignment " + path.name]
    values = {key: value for key, value in asdict(assignment).items() if value not in ("", None, ())}
    for key, value in values.items():
        if key == "minimums":
            lines.append("minimums:")
            lines += [f"  - {{step: {one['step']}, at_least: {one['at_least']}}}" for one in value]
        else:
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError as error:
        raise BadInput(f"{path} is there already.", "Choose another name; nothing was overwritten.") from error
    except OSError as error:
        raise DiskError(f"{path} cannot be written ({error.strerror or error}).", "Choose another place.") from error
    return path


def schema() -> dict[str, Any]:
    """The JSON Schema of an assignment file."""
    from pydantic import TypeAdapter

    made = TypeAdapter(Assignment).json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "voicecoach assignment"
    return made


def attempt(sessions: Path, assignment: Assignment, trainee: str) -> int:
    """Which attempt the next call of a trainee would be: their calls of the same assignment on this machine, and one.

    Calls that the recorded trainee took are nobody's.
    """
    earlier = 0
    for _, session in _read_all(sessions):
        head = head_of(session.events)
        if head.demo or head.trainee != text(trainee):
            continue
        event = session.first("assignment")
        told = event.data.get("assignment") if event else None
        earlier += isinstance(told, Mapping) and told.get("id") == assignment.id
    return earlier + 1


# --- machine and trainer -------------------------------------------------------------------------------------------


def agreement_in(folder: Path) -> tuple[Agreement, tuple[str, ...]]:
    """Machine and trainer over all sessions of a folder, and what could not be opened or is there twice.

    Of a session that was submitted more than once the newest verdict counts.
    """
    problems = []
    found: dict[str, list[tuple[float, str, Report]]] = {}
    rules = prepare.rules()
    for path in sessions_in(folder):
        try:
            with bundles.opened(path, sound=False) as session:
                report = debrief.report_on(session, rules)
                verdict = report.desk.verdict if report.desk else None
                judged = _seconds(verdict.wall) if verdict else -math.inf
                found.setdefault(bundles.identity(session), []).append((judged, path.name, report))
        except VoicecoachError as error:
            problems.append(f"{path.name}: {error}")
    reports = []
    for same in found.values():
        newest = max(same, key=lambda entry: entry[0])
        reports.append(newest[2])
        problems += [f"{one[1]} is left out: the same session as {newest[1]}." for one in same if one is not newest]
    return agreement(reports), tuple(problems)
