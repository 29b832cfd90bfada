"""One line in, one line out: the judge of moves for `voicecoach judge --jsonl` and for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicecoach.errors import BadInput
from voicecoach.judge import Rules
from voicecoach.judge.moves import find
from voicecoach.judge.sources import rule_of
from voicecoach.nouns import Finding, TurnContext

KEYS = ("id", "text", "context", "customer_name", "history_steps", "limits", "offers", "finished")


def judge_line(line: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """Judge one line: an object of KEYS, of which all but `text` may be left out.

    `context` is what the customer said before, `history_steps` the codes of the moves done so far, `limits` phrases
    for what may not be promised, `offers` phrases for what can be offered, `finished` whether the customer has told the whole story. Offsets are characters of
    `text`.
    """
    if not isinstance(line, Mapping):
        raise BadInput(f"A line must be a JSON object, not {_kind(line)}.", 'Write {"text": "..."}.')
    where = f"Line '{line['id']}'" if isinstance(line.get("id"), str | int) else "The line"
    if "text" not in line:
        raise BadInput(f"{where} has no 'text'.", "Give the words of the turn.")
    context = TurnContext(
        customer_said=_text(line, "context", where),
        customer_name=_text(line, "customer_name", where),
        history=_texts(line, "history_steps", where, "a list of codes", '["apologise", "clarify"]'),
        customer_finished=_flag(line, "finished", where),
        cannot=_texts(line, "limits", where, "a list of phrases", '["a refund", "a new printer"]'),
        can=_texts(line, "offers", where, "a list of phrases", '["a replacement", "a call back"]'),
    )
    findings = find(_text(line, "text", where), (), context, rules.cues, rules.reading)
    return {
        "id": line.get("id"),
        "moves": [_plain(finding, rules) for finding in findings if finding.kind == "move"],
        "faults": [_plain(finding, rules) for finding in findings if finding.kind == "fault"],
    }


def _text(line: Mapping[str, Any], key: str, where: str) -> str:
    value = line.get(key)
    if value is None and key != "text":
        return ""
    if not isinstance(value, str):
        raise BadInput(f"{where}: '{key}' must be text, not {_kind(value)}.", "Put it in quotes.")
    return value


def _flag(line: Mapping[str, Any], key: str, where: str) -> bool | None:
    value = line.get(key)
    if value is not None and not isinstance(value, bool):
        raise BadInput(f"{where}: '{key}' must be true or false.", "Leave it out where it is not known.")
    return value


def _texts(line: Mapping[str, Any], key: str, where: str, what: str, example: str) -> tuple[str, ...]:
    value = line.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"{where}: '{key}' must be {what}.", f"Write {example}.")
    return tuple(value)


def _kind(value: object) -> str:
    """A value's kind in JSON's words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _plain(finding: Finding, rules: Rules) -> dict[str, Any]:
    return {
        "code": finding.code,
        "quote": finding.quote,
        "start": finding.start,
        "end": finding.end,
        "confidence": finding.confidence,
        "outcome": finding.outcome,
        "source": finding.source,
        "rule": rule_of(finding.code, finding.source, rules.sources),
        "advice": finding.advice,
    }
