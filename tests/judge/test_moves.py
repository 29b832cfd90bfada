"""The judge of moves: each code on phrases of our own, guards, context, and whatever text may come."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecoach.judge import Rules, assess, load_rules
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.judge.moves import INTERRUPT_SHOWN_S, find
from voicecoach.nouns import Finding, TurnContext, Word

RULES: Rules = load_rules(Path(__file__).parents[2] / "assets")


def judged(text: str, **context: object) -> tuple[Finding, ...]:
    return find(text, (), TurnContext(**context), RULES.cues)  # type: ignore[arg-type]


def sure(text: str, **context: object) -> set[str]:
    return {finding.code for finding in judged(text, **context) if finding.outcome in ("done", "shown")}


def heard(text: str, **context: object) -> set[str]:
    return {finding.code for finding in judged(text, **context)}


POSITIVE = {
    "verbal_nod": ["Mm hmm, go on.", "right, I see"],
    "empathise": [
        "I can see how upsetting it was to find the shop shut.",
        "anybody would be furious after a fortnight of that",
    ],
    "apologise": ["I'm terribly sorry about the muddle with your booking.", "we do apologize for leaving you on hold"],
    "willingness": ["I'll do all I can to put this straight tonight.", "leave this with me"],
    "clarify": ["When did the screen first go dark?", "could you tell me which cable you used"],
    "restate_feelings": ["And you're feeling let down by us.", "it's left you anxious about the wedding"],
    "check_understanding": ["Have I got that right?", "am i on the right lines"],
    "explain": ["You deserve to know why this went wrong.", "the reason it came late is that the van broke down"],
    "work_together": ["Could we look at this together?", "let's sort it out together"],
    "resolution": ["I'll send a fresh set of keys to your office.", "we're going to refund the second payment"],
    "res_when": ["I'll have it fixed by Wednesday.", "we will post it first thing tomorrow"],
    "res_who": ["I'll see to it personally.", "our fitter Joan will come to the house"],
    "alternatives": ["Would you prefer a repair or your money back?", "there are two options here"],
    "referral": [
        "I'd like to pass you to our claims team, as they hold the file.",
        "this is above my authority so I will escalate it",
    ],
    "follow_up": ["I'll ring you back on Friday with the result.", "we'll keep you posted"],
    "interrupt": ["Let me stop you there.", "hold on hold on, can you let me finish"],
    "argue": ["That's simply not true.", "you're wrong, we did no such thing"],
    "blame_customer": ["You should have checked the size first.", "that's your own mistake"],
    "excuse": ["It's not our fault, really.", "we've been incredibly busy all week"],
    "negative_language": ["I can't do that.", "there's nothing we can do about it"],
    "admit_liability": ["It was entirely our fault.", "we accept full liability for the flood"],
    "overpromise": ["I guarantee it'll never break again.", "i promise this will never happen again"],
    "policy_hiding": ["It's against company policy.", "I'm not allowed to tell you that"],
    "jargon": ["Your RMA is in triage.", "we need a root cause analysis from tier two support"],
    "calm_down": ["You need to calm down.", "please lower your voice madam"],
}

NEAR_MISS = {
    "verbal_nod": "Go on then, blame me.",
    "empathise": "I don't understand why you're upset.",
    "apologise": "I've nothing to apologise for.",
    "use_name": "My name is Ms Ortiz.",
    "willingness": "I can't help you with that.",
    "clarify": "Why didn't you keep the box?",
    "restate_facts": "So you'll get a letter from us.",
    "restate_feelings": "You're not angry, you're just loud.",
    "check_understanding": "That is not right.",
    "explain": "You don't know the reason.",
    "work_together": "We can't do this together.",
    "resolution": "I won't send a new one.",
    "res_when": "You rang us on Monday by noon.",
    "res_who": "You spoke to my manager yesterday.",
    "alternatives": "You can take it or leave it.",
    "referral": "I can't put you through to my manager.",
    "checkback": "Does it make a noise?",
    "follow_up": "I won't call you back.",
    "interrupt": "Could you hold for a moment while I look?",
    "premature_solution": "I see, please go on.",
    "argue": "You're right, that's true.",
    "blame_customer": "You should have been told.",
    "excuse": "That is not something you should have to worry about.",
    "negative_language": "I can do that.",
    "admit_liability": "It's not our fault.",
    "overpromise": "I can't guarantee that.",
    "insincere": "I'm sorry that you were left waiting.",
    "policy_hiding": "I'd like to tell you what I can do today.",
    "jargon": "I'll send you the part that plugs into the wall.",
    "calm_down": "I need a moment to calm down.",
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in POSITIVE.items() for text in texts])
def test_every_code_is_heard_in_phrases_of_our_own(code: str, text: str) -> None:
    """Two phrases for each code that words alone can show."""
    assert code in sure(text)


@pytest.mark.parametrize("code", MOVES + FAULTS)
def test_near_misses_are_not_marked(code: str) -> None:
    """A phrase close to the code, that is not it, is neither done nor shown."""
    assert code not in sure(NEAR_MISS[code])


@pytest.mark.parametrize(
    "text",
    [
        "I'm not going to apologise for that.",
        "Nobody here is sorry.",
        "you said you were sorry",
        "He told you he was sorry, I know.",
        "I'm supposed to say I'm sorry.",
        "I would apologise if we had done it.",
        "I'm sorry if you were offended.",
        "Sorry you feel that way.",
        "if anyone was rude to you then I'm sorry",
        "We never apologise.",
        "The script wants me to say I understand how frustrating it is.",
        "You think I understand how frustrating it is.",
        "I don't see why you're so upset.",
        "I can't understand how you feel.",
        "If only I understood how frustrated you are.",
        "im not sorry",
    ],
)
def test_denied_quoted_and_conditional_feelings_are_never_done(text: str) -> None:
    """Words of apology or empathy that are denied, quoted or hang on an "if" do not count as done."""
    assert not {"apologise", "empathise"} & sure(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry about the wait, but I can sort it out for you now.",
        "I can't apologise enough for this.",
        "I would really like to apologise for all this.",
        "I'm, um, so so sorry about that.",
    ],
)
def test_guards_let_real_apologies_through(text: str) -> None:
    """A "but" that leads to help, "can't apologise enough", and stumbling are no reason to doubt."""
    assert "apologise" in sure(text)


def test_a_but_weakens_empathy_and_is_worth_a_listen() -> None:
    """ "I understand, but" is not done, and insincerity is never more than worth a listen."""
    findings = judged("I understand how frustrating it is, but you need to fill in the form.")
    outcomes = {finding.code: finding.outcome for finding in findings}
    assert outcomes["empathise"] == "unsure"
    assert outcomes["insincere"] == "listen"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("I apologize that the product was not of the quality that you expected.", {"apologise"}),
        ("I understand your frustration. I can help.", {"empathise", "willingness"}),
        (
            "In order for us to improve on the quality – and for me to better serve you, "
            "may I ask what specific areas were of poor quality?",
            {"clarify"},
        ),
        (
            "We would be happy to exchange the product for a similar product of higher quality. "
            "Would that be satisfactory?",
            {"resolution", "checkback"},
        ),
        ("I can see that would be upsetting", {"empathise"}),
        ("I am so sorry you have been upset", {"apologise"}),
        ("We are sorry you are not happy with the service", {"apologise"}),
        (
            "Miss Navarro, I'm sorry our field service engineer did not arrive at the time promised. "
            "Let me find out what happened. Would you like to hold while I contact his office, "
            "or would you like me to call you back?",
            {"use_name", "apologise", "resolution", "alternatives"},
        ),
        (
            "Mr. Navarro, I understand that you are very upset. "
            "I will do everything I can to get this printer problem resolved right away.",
            {"use_name", "empathise", "willingness"},
        ),
        ("Am I on the right track? Have I left anything out?", {"check_understanding"}),
        ("I think you deserve an explanation for what happened.", {"explain"}),
        ("Can we work together to solve this issue?", {"work_together"}),
    ],
)
def test_the_worked_examples_of_the_documents(text: str, codes: set[str]) -> None:
    """What each published procedure gives as its own example is heard as what it says it is."""
    assert codes <= sure(text, customer_name="Miss Navarro")


def test_closing_questions_need_a_solution_to_ask_about() -> None:
    """A checkback counts after a resolution; before one it is a question about understanding, or unsure."""
    assert "checkback" in sure("How does that sound?", history=("empathise", "resolution"))
    assert sure("How does that sound?") == {"check_understanding"}
    assert "checkback" in sure("Do you feel we managed to solve the problem today?", history=("resolution",))
    assert "checkback" not in sure("Is there anything that is still unresolved?")


def test_restating_is_weighed_by_the_customers_own_words() -> None:
    """Without a cue the customer's words are enough; with a cue but none of them it is only unsure."""
    said = "The sofa came with a torn cushion and the driver just left it on the lawn!"
    assert "restate_facts" in sure("The driver left your sofa on the lawn with a torn cushion.", customer_said=said)
    assert "restate_facts" in sure("What I'm hearing is the cushion was torn.", customer_said=said)
    assert "restate_facts" not in sure("So you were charged twice in March.", customer_said=said)
    assert "restate_facts" in heard("So you were charged twice in March.", customer_said=said)


