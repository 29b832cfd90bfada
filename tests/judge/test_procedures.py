"""The five procedures: read, checked and scored by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicecoach.errors import BadInput
from voicecoach.judge.procedures import load_procedure, parse_procedure
from voicecoach.judge.steps import Told, score
from voicecoach.nouns import Assessment, Delivery, Finding, Procedure

FOLDER = Path(__file__).parents[2] / "assets" / "procedures"
IDS = {"five-step-process", "six-guidelines", "help-desk-six-steps", "shut-up-listen-wait", "five-tips"}


def said(*findings: str, loudness: str = "quiet") -> Assessment:
    """An assessment of findings written "code outcome"."""
    made = []
    for finding in findings:
        code, outcome = finding.split()
        kind = "fault" if outcome in ("shown", "listen") else "move"
        made.append(Finding(code, kind, outcome, "x", 0, 1, 0.9, "001.1"))  # type: ignore[arg-type]
    return Assessment(tuple(made), Delivery(loudness, "slow"))  # type: ignore[arg-type]


def outcomes(procedure: Procedure, *turns: Assessment) -> dict[str, str]:
    return {o.step.id: o.outcome for o in score(procedure, [Told(n, turn) for n, turn in enumerate(turns)])}


def test_all_five_are_there_with_their_documents() -> None:
    """Each file is named as its id, its steps' sources lie in its own document, in order."""
    procedures = [load_procedure(path) for path in FOLDER.glob("*.yaml")]
    assert {procedure.id for procedure in procedures} == IDS == {path.stem for path in FOLDER.glob("*.yaml")}
    for procedure in procedures:
        sources = [step.source for step in procedure.steps]
        assert sources == [f"{procedure.document}.{number}" for number in range(1, len(sources) + 1)]


def test_steps_are_done_unsure_or_not_heard() -> None:
    """Strong evidence is done, weak evidence unsure, none not heard; of the preparation nothing is on record."""
    procedure = load_procedure(FOLDER / "five-step-process.yaml")
    assert outcomes(procedure, said("empathise done"), said("clarify unsure"), said("resolution done")) == {
        "strategize": "not heard",
        "acknowledge": "done",
        "clarify": "unsure",
        "present-resolution": "done",
        "checkback": "not heard",
    }


def test_a_forbidden_fault_undoes_a_step() -> None:
    """Shown, the fault speaks against the step; worth a listen, it makes it unsure."""
    procedure = load_procedure(FOLDER / "six-guidelines.yaml")
    step = "apologise-personally"
    assert outcomes(procedure, said("apologise done", "admit_liability shown"))[step] == "not heard"
    assert outcomes(procedure, said("apologise done", "admit_liability listen"))[step] == "unsure"
    assert outcomes(procedure, said("apologise done"))[step] == "done"


def test_listening_is_shown_by_what_did_not_happen() -> None:
    """A step made of listening needs at least one turn, and no shown interruption."""
    procedure = load_procedure(FOLDER / "six-guidelines.yaml")
    step = "listen-with-care"
    assert outcomes(procedure)[step] == "not heard"
    assert outcomes(procedure, said("clarify done"))[step] == "done"
    assert outcomes(procedure, said("interrupt listen"))[step] == "unsure"
    assert outcomes(procedure, said("interrupt shown"))[step] == "not heard"


@pytest.mark.parametrize(
    ("voices", "outcome"),
    [
        (["quiet"], "done"),
        (["quiet", "quiet"], "done"),
        (["raised"], "not heard"),
        (["shouting", "raised"], "not heard"),
        (["unsure"], "unsure"),
        (["quiet", "raised"], "unsure"),
    ],
)
def test_empathy_is_also_a_matter_of_delivery(voices: list[str], outcome: str) -> None:
    """001.3: done only if the voice was quiet in each turn in which it was said."""
    procedure = load_procedure(FOLDER / "six-guidelines.yaml")
    turns = [said("empathise done", loudness=voice) for voice in voices]
    assert outcomes(procedure, *turns, said("clarify done", loudness="raised"))["demonstrate-empathy"] == outcome


def test_where_lists_turn_and_finding() -> None:
    """The evidence of a step is the findings that showed it, with their turns."""
    procedure = load_procedure(FOLDER / "shut-up-listen-wait.yaml")
    turns = [
        Told(3, said("restate_facts done", "restate_feelings done")),
        Told(5, said("check_understanding done"), "Did I miss anything?"),
    ]
    paraphrase = score(procedure, turns)[1]
    assert paraphrase.outcome == "done"
    assert [(turn, finding.code) for turn, finding in paraphrase.where] == [
        (3, "restate_facts"),
        (3, "restate_feelings"),
        (5, "check_understanding"),
    ]


GOOD = (FOLDER / "five-tips.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[willingness]",
            "[wilingness]",
            "line 22: 'wilingness' in any_of is not a move (did you mean 'willingness'?)",
        ),
        ("[blame_customer]", "[empathise]", "line 23: 'empathise' in forbids is not a fault"),
        ("id: respect", "id: empathize", "'empathize' is used twice"),
        ("    any_of: [res_when, explain]\n", "", "nothing could show the step 'quick-response'"),
        ("    rule: Whatever", "    rul: Whatever", "Did you mean 'rule'?"),
        ('source: "004.3"', "source: 4.3", "line 21: 'steps.2.source': this must be text"),
    ],
)
def test_broken_procedure_files_name_the_line(old: str, new: str, message: str) -> None:
    """Every mistake of meaning is told with its line and, where one is near, the right word."""
    assert old in GOOD
    with pytest.raises(BadInput) as caught:
        parse_procedure(GOOD.replace(old, new), "mine.yaml")
    assert message in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_a_premature_solution_is_no_step_done() -> None:
    """The words that were offered too early are the fault; the same offer later in the call is the step."""
    procedure = load_procedure(FOLDER / "five-step-process.yaml")
    early = said("resolution done", "premature_solution shown")
    assert outcomes(procedure, early)["present-resolution"] == "not heard"
    assert outcomes(procedure, early, said("resolution done"))["present-resolution"] == "done"
