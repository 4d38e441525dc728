"""Messages between processes: whatever goes in comes out, and what no constructor would take is refused."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from highdicom import CoordinateSystemNames, Volume
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.errors import DefectError, StudyError, TransientError, UnsuitableError
from dicom_node.reading.analysis_message import (
    analysis_from_message,
    analysis_to_message,
    image_from_message,
    image_to_message,
)
from dicom_node.reading.task import Analysis, ReadingResult, Task
from dicom_node.reading.task_message import (
    error_from_message,
    error_to_message,
    result_from_message,
    result_to_message,
    task_from_message,
    task_to_message,
)
from dicom_node.reading.wire import Channel, ChannelClosedError, DeadlineError, Message, decoded
from dicom_node.result_classes import COMPREHENSIVE
from dicom_node.results.identity import Predecessor
from dicom_node.results.profiles import PROFILES
from dicom_node.results.rendering import GENERIC_RENDERING, choose
from dicom_node.study import (
    ObjectKind,
    Outcome,
    ResultObject,
    SeriesInstanceUID,
    SOPClassUID,
    SOPInstanceUID,
    derive_uid,
)
from inference.findings import Algorithm, Finding, Findings, Measurement, Narrative, Segment, Sentence
from inference.image import Image
from inference.imaging.laying import Laying
from inference.inputs import Inputs

ALGORITHM = Algorithm(
    name="lesion-segmenter",
    version="1.0.0",
    source="dicom-node",
    digest="ab" * 32,
    family=codes.DCM.ArtificialIntelligence,
    clinical_use="research",
    training="synthetic-findings",
)

Pair = tuple[Channel, Channel]


@pytest.fixture
def pair() -> Iterator[Pair]:
    left, right = socket.socketpair()
    channels = Channel(left, 2**24), Channel(right, 2**24)
    yield channels
    for channel in channels:
        channel.close()


def through_a_socket(message: Message) -> Message:
    """The message after a real trip through a socket, however large."""
    left, right = socket.socketpair()
    sender, receiver = Channel(left, 2**30), Channel(right, 2**30)
    thread = threading.Thread(target=sender.send, args=(message,))
    thread.start()
    try:
        return receiver.receive(time.monotonic() + 20)
    finally:
        thread.join()
        sender.close()
        receiver.close()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.text(max_size=20),
    st.dictionaries(st.text(), json_values, max_size=4),
    st.lists(st.binary(max_size=500), max_size=5),
)
def test_any_message_comes_back(kind: str, body: dict[str, object], buffers: list[bytes]) -> None:
    back = through_a_socket(Message(kind=kind, body=body, buffers=tuple(buffers)))
    assert (back.kind, back.body) == (kind, body)
    assert [bytes(buffer) for buffer in back.buffers] == buffers


def test_many_and_large_buffers() -> None:
    buffers = tuple(bytes([i % 251]) * (i % 7000) for i in range(3000))
    back = through_a_socket(Message(kind="task", body={}, buffers=buffers))
    assert [bytes(buffer) for buffer in back.buffers] == list(buffers)


probabilities = st.none() | st.floats(0, 1)
words = st.text(min_size=1, max_size=20)
a_code = st.sampled_from(
    [codes.SCT.Brain, codes.SCT.Left, codes.UCUM.Millimeter, Code("X1", "99NODE", "made up", "1.0")]
)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    values = st.floats(-1e9, 1e9)
    by_slice = tuple(draw(st.lists(st.tuples(st.integers(0, 9), values), max_size=2)))
    return Measurement(code=draw(a_code), value=draw(values), unit=draw(a_code), by_slice=by_slice)


@st.composite
def analyses(draw: st.DrawFn) -> Analysis:
    shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6))
    masks = draw(st.lists(hnp.arrays(np.bool_, shape), min_size=1, max_size=3))
    segments = tuple(
        Segment(
            label=draw(words),
            category=draw(a_code),
            type=draw(a_code),
            anatomy=draw(st.none() | a_code),
            mask=mask,
            color=(draw(st.integers(0, 255)), 7, 255),
            probability=draw(st.none() | hnp.arrays(np.uint8, shape)),
        )
        for mask in masks
    )
    findings = tuple(
        Finding(
            label=f"lesion {index}",
            code=draw(a_code),
            site=draw(st.none() | a_code),
            laterality=draw(st.none() | a_code),
            probability=draw(probabilities),
            segment=index if mask.any() else None,
            region=mask if mask.any() else None,
            slice_probabilities=tuple((k, draw(st.floats(0, 1))) for k in range(draw(st.integers(0, 2)))),
            measurements=(draw(measurements()),),
        )
        for index, mask in enumerate(masks)
    )
    said = Findings(
        algorithm=ALGORITHM,
        segments=segments,
        findings=findings,
        narrative=Narrative(sentences=(Sentence(text=draw(st.text())), Sentence(text="x", finding="lesion 0"))),
        study_probability=draw(probabilities),
        study_code=draw(st.none() | a_code),
        measurements=tuple(draw(st.lists(measurements(), max_size=2))),
    )
    return Analysis(findings=said, provider=draw(words), seconds=draw(st.floats(0, 1e6)))


@given(analyses())
@settings(max_examples=60)
def test_an_analysis_comes_back_bit_for_bit(analysis: Analysis) -> None:
    back = decoded(analysis_from_message, through_a_socket(analysis_to_message(analysis)))
    assert (back.provider, back.seconds) == (analysis.provider, analysis.seconds)
    ours, theirs = analysis.findings, back.findings
    assert theirs.algorithm == ours.algorithm
    assert theirs.narrative == ours.narrative
    assert (theirs.study_probability, theirs.study_code) == (ours.study_probability, ours.study_code)
    assert theirs.measurements == ours.measurements
    for one, two in zip(ours.segments, theirs.segments, strict=True):
        assert (one.label, one.category, one.type, one.anatomy, one.color) == (
            *(two.label, two.category, two.type, two.anatomy),
            two.color,
        )
        np.testing.assert_array_equal(one.mask, two.mask)
        assert (one.probability is None) == (two.probability is None)
        if one.probability is not None:
            np.testing.assert_array_equal(one.probability, two.probability)
    for a, b in zip(ours.findings, theirs.findings, strict=True):
        plain = ("label", "code", "site", "laterality", "probability", "segment", "slice_probabilities", "measurements")
        assert [getattr(a, name) for name in plain] == [getattr(b, name) for name in plain]
        assert (a.region is None) == (b.region is None)
        if a.region is not None:
            np.testing.assert_array_equal(a.region, b.region)


def image() -> Image:
    array = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    affine = np.array([[0, 0.5, 0, -10], [0, 0, 0.25, 20], [2, 0, 0, 1 / 3], [0, 0, 0, 1.0]])
    volume = Volume(array, affine, CoordinateSystemNames.PATIENT, frame_of_reference_uid=derive_uid("frame"))
    return Image(volume=volume, modality="MR", weighting="T2*")


def test_an_image_comes_back_bit_for_bit() -> None:
    name, back = decoded(image_from_message, through_a_socket(image_to_message("brain-lesions", image())))
    assert name == "brain-lesions"
    assert (back.modality, back.weighting) == ("MR", "T2*")
    assert back.volume.array.dtype == np.float32
    np.testing.assert_array_equal(back.volume.array, image().volume.array)
    np.testing.assert_array_equal(back.volume.affine, image().volume.affine)
    assert back.volume.frame_of_reference_uid == image().volume.frame_of_reference_uid
    back.volume.array[0, 0, 0] = 1.0  # an algorithm may work in place
    assert (back.slice_mm, back.laying) == (None, None)


def test_an_image_on_uneven_tilted_planes_comes_back_with_them() -> None:
    _, back = decoded(image_from_message, through_a_socket(image_to_message("brain-lesions", laid())))
    assert (back.slice_mm, back.laying) == (laid().slice_mm, laid().laying)


def laid() -> Image:
    """Two planes, the second moved by a row and shown twice."""
    laying = Laying(shape=(3, 4, 5), matrix=(3, 5), plane_of=(0, 1, 1), corners=((0, 0), (1, 0)))
    return replace(image(), slice_mm=(2.0, 1.5, 1.5), laying=laying)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [2, 4, 5]},
        {"matrix": [5, 5]},
        {"plane_of": [0, 1, 2]},
        {"plane_of": None},
        {"corners": [[0, 0]]},
        None,
    ],
)
def test_planes_that_are_not_laid_on_the_image_are_a_defect(change: dict[str, object] | None) -> None:
    good = image_to_message("brain-lesions", laid())
    body = {**good.body, "laying": "beside" if change is None else {**good.body["laying"], **change}}
    with pytest.raises(DefectError, match="malformed 'analyse' message"):
        decoded(image_from_message, Message(kind="analyse", body=body, buffers=good.buffers))


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [3, 4, 6]},
        {"shape": [3, 4]},
        {"shape": [-3, -4, 5]},
        {"shape": "abc"},
        {"shape": [2**20, 2**20, 2**20]},
        {"affine": [[float("1e400")] * 4] * 4},
        {"affine": [[0.0] * 4] * 4},
        {"affine": None},
        {"weighting": "T9"},
        {"name": 3},
        {"frame_of_reference_uid": []},
    ],
)
def test_an_image_that_is_none_is_a_defect(change: dict[str, object]) -> None:
    good = image_to_message("brain-lesions", image())
    with pytest.raises(DefectError, match="malformed 'analyse' message"):
        decoded(image_from_message, Message(kind="analyse", body={**good.body, **change}, buffers=good.buffers))


@pytest.mark.parametrize(
    "change",
    [
        {"box": [[0, 9], [0, 1], [0, 1]]},
        {"box": [[1, 0], [0, 1], [0, 1]]},
        {"box": [[0, 1]]},
        {"shape": [10**6, 10**6, 10**6]},
        {"buffer": 7},
    ],
)
def test_a_mask_that_is_none_is_a_defect(change: dict[str, object]) -> None:
    mask = np.zeros((2, 3, 4), np.bool_)
    mask[1, 1, 1] = True
    segment = Segment(
        label="x", category=codes.SCT.Organ, type=codes.SCT.Brain, anatomy=None, mask=mask, color=(1, 2, 3)
    )
    said = Findings(algorithm=ALGORITHM, segments=(segment,), findings=(), narrative=Narrative(sentences=()))
    message = analysis_to_message(Analysis(findings=said, provider="p", seconds=1.0))
    message.body["segments"][0]["mask"].update(change)
    with pytest.raises(DefectError, match="malformed"):
        decoded(analysis_from_message, message)


def predecessor() -> Predecessor:
    return Predecessor(
        kind=ObjectKind.SR,
        sop_class_uid=SOPClassUID("1.2.840.10008.5.1.4.1.1.88.34"),
        sop_instance_uid=SOPInstanceUID(derive_uid("a")),
        series_instance_uid=SeriesInstanceUID(derive_uid("b")),
        rendering="stone: x",
    )


@pytest.mark.parametrize("forced", [None, (Outcome.FAILED, "three tries")])
def test_a_task_comes_back(forced: tuple[Outcome, str] | None) -> None:
    task = Task(
        instances=(b"one", b"two"),
        algorithm="segment",
        algorithm_digest="cd" * 32,
        inputs=None if forced else Inputs(modality=("CT",), min_slices=3, max_age_years=90.5),
        configuration_digest="ef" * 32,
        software_version="0.1.0",
        renderings=(GENERIC_RENDERING, choose(PROFILES["stone"], {COMPREHENSIVE: ("1.2.840.10008.1.2.1",)})),
        analysed_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        version=2,
        predecessors=(predecessor(),),
        earlier=(b"newest", b"oldest"),
        forced=forced,
        outcome_report=False,
        language="de",
    )
    assert decoded(task_from_message, through_a_socket(task_to_message(task))) == task


def test_a_result_comes_back() -> None:
    result = ReadingResult(
        outcome=Outcome.RESULT,
        reason="",
        objects=(
            ResultObject(
                kind=ObjectKind.SEG,
                sop_class_uid=SOPClassUID("1.2.840.10008.5.1.4.1.1.66.4"),
                sop_instance_uid=SOPInstanceUID(derive_uid("c")),
                series_instance_uid=SeriesInstanceUID(derive_uid("d")),
                data=bytes(1000),
                rendering=GENERIC_RENDERING.key,
            ),
        ),
        instances_digest="01" * 32,
        series=derive_uid("e"),
        left=((derive_uid("f"), "6 slices, at least 10 read"),),
        notes=("3 of 40 images repeat another one and were left out",),
        findings=({"code": {"value": "1"}, "probability": None},),
        narrative="None.",
        provider="CPUExecutionProvider",
        seconds=1.25,
    )
    assert decoded(result_from_message, through_a_socket(result_to_message(result))) == result


@pytest.mark.parametrize(
    "change",
    [{"outcome": "good"}, {"objects": []}, {"objects": [["SEG", "x", "y", "z", ""]]}, {"reason": None}, {"left": [1]}],
)
def test_a_result_that_is_none_is_a_defect(change: dict[str, object]) -> None:
    result = ReadingResult(outcome=Outcome.RESULT, reason="", objects=(), instances_digest="")
    message = result_to_message(result)
    with pytest.raises(DefectError, match="malformed"):
        decoded(result_from_message, Message(kind="result", body={**message.body, **change}, buffers=(b"x",)))


@pytest.mark.parametrize("kind", [UnsuitableError, TransientError, DefectError])
def test_an_error_keeps_its_branch(kind: type[StudyError]) -> None:
    back = decoded(error_from_message, through_a_socket(error_to_message(kind("with numbers: 5.0 mm"))))
    assert type(back) is kind
    assert str(back) == "with numbers: 5.0 mm"


def test_a_closed_channel_and_a_silent_one(pair: Pair) -> None:
    left, right = pair
    with pytest.raises(DeadlineError):
        left.receive(time.monotonic() + 0.05)
    with pytest.raises(DeadlineError):
        left.send(Message(kind="large", body={}, buffers=(bytes(2**24),)), time.monotonic() + 0.05)
    right.close()
    with pytest.raises(ChannelClosedError):
        left.receive(time.monotonic() + 5)


def test_a_drip_of_bytes_ends_at_the_deadline() -> None:
    left, right = socket.socketpair()
    channel = Channel(left, 2**20)
    right.sendall(struct.pack("<Q", 1000))
    thread = threading.Thread(target=_drip, args=(right,))
    thread.start()
    with pytest.raises(DeadlineError):
        channel.receive(time.monotonic() + 0.3)
    channel.close()
    thread.join()
    right.close()


def _drip(connection: socket.socket) -> None:
    try:
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.02)
    except OSError:
        return


def test_a_message_that_is_too_large_costs_no_memory(pair: Pair) -> None:
    left, right = socket.socketpair()
    header = json.dumps(["a", {}, [2**50]]).encode()
    right.sendall(struct.pack("<Q", len(header)) + header)
    channel = Channel(left, 2**20)
    with pytest.raises(DefectError, match=f"a message of {2**50 + len(header)} bytes"):
        channel.receive(time.monotonic() + 5)
    channel.close()
    right.close()
