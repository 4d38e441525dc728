"""A made-up reader of pictures over all its baselines: one that sees gains, one that does not gains nothing."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from inference.evaluation.answer_figures import answered
from inference.evaluation.answers import Answer
from inference.evaluation.questions import Pixels, Question, questions
from inference.findings import Algorithm
from tests import phantoms, question_folders
from tests.test_evaluation_answers import Seeing


class Blind:
    """Always says yes, left and bright disc."""

    @property
    def algorithm(self) -> Algorithm:
        return phantoms.algorithm()

    def answer(self, question: str, options: Sequence[str], image: Pixels) -> Answer:
        return Answer(text=options[0] if options else "bright disc")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Question], list[Question]]:
    """A test part of one fold, and the training part."""
    found = questions(question_folders.of_brightness(tmp_path_factory.mktemp("vqa") / "v", pictures=80))
    return [q for q in found if q.fold == 1], [q for q in found if q.fold != 1]


def figures(reader: Seeing | Blind, parts: tuple[list[Question], list[Question]]) -> dict[str, Any]:
    return answered(reader, "made-up", *parts, lambda _done, _whole: None)


def test_a_reader_that_sees(parts: tuple[list[Question], list[Question]]) -> None:
    told = figures(Seeing(), parts)
    count = told["n_images"]
    assert (told["n_cases"], told["n_closed"], told["n_open"]) == (3 * count, 2 * count, count)
    assert 10 < count < 30
    assert told["metrics"] == {
        name: {"value": 1.0, "ci95": [1.0, 1.0]} for name in ("vqa_closed_accuracy", "vqa_open_f1", "vqa_open_exact")
    }
    known = told["baselines"]
    assert known["vqa_chance"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert known["vqa_blind"] == max(known["vqa_blind_blank"], known["vqa_blind_shuffled"]) < 1.0
    assert known["vqa_open_blind"] == max(known["vqa_open_blind_blank"], known["vqa_open_blind_shuffled"]) < 1.0
    assert set(known) - {"vqa_chance", "vqa_blind", "vqa_blind_blank", "vqa_blind_shuffled"} == {
        "vqa_majority", "vqa_open_majority", "vqa_open_blind", "vqa_open_blind_blank", "vqa_open_blind_shuffled"
    }  # fmt: skip
    for metric, gains in told["over_baselines"].items():
        for name, gain in gains.items():
            assert gain["n"] == count
            assert gain["mean"] == pytest.approx(1.0 - known[name]), metric
            assert gain["bootstrap_p"] < 0.05
    assert set(told["over_baselines"]["vqa_closed_accuracy"]) >= {"vqa_chance", "vqa_majority", "vqa_blind_shuffled"}
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_reader_that_does_not_look_gains_nothing_over_being_blind(
    parts: tuple[list[Question], list[Question]],
) -> None:
    told = figures(Blind(), parts)
    value = told["metrics"]["vqa_closed_accuracy"]
    assert value["value"] == told["baselines"]["vqa_blind"]
    assert value["ci95"][0] < value["value"] < value["ci95"][1]
    gain = told["over_baselines"]["vqa_closed_accuracy"]["vqa_blind_blank"]
    assert (gain["mean"], gain["bootstrap_p"]) == (0.0, 1.0)


def test_one_picture_has_no_interval_and_nothing_shuffled(tmp_path: Path) -> None:
    found = questions(question_folders.of_brightness(tmp_path / "v", pictures=2))
    told = figures(Seeing(), (found[:3], found[3:]))
    assert told["metrics"]["vqa_closed_accuracy"] == {"value": 1.0, "ci95": None}
    assert "vqa_blind_shuffled" not in told["baselines"]
    assert told["baselines"]["vqa_blind"] == told["baselines"]["vqa_blind_blank"]
    assert told["over_baselines"] == {}


def test_closed_questions_alone(parts: tuple[list[Question], list[Question]]) -> None:
    told = figures(Seeing(), ([q for q in parts[0] if q.closed], parts[1]))
    assert set(told["metrics"]) == {"vqa_closed_accuracy"}
    assert not [name for name in told["baselines"] if "open" in name]
