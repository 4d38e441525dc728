"""Figures of a made-up reader of volumes: over its baselines, by kind, in both prompt modes, and of reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.errors import DataError
from inference.evaluation.studies import Study, studies
from inference.evaluation.study_figures import apart, study_apart, subset
from tests.study_folders import entry, written
from tests.test_evaluation_study_answers import Seeing, found


@pytest.fixture(scope="module")
def each(tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    return studies(written(tmp_path_factory.mktemp("studies") / "data", [entry(number) for number in range(24)]))


@pytest.fixture(scope="module")
def told(each: list[Study]) -> dict[str, Any]:
    return subset("data", found(Seeing(), each[:16], "plain", "localised"), each[16:], 2)


def test_counts(told: dict[str, Any]) -> None:
    assert {key: value for key, value in told.items() if key.startswith("n_")} == {
        "n_patients": 16, "n_cases": 16, "n_abstained": 2, "n_closed": 32, "n_open": 16, "n_reports": 16, "n_unread": 0,
        "n_training": 8,
    }  # fmt: skip
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_both_modes_in_pairs(told: dict[str, Any]) -> None:
    """Plain, every left one of 8 is taken for both, and its side is all that is wrong."""
    metrics = told["metrics"]
    assert metrics["vqa_closed_accuracy"]["value"] == pytest.approx(24 / 32)
    assert metrics["vqa_closed_accuracy_localised"] == {"value": 1.0, "ci95": [1.0, 1.0]}
    gain = told["over_baselines"]["vqa_closed_accuracy_localised"]["vqa_closed_accuracy"]
    assert (gain["n"], gain["mean"]) == (16, pytest.approx(0.25))
    assert gain["bootstrap_p"] < 0.05
    assert gain["ci95"][0] > 0
    assert told["over_baselines"]["vqa_open_f1_localised"]["vqa_open_f1"]["mean"] == 0.0
    assert {"vqa_blind_localised", "vqa_blind_blank_localised", "vqa_open_blind_localised"} <= set(told["baselines"])
    assert not [name for name in told["baselines"] if name.startswith(("vqa_chance_", "vqa_majority_local"))]


def test_kinds_and_guesses(told: dict[str, Any]) -> None:
    metrics, known = told["metrics"], told["baselines"]
    assert metrics["vqa_closed_accuracy_of_location"]["value"] == 0.5
    assert metrics["vqa_closed_accuracy_of_abnormality"]["value"] == 1.0
    assert known["vqa_chance"] == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert known["vqa_majority_of_location"] == 0.5  # left
    assert known["vqa_majority_of_abnormality"] == 0.75  # yes
    assert known["vqa_majority"] == 0.625
    assert known["vqa_blind_blank"] == 0.25
    assert known["vqa_blind"] == max(known["vqa_blind_blank"], known["vqa_blind_shuffled"])
    assert set(told["over_baselines"]["vqa_closed_accuracy"]) == {
        "vqa_chance", "vqa_majority", "vqa_blind_blank", "vqa_blind_shuffled"
    }  # fmt: skip


def test_reports_over_both_templates(told: dict[str, Any]) -> None:
    assert told["metrics"]["report_rule_score"]["value"] == 1.0
    assert told["baselines"]["report_template"] < 0.8
    gains = told["over_baselines"]["report_rule_score"]
    assert set(gains) == {"report_template_normal", "report_template_frequent"}
    assert all(gain["n"] == 16 and gain["p"] < 0.05 for gain in gains.values())
    assert {"report_bleu4", "report_rougel", "report_token_f1"} <= set(told["metrics"])
    assert not [name for name in told["metrics"] if "green" in name]


def test_without_a_training_part_the_studies_say_it_themselves(each: list[Study]) -> None:
    told = subset("data", found(Seeing(), each[:16], "localised"), [], 0)
    assert told["n_training"] == 0
    assert told["baselines"]["vqa_majority"] == 0.625
    assert "vqa_closed_accuracy" not in told["metrics"]
    assert "vqa_closed_accuracy_localised" in told["metrics"]
    assert set(told["over_baselines"]["vqa_closed_accuracy_localised"]) >= {"vqa_majority", "vqa_blind_blank_localised"}


def test_nothing_read_and_reports_alone(each: list[Study], tmp_path: Path) -> None:
    told = subset("data", [], [], 3)
    assert (told["n_cases"], told["n_reports"], told["metrics"], told["baselines"]) == (0, 0, {}, {})
    alone = studies(written(tmp_path / "data", [entry(0, questions=None), entry(1, questions=None)]))
    told = subset("data", found(Seeing(), alone, "plain"), [], 0)
    assert (told["n_reports"], told["n_closed"]) == (2, 0)
    assert set(told["over_baselines"]) == {"report_rule_score"}


def test_the_same_patient_in_training_is_refused(each: list[Study]) -> None:
    with pytest.raises(DataError, match="of them are the same"):
        subset("data", found(Seeing(), each[:4], "plain"), each[3:], 0)


def test_patients_of_two_sources_are_two(each: list[Study]) -> None:
    one = found(Seeing(), each[:4], "plain")
    told = subset("all", [*apart(one, "a"), *apart(one, "b")], [study_apart(study, "c") for study in each[:4]], 0)
    assert (told["n_patients"], told["n_cases"]) == (8, 8)
