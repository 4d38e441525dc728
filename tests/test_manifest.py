"""bundle.json holds together or does not load."""

from typing import Any

import pytest
from pydantic import ValidationError

from inference.concept import Concept
from inference.manifest import from_json, from_values
from tests.tiny_bundles import BRAIN, LESION, graph_of, manifest


def test_a_manifest_comes_back_from_its_own_json() -> None:
    made = from_values(manifest(preprocess=[{"op": "window", "center": 40.0, "width": 80.0}]))
    assert from_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": "1.0"}, "version"),
        ({"version": "01.0.0"}, "version"),
        ({"name": "Tiny Model"}, "name"),
        ({"training": "secret"}, "training"),
        ({"schema_version": 2}, "schema_version"),
        ({"exporter": {"tool": "x", "opset": 20, "made_at": "2026-01-01T00:00:00"}}, "timezone"),
        ({"findings": [{**manifest()["findings"][0], "segment": 2}]}, "names a segment of its own"),
        ({"findings": manifest()["findings"] * 2}, "names a segment of its own"),
        ({"segments": [{**manifest()["segments"][0], "number": 2}], "findings": []}, "numbered 1, 2"),
        ({"segments": [{**manifest()["segments"][0], "threshold": 1.0}]}, "threshold"),
        ({"segments": [{**manifest()["segments"][0], "channel": 3}]}, "names channel 3"),
        ({"graphs": []}, "graphs"),
        ({"graphs": graph_of([None, 3, None, None], [None, 1, None, None])}, "slices take 4 axes with 1 channels"),
        ({"graphs": graph_of([None, 1, 8, 8, 8], [None, 1, 8, 8, 8])}, "slices take 4 axes"),
        ({"graphs": graph_of([None, 1, 8, 8], [None, 1, 8, 8], file="../x.onnx")}, "not a plain file name"),
        ({"tiling": {"kind": "whole"}}, "whole take 5 axes"),
        ({"tiling": {"kind": "windows", "shape": [0, 8, 8]}}, "counts voxels"),
        ({"preprocess": [{"op": "sharpen"}]}, "preprocess"),
        ({"preprocess": [{"op": "orient", "code": "HHL", "reformat": True}]}, "names an axis twice"),
        ({"preprocess": [{"op": "resample", "spacing_mm": [1, 0, 1], "antialias": True}]}, "above 0"),
        ({"preprocess": [{"op": "clip", "lower": 2, "upper": 1}]}, "lower must be below upper"),
        ({"preprocess": [{"op": "clip", "version": 2, "lower": 1, "upper": 2}]}, "version"),
    ],
)
def test_what_does_not_agree_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        from_values(manifest(**change))


@pytest.mark.parametrize("value", [LESION, BRAIN, {**BRAIN, "meaning": "brain"}])
def test_a_code_may_have_any_of_its_meanings(value: dict[str, str]) -> None:
    assert Concept.model_validate(value).code().value == value["value"]


def test_a_code_under_another_meaning_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"\(52988006, SCT\) means Lesion, not Glioblastoma"):
        Concept(scheme="SCT", value="52988006", meaning="Glioblastoma")


def test_a_code_that_the_standard_does_not_list_passes() -> None:
    assert Concept(scheme="99SITE", value="X1", meaning="Something of ours").code().scheme_designator == "99SITE"
