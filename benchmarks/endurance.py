"""Hours of calls one after another in one process: does memory stay flat, and is there one clock?

`python benchmarks/endurance.py [--minutes 60] [--json]` holds calls on a virtual clock, with the real detector,
recogniser (both passes), measures, judge and lines, so that an hour takes some ten minutes.

`--live` holds them in real time through the rig's sound server (tests/e2e/rig.py), an hour in an hour, for what only
devices can do: blocks that are lost, streams that die, a clock that drifts.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import latency

from voicecoach import record
from voicecoach.nouns import SAMPLE_RATE_HZ

MOST_BETWEEN = 24
"""Replies that may lie between the last one found in a call and the first of the next; the same words come again later."""
TELLING = 3
"""So many replies in a row tell where in the trainee's list a call begins (ours; with fewer, repeated words mislead)."""
SETTLED_S = 600.0
"""Models, lines and caches are there after the first ten minutes; what grows later, grows for ever."""


def resident_mb() -> float:
    """Memory of this process that is in use now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def clock_error(folder: Path, trainee: latency.Simulated) -> int:
    """Samples by which the recording and the trainee's own count differ, and events that lie outside or go back."""
    told = record.read(folder)
    both = record.read_audio(told)
    positions = [event.at for event in told.events]
    wrong = sum(a > b for a, b in pairwise(positions)) + sum(at > len(both) for at in positions)
    starts = [start for start, _ in latency.spans_of(both, trainee.spoken)]
    drifts = [abs(start - true) for start, true in zip(starts, trainee.began, strict=False)]
    return max([abs(positions[-1] - len(both)), wrong, *drifts])


def on_a_virtual_clock(minutes: float, seed: int) -> dict[str, Any]:
    """Calls in this process until `minutes` are held."""
    held_s, calls, turns, error = 0.0, 0, 0, 0
    memory: list[tuple[float, float]] = []
    said = latency.replies(2 * len(latency.SENTENCES), seed)
    while held_s < minutes * 60:
        with tempfile.TemporaryDirectory() as data:
            trainee = latency.Simulated(list(said), seed + calls)
            folder = latency.hold_on_file(trainee, Path(data), "normal", seed + calls)
            told = record.read(folder)
            held_s += record.audio_samples(told) / SAMPLE_RATE_HZ
            turns += sum(1 for _ in told.of("spoke"))
            error = max(error, clock_error(folder, trainee))
        calls += 1
        memory.append((held_s, resident_mb()))
        latency.progress(f"{held_s / 60:.1f} min, {calls} calls, {turns} turns, {memory[-1][1]:.0f} MB")
    return {"minutes": held_s / 60, "calls": calls, "turns": turns, **grown(memory), "clock_error_samples": error}


def grown(memory: list[tuple[float, float]]) -> dict[str, float]:
    """What (seconds held, megabytes) after each call come to."""
    settled = [megabytes for at_s, megabytes in memory if at_s >= min(SETTLED_S, memory[-1][0] / 2)]
    return {"memory_mb": memory[-1][1], "growth_mb": max(settled) - settled[0]}


