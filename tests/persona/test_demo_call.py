"""The demo call: the recorded trainee's words, through the real judge, against Dana."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from voicecoach.judge import Rules, assess, load_rules
from voicecoach.judge.context import next_context
from voicecoach.nouns import Assessment, Delivery, Reaction, TurnContext
from voicecoach.persona import begin, has_more_to_tell, load_persona, react

ROOT = Path(__file__).parents[2]
DANA = load_persona(ROOT / "personas" / "dana-printer.yaml")
DEMO: Mapping[str, Any] = YAML(typ="safe").load(ROOT / "assets" / "trainees" / "demo.yaml")
MANNERS = {"calm": Delivery("quiet", "slow"), "brisk": Delivery("quiet", "brisk"), "loud": Delivery("raised", "rushed")}
OVERLAP_S = 1.5
"""How long the demo's interruptions speak over the customer, about: her line goes on, his takes over 3 s."""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(ROOT / "assets")


def play(rules: Rules, seed: int, manners: Mapping[str, Delivery]) -> list[tuple[Assessment, Reaction]]:
    """The demo call under `seed`: each turn's assessment and the reaction to it."""
    reaction, played = begin(DANA, seed), []
    context, previous = TurnContext(customer_name=DANA.full_name), None
    for turn in DEMO["turns"]:
        context = next_context(
            context,
            previous,
            customer_said=reaction.reply.text,
            customer_finished=not has_more_to_tell(DANA, reaction.mood),
            overlap_s=OVERLAP_S if turn["when"] == "over" else 0.0,
        )
        words_only = assess(turn["say"], (), None, context, rules)
        previous = Assessment(words_only.findings, manners[turn["manner"]])
        reaction = react(DANA, reaction.mood, previous, turn["say"])
        played.append((previous, reaction))
        if reaction.reply.ends:
            break
    return played


@pytest.mark.parametrize("seed", range(8))
def test_demo_call_is_dramatic_and_ends_well(rules: Rules, seed: int) -> None:
    """It boils over first, then every step brings it down, and the last turn resolves it."""
    played = play(rules, seed, MANNERS)
    anger = [reaction.mood.anger for _, reaction in played]
    assert max(anger[:3]) >= 4.5
    assert all(later <= earlier for earlier, later in itertools.pairwise(anger[2:]))
    assert anger[-1] < 1.5
    assert len(played) == len(DEMO["turns"])
    assert played[-1][1].reply.ends == "resolved"


def test_demo_call_ends_well_without_any_delivery(rules: Rules) -> None:
    """The words alone carry the call, so one misjudged loudness does not break the demo."""
    unsure = dict.fromkeys(MANNERS, Delivery("unsure", "unsure"))
    assert play(rules, 1, unsure)[-1][1].reply.ends == "resolved"


def test_demo_trainee_is_plain_to_hear() -> None:
    """Whole sentences without digits, which a recogniser hears well; the calibration is about 20 s of them."""
    said = [turn["say"] for turn in DEMO["turns"]]
    assert 9 <= len(said) <= 11
    assert not any(char.isdigit() for text in (*said, *DEMO["calibration"]) for char in text)
    assert all(len(text.split()) <= 30 for text in said)
    assert 45 <= sum(len(text.split()) for text in DEMO["calibration"]) <= 75
    assert {turn["manner"] for turn in DEMO["turns"]} <= set(MANNERS)
