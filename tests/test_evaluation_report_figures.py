"""Made-up reports: a good writer beats both templates, a parrot is the template, and nobody's text is told."""

import json

import pytest

from inference.errors import DataError
from inference.evaluation.report_figures import WrittenReport, subset
from inference.evaluation.report_templates import all_normal, most_frequent

SIDES = ("left", "right")
SITES = ("frontal", "parietal", "temporal", "occipital")


def reference(number: int) -> str:
    if number % 3 == 0:
        return "No glioma. No haemorrhage."
    return f"A {10 + number} mm glioma in the {SIDES[number % 2]} {SITES[number % 4]} lobe. No haemorrhage."


REFERENCES = [reference(number) for number in range(24)]
TRAINING = [*REFERENCES[:6], "No glioma. No haemorrhage."]


def written(candidates: list[str]) -> list[WrittenReport]:
    """Two reports a patient."""
    return [
        WrittenReport(name=str(n), patient=f"p{n // 2}", reference=text, candidate=candidate)
        for n, (text, candidate) in enumerate(zip(REFERENCES, candidates, strict=True))
    ]


def test_templates() -> None:
    """Gliomas are in most reports of the training part, but each with other words."""
    assert most_frequent(TRAINING) == "A 11 mm glioma in the right parietal lobe. No haemorrhage."
    assert most_frequent(["No cyst.", "No infarct.", "No infarct."]) == "No infarct."
    assert "No haemorrhage." in all_normal()
    with pytest.raises(DataError, match="no report"):
        most_frequent([])


def test_a_perfect_writer() -> None:
    told = subset("reports", written(REFERENCES), TRAINING)
    assert (told["n_patients"], told["n_cases"], told["n_unread"]) == (12, 24, 0)
    for name, figure in told["metrics"].items():
        assert figure["value"] == pytest.approx(1.0), name
    # 8 of 24 are normal: both denials match; of the others one of glioma (missing) and haemorrhage (matched)
    assert told["baselines"]["report_template_normal"] == pytest.approx((8 * 1 + 16 * 0.5) / 24)
    assert told["baselines"]["report_template"] == max(
        told["baselines"][f"report_template_{kind}"] for kind in ("normal", "frequent")
    )
    gains = told["over_baselines"]["report_rule_score"]
    assert gains["report_template_normal"]["mean"] == pytest.approx(1 / 3)
    assert all(gain["bootstrap_p"] < 0.01 and gain["ci95"][0] > 0 for gain in gains.values())
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_parrot_gains_nothing_over_its_template() -> None:
    told = subset("reports", written([all_normal()] * 24), TRAINING)
    gain = told["over_baselines"]["report_rule_score"]["report_template_normal"]
    assert told["metrics"]["report_rule_score"]["value"] == told["baselines"]["report_template_normal"]
    assert (gain["mean"], gain["p"], gain["bootstrap_p"]) == (0.0, 1.0, 1.0)


def test_figures_by_hand() -> None:
    """Right of finding, wrong of side in 16 reports, right in 8: credit 2/3 + 1 and 2 of 2 facts."""
    swapped = [text.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right") for text in REFERENCES]
    metrics = subset("reports", written(swapped), TRAINING)["metrics"]
    assert metrics["report_rule_score"]["value"] == pytest.approx((8 + 16 * 0.5) / 24)
    for figure in ("precision", "recall", "f1"):
        assert metrics[f"report_finding_{figure}"]["value"] == pytest.approx((8 * 2 + 16 * 5 / 3) / 48)
    assert 0.5 < metrics["report_bleu4"]["value"] < metrics["report_bleu1"]["value"] < 1.0
    assert metrics["report_rouge1"]["value"] == metrics["report_token_f1"]["value"]


class _Judge:
    """Finds one thing in each report, and loses its words over those that are normal."""

    def compare(self, reference: str, candidate: str) -> str:
        if "mm" not in reference:
            return "Both are fine."
        return "[Clinically Significant Errors]:\n(b) Missing: 1. X\n[Matched Findings]:\n1. Y"


def test_green_comes_from_a_judge_alone() -> None:
    told = subset("reports", written(REFERENCES), TRAINING, _Judge())
    assert told["metrics"]["green"] == {"value": 0.5, "ci95": [0.5, 0.5]}
    assert told["n_green_unread"] == 8
    told = subset("reports", written(REFERENCES), TRAINING)
    assert not [name for name in (*told, *told["metrics"], *told["baselines"]) if "green" in name.lower()]


def test_references_without_facts_are_left_out() -> None:
    nothing = WrittenReport(name="n", patient="p", reference="See above.", candidate="Glioma.")
    told = subset("reports", [nothing], TRAINING)
    assert (told["n_cases"], told["n_unread"], told["metrics"]) == (0, 1, {})
    one = subset("reports", [nothing, *written(REFERENCES)[:2]], TRAINING)
    assert (one["n_patients"], one["n_unread"], one["over_baselines"]) == (1, 1, {})
    assert one["metrics"]["report_rule_score"]["ci95"] is None


def test_texts_are_not_told() -> None:
    assert "glioma" not in repr(written(REFERENCES)[1])
