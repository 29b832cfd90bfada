"""How right the judge of moves is on the batch that nobody tuned on: `python benchmarks/moves_report.py --write`.

Prints tables, or writes them into docs/judge.md. `--batch d` looks at the tuning batch instead, `--wrong CODE` lists
what went wrong. With `--voice` every turn is spoken by Piper and heard by the recogniser first (needs the extra `piper`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicecoach import prepare
from voicecoach.judge import Rules
from voicecoach.judge.clauses import split
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.judge.moves import find
from voicecoach.nouns import Finding, TurnContext

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "benchmarks" / "moves"
PAGE = ROOT / "docs" / "judge.md"
MARK = "<!-- made by benchmarks/moves_report.py: "
SPOKEN_WPM = 170.0
KINDS = ("plain", "hard", "asr", "all")


@dataclass(frozen=True)
class Judged:
    """A turn of the corpus with what the judge found in it."""

    line: dict[str, Any]
    sure: frozenset[str]
    open: frozenset[str]
    found: tuple[Finding, ...]

    def said(self, *outcomes: str) -> frozenset[str]:
        return frozenset(finding.code for finding in self.found if finding.outcome in outcomes)


def judged(lines: Iterable[dict[str, Any]], rules: Rules, hear: Callable[[str], str] = str) -> list[Judged]:
    results = []
    for line in lines:
        given = [code for _, codes in line["parts"] for code in codes.split()]
        sure = frozenset(code for code in given if not code.endswith("?"))
        context = TurnContext(
            customer_said=line["said"],
            customer_name=line["name"],
            history=tuple(line["history"]),
            customer_finished=line["finished"],
        )
        text = hear(" ".join(part for part, _ in line["parts"]))
        found = find(text, (), context, rules.cues, rules.reading)
        results.append(Judged(line, sure, frozenset(code.rstrip("?") for code in given) - sure, found))
    return results


def counts(turns: Sequence[Judged], codes: Sequence[str], *outcomes: str) -> tuple[int, int, int]:
    """(right, wrong, missed) over turns and codes; what the labellers left open counts neither way."""
    right = wrong = missed = 0
    for turn in turns:
        said = turn.said(*outcomes) & set(codes)
        right += len(said & turn.sure)
        wrong += len(said - turn.sure - turn.open)
        missed += len((turn.sure & set(codes)) - said)
    return right, wrong, missed


def prf(right: int, wrong: int, missed: int) -> tuple[float, float, float]:
    return (
        right / max(1, right + wrong),
        right / max(1, right + missed),
        2 * right / max(1, 2 * right + wrong + missed),
    )


def of_kind(turns: Sequence[Judged], kind: str) -> list[Judged]:
    return [turn for turn in turns if kind in ("all", turn.line["kind"])]


def overall(turns: Sequence[Judged]) -> list[str]:
    rows = [
        "| turns | n | moves done: P | R | F1 | faults shown: P | R | faults shown or listen: R |",
        "|---" * 8 + "|",
    ]
    for kind in KINDS:
        some = of_kind(turns, kind)
        move, shown = prf(*counts(some, MOVES, "done")), prf(*counts(some, FAULTS, "shown"))
        either = prf(*counts(some, FAULTS, "shown", "listen"))
        rows.append(
            f"| {kind} | {len(some)} | {move[0]:.3f} | {move[1]:.3f} | {move[2]:.3f} "
            f"| {shown[0]:.3f} | {shown[1]:.3f} | {either[1]:.3f} |"
        )
    return rows


def by_code(turns: Sequence[Judged]) -> list[str]:
    rows = ["| code | turns | P | R | F1 | R with unsure or listen |", "|---" * 6 + "|"]
    for code in (*MOVES, *FAULTS):
        outcomes = ("done",) if code in MOVES else ("shown",)
        strict = prf(*counts(turns, (code,), *outcomes))
        loose = prf(*counts(turns, (code,), "done", "unsure", "shown", "listen"))
        n = sum(code in turn.sure for turn in turns)
        rows.append(f"| `{code}` | {n} | {strict[0]:.2f} | {strict[1]:.2f} | {strict[2]:.2f} | {loose[1]:.2f} |")
    return rows


def reliability(turns: Sequence[Judged]) -> list[str]:
    """Of the findings with a confidence in each band, how many were right."""
    bands = ((0.0, 0.3), (0.3, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.01))
    rows = ["| confidence | findings | mean confidence | right |", "|---" * 4 + "|"]
    for low, high in bands:
        said = [
            (finding.confidence, finding.code in turn.sure)
            for turn in turns
            for finding in turn.found
            if low <= finding.confidence < high and finding.code not in turn.open and finding.code != "use_name"
        ]
        if said:
            mean, right = (sum(pair[at] for pair in said) / len(said) for at in (0, 1))
            rows.append(f"| {low:.2f} to {min(high, 1):.2f} | {len(said)} | {mean:.2f} | {right:.2f} |")
    return rows


def cost(lines: Sequence[dict[str, Any]], rules: Rules) -> float:
    """Milliseconds of processor time a turn."""
    began = time.process_time()
    judged(lines, rules)
    return (time.process_time() - began) / len(lines) * 1000


def spoken_and_heard() -> Callable[[str], str]:
    """What the recogniser makes of a text that Piper speaks."""
    from voicecoach.world.voice import Piper

    ears, _ = prepare.ears()
    voice = Piper()

    def hear(text: str) -> str:
        return ears.hear(voice.render(text, SPOKEN_WPM)).text

    return hear


def wrong(turns: Sequence[Judged], code: str) -> None:
    for turn in turns:
        surely, at_all = turn.said("done", "shown"), turn.said("done", "shown", "unsure", "listen")
        told = "MISSED" if code in turn.sure - at_all else "unsure" if code in turn.sure - surely else ""
        told = "WRONG " if code in surely - turn.sure - turn.open else told
        if told:
            marked = " | ".join(f"{part} [{codes}]" if codes else part for part, codes in turn.line["parts"])
            print(f"{told} {turn.line['id']} ({turn.line['kind']}): {marked}")


def tables(batch: str) -> str:
    lines = [json.loads(line) for line in (CORPUS / f"{batch}.jsonl").read_text("utf-8").splitlines()]
    both, alone = prepare.rules(), prepare.rules(cues_only=True)
    turns, plainly = judged(lines, both), judged(lines, alone)
    clauses = sum(len(split(" ".join(part for part, _ in line["parts"]))) for line in lines)
    return "\n".join([
        f"{len(lines)} turns, {clauses} clauses.", "", "### With the encoder", "", *overall(turns), "",
        f"{cost(lines, both):.0f} ms of processor time a turn.", "", "### The cues alone (`--cues-only`)", "",
        *overall(plainly), "", f"{cost(lines, alone):.1f} ms of processor time a turn.", "", "### By code", "",
        *by_code(turns), "", "### How far the confidence can be believed", "", *reliability(turns), "",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", default="e")
    parser.add_argument("--wrong", metavar="CODE")
    parser.add_argument("--voice", type=int, default=0, metavar="N", help="speak and recognise the first N turns")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/judge.md")
    args = parser.parse_args()
    lines = [json.loads(line) for line in (CORPUS / f"{args.batch}.jsonl").read_text("utf-8").splitlines()]
    if args.wrong:
        wrong(judged(lines, prepare.rules()), args.wrong)
    elif args.voice:
        some = lines[: args.voice]
        print("\n".join(["as written", *overall(judged(some, prepare.rules()))]))
        print("\n".join(["spoken and recognised", *overall(judged(some, prepare.rules(), spoken_and_heard()))]))
    elif args.write:
        before, _, rest = PAGE.read_text("utf-8").partition(f"{MARK}begin -->\n")
        PAGE.write_text(f"{before}{MARK}begin -->\n\n{tables(args.batch)}\n{MARK}end -->{rest.partition('end -->')[2]}")
    else:
        print(tables(args.batch))


if __name__ == "__main__":
    main()