@pytest.mark.parametrize(
    ("text", "name", "called"),
    [
        ("Thank you for waiting, Mrs. Haddad.", "Leila Haddad", True),
        ("Leila, I'm with you.", "Leila Haddad", True),
        ("I hear you, Mrs Hadad.", "Leila Haddad", True),
        ("Mr Will, I'm listening", "Tom Will", True),
        ("I will send it.", "Tom Will", False),
        ("My name is Leila.", "Leila Haddad", False),
        ("Thank you, Mr Brown.", "", False),
        ("The saddle is blue.", "Leila Haddad", False),
    ],
)
def test_the_customers_name(text: str, name: str, called: bool) -> None:
    """The name counts with small recognition mistakes, but not as a common word or as the trainee's own."""
    assert ("use_name" in sure(text, customer_name=name)) is called


def test_solutions_before_the_customer_was_heard_come_too_early() -> None:
    """Shown while the customer is still telling the story, worth a listen once they have finished."""
    text, said = "I'll send you a new kettle.", "My kettle leaks and it ruined the worktop!"
    outcomes = {
        finished: [
            finding.outcome
            for finding in judged(text, customer_said=said, customer_finished=finished)
            if finding.code == "premature_solution"
        ]
        for finished in (False, True)
    }
    assert outcomes == {False: ["shown"], True: ["listen"]}
    assert "premature_solution" not in heard(text, customer_said=said, history=("empathise",))
    assert "premature_solution" not in heard(f"I'm so sorry about the worktop. {text}", customer_said=said)


