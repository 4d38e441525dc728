"""What the session host is asked to read, an image or a report's text, as a message and back."""

from typing import Any

from dicom_node.reading.analysis_message import image_from_message, image_to_message
from dicom_node.reading.wire import Message
from inference.image import Image
from inference.report_text import ReportText

IMAGE, TEXT = "analyse", "analyse-text"
"""Kinds of the two messages."""


def request_to_message(name: str, given: Image | ReportText) -> Message:
    """A request to read `given` with the algorithm `name`."""
    if isinstance(given, Image):
        return image_to_message(name, given)
    return Message(kind=TEXT, body={"name": name, "origin": given.origin}, buffers=(given.text.encode(),))


def request_from_message(message: Message) -> tuple[str, Image | ReportText]:
    """Name of the algorithm and what to read; to be called through `dicom_node.reading.wire.decoded`."""
    if message.kind != TEXT:
        return image_from_message(message)
    (data,) = message.buffers
    return _text(message.body["name"]), ReportText(text=bytes(data).decode(), origin=_text(message.body["origin"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
