"""The header in one pass is the one that pydicom reads, element for element, or is left to it."""

import struct
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.sr.codedict import codes

from dicom_node.reading.part10 import parse
from dicom_node.reading.plain_header import plain_header
from dicom_node.results.item import coded
from tests.real_heads import DATA
from tests.series_files import as_bytes, headers

PIXELS = 0x7FE00010
START = 8  # of a dataset somewhere in a file


def elements(dataset: Dataset) -> dict[int, object]:
    return {int(tag): dataset.get_item(tag) for tag in dataset.keys()}  # noqa: SIM118


def by_pydicom(data: bytes) -> tuple[Dataset, int]:
    stream = BytesIO(data)
    stream.seek(START)
    read = read_dataset(
        stream, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, _, __: int(tag) == PIXELS
    )
    return read, stream.tell()


def written(dataset: Dataset) -> bytes:
    return b"\0" * START + parse(as_bytes(dataset)).dataset


def same(data: bytes) -> None:
    ours, (theirs, end) = plain_header(data, START, PIXELS.__eq__), by_pydicom(data)
    assert ours is not None
    assert ours[1] == end
    assert elements(ours[0]) == elements(theirs)
    assert ours[0] == theirs
    assert ours[0].original_encoding == theirs.original_encoding == (False, True)
    assert ours[0].original_character_set == theirs.original_character_set


@pytest.mark.parametrize("charset", [None, "ISO_IR 192", "ISO_IR 100", ["", "ISO 2022 IR 87"]])
@pytest.mark.parametrize("pixels", [True, False])
def test_a_header_is_the_one_that_pydicom_reads(charset: str | None, pixels: bool) -> None:  # noqa: FBT001
    made = headers()[0]
    made.SpecificCharacterSet = charset
    if charset is None:
        del made.SpecificCharacterSet
    made.ReferringPhysicianName, made.SliceThickness, made.SeriesDescription = "", None, ""
    made.AnatomicRegionSequence = [coded(codes.SCT.Brain)]
    made.DerivationCodeSequence = []
    made.add_new(0x00091001, "UN", b"12")
    if not pixels:
        del made.PixelData
    same(written(made))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_alike_or_left_to_pydicom(tail: bytes) -> None:
    data = written(headers()[0]).partition(b"\xe0\x7f\x10\x00")[0] + tail
    ours = plain_header(data, START, PIXELS.__eq__)
    if ours is not None and ours[1] + 8 <= len(data):
        same(data)


@pytest.mark.parametrize(
    "element",
    [
        struct.pack("<HH2sHI", 0x7FD0, 1, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0),
        struct.pack("<HH2sH", 0x7FD0, 1, b"ZZ", 2) + b"ab",
        struct.pack("<HH2sH", 0x7FD0, 1, b"LO", 9) + b"ab",
        struct.pack("<HH2sH", 0x7FD0, 1, b"OB", 0),
    ],
    ids=["of undefined length", "of an unknown representation", "cut short", "without its length"],
)
def test_what_is_not_plain_is_left_to_pydicom(element: bytes) -> None:
    made = headers()[0]
    del made.PixelData
    assert plain_header(written(made) + element, START, PIXELS.__eq__) is None


@pytest.mark.parametrize("name", ["ct-head-ge-tilted", "mr-t1-siemens-skyra"])
def test_real_headers(name: str) -> None:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not there")
    paths: list[Path] = sorted(path for path in folder.rglob("*") if path.is_file())[:5]
    for path in paths:
        same(b"\0" * START + parse(path.read_bytes()).dataset)