def test_talking_over_is_judged_by_the_clock() -> None:
    """Long talk-over is shown, a short one is worth a listen, a slip or a verbal nod is nothing."""
    text = "Can you tell me the model?"
    outcome = {
        seconds: [finding.outcome for finding in judged(text, talked_over_s=seconds) if finding.code == "interrupt"]
        for seconds in (0.2, 0.6, INTERRUPT_SHOWN_S + 0.1)
    }
    assert list(outcome.values()) == [[], ["listen"], ["shown"]]
    assert heard("mm hmm", talked_over_s=2.0) == {"verbal_nod"}


def test_limits_with_what_can_be_done_are_not_negative() -> None:
    """ "Can't" followed by what can be done is only worth a listen."""
    assert "negative_language" not in sure("I can't give cash back, but I can credit the whole amount to your account.")


def test_times_come_from_the_words() -> None:
    """A finding starts with its first word's start and ends with its last word's end."""
    spoken = "Right. I'm so sorry about that."
    words = tuple(
        Word(word, start_s=10 + index, end_s=10.8 + index, probability=0.9) for index, word in enumerate(spoken.split())
    )
    (apology,) = [finding for finding in find(spoken, words, TurnContext(), RULES.cues) if finding.code == "apologise"]
    assert (apology.start_s, apology.end_s) == (11, 15.8)
    assert [f.start_s for f in judged(spoken) if f.code == "apologise"] == [None]


ODD = [
    "", "   ", "Yes", "🙂🙂🙂", "<b>I'm sorry</b> <script>x</script>", "\x00\x07\x1b[31mI am sorry\x1b[0m", "¿Qué pasa?",
    "対応が遅くなり申し訳ございません。", "İİİ I'm sorry ﬁne", "'" * 500, "a" * 100_000, "???!!!...", "I’m sorry\u200b for that",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_odd_text_gets_a_result(text: str) -> None:
    """Nothing that a recogniser or a file may contain raises, and quotes are true to the text."""
    for finding in judged(text, customer_said=text, customer_name=text[:50], customer_finished=False):
        assert finding.quote == text[finding.start : finding.end]


SNIPPETS = st.sampled_from(
    [
        "I'm sorry",
        "so",
        "but",
        "you said",
        "if",
        "I understand",
        "how upsetting",
        "can't",
        "Mr Patel",
        "by Friday",
        "não",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(SNIPPETS, max_size=30).map(", ".join)))
def test_quotes_order_and_determinism(text: str) -> None:
    """Offsets always quote the text, one finding for each code and place, in order, the same every time."""
    findings = judged(text, customer_said="I ordered it on Friday", customer_name="Patel", talked_over_s=1.0)
    assert findings == judged(text, customer_said="I ordered it on Friday", customer_name="Patel", talked_over_s=1.0)
    places = [(finding.start, finding.code, finding.end) for finding in findings]
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    for finding in findings:
        assert finding.quote == text[finding.start : finding.end]
        assert finding.quote.strip()
        assert finding.code in MOVES + FAULTS
        assert finding.source


def test_a_very_long_turn_stays_fast() -> None:
    """Five thousand words without punctuation take about a second, a normal turn a few ms; ten times that is a fault."""
    turn = "i am so sorry about that and i will send you a new one by friday so you do not have to wait any longer "
    normal = math.inf
    for _ in range(5):
        started = time.thread_time()
        judged(turn)
        normal = min(normal, time.thread_time() - started)
    started = time.thread_time()
    judged(turn * 210, customer_said=turn * 210)
    assert normal < 0.5
    assert time.thread_time() - started < 50


def test_assess_joins_words_and_delivery() -> None:
    """Without a recording the moves are judged and the delivery is unsure."""
    assessment = assess("I'm so sorry about that.", (), None, TurnContext(), RULES)
    assert assessment.codes("done") == ("apologise",)
    assert assessment.delivery.loudness == "unsure"


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("I can't apologise for this.", False),
        ("I cannot say sorry for that.", False),
        ("I can't apologise enough for this.", True),
        ("I can't begin to apologise for that.", True),
        ("I can't tell you how sorry I am.", True),
    ],
)
def test_cannot_apologise_is_no_apology_unless_it_means_enough(text: str, done: bool) -> None:
    """ "Cannot apologise" refuses; "cannot apologise enough" does the opposite."""
    found = find(text, (), TurnContext(), RULES.cues)
    assert any((f.code, f.outcome) == ("apologise", "done") for f in found) is done


