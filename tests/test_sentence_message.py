"""Sentences on their way from the session host, each kind of statement with its values."""

import json
from typing import Any, get_args

import pytest

from dicom_node.reading.sentence_message import sentence_in, sentence_out
from inference.draft import Draft
from inference.findings import Sentence
from inference.statements import Statement
from tests.test_spoken import GERMAN_OF


@pytest.mark.parametrize("says", [None, *GERMAN_OF], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("finding", [None, "lesion 1"])
def test_a_sentence_comes_back(says: Statement | None, finding: str | None) -> None:
    sentence = Sentence(text="Gesehen: Läsion.", finding=finding, says=says)
    back = sentence_in(*json.loads(json.dumps(sentence_out(sentence))))
    assert back == sentence
    assert repr(back) == repr(sentence)


@pytest.mark.parametrize(
    "draft",
    [
        Draft(verdict="supported", evidence=("lesion 1", "lesion 2"), probability=0.83),
        Draft(verdict="supported", segment=1),
        Draft(verdict="unsupported", reason="no-prior"),
        Draft(verdict="contradicted", reason="side", evidence=("lesion 1",), withheld=True),
    ],
)
def test_a_verdict_comes_back(draft: Draft) -> None:
    sentence = Sentence(text="A lesion.", draft=draft)
    assert sentence_in(*json.loads(json.dumps(sentence_out(sentence)))) == sentence


def test_no_kind_is_left_out() -> None:
    assert {type(says) for says in GERMAN_OF} == set(get_args(Statement))


@pytest.mark.parametrize(
    "values",
    [
        (1, None, None, None, None),
        ("x", 1, None, None, None),
        ("x", None, "Exec", {}, None),
        ("x", None, "BrainVolume", {}, None),
        ("x", None, "BrainVolume", {"volume_ml": "much"}, None),
        ("x", None, "OfEachSlice", {"code": ["1", "SCT"], "slices": [[1, 0.5]]}, None),
        ("x", None, None, None, {"verdict": "supported"}),
        ("x", None, None, None, {"verdict": "true", "evidence": ["lesion 1"]}),
        ("x", None, None, None, {"verdict": "unsupported", "reason": "size", "withheld": True}),
        ("x", None, None, None),
    ],
)
def test_what_is_no_sentence_is_refused(values: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        sentence_in(*values)
