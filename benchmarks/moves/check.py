"""Check files of labelled turns: `python benchmarks/moves/check.py FILE...` says what is wrong and counts the codes."""

from __future__ import annotations

import collections
import json
import sys
from pathlib import Path

from voicecoach.judge.cues import FAULTS, MOVES

CODES = {*MOVES, *FAULTS}
KEYS = {"id", "trade", "kind", "name", "said", "history", "finished", "parts"}


def problems(line: dict) -> list[str]:
    """What is wrong with one line, in words."""
    found = [f"no '{key}'" for key in sorted(KEYS - line.keys())]
    found += [f"unknown key '{key}'" for key in sorted(line.keys() - KEYS - {"cannot"})]
    found += [f"unknown kind {line['kind']!r}"] if line.get("kind") not in ("plain", "hard", "asr") else []
    found += [f"unknown code {code!r} in history" for code in line.get("history", ()) if code not in CODES]
    for text, codes in line.get("parts", ()):
        found += [f"a part is not stripped: {text!r}"] if text != text.strip() or not text else []
        found += [f"unknown code {code!r}" for code in codes.split() if code.rstrip("?") not in CODES]
    return found


def main(paths: list[str]) -> int:
    counts: collections.Counter[str] = collections.Counter()
    kinds: collections.Counter[str] = collections.Counter()
    bad, seen = 0, set()
    for path in paths:
        for number, written in enumerate(Path(path).read_text("utf-8").splitlines(), 1):
            try:
                line = json.loads(written)
                found = problems(line)
            except ValueError as error:
                line, found = {}, [str(error)]
            if line.get("id") in seen:
                found.append("the id is used twice")
            seen.add(line.get("id"))
            for problem in found:
                print(f"{path}:{number}: {problem}")
            bad += bool(found)
            kinds[line.get("kind", "")] += 1
            counts.update(code for _, codes in line.get("parts", ()) for code in codes.split())
    print(f"{sum(kinds.values())} turns {dict(kinds)}")
    for code in (*MOVES, *FAULTS):
        print(f"  {code:20} {counts[code]:5} and {counts[code + '?']} with '?'")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
