"""A question on its way between processes: as JSON values and back; pieces of its answer as messages."""

from typing import Any

from dicom_node.reading.analysis_message import finding_from_body, finding_to_body
from dicom_node.reading.wire import Body, Message
from inference.asked import MODES, Asked, Exchange, Mode

WRITTEN, CANCEL = "written", "cancel"
"""Kinds of the messages: a piece of an answer on its way out, and the wish for no more of it on its way in."""


def question_to_body(asked: Asked) -> Body:
    """The question as JSON values."""
    return {
        "text": asked.text,
        "earlier": [[each.question, each.answer] for each in asked.earlier],
        "modes": list(asked.modes),
        "found": [finding_to_body(finding, []) for finding in asked.found],
    }


def question_from_body(body: Body) -> Asked:
    """The question, checked by its own constructor; to be called through `dicom_node.reading.wire.decoded`."""
    return Asked(
        text=_text(body["text"]),
        earlier=tuple(Exchange(question=_text(q), answer=_text(a)) for q, a in body["earlier"]),
        modes=tuple(_mode(mode) for mode in body["modes"]),
        found=tuple(finding_from_body(finding, []) for finding in body["found"]),
    )


def piece_to_message(mode: Mode, text: str) -> Message:
    """A piece of an answer."""
    return Message(kind=WRITTEN, body={"mode": mode, "text": text})


def piece_from_message(message: Message) -> tuple[Mode, str]:
    """How the question was put, and the piece; to be called through `dicom_node.reading.wire.decoded`."""
    return _mode(message.body["mode"]), _text(message.body["text"])


def _mode(value: Any) -> Mode:
    return MODES[MODES.index(value)]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
