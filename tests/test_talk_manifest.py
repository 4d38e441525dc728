"""What a bundle that speaks may ask of the findings of its evidence, and what it may not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inference.manifest import from_values
from inference.manifests.talk import Talk
from tests import tiny_talkers
from tests.tiny_talkers import HYPERINTENSE, HYPOINTENSE, KINDS, OF_FINDINGS

BRIGHT, DARK = ({"text": f" {n}", "code": c} for n, c in (("Bright", HYPERINTENSE), ("Dark", HYPOINTENSE)))
EVIDENCE = {"name": "marker", "version": "1.0.0", "digest": "0" * 64}


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("talker")
    bundle = tiny_talkers.written(folder, {".": {"Yes.": 1.0}}, evidence=EVIDENCE)
    return bundle.manifest.model_dump(mode="json")


def test_kinds_alone_are_something_that_is_asked(values: dict[str, Any]) -> None:
    made = from_values({**values, "requests": [], "kinds": KINDS})
    assert isinstance(made, Talk)
    assert made.kinds is not None
    assert made.kinds.least_probability == 0.5
    assert not made.locate


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"requests": []}, "asks something"),
        ({"evidence": None, "kinds": KINDS}, "need the evidence"),
        ({"evidence": None, "locate": True}, "need the evidence"),
        ({"evidence": None, "requests": [OF_FINDINGS]}, "need the evidence"),
        ({"kinds": {**KINDS, "id": "report"}}, "a name of its own"),
        ({"kinds": {**KINDS, "options": [BRIGHT]}}, "at least 2"),
        ({"kinds": {**KINDS, "options": [BRIGHT, DARK] * 5}}, "at most 8"),
        ({"kinds": {**KINDS, "options": [BRIGHT, BRIGHT]}}, "a text and a code of its own"),
    ],
)
def test_a_manifest_that_does_not_hold_together(values: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    from_values(values)
    with pytest.raises(ValidationError, match=words):
        from_values({**values, **changes})
