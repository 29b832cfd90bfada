"""The rules in words: what stands behind a source such as "001.3", restated in our own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voicecoach.nouns import Procedure

OF_FAULT = {
    "interrupt": "Let the customer finish; do not talk over them.",
    "premature_solution": "Hear the customer out and acknowledge it before you solve, explain or ask.",
    "argue": "Neither dispute what the customer says nor get defensive.",
    "blame_customer": "Do not put it on the customer.",
    "excuse": "Explain, but do not explain in order to escape.",
    "negative_language": "Say what can be done, not only what cannot.",
    "admit_liability": "Be sorry for the upset without accepting legal fault.",
    "overpromise": "Promise no more than can be kept.",
    "insincere": "Mean it: no apology with an “if”, no understanding with a “but”.",
    "policy_hiding": "Do not hide behind policy.",
    "jargon": "Do not talk shop; use the customer's words.",
    "calm_down": "Do not tell the customer to calm down.",
}
"""For faults whose source is no step of a procedure: a whole document, a slide of it, or a rule of ours ("house")."""
OF_SILENCE = "Do not leave the customer in a silence that you have not announced."
"""A rule of ours."""


def in_words(procedures: Iterable[Procedure]) -> dict[str, str]:
    """The rule of each source that is a step of one of the procedures."""
    return {step.source: step.rule for procedure in procedures for step in procedure.steps}


def rule_of(code: str, source: str, words: Mapping[str, str]) -> str:
    """The rule behind a mark in words: of its step, or of the fault where the source is no step; empty if not known."""
    return words.get(source) or OF_FAULT.get(code, "")
