"""What the session host is asked: to read an image, a report's text or both, or a question; as a message and back."""

from typing import Any

from dicom_node.reading.analysis_message import image_from_message, image_to_message
from dicom_node.reading.question_message import question_from_body, question_to_body
from dicom_node.reading.task import Given
from dicom_node.reading.wire import Message
from inference.asked import ImageWithQuestion
from inference.image import Image
from inference.report_text import ReportText
from inference.text_opinion import ImageWithText

IMAGE, TEXT, BOTH, QUESTION = KINDS = ("analyse", "analyse-text", "analyse-both", "ask")
"""Kinds of the messages."""


def request_to_message(name: str, given: Given) -> Message:
    """A request to read `given` with the algorithm `name`."""
    if isinstance(given, Image):
        return image_to_message(name, given)
    if isinstance(given, ReportText):
        return Message(kind=TEXT, body={"name": name, "origin": given.origin}, buffers=(given.text.encode(),))
    image = image_to_message(name, given.image)
    if isinstance(given, ImageWithQuestion):
        body = {**image.body, "question": question_to_body(given.asked)}
        return Message(kind=QUESTION, body=body, buffers=image.buffers)
    body = {**image.body, "text_reader": given.text_reader, "origin": given.report.origin}
    return Message(kind=BOTH, body=body, buffers=(*image.buffers, given.report.text.encode()))


def request_from_message(message: Message) -> tuple[str, Given]:
    """Name of the algorithm and what to read; to be called through `dicom_node.reading.wire.decoded`."""
    if message.kind == IMAGE:
        return image_from_message(message)
    if message.kind == QUESTION:
        name, image = image_from_message(message)
        return name, ImageWithQuestion(image=image, asked=question_from_body(message.body["question"]))
    *pixels, data = message.buffers
    report = ReportText(text=bytes(data).decode(), origin=_text(message.body["origin"]))
    if message.kind == TEXT:
        return _text(message.body["name"]), report
    name, image = image_from_message(Message(kind=IMAGE, body=message.body, buffers=tuple(pixels)))
    return name, ImageWithText(image=image, report=report, text_reader=_text(message.body["text_reader"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
