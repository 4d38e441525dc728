"""A question and the pieces of its answer on their way between processes."""

import json
from typing import Any

import pytest
from pydicom.sr.codedict import codes

from dicom_node.errors import DefectError
from dicom_node.reading.question_message import (
    piece_from_message,
    piece_to_message,
    question_from_body,
    question_to_body,
)
from dicom_node.reading.wire import Message, decoded
from inference.asked import MODES, Asked, Exchange
from inference.findings import Finding, Measurement

ASKED = Asked(
    text="Wo liegt die Läsion?",
    earlier=(Exchange(question="a", answer="b"),),
    modes=MODES,
    found=(
        Finding(
            label="lesion 1",
            code=codes.SCT.Lesion,
            laterality=codes.SCT.Left,
            probability=0.5,
            measurements=(Measurement(code=codes.SCT.LongAxis, value=2.5, unit=codes.UCUM.Millimeter),),
        ),
    ),
)


def test_a_question_comes_back() -> None:
    body = json.loads(json.dumps(question_to_body(ASKED)))
    assert question_from_body(body) == ASKED
    assert repr(question_from_body(body)) == repr(ASKED)  # the UIDs derive from it


def test_a_piece_comes_back() -> None:
    assert piece_from_message(piece_to_message("instructed", "é ")) == ("instructed", "é ")


@pytest.mark.parametrize(
    "changes", [{"text": 1}, {"text": " "}, {"modes": ["guess"]}, {"earlier": [["a"]]}, {"found": [{}]}]
)
def test_what_is_no_question_is_refused(changes: dict[str, Any]) -> None:
    message = Message(kind="ask", body={**question_to_body(ASKED), **changes})
    with pytest.raises(DefectError, match="malformed 'ask'"):
        decoded(lambda m: question_from_body(m.body), message)
    with pytest.raises(DefectError, match="malformed"):
        decoded(piece_from_message, Message(kind="written", body={"mode": "guess", "text": ""}))
