"""What the session host is asked crosses the border whole, image or text, and nothing else is taken for it."""

import numpy as np
import pytest
from highdicom import Volume

from dicom_node.errors import DefectError
from dicom_node.reading.request_message import TEXT, request_from_message, request_to_message
from dicom_node.reading.task import Task, TextReading
from dicom_node.reading.task_message import task_from_message, task_to_message
from dicom_node.reading.wire import Message, decoded
from dicom_node.results.rendering import GENERIC_RENDERING
from inference.image import Image
from inference.inputs import Inputs, TextInputs
from inference.report_text import ReportText
from inference.text_opinion import ImageWithText
from tests.analyses import NOW


def task(**facts: object) -> Task:
    settings: dict[str, object] = {
        "instances": (b"x",),
        "algorithm": "report-bert",
        "algorithm_digest": "ab" * 32,
        "inputs": TextInputs(language="ja"),
        "configuration_digest": "cd" * 32,
        "software_version": "0.1.0",
        "renderings": (GENERIC_RENDERING,),
        "analysed_at": NOW,
    }
    return Task(**{**settings, **facts})  # type: ignore[arg-type]


def test_a_text_comes_back_as_it_went() -> None:
    given = ReportText(text="Gr\u00f6\u00dfe\n\u8133 \U0001f9e0", origin="the Basic Text SR in series 5 (verified)")
    message = request_to_message("report-bert", given)
    assert "\u8133" not in str(message.body)
    assert decoded(request_from_message, message) == ("report-bert", given)


def test_an_image_goes_the_way_it_always_went() -> None:
    volume = Volume(np.ones((2, 3, 4), np.float32), np.eye(4), coordinate_system="PATIENT")
    message = request_to_message("tiny", Image(volume=volume, modality="MR", weighting="T1"))
    name, back = decoded(request_from_message, message)
    assert name == "tiny"
    assert isinstance(back, Image)
    assert (back.volume.array == volume.array).all()


def test_both_go_together() -> None:
    volume = Volume(np.ones((2, 3, 4), np.float32), np.eye(4), coordinate_system="PATIENT")
    given = ImageWithText(
        image=Image(volume=volume, modality="MR", weighting="T2"),
        report=ReportText(text="Gr\u00f6\u00dfe", origin="a report"),
        text_reader="report-bert",
    )
    name, back = decoded(request_from_message, request_to_message("tiny", given))
    assert name == "tiny"
    assert isinstance(back, ImageWithText)
    assert (back.report, back.text_reader, back.image.weighting) == (given.report, "report-bert", "T2")
    assert (back.image.volume.array == volume.array).all()


@pytest.mark.parametrize(
    "message",
    [
        Message(kind=TEXT, body={"name": "a", "origin": "b"}),
        Message(kind=TEXT, body={"name": "a", "origin": "b"}, buffers=(b"\xff\xfe",)),
        Message(kind=TEXT, body={"name": 1, "origin": "b"}, buffers=(b"x",)),
        Message(kind=TEXT, body={"name": "a"}, buffers=(b"x",)),
    ],
)
def test_what_is_no_request_is_a_defect_without_its_content(message: Message) -> None:
    with pytest.raises(DefectError, match="malformed 'analyse-text' message"):
        decoded(request_from_message, message)


def test_a_task_keeps_what_it_reads_and_the_text_given_with_it() -> None:
    beside = TextReading(name="report-bert", digest="ef" * 32, inputs=TextInputs(language="ja"))
    images = Inputs(modality=("CT",))
    joined = task(inputs=images, beside=beside, report="No mass.")
    for made in (task(), task(report="No mass."), task(inputs=images), joined):
        assert decoded(task_from_message, task_to_message(made)) == made


def test_a_text_is_for_an_algorithm_that_reads_text_and_does_not_show() -> None:
    with pytest.raises(ValueError, match="for an algorithm that reads none"):
        task(report="No mass.", inputs=Inputs(modality=("CT",)))
    assert "No mass" not in repr(task(report="No mass."))
    with pytest.raises(ValueError, match="beside images"):
        task(beside=TextReading(name="report-bert", digest="ef" * 32, inputs=TextInputs()))
