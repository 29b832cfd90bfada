"""The plumbing commands: files in, JSON out. Keys are a promise (docs/commands.md)."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from voicecoach.calibration import hear_and_measure
from voicecoach.errors import BadInput
from voicecoach.judge import Rules
from voicecoach.judge.delivery import judge_delivery
from voicecoach.judge.stream import judge_line
from voicecoach.measure.validity import validity
from voicecoach.nouns import CUSTOMER_FINISHED, Baseline, Delivery, Heard, Procedure, Step
from voicecoach.record import tidy
from voicecoach.report import words
from voicecoach.world import audiofiles
from voicecoach.world.ears import Ears

__all__ = ["as_lines", "judge_line", "judge_lines", "measure", "procedure_lines"]

MAX_LINE_BYTES = 1 << 20


def measure(path: Path, ears: Ears | None, baseline: Baseline | None) -> dict[str, Any]:
    """The measures of one recording as plain JSON; what was not measured is null with a reason in `quality`."""
    samples, flat = audiofiles.read_with_flat(path)
    seen, heard = hear_and_measure(samples, ears, baseline, flat)
    reasons = list(seen.quality.reasons)
    if ears is None:
        reasons.append("Rates, words and fillers are not measured without a transcript.")
    elif seen.rate is None:
        reasons.append("Rates are not measured: no words were recognised.")
    if seen.level and seen.level.noise_dbfs is None:
        reasons.append("The noise is not measured: there is no gap in the speech.")
    if baseline is not None and seen.relative is None:
        reasons.append("The change from the baseline is not measured: there is no voiced speech.")
    values = _tidy(_keys(asdict(seen), heard))
    return {
        "file": str(path),
        **values,
        "quality": {"ok": seen.quality.ok, "reasons": reasons},
        "validity": validity(values, seen, words=ears is not None, baseline=baseline is not None),
        "delivery": _verdicts(judge_delivery(seen)),
    }


def _verdicts(delivery: Delivery) -> dict[str, Any]:
    """What a debrief would say of it as a turn by itself."""
    return {
        "loudness": delivery.loudness,
        "pace": delivery.pace,
        "why": list(delivery.evidence),
        "advice": delivery.advice or None,
    }


def _keys(seen: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    """The promised keys, in the promised order."""
    times = ("duration_s", "span_s", "speech_s", "pauses")
    voice = ("f0", "level", "effort", "rate", "relative", "tracker")
    words = [asdict(word) for word in heard.words] if heard else None
    return {
        **{key: seen[key] for key in times},
        "longest_pause_s": max((pause["end"] - pause["start"] for pause in seen["pauses"]), default=None),
        **{key: seen[key] for key in voice},
        "transcript": heard.text if heard else None,
        "words": [
            {"text": w["text"], "start": w["start_s"], "end": w["end_s"], "probability": w["probability"]}
            for w in words
        ]
        if words is not None
        else None,
        "fillers": [word["text"] for word in seen["fillers"]] if heard else None,
        "unspoken": seen["unspoken"] if heard else None,
    }


def _tidy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tidy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy(item) for item in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def as_lines(result: Mapping[str, Any]) -> str:
    """The measures of one recording for people."""

    def show(part: str, key: str, unit: str, digits: int = 1) -> str:
        value = (result.get(part) or {}).get(key)
        return f"{value:.{digits}f} {unit}" if value is not None else "not measured"

    lines = [
        f"{result['file']}: {result['duration_s']:.1f} s, {result['speech_s']:.1f} s of speech, {len(result['pauses'])} pauses",
        f"  pitch       {show('f0', 'median_hz', 'Hz', 0)}, range {show('f0', 'range_st', 'semitones')}",
        f"  level       {show('level', 'rms_dbfs', 'dBFS')}",
        f"  effort      centroid {show('effort', 'centroid_hz', 'Hz', 0)}, alpha ratio {show('effort', 'alpha_db', 'dB')}",
        f"  rate        {show('rate', 'wpm', 'words/min', 0)}, {show('rate', 'articulation_sps', 'syllables/s')}",
    ]
    if result.get("relative"):
        lines.append(
            f"  to baseline effort {show('relative', 'effort_db', 'dB')}, pitch {show('relative', 'f0_st', 'semitones')}"
        )
    if result["quality"]["ok"]:
        verdicts = result["delivery"]
        lines.append(f"  verdict     {verdicts['loudness']}, {verdicts['pace']}: {'; '.join(verdicts['why'])}")
    if result.get("transcript"):
        lines.append(f"  words       {result['transcript']}")
    return "\n".join([*lines, *(f"  note        {reason}" for reason in result["quality"]["reasons"])])


def judge_lines(source: str, rules: Rules) -> Iterator[dict[str, Any]]:
    """Judge one turn per line of a JSONL file ("-": standard input). Raises BadInput naming the line."""
    with _opened(source) as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if not raw.strip():
                continue
            try:
                yield judge_line(_object(raw), rules)
            except BadInput as error:
                raise BadInput(f"Line {number} of {source}: {error.what}", error.do, error.detail) from error


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source == "-":
        if sys.stdin is None:
            raise BadInput("Standard input is closed.", "Give a file instead of -.")
        yield sys.stdin.buffer
        return
    try:
        file = open(source, "rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{source} cannot be read ({why or error}).", "Check the path.") from error
    with file:
        try:
            yield file
        except OSError as error:  # a folder opens on some systems and cannot be read
            raise BadInput(f"{source} cannot be read ({error.strerror or error}).", "Check the path.") from error


def _object(raw: bytes) -> dict[str, Any]:
    """A line as an object whose texts can be written again."""
    example = 'Lines look like {"id": 1, "text": "I see."}'
    if len(raw) > MAX_LINE_BYTES:
        raise BadInput(f"It is over {MAX_LINE_BYTES >> 20} MB.", "One turn belongs on a line.")
    try:
        line = tidy(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"It is not JSON ({error}).", example) from error
    if not isinstance(line, dict):
        raise BadInput("It is not a JSON object.", example)
    return line


# --- a procedure for people ------------------------------------------------------------------------


def procedure_lines(procedure: Procedure) -> list[str]:
    """The steps of a procedure: what each asks for, what shows it, and its order, waits and too-early rules."""
    names = {step.id: step.name for step in procedure.steps}
    lines = [f"{procedure.name} (document {procedure.document})", procedure.about, ""]
    for number, step in enumerate(procedure.steps, 1):
        lines += [f"{number}. {step.name} [{step.source}]", *(f"   {line}" for line in _step_lines(step, names))]
    if procedure.cycle:
        again = ", ".join(names[name] for name in procedure.cycle)
        lines += ["", f"Begins again when the customer is not satisfied: {again}."]
    return lines


def _step_lines(step: Step, names: Mapping[str, str]) -> Iterator[str]:
    yield step.rule
    if step.before_call:
        yield {
            "worksheet": "Before the call: done with the worksheet.",
            "focus": "Before the call: done with one slow breath.",
        }.get(step.prepared_by, "Before the call.")
    elif shown := words.looked_for(step.any_of, step.all_of, step.forbids):
        yield f"Listens for: {shown}{'; in a quiet voice' if step.delivery else ''}."
    if step.after:
        yield f"After: {', '.join(names[name] for name in step.after)}."
    if step.wait_after:
        yield f"Waits for the answer after: {', '.join(words.code(code) for code in step.wait_after)}."
    for rule in step.too_early:
        until = "the customer has finished" if rule.until == CUSTOMER_FINISHED else f"“{names[rule.until]}”"
        yield f"Too early before {until}: {', '.join(words.code(code) for code in rule.moves)}."
