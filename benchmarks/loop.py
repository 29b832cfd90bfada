"""Latency and throughput of the loop on this machine: `python benchmarks/loop.py [--json]`.

The recorded trainee's call is held through the file form of the Sound port with the real recogniser, measures, judge and
voice. Figures are of this run and this machine; compare ratios, not seconds, between machines.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import numpy as np

from voicecoach import calibration, prepare, record, session
from voicecoach.measure import observe
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.world import pitch
from voicecoach.world.ears import plain
from voicecoach.world.trainee import FileDuplex, recorded, recorded_trainee


def cpu_s() -> float:
    """Processor seconds of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """(result, wall seconds, processor seconds) of one piece of work."""
    wall, cpu = time.perf_counter(), cpu_s()
    result = work()
    return result, time.perf_counter() - wall, cpu_s() - cpu


def hold_call(folder: Path) -> tuple[record.Record, float, float]:
    """One demo call: its record, wall seconds and processor seconds."""
    script, spoken = prepare.demo_trainee(), prepare.spoken()
    persona, persona_text = prepare.choose_persona(prepare.DEFAULT_PERSONA)
    procedure, procedure_text = prepare.choose_procedure(prepare.DEFAULT_PROCEDURE)
    ears, files = prepare.ears()
    call = session.Call(
        persona, persona_text, procedure, procedure_text, prepare.rules(), prepare.demo_baseline(script, ears), script.name, 1, wall=prepare.now()
    )  # fmt: skip
    voice = prepare.voice(persona)
    with record.Writer(folder, persona_text, procedure_text) as writer:
        sound = FileDuplex(recorded_trainee(script, spoken))
        _, wall, cpu = timed(lambda: session.rehearse(call, sound, ears, files, voice, writer))
    return record.read(folder), wall, cpu


def help_s() -> float:
    """Seconds until `voicecoach --help` has answered, the best of five; the house wants under 0.3."""
    return min(
        timed(lambda: subprocess.run([sys.executable, "-m", "voicecoach", "--help"], capture_output=True, check=True))[
            1
        ]
        for _ in range(5)
    )


def measures() -> dict[str, float]:
    """All measures of a turn but recognition, against librosa's default pYIN alone, in one run on one thread."""
    import librosa

    script, spoken = prepare.demo_trainee(), prepare.spoken()
    turns = [np.asarray(recorded(script, spoken, turn.say, turn.manner) / 32768, np.float32) for turn in script.turns]
    seconds = sum(map(len, turns)) / SAMPLE_RATE_HZ
    calibration.measure_file(turns[0], None)  # load the models outside the clock
    _, _, own = timed(lambda: [calibration.measure_file(turn, None) for turn in turns])
    _, _, f0 = timed(lambda: [pitch.track(observe.for_models(turn)) for turn in turns])
    librosa.pyin(turns[0], fmin=65, fmax=2093, sr=SAMPLE_RATE_HZ)
    _, _, pyin = timed(lambda: [librosa.pyin(turn, fmin=65, fmax=2093, sr=SAMPLE_RATE_HZ) for turn in turns[:4]])
    pyin_rtf = pyin / (sum(map(len, turns[:4])) / SAMPLE_RATE_HZ)
    return {
        "measure_rtf": own / seconds,
        "pitch_rtf": f0 / seconds,
        "pyin_rtf": pyin_rtf,
        "pyin_over_all_measures": pyin_rtf * seconds / own,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as folder:
        held, wall, cpu = hold_call(Path(folder) / "call")
        audio_s = len(record.read_audio(held)) / SAMPLE_RATE_HZ
    script = prepare.demo_trainee()
    times = [event.data for event in held.of("timed")]
    steps = {key: [float(row[key]) for row in times] for key in ("endpoint_ms", "recognise_ms", "judge_ms", "voice_ms")}
    answer = [float(row["answer_ms"]) for row in times]
    heard = [plain(event.data["text"]) for event in held.of("heard") if "again" in event.data]
    result: dict[str, Any] = {
        "processors": os.cpu_count(),
        "turns": len(times),
        "answer_p50_ms": float(np.percentile(answer, 50)),
        "answer_p95_ms": float(np.percentile(answer, 95)),
        **{f"{key.removesuffix('_ms')}_p50_ms": float(np.percentile(values, 50)) for key, values in steps.items()},
        "call_s": audio_s,
        "call_wall_s": wall,
        "call_cpu_per_audio_s": cpu / audio_s,
        "faster_than_real_time": audio_s / wall,
        "demo_wer": jiwer.wer([plain(turn.say) for turn in script.turns], heard)
        if len(heard) == len(script.turns)
        else None,
        "help_s": help_s(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    result |= measures()
    if as_json:
        print(
            json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()})
        )
        return
    width = max(map(len, result))
    for key, value in result.items():
        print(f"{key:{width}}  {value:.3f}" if isinstance(value, float) else f"{key:{width}}  {value}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    sys.exit(main())
