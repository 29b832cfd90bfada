"""Hours of calls one after another in one process: does memory stay flat, and is there one clock?

`python benchmarks/endurance.py [--minutes 60] [--json]` holds calls on a virtual clock, with the real detector,
recogniser (both passes), measures, judge and lines, so that an hour takes some ten minutes. What only real devices can
do (runs dry, drift between two of them) is not in it: that is benchmarks/latency.py.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import latency

from voicecoach import record
from voicecoach.nouns import SAMPLE_RATE_HZ

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--minutes", type=float, default=60.0, help="of calls (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    held_s, calls, turns, error, seed = 0.0, 0, 0, 0, options.seed
    memory: list[tuple[float, float]] = []
    began = time.perf_counter()
    said = latency.replies(2 * len(latency.SENTENCES), seed)
    while held_s < options.minutes * 60:
        with tempfile.TemporaryDirectory() as data:
            trainee = latency.Simulated(list(said), seed)
            folder = latency.hold_on_file(trainee, Path(data), "normal", seed)
            told = record.read(folder)
            held_s += record.audio_samples(told) / SAMPLE_RATE_HZ
            turns += sum(1 for _ in told.of("spoke"))
            error = max(error, clock_error(folder, trainee))
        calls, seed = calls + 1, seed + 1
        memory.append((held_s, resident_mb()))
        latency.progress(f"{held_s / 60:.1f} min, {calls} calls, {turns} turns, {memory[-1][1]:.0f} MB")
    settled = [megabytes for at_s, megabytes in memory if at_s >= min(SETTLED_S, held_s / 2)]
    result: dict[str, Any] = {
        "minutes": held_s / 60,
        "wall_minutes": (time.perf_counter() - began) / 60,
        "calls": calls,
        "turns": turns,
        "memory_mb": memory[-1][1],
        "growth_mb": max(settled) - settled[0],
        "clock_error_samples": error,
    }
    shown = {key: round(value, 2) if isinstance(value, float) else value for key, value in result.items()}
    print(json.dumps(shown) if options.json else "\n".join(f"{key:20}  {value}" for key, value in shown.items()))


if __name__ == "__main__":
    sys.exit(main())
