"""How a question is put into words: earlier ones before it, what was found from codes alone, steps at its end."""

from dataclasses import replace

import pytest
from pydicom.sr.codedict import codes

from inference.asked import LONGEST_QUESTION, Asked, Exchange, Mode
from inference.findings import Finding, Measurement
from inference.language.modes import MOST_FOUND, STEPS, placed, put

LESION = Finding(
    label="lesion 1",
    code=codes.SCT.Lesion,
    site=codes.SCT.Brain,
    laterality=codes.SCT.Left,
    probability=0.93,
    measurements=(
        Measurement(code=codes.SCT.Volume, value=1230.0, unit=codes.UCUM.CubicMillimeter),
        Measurement(code=codes.SCT.LongAxis, value=21.2, unit=codes.UCUM.Millimeter),
    ),
)
ANSWER = Finding(label="bleeding", code=codes.SCT.Hemorrhage, probability=0.7)
BEFORE = (Exchange(question="What is it?", answer="A lesion."), Exchange(question="Where?", answer="On the left."))
PLACE = "Marked: lesion, left side, 21 mm."


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("zero-shot", "How large?"),
        ("instructed", f"{PLACE} How large?"),
        ("chain-of-thought", f"{PLACE} How large?\n{STEPS}"),
    ],
)
def test_each_way(mode: Mode, words: str) -> None:
    assert put("How large?", mode, (ANSWER, LESION), ()) == words


def test_earlier_questions_come_before() -> None:
    assert put("How large?", "zero-shot", (), BEFORE).splitlines() == [
        "Earlier question: What is it?",
        "Answer: A lesion.",
        "Earlier question: Where?",
        "Answer: On the left.",
        "How large?",
    ]


def test_what_has_no_place_and_no_size_is_not_localised() -> None:
    assert placed([ANSWER]) == []
    assert put("How large?", "chain-of-thought", (ANSWER,), ()) == f"How large?\n{STEPS}"


def test_a_prompt_does_not_grow_without_end() -> None:
    many = [replace(LESION, label=f"lesion {n}") for n in range(50)]
    assert len(placed(many)) == MOST_FOUND


@pytest.mark.parametrize(
    "changes",
    [
        {"text": " \n"},
        {"text": "a" * (LONGEST_QUESTION + 1)},
        {"modes": ()},
        {"modes": ("zero-shot", "zero-shot")},
        {"modes": ("guessed",)},
    ],
)
def test_what_is_no_question(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a question"):
        Asked(**{"text": "Where?", **changes})  # type: ignore[arg-type]
