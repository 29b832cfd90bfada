"""How well two labellers agree: `python benchmarks/moves/agreement.py FIRST.jsonl SECOND.jsonl` prints Cohen's kappa.

The unit is (turn, code): was the code given anywhere in the turn? A unit that either labeller marked `?` is left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from voicecoach.judge.cues import FAULTS, MOVES


def _read(path: str) -> dict[str, list[str]]:
    lines = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    return {line["id"]: line["codes"] if "codes" in line else [codes for _, codes in line["parts"]] for line in lines}


def _mark(parts: list[str], code: str) -> str:
    given = " ".join(parts).split()
    return "yes" if code in given else "perhaps" if f"{code}?" in given else "no"


def table(first: dict[str, list[str]], second: dict[str, list[str]], code: str) -> tuple[int, int, int, int]:
    """Turns with (both, only the first, only the second, neither)."""
    pairs = [(_mark(first[key], code), _mark(parts, code)) for key, parts in second.items()]
    kinds = (("yes", "yes"), ("yes", "no"), ("no", "yes"), ("no", "no"))
    return tuple(pairs.count(kind) for kind in kinds)  # type: ignore[return-value]


def kappa(both: int, one: int, two: int, neither: int) -> float:
    """Cohen's kappa of a two-by-two table."""
    n = both + one + two + neither
    chance = ((both + one) * (both + two) + (neither + one) * (neither + two)) / (n * n)
    return ((both + neither) / n - chance) / (1 - chance) if chance < 1 else 1.0


def main(paths: list[str]) -> None:
    first, second = map(_read, paths)
    total = [0, 0, 0, 0]
    for code in (*MOVES, *FAULTS):
        counts = table(first, second, code)
        total = [a + b for a, b in zip(total, counts, strict=True)]
        print(f"{code:20} both {counts[0]:3}  one alone {counts[1]:3} {counts[2]:3}  kappa {kappa(*counts):.2f}")
    both, one, two, _ = total
    print(
        f"{len(second)} turns: kappa {kappa(*total):.3f}, F1 of one against the other {2 * both / (2 * both + one + two):.3f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