@pytest.mark.parametrize("text", ["Please tell me what happened, I am listening.", "Go on, tell me everything."])
def test_an_invitation_to_tell_the_story_is_no_hurry(text: str) -> None:
    """Asking for the story before it is told is listening, not a premature solution."""
    found = find(text, (), TurnContext(customer_said="It broke again!", customer_finished=False), RULES.cues)
    assert "premature_solution" not in {f.code for f in found}


def test_cutting_the_customer_off_is_a_sure_interruption() -> None:
    """Half a second of overlap is worth a listen; when it silenced the customer in mid-line, it is shown."""
    brief = TurnContext(customer_said="And then", talked_over_s=0.6)
    told = {cut: find("I have your order here.", (), replace(brief, cut_off=cut), RULES.cues) for cut in (False, True)}
    outcomes = {cut: [f.outcome for f in found if f.code == "interrupt"] for cut, found in told.items()}
    assert outcomes == {False: ["listen"], True: ["shown"]}


def test_the_customers_own_date_is_no_promise() -> None:
    """ "You need it by Friday" says back; "you will have it by Friday" promises."""
    found = {
        text: [f.code for f in find(text, (), TurnContext(), RULES.cues)]
        for text in ("You need the labels by Friday noon.", "You will have the labels by Friday noon.")
    }
    assert ["res_when" in codes for codes in found.values()] == [False, True]


@pytest.mark.parametrize("text", ["MmMM, go on.", "M.M.M. Go on.", "Mmm.", "Mm-hmm, mm-hmm."])
def test_a_hum_is_a_nod_however_it_is_spelled(text: str) -> None:
    """Recognisers write a hum in many ways."""
    assert [f.code for f in find(text, (), TurnContext(), RULES.cues)] == ["verbal_nod"]


def test_next_week_is_not_this_week() -> None:
    """A limit on this week is not broken by an offer for the next."""
    limits = TurnContext(cannot=("a new sofa this week",))

    def promised(text: str) -> list[str]:
        return [f.outcome for f in find(text, (), limits, RULES.cues) if f.code == "overpromise"]

    assert promised("I will send you a new sofa this week") == ["shown"]
    assert promised("I will send you a new sofa on Thursday next week") == []


@pytest.mark.parametrize(
    "text",
    [
        "Good morning, how can I help you?",
        "hello what seems to be the trouble",
        "What's wrong, Mr Ames?",
        "hi, what can I do for you",
    ],
)
def test_an_open_invitation_is_never_too_early(text: str) -> None:
    """Who asks what it is about lets the customer tell (000.3, 002.2); who asks for the number does not."""
    context = {"customer_said": "I have had it with you!", "customer_finished": False}
    assert "premature_solution" not in heard(text, **context)
    assert "premature_solution" in sure("What is your order number?", **context)


@pytest.mark.parametrize(
    "text", ["Hang on, let me write that down.", "hold on let me just read it", "Wait, let me find the date."]
)
def test_asking_for_a_moment_interrupts_nobody(text: str) -> None:
    assert "interrupt" not in sure(text)
    assert "interrupt" in sure("Hang on, let me tell you something.")


def test_a_title_before_another_name_is_somebody_else() -> None:
    """A title goes before the surname: "Dr Evans" is not Karen Oduya, and "Mrs Odoya" is, as a recogniser writes her."""
    assert "use_name" not in heard("I will ask Dr Karel about it.", customer_name="Karen Oduya")
    assert "use_name" in sure("Thank you Mrs Odoya.", customer_name="Karen Oduya")
    assert "use_name" in sure("Thank you Mrs Odoya.", customer_name="Mrs Oduya")
