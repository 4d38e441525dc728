"""Subsets of made-up cases scored by an echo: the form of `evaluate --json`, and what is left out of it."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.sr.codedict import codes

from inference.errors import DataError
from inference.evaluation.run import comparison, evaluate, report
from inference.evaluation.tallies import gather
from tests.scorers import Echo, MadeUp


def quiet(_done: int, _whole: int) -> None:
    """No progress."""


def values(seed: int, shape: tuple[int, int, int] = (2, 6, 5)) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def sick(name: str, patient: str, seed: int, label: str | None = None) -> MadeUp:
    """Half of what is marked is sought, and nothing else, in the first slice."""
    image = values(seed)
    truth = image >= 0.75
    truth[1:] = False
    return MadeUp(name=name, patient=patient, values=image, truth=truth, label=label)


def well(name: str, patient: str, seed: int) -> MadeUp:
    image = values(seed) * np.float32(0.4)
    return MadeUp(name=name, patient=patient, values=image, truth=np.zeros(image.shape, dtype=np.bool_), label="")


SICK = [sick("a", "p", 1), sick("b", "p", 2), sick("c", "q", 3)]
WELL = [well("x", "p", 4), well("y", "r", 5)]


def test_the_form_of_the_figures() -> None:
    told = evaluate(Echo(), [("sick", SICK), ("well", WELL)], quiet)
    assert list(told) == ["bundle", "digest", "subsets"]
    assert told["bundle"] == "lesion-segmenter-0.1.0"
    assert [s["name"] for s in told["subsets"]] == ["sick", "well", "all"]
    assert [(s["n_patients"], s["n_cases"], s["n_abstained"]) for s in told["subsets"]] == [
        (2, 3, 0),
        (2, 2, 0),
        (4, 5, 0),  # "p" of one source is not "p" of another
    ]
    assert [s["mixes_sources"] for s in told["subsets"]] == [False, False, True]
    for subset in told["subsets"]:
        for figure in subset["metrics"].values():
            assert set(figure) == {"value", "ci95"}
            assert figure["ci95"][0] <= figure["ci95"][1]
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_figures_by_hand() -> None:
    told = evaluate(Echo(), [("sick", SICK), ("well", WELL)], quiet)
    first, second, both = (s["metrics"] for s in told["subsets"])
    marked = np.concatenate([(c.values >= 0.5).ravel() for c in SICK])
    truth = np.concatenate([np.asarray(c.truth).ravel() for c in SICK])
    assert first["pixel_recall"]["value"] == 1.0
    assert first["pixel_precision"]["value"] == pytest.approx(truth.sum() / marked.sum())
    assert first["pixel_accuracy"]["value"] == pytest.approx((truth == marked).mean())
    assert first["lesion_sensitivity"]["value"] == 1.0
    assert second["case_dice"]["value"] == 1.0
    assert "pixel_auroc" not in second
    assert "pixel_precision" not in second
    assert "pixel_dice" not in second
    assert "image_auroc" not in second
    assert both["case_dice"]["value"] == pytest.approx((3 * first["case_dice"]["value"] + 2) / 5)
    assert both["case_dice_with_finding"]["value"] == pytest.approx(first["case_dice"]["value"])
    baseline = told["subsets"][0]["baselines"]
    assert baseline["pixel_accuracy_all_negative"] == pytest.approx(1 - truth.mean())


def test_of_an_organ_there_is_dice_and_nothing_to_detect() -> None:
    (subset, _) = evaluate(Echo(sought=codes.SCT.Brain), [("sick", SICK)], quiet)["subsets"]
    assert set(subset["metrics"]) == {
        "brain_dice",
        "pixel_auroc",
        "pixel_accuracy",
        "pixel_precision",
        "pixel_recall",
        "pixel_dice",
    }
    as_lesion = evaluate(Echo(), [("sick", SICK)], quiet)["subsets"][0]["metrics"]["case_dice"]
    assert subset["metrics"]["brain_dice"] == as_lesion
    assert set(subset["baselines"]) == {"pixel_accuracy_all_negative", "pixel_prevalence"}


def test_slices_of_several_sources_stand_beside_what_the_source_alone_gives() -> None:
    told = evaluate(Echo(), [("sick", SICK), ("well", WELL)], quiet)
    assert "image_auroc" in told["subsets"][0]["metrics"]
    assert "image_auroc_by_source" not in told["subsets"][0]["baselines"]
    assert "image_auroc" in told["subsets"][2]["metrics"]
    # 3 of 6 slices of one source have a finding, none of the 4 of the other
    assert told["subsets"][2]["baselines"]["image_auroc_by_source"] == pytest.approx((3 * 4 + 0.5 * 3 * 3) / (3 * 7))


def test_one_source_is_all_and_one_patient_has_no_interval() -> None:
    told = evaluate(Echo(), [("sick", SICK[:1])], quiet)
    first, both = told["subsets"]
    assert first["metrics"] == both["metrics"]
    assert not both["mixes_sources"]
    assert both["metrics"]["case_dice"]["ci95"] is None


def test_what_the_bundle_was_not_made_for_is_counted_and_left_out() -> None:
    dark = MadeUp(name="d", patient="q", values=np.full((1, 2, 2), -1, np.float32), truth=np.zeros((1, 2, 2), np.bool_))
    told = evaluate(Echo(), [("some", [*SICK[:2], dark]), ("none", [dark])], quiet)
    assert [(s["n_patients"], s["n_cases"], s["n_abstained"]) for s in told["subsets"]] == [
        (1, 2, 1),
        (0, 0, 1),
        (1, 2, 2),
    ]
    assert told["subsets"][1]["metrics"] == told["subsets"][1]["baselines"] == {}
    assert not told["subsets"][2]["mixes_sources"]


def test_classes_are_taken_where_case_and_bundle_know_them() -> None:
    cases = [sick("a", "p", 1, "one"), sick("b", "q", 2, "two"), sick("c", "r", 3, "three"), well("x", "s", 4)]
    (told, _) = evaluate(Echo(classes={"one": 0.9, "two": 0.1}), [("sick", cases)], quiet)["subsets"]
    assert told["metrics"]["class_accuracy"]["value"] == 0.5
    assert told["baselines"]["class_majority"] == 0.5
    assert told["n_other_class"] == 1
    (told, _) = evaluate(Echo(), [("sick", cases)], quiet)["subsets"]
    assert "class_accuracy" not in told["metrics"]
    assert "n_other_class" not in told


def test_a_case_that_nobody_drew_counts_for_its_class_alone() -> None:
    case = MadeUp(name="a", patient="p", values=values(1), truth=None, label="one")
    (told, _) = evaluate(Echo(classes={"one": 0.9, "two": 0.1}), [("undrawn", [case])], quiet)["subsets"]
    assert set(told["metrics"]) == {"class_accuracy", "f1", "ece"}


def test_a_mask_of_another_size_is_named() -> None:
    case = MadeUp(name="glioma/7", patient="p", values=values(1), truth=np.zeros((2, 6, 4), np.bool_))
    with pytest.raises(DataError, match=r"glioma/7: the mask has \(2, 6, 4\) voxels, its image \(2, 6, 5\)"):
        evaluate(Echo(), [("one", [case])], quiet)


def test_progress_counts_over_all_subsets() -> None:
    seen: list[tuple[int, int]] = []
    gather(Echo(), [("sick", SICK), ("well", WELL)], lambda done, whole: seen.append((done, whole)))
    assert seen == [(n, 5) for n in range(1, 6)]


def test_two_readers_are_compared_patient_by_patient() -> None:
    subsets = [("sick", SICK), ("one", [WELL[0]])]
    better, worse = gather(Echo(threshold=0.7), subsets, quiet), gather(Echo(), subsets, quiet)
    told = comparison(better, worse)
    assert [subset["name"] for subset in told] == ["sick", "one", "all"]
    assert told[1]["differences"] == {}
    test = told[0]["differences"]["case_dice"]
    by_name = [{c.name: c.pixels.dice for c in g.subsets[0].cases if c.pixels is not None} for g in (better, worse)]
    gains = {name: by_name[0][name] - by_name[1][name] for name in "abc"}
    of_patient = np.array([(gains["a"] + gains["b"]) / 2, gains["c"]])
    assert test["n"] == 2
    assert test["mean"] == pytest.approx(of_patient.mean())
    assert test["t"] == pytest.approx(of_patient.mean() / (of_patient.std(ddof=1) / 2**0.5))
    assert told[2]["differences"]["pixel_accuracy"]["n"] == 3
    same = comparison(worse, worse)[0]["differences"]["case_dice"]
    assert (same["mean"], same["p"]) == (0.0, 1.0)


def test_a_comparison_needs_two_patients() -> None:
    one = gather(Echo(), [("sick", SICK[:2])], quiet)
    with pytest.raises(DataError, match="2 patients or more"):
        comparison(one, one)
    assert report(one)["subsets"][0]["n_patients"] == 1