def in_the_rig(minutes: float, seed: int) -> dict[str, Any]:
    """Calls in one process of their own, in real time, until `minutes` are over."""
    said = latency.replies(2 * len(latency.SENTENCES), seed)
    trainee = latency.Simulated([*said] * (1 + round(minutes / 8)), seed)
    memory: list[tuple[float, float]] = []
    with latency.rig.sound_server() as env, tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        command = [sys.executable, __file__, "--calls", str(data), str(minutes), str(seed)]
        here = {**env, "PYTHONPATH": str(latency.ROOT)}
        with latency.rig.at_the_microphone(trainee, env):
            process = subprocess.Popen(command, env=here, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            for line in process.stdout:
                memory.append(json.loads(line))
                latency.progress(f"{memory[-1][0] / 60:.1f} min, {len(memory)} calls, {memory[-1][1]:.0f} MB")
        if process.wait():
            raise SystemExit("The calls broke off.")
        sessions = [record.read(one) for one in record.list_sessions(data / "sessions")]
        ends = [end.data for one in sessions if (end := one.first("ended")) is not None]
        shifts = list(shifts_samples(sessions, trainee))
        return {
            "minutes": sum(record.audio_samples(one) for one in sessions) / SAMPLE_RATE_HZ / 60,
            "calls": len(sessions),
            "turns": sum(1 for one in sessions for _ in one.of("spoke")),
            **grown(memory),
            "xruns": sum(int(end.get("xruns", 0)) for end in ends),
            "lost_blocks": sum(int(end.get("lost_blocks", 0)) for end in ends),
            "device_away": sum(1 for one in sessions for _ in one.of("resumed")),
            "events_that_go_back": sum(a.at > b.at for one in sessions for a, b in pairwise(one.events)),
            "replies_compared": sum(len(_alike(one)) for one in shifts),
            "replies_elsewhere": sum(len(one) - len(_alike(one)) for one in shifts),
            "shift_in_a_call_ms": max(max(_alike(one)) - min(_alike(one)) for one in shifts) * 1000 / SAMPLE_RATE_HZ,
        }


def shifts_samples(sessions: list[record.Record], trainee: latency.Simulated) -> Iterator[list[int]]:
    """For each call, where each reply is in the recording, counted from where the trainee said it: alike but for losses."""
    first = 0
    for session in sessions:
        both = record.read_audio(session)
        # Replies between two calls are in neither recording, and one that is not found hides those that follow.
        tries = [_shifts(both, trainee, first + skip, TELLING) for skip in range(MOST_BETWEEN)]
        best = max(range(MOST_BETWEEN), key=lambda skip: len(_alike(tries[skip])))
        found = _shifts(both, trainee, first + best, len(trainee.spoken))
        if len(_alike(found)) > 1:
            first += best + len(found)
            yield found


def _shifts(both: Any, trainee: latency.Simulated, first: int, count: int) -> list[int]:
    """Where `count` replies from number `first` on are in a recording, each less where the trainee said it."""
    spans = latency.spans_of(both, trainee.spoken[first : first + count])
    return [start - at for (start, _), at in zip(spans, trainee.began[first:], strict=False)]


def _alike(shifts: list[int]) -> list[int]:
    """Those that are alike to a second: a reply that was taken for another one with the same words is not."""
    middle = sorted(shifts)[len(shifts) // 2] if shifts else 0
    return [one for one in shifts if abs(one - middle) < SAMPLE_RATE_HZ]


def live_calls(data: Path, minutes: float, seed: int) -> None:
    """The process that `in_the_rig` starts: one call after the other, and after each a line with [seconds, megabytes]."""
    from voicecoach.world.memory import give_back
    from voicecoach.world.sound import Device

    began = time.monotonic()
    while time.monotonic() - began < minutes * 60:
        device = Device()
        try:
            latency.hold(device, data, "normal", seed)
        finally:
            device.close()
        seed += 1
        give_back()  # as after each call of the page
        print(json.dumps([time.monotonic() - began, resident_mb()]), flush=True)


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    if sys.argv[1:2] == ["--calls"]:
        live_calls(Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--live", action="store_true", help="in real time, through the rig's sound server")
    parser.add_argument("--minutes", type=float, default=60.0, help="of calls (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    result = (in_the_rig if options.live else on_a_virtual_clock)(options.minutes, options.seed)
    result["wall_minutes"] = (time.perf_counter() - began) / 60
    shown = {key: round(value, 2) if isinstance(value, float) else value for key, value in result.items()}
    print(json.dumps(shown) if options.json else "\n".join(f"{key:20}  {value}" for key, value in shown.items()))


if __name__ == "__main__":
    sys.exit(main())
