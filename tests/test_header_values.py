"""Values of a header: as the bytes say before pydicom has converted them, as it says afterwards, the same."""

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_node.errors import UnsuitableError
from dicom_node.reading.header_values import number, numbers, text, whole
from tests.series_files import headers

KEYWORDS = {
    "text": ("Modality", "SeriesDescription", "SOPInstanceUID", "ImageType", "PatientID", "PixelSpacing", "StudyDate"),
    "numbers": ("PixelSpacing", "ImagePositionPatient", "SliceThickness", "InstanceNumber", "Rows", "RescaleSlope"),
}


def read(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """Parsed again, nothing converted."""
    buffer = BytesIO()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.pop("PixelData", None)
    dataset.save_as(buffer, enforce_file_format=True)
    return dcmread(BytesIO(buffer.getvalue()))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("keyword", KEYWORDS["text"])
def test_text_is_the_same_converted_or_not(keyword: str, syntax: str) -> None:
    header, other = read(headers()[0], syntax), read(headers()[0], syntax)
    other[keyword].value  # noqa: B018 - converts it
    assert text(header, keyword) == text(other, keyword) != ""


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("keyword", KEYWORDS["numbers"])
def test_numbers_are_the_same_converted_or_not(keyword: str, syntax: str) -> None:
    made = headers()[0]
    made.RescaleSlope, made.InstanceNumber = "1.5", "7"
    header, other = read(made, syntax), read(made, syntax)
    converted = other[keyword].value
    count = 1 if isinstance(converted, (int, float)) else len(converted)
    assert numbers(header, keyword, count) == numbers(other, keyword, count) is not None


@given(st.lists(st.floats(-1e4, 1e4).map(lambda v: f"{v:.6g}"), min_size=1, max_size=6))
def test_any_decimals(values: list[str]) -> None:
    made = headers()[0]
    made.PixelSpacing = values
    assert numbers(read(made), "PixelSpacing", len(values)) == tuple(map(float, values))


def _put(header: Dataset, value: bytes) -> None:
    """Other bytes as Pixel Spacing."""
    raw: Any = header.get_item("PixelSpacing")
    header["PixelSpacing"] = raw._replace(value=value, length=len(value))


@pytest.mark.parametrize("value", [b"", b"  ", b"\\", b" \\ "])
def test_what_is_empty_is_absent(value: bytes) -> None:
    header = read(headers()[0])
    _put(header, value)
    assert numbers(header, "PixelSpacing", 2) is None
    assert text(header, "PixelSpacing").strip("\\") == ""
    assert text(header, "ReferringPhysicianName") == ""
    assert text(header, "RescaleType") == ""
    assert number(header, "RescaleSlope") is None


@pytest.mark.parametrize("value", [b"one ", b"1\\x ", b"nan\\1 ", b"1\\inf ", b"1 ", b"1\\2\\3 ", b"1\\ "])
def test_what_is_not_the_numbers_is_refused(value: bytes) -> None:
    header = read(headers()[0])
    _put(header, value)
    with pytest.raises(UnsuitableError, match="PixelSpacing is not 2 finite numbers"):
        numbers(header, "PixelSpacing", 2)


@pytest.mark.parametrize("charset", ["ISO_IR 192", "ISO_IR 144", "ISO 2022 IR 87"])
def test_words_of_other_character_sets_are_read_as_they_are_meant(charset: str) -> None:
    made = headers()[0]
    made.SpecificCharacterSet = ["", charset] if charset.startswith("ISO 2022") else charset
    said = {"ISO_IR 192": "Kopf, größer", "ISO_IR 144": "голова", "ISO 2022 IR 87": "頭"}[charset]
    made.SeriesDescription = said
    assert text(read(made), "SeriesDescription") == said


def test_a_whole_number_must_be_one() -> None:
    header = read(headers()[0])
    assert whole(header, "Rows") == headers()[0].Rows
    with pytest.raises(UnsuitableError, match="NumberOfFrames is absent"):
        whole(header, "NumberOfFrames")
