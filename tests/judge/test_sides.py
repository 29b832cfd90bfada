"""Which side of a recorded call serves and which complains."""

from __future__ import annotations

from voicecoach import prepare, simulate
from voicecoach.judge.sides import swapped
from voicecoach.world.places import bundled

AGENT = ["Thank you for calling, how can I help?", "I'm so sorry that you had to wait.", "Let me check that for you."]
CUSTOMER = ["My sofa. Nobody came.", "I have been waiting since nine!", "I want to speak to your manager."]
GOOD = {"excellent-by-the-book", "excellent-paraphraser", "good-but-brisk", "recovers", "parrot"}


def test_swapped_channels_are_noticed() -> None:
    """By what only one side says; the right way round, or with too little said, nothing is claimed."""
    assert swapped(CUSTOMER, AGENT)
    assert not swapped(AGENT, CUSTOMER)
    assert not swapped(["My sofa."], ["One moment please."])
    assert not swapped([], [])
    assert not swapped(AGENT + CUSTOMER, AGENT + CUSTOMER)


def test_calls_in_words() -> None:
    """Of 96 simulated calls none is taken for swapped; swapped, nearly all of those with a polite agent are."""
    rules = prepare.rules(cues_only=True)
    trainees = simulate.load_trainees(bundled("assets") / "scripted" / "twelve.yaml")
    noticed, polite = 0, 0
    for name in prepare.names("personas"):
        customer, _ = prepare.choose_persona(name)
        for trainee in trainees:
            call = simulate.simulate(customer, trainee, rules)
            said = [one.said for one in call.exchanges if one.said]
            answered = [call.opening.reply.text, *(one.reaction.reply.text for one in call.exchanges)]

            assert not swapped(said, answered), (name, trainee.id)
            if trainee.id in GOOD:
                polite += 1
                noticed += swapped(answered, said)

    assert polite == 40
    assert noticed >= 38
