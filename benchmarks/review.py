"""How fast a recorded call is reviewed and told, how large its page is, and whether memory grows with the length.

    python benchmarks/review.py            a 10-minute call, with the recogniser
    python benchmarks/review.py --hours 5  a 5-hour call beside it, each without the recogniser, in processes of their own
    python benchmarks/review.py --hours 5 --words    the 5-hour call alone, with the recogniser

The calls are made of the recorded trainee's replies and of the customer's spoken lines. `--json` prints one line.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from voicecoach import debrief, prepare, record, review
from voicecoach.nouns import SAMPLE_RATE_HZ, Heard, Word
from voicecoach.world import audiofiles, ears, models
from voicecoach.world.spoken import load
from voicecoach.world.trainee import recorded

WORDS = [
    "I",
    "am",
    "sorry",
    "that",
    "this",
    "happened",
    "to",
    "you",
    "and",
    "I",
    "would",
    "like",
    "to",
    "put",
    "it",
    "right",
]


class Told:
    """Ears that hear the same sentence whatever is said, so that only the measuring is timed."""

    name, at_once = "script", ears.THREADS

    def hear(self, samples: np.ndarray, offset_s: float = 0.0) -> Heard:
        """The sentence, spread over the utterance."""
        step = len(samples) / SAMPLE_RATE_HZ / len(WORDS)
        words = tuple(Word(word, offset_s + n * step, offset_s + (n + 0.9) * step, 0.9) for n, word in enumerate(WORDS))
        return Heard(" ".join(WORDS), words, self.name)


def write_call(path: Path, seconds: float) -> None:
    """A stereo call of this length: replies left, lines right, one after the other, in a room's noise."""
    script, spoken = prepare.demo_trainee(), prepare.spoken()
    replies = [recorded(script, spoken, turn.say, turn.manner) for turn in script.turns]
    keys = sorted(key for key, entry in spoken.entries.items() if 2.0 < entry["seconds"] < 8.0)[:: len(replies)]
    lines = [np.int16(load(spoken.folder / spoken.entries[key]["file"]) * 32767) for key in keys]
    rng = np.random.default_rng(1)
    left, turn = round(seconds * SAMPLE_RATE_HZ), 0
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 2, "PCM_16") as file:
        while left > 0:
            voices = (lines[turn % len(lines)], replies[turn % len(replies)])
            for channel, voice in zip((1, 0), voices, strict=True):
                block = rng.normal(0, 6, (min(left, len(voice) + SAMPLE_RATE_HZ * 8 // 10), 2))
                block[: len(voice), channel] += voice[: len(block)]
                file.write(np.int16(np.clip(block, -32768, 32767)))
                left -= len(block)
            turn += 1


def measured(path: Path, recogniser: bool) -> dict[str, Any]:
    """Review a call and tell it, in this process."""
    files: Any = models.ModelFiles("script", Path(), "a benchmark", "0" * 64, 0.0)
    hearing: ears.Ears = Told()
    if recogniser:
        hearing, files = prepare.ears(silence_s=ears.SHORT_S, at_once=ears.THREADS)
    rules = prepare.rules()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    procedure, text = prepare.choose_procedure("six-guidelines")
    folder = path.with_suffix(".session")
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    with audiofiles.spooled(path, path.parent) as spool, record.Writer(folder, "", text) as writer:
        sides = review.sides_of(spool, "left", path)
        said = review.hear(*sides, name=path.name, ears=hearing)
        review.write(
            said, *sides, name=path.name, which="left", ears=hearing, ears_files=files, rules=rules,
            procedure=procedure.id, baseline=None, writer=writer, wall="2026-11-22T10:00:00+00:00",
        )  # fmt: skip
        minutes = spool.samples / SAMPLE_RATE_HZ / 60
    reviewed, peak = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    session = record.read(folder)
    _, page = debrief.debrief_of(session)
    debrief.write_page(page, folder / record.PAGE)
    told = time.perf_counter()
    silent = (
        page if 'src="data:' not in page else page[: page.index('src="data:')] + page[page.index('" aria-label="Rec') :]
    )
    return {
        "minutes": round(minutes, 1),
        "recogniser": recogniser,
        "turns": sum(1 for _ in session.of("spoke")) + sum(1 for _ in session.of("said")),
        "review_s": round(reviewed - start, 1),
        "times_real_time": round(minutes * 60 / (reviewed - start), 1),
        "debrief_s": round(told - reviewed, 2),
        "page_kb_without_audio": round(len(silent.encode()) / 1000),
        "models_mb": round(before / 1024),
        "peak_before_debrief_mb": round((peak - before) / 1024),
        "peak_over_models_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=0.0, help="also a call of so many hours, without the recogniser")
    parser.add_argument("--words", action="store_true", help="that call alone, with the recogniser")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("FILE", "EARS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measured(Path(chosen.one[0]), chosen.one[1] == "recogniser")))
        return
    wanted = [(10 / 60, "recogniser"), *([(10 / 60, "script"), (chosen.hours, "script")] if chosen.hours else [])]
    if chosen.words:
        wanted = [(chosen.hours or 10 / 60, "recogniser")]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (hours, kind) in enumerate(wanted):
            path = Path(folder) / f"call-{number}.wav"
            write_call(path, hours * 3600)
            run = [sys.executable, __file__, "--one", str(path), kind]  # a process each: peaks are a process's own
            rows.append(json.loads(subprocess.run(run, capture_output=True, check=True, text=True).stdout))
    if chosen.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
