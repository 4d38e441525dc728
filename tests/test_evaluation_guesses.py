"""Guesses that never look: a draw, and what the training part says most often, on questions counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from inference.errors import DataError
from inference.evaluation.guesses import chance, majority
from inference.evaluation.questions import Question

SIDES = ("left", "right", "both", "neither")
YES_NO = ("yes", "no")


def question(
    image: str, answer: str, kind: str = "PRES", options: tuple[str, ...] = (), *, closed: bool = True
) -> Question:
    return Question(
        subject=image,
        text="?",
        answer=answer,
        kind=kind,
        closed=closed,
        options=options,
        fold=1,
        image_file=Path(image),
    )


TRAINING = [
    *(question("t", "No", "PRES", YES_NO) for _ in range(3)),
    *(question("t", "Yes", "PRES", YES_NO) for _ in range(2)),
    question("t", "Yes", "ABN", YES_NO),
    question("t", "Both", "POS", SIDES),
    question("t", "MRI", "MODALITY"),
    question("t", "the left lobe", "POS", closed=False),
    question("t", "cyst", "ABN", closed=False),
    question("t", "cyst", "ABN", closed=False),
]


def test_chance() -> None:
    asked = [question("a", "yes", options=YES_NO), question("a", "both", options=SIDES), question("a", "CT")]
    assert chance(asked).tolist() == [0.5, 0.25, 0.5]
    assert np.isnan(chance([question("a", "cyst", closed=False)])).all()


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        (question("a", "no", "PRES", YES_NO), 1.0),
        (question("a", "yes", "ABN", YES_NO), 1.0),
        (question("a", "no", "COUNT", YES_NO), 1.0),  # of all kinds three each: the first by text is "no"
        (question("a", "both", "POS", SIDES), 1.0),
        (question("a", "mri", "MODALITY"), 1.0),
        (question("a", "CT", "MODALITY"), 0.0),
        (question("a", "mri", "PLANE"), 1.0),
        (question("a", "left lung", "POS", closed=False), 0.5),  # "left lobe"
        (question("a", "cyst", "COUNT", closed=False), 1.0),
    ],
)
def test_the_majority_of_a_kind_then_of_all(asked: Question, right: float) -> None:
    assert majority(TRAINING, [asked]).tolist() == [right]


def test_a_training_part_of_another_sort_knows_nothing() -> None:
    assert majority(TRAINING[:3], [question("a", "cyst", closed=False)]).tolist() == [0.0]


def test_a_training_part_shares_no_picture() -> None:
    with pytest.raises(DataError, match="1 of them are the same"):
        majority(TRAINING, [question("t", "no", options=YES_NO)])
    with pytest.raises(DataError, match="needs a training part"):
        majority([], [question("t", "no", options=YES_NO)])
