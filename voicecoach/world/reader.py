"""The judge's second layer as it runs: a text encoder of ours in ONNX form (see benchmarks/train_moves.py)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from voicecoach.errors import MissingModel
from voicecoach.nouns import Floats, Question, Reading
from voicecoach.world.memory import give_back

MAX_SAID = 32
"""Of the customer's words the last so many pieces are read along."""
MAX_CLAUSES = 64
MAX_TEXT = 200
"""Pieces of the turn that are read at once; a longer one is read in several goes."""


def load(folder: Path) -> Reading:
    """The encoder in `folder`. Raises MissingModel with what is wrong: then the judge goes by its cues alone."""
    try:
        meaning = json.loads((folder / "reading.json").read_text("utf-8"))
        for name, sha256 in meaning["sha256"].items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
                raise MissingModel(f"{folder / name} is not the file that it should be.", "Install voicecoach again.")
        reader = _Reader(folder)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise MissingModel(
            "The judge's text encoder cannot be used.", "Install voicecoach again.", str(error)
        ) from error
    return Reading(reader.read, meaning["sure"], meaning["maybe"], meaning["sha256"]["reader.onnx"][:12])


class _Reader:
    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            str(folder / "reader.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        give_back()  # the 60 MB that unfolding the weights took

    def read(self, asked: Question) -> Floats:
        """The probability of each code in each clause [shape=(n_clauses, n_codes)]."""
        found: list[Floats] = []
        for piece in pieces(self._tokenizer, asked):
            ids, types, pool = encode(self._tokenizer, piece)
            given = {
                "ids": np.array(ids, np.int64),
                "types": np.array(types, np.int64),
                "places": np.arange(len(ids), dtype=np.int64),
                "pool": pool,
                "features": piece.features,
            }
            found.append(self._session.run(None, given)[0])
        return np.concatenate(found).astype(np.float32)


def pieces(tokenizer: Any, asked: Question) -> list[Question]:
    """A question as several, each short enough to be read at once; nearly always just itself."""
    parts: list[Question] = []
    first = used = 0
    for index, (start, end) in enumerate(asked.clauses):
        length = len(tokenizer.encode(_clean(asked.text[start:end]), add_special_tokens=False).ids) + 2
        if index > first and (used + length > MAX_TEXT or index - first >= MAX_CLAUSES):
            parts.append(_part(asked, first, index))
            first, used = index, 0
        used += length
    return [*parts, _part(asked, first, len(asked.clauses))]


def _part(asked: Question, first: int, last: int) -> Question:
    at = asked.clauses[first][0] if first else 0
    end = asked.clauses[last][0] if last < len(asked.clauses) else len(asked.text)
    clauses = tuple((start - at, stop - at) for start, stop in asked.clauses[first:last])
    return replace(asked, text=asked.text[at:end], clauses=clauses, features=asked.features[first:last])


def encode(tokenizer: Any, asked: Question) -> tuple[list[int], list[int], Floats]:
    """Token ids, their types (0 the customer, 1 the trainee), and what takes the mean over each clause's tokens.

    The last is a matrix [shape=(n_clauses, n_tokens)].
    """
    said_text, text = _clean(asked.said), _clean(asked.text)
    opening, ending = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    said = tokenizer.encode(said_text[-8 * MAX_SAID :], add_special_tokens=False).ids[-MAX_SAID:]
    turn = tokenizer.encode(text, add_special_tokens=False)
    before = [opening, *said, ending]
    ids = [*before, *turn.ids[:MAX_TEXT], ending]
    pool = np.zeros((len(asked.clauses), len(ids)), np.float32)
    place = 0
    for index, (start, _) in enumerate(turn.offsets[:MAX_TEXT]):
        while place + 1 < len(asked.clauses) and start >= asked.clauses[place + 1][0]:
            place += 1
        pool[place, len(before) + index] = 1
    pool /= np.maximum(pool.sum(1, keepdims=True), 1)
    return ids, [0] * len(before) + [1] * (len(ids) - len(before)), pool


def _clean(text: str) -> str:
    """The text without what is no Unicode (a terminal's stray bytes), as long as before."""
    return text.encode("utf-8", "replace").decode()
