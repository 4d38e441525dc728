"""bundle.json of a brain-lesions bundle holds together or does not load."""

from typing import Any

import pytest
from pydantic import ValidationError

from inference.manifest import from_json, from_values
from inference.manifests.lesions import LesionsManifest
from tests.tiny_bundles import LESION
from tests.tiny_lesions import graph_spec, manifest

CLASSES = manifest()["classes"]


def test_a_manifest_comes_back_from_its_own_json() -> None:
    fusion = {"image_weight": 1.0, "text_weight": 0.5, "intercept": 0.0, "text": "made up"}
    made = from_values(manifest(fusion=fusion))
    assert isinstance(made, LesionsManifest)
    assert from_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"classes": CLASSES[:1]}, "classes"),
        ({"classes": [CLASSES[0], CLASSES[0]]}, "a label and a code of its own"),
        ({"classes": [CLASSES[0], {"label": "x", "code": {**LESION, "meaning": "Glioma"}}]}, "means Lesion"),
        ({"size": {"lower_mm": 60.0, "upper_mm": 2.0}}, "lower_mm must be below"),
        ({"patient_rule": "mean"}, "patient_rule"),
        ({"least_class_probability": 0.3}, "least_class_probability"),
        ({"crop": {**manifest()["crop"], "side": 32}}, "takes"),
        ({"crop": {**manifest()["crop"], "neighbours": 0}}, "takes"),
        ({"graphs": [graph_spec(role="segment")]}, "one graph of role 'classify'"),
        ({"graphs": [graph_spec(activation="sigmoid")]}, "activation is 'softmax'"),
        (
            {"graphs": [graph_spec(outputs=[{"name": "logits", "dtype": "float32", "shape": [None, 3]}])]},
            "logits of two classes",
        ),
    ],
)
def test_what_does_not_agree_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        from_values(manifest(**change))
