"""Sentences on their way from the session host, each kind of statement with its values."""

import json
from typing import Any, get_args

import pytest

from dicom_node.reading.sentence_message import sentence_in, sentence_out
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


def test_no_kind_is_left_out() -> None:
    assert {type(says) for says in GERMAN_OF} == set(get_args(Statement))


@pytest.mark.parametrize(
    "values",
    [
        (1, None, None, None),
        ("x", 1, None, None),
        ("x", None, "Exec", {}),
        ("x", None, "BrainVolume", {}),
        ("x", None, "BrainVolume", {"volume_ml": "much"}),
        ("x", None, "OfEachSlice", {"code": ["1", "SCT"], "slices": [[1, 0.5]]}),
        ("x", None, None),
    ],
)
def test_what_is_no_sentence_is_refused(values: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        sentence_in(*values)
