"""Cue files: everything wrong in them is told with its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from voicecoach.errors import BadInput
from voicecoach.judge import CUE_FILES
from voicecoach.judge.cues import FAULTS, MOVES, load_cues

GOOD = """about: test
terms:
  who: 'i|we'
guards:
  - name: negation
    effect: cancel
    about: denied
    before: '\\bnot'
cues:
  - code: apologise
    kind: move
    source: "001.4"
    strength: strong
    guards: [negation]
    patterns:
      - '{who} am sorry'
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "cues.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """Terms are written out and the expression matches."""
    (cue,) = load_cues(written(tmp_path, GOOD)).ready
    assert cue.regex.search("we am sorry")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'{who} am sorry'", "'(am sorry'", ["line 10", "'apologise'", "not a regular expression"]),
        ("code: apologise", "code: apologize", ["line 10", "did you mean 'apologise'?"]),
        ("kind: move", "kind: fault", ["line 10", "'apologise' is not a fault"]),
        ("    strength: strong", "    strenght: strong", ["line 13", "Did you mean 'strength'?"]),
        ("[negation]", "[negaton]", ["line 14", "'apologise'", "did you mean 'negation'?"]),
        ("{who} am", "{wo} am", ["line 16", "'apologise'", "did you mean 'who'?"]),
        ("'i|we'", "'i|(we'", ["line 3", "term 'who'", "not a regular expression"]),
        ("'\\bnot'", "'[not'", ["line 5", "guard 'negation'", "not a regular expression"]),
        ("code: apologise\n    kind: move", "code: insincere\n    kind: fault", ["line 10", "may only be weak"]),
    ],
)
def test_broken_cue_files_name_the_place(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    """A mistake is a BadInput with the file, the line, the entry and, where one is near, the right word."""
    assert old in GOOD
    with pytest.raises(BadInput) as caught:
        load_cues(written(tmp_path, GOOD.replace(old, new)))
    for part in ["cues.yaml", *said]:
        assert part in str(caught.value)


def test_the_shipped_cues_cover_every_code() -> None:
    """Each move and fault of the contract has a cue, a source and one sentence of advice."""
    folder = Path(__file__).parents[2] / "assets" / "cues"
    cues = load_cues(*(folder / name for name in CUE_FILES))
    assert set(cues.advice) == set(MOVES + FAULTS)
    assert all(source and advice.count(". ") == 0 for source, advice in cues.advice.values())


def test_importing_the_judge_is_light() -> None:
    """The judge loads neither the YAML reader nor the validator before a file is read."""
    code = "import sys, voicecoach.judge; sys.exit(bool({'pydantic', 'ruamel.yaml', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
