"""Stored pixels: the same values from every transfer syntax, and bombs refused before they cost anything."""

import struct
import time
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_node.errors import UnsuitableError
from dicom_node.reading.part10 import parse, parse_file
from dicom_node.reading.pixels import stored_frames
from tests.series_files import as_bytes, enhanced, headers, loaded, phantom


def in_syntax(dataset: Dataset, uid: UID) -> bytes:
    buffer = BytesIO()
    dataset.file_meta.TransferSyntaxUID = uid
    if uid == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def compressed(dataset: Dataset, uid: UID) -> bytes:
    dataset.compress(uid, generate_instance_uid=False)
    return as_bytes(dataset)


def values(data: bytes) -> np.ndarray:
    frames = stored_frames(parse(data))
    return np.stack([frames[index].astype(int) for index in range(len(frames))])


@pytest.mark.parametrize("uid", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("index", [0, 5])
def test_uncompressed_values_are_those_written(uid: UID, index: int) -> None:
    np.testing.assert_array_equal(values(in_syntax(headers()[index], uid))[0], phantom().array[index])


@pytest.mark.parametrize("uid", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
def test_compressed_values_are_those_written(uid: UID) -> None:
    large = phantom(shape=(2, 48, 40))
    np.testing.assert_array_equal(values(compressed(headers(large)[0], uid))[0], large.array[0])


@pytest.mark.parametrize("uid", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
def test_compressed_frames_are_those_written(uid: UID) -> None:
    large = phantom(shape=(3, 48, 40))
    np.testing.assert_array_equal(values(compressed(enhanced(large, range(3)), uid)), large.array)


@pytest.mark.parametrize("stored", [12, 16])
@pytest.mark.parametrize("signed", [0, 1])
def test_bits_above_the_stored_ones_are_no_value(stored: int, signed: int) -> None:
    made = headers()[0]
    expected = phantom().array[0].astype(int) + (0 if signed else 50)
    cells = expected & ((1 << stored) - 1)
    if stored < 16:
        cells |= 0xA000  # an old overlay plane
    made.BitsStored, made.HighBit, made.PixelRepresentation = stored, stored - 1, signed
    made.PixelData = cells.astype("<u2").tobytes()
    np.testing.assert_array_equal(values(as_bytes(made))[0], expected)


@pytest.mark.parametrize("bits", [8, 32])
def test_other_cell_sizes(bits: int) -> None:
    made = headers()[0]
    made.BitsAllocated, made.BitsStored, made.HighBit = bits, bits, bits - 1
    expected = phantom().array[0].astype(int) % 100
    made.PixelData = expected.astype(f"<i{bits // 8}").tobytes()
    np.testing.assert_array_equal(values(as_bytes(made))[0], expected)


@pytest.mark.parametrize(
    ("keyword", "value", "named"),
    [
        (
            "PhotometricInterpretation",
            "MONOCHROME1",
            "photometric interpretation MONOCHROME1: only MONOCHROME2 is read",
        ),
        ("PhotometricInterpretation", "PHANTOM ONE", "photometric interpretation unknown"),
        ("SamplesPerPixel", 3, "3 samples a pixel"),
        ("BitsAllocated", 1, "8, 16 or 32 allocated are read"),
        ("BitsStored", 17, "17 bits stored in 16 allocated"),
        ("HighBit", 14, "high bit 14 for 16 bits stored"),
        ("Rows", 4000, "bytes of Pixel Data"),
        ("NumberOfFrames", "9999", "bytes of Pixel Data"),
    ],
)
def test_what_is_not_read_is_named(keyword: str, value: object, named: str) -> None:
    made = headers()[0]
    setattr(made, keyword, value)
    with pytest.raises(UnsuitableError, match=named):
        values(as_bytes(made))


def test_an_image_without_pixels() -> None:
    made = headers()[0]
    del made.PixelData
    with pytest.raises(UnsuitableError, match="without Pixel Data"):
        values(as_bytes(made))


def test_pixels_that_are_cut_short() -> None:
    data = as_bytes(headers()[0])
    with pytest.raises(UnsuitableError, match="cut short: 102 of 112 bytes"):
        parse(data[:-10])


@pytest.mark.parametrize(
    "data", [b"", b"x" * 10, b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM\x02\x00\x10\x00UI", b"PK" * 99]
)
def test_what_is_no_dicom_file(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(UnsuitableError):
        parse(data)
    with pytest.raises(UnsuitableError):
        parse_file(tmp_path / "file")


@pytest.mark.parametrize("uid", [ImplicitVRLittleEndian, ExplicitVRBigEndian, JPEGLSLossless])
def test_a_file_where_it_lies_is_what_its_bytes_are(uid: UID, tmp_path: Path) -> None:
    large = headers(phantom(shape=(2, 48, 40)))[0]
    data = compressed(large, uid) if uid == JPEGLSLossless else in_syntax(large, uid)
    (tmp_path / "file").write_bytes(data)
    lies, given = parse_file(tmp_path / "file"), parse(data)
    assert lies.header == given.header
    assert (lies.dataset_sha256, lies.transfer_syntax_uid) == (given.dataset_sha256, given.transfer_syntax_uid)
    np.testing.assert_array_equal(stored_frames(lies)[0], stored_frames(given)[0])


def test_frames_that_are_not_there() -> None:
    frames = stored_frames(parse(as_bytes(headers()[0])))
    assert len(frames) == 1
    for index in (-1, 1):
        with pytest.raises(IndexError, match=f"frame {index} of 1"):
            frames[index]


@pytest.mark.parametrize("uid", [JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("stored", [8, 12, 16])
def test_sign_and_width_are_those_of_the_header(uid: UID, signed: int, stored: int) -> None:
    made = headers(phantom(shape=(2, 48, 40)))[0]
    expected = np.arange(48 * 40).reshape(48, 40) % (1 << (stored - 1)) - signed * (1 << (stored - 2))
    made.BitsStored, made.HighBit, made.PixelRepresentation = stored, stored - 1, signed
    made.PixelData = expected.astype("<i2").tobytes()
    np.testing.assert_array_equal(values(compressed(made, uid))[0], expected)


def test_a_missing_decoder_names_the_syntax_and_the_extra() -> None:
    if get_decoder(JPEGLosslessSV1).is_available:
        pytest.skip("a decoder for JPEG lossless is installed")
    made = encapsulated_in(JPEGLosslessSV1, b"\xff\xd8\xff\xd9")
    with pytest.raises(UnsuitableError, match=r"1\.2\.840\.10008\.1\.2\.4\.70.*dicom-node\[jpeg-lossless\]"):
        values(made)


def encapsulated_in(uid: UID, frame: bytes, rows: int = 7, columns: int = 8) -> bytes:
    made = headers()[0]
    made.file_meta.TransferSyntaxUID = uid
    made.Rows, made.Columns = rows, columns
    made.PixelData = encapsulate([frame])
    made["PixelData"].is_undefined_length = True
    made["PixelData"].VR = "OB"
    return as_bytes(made)


@pytest.mark.parametrize("uid", [JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, RLELossless])
@pytest.mark.parametrize("junk", [b"ab", b"\0" * 64, b"\xff\xd8" + b"x" * 100, bytes(range(256)) * 4])
def test_junk_where_a_frame_should_be(uid: UID, junk: bytes) -> None:
    with pytest.raises(UnsuitableError, match="cannot be decoded"):
        values(encapsulated_in(uid, junk))


def test_a_few_bytes_that_declare_gigabytes_are_refused_at_once() -> None:
    made = headers()[0]
    made.file_meta.TransferSyntaxUID = RLELossless
    made.Rows = made.Columns = 65535
    made.PixelData = encapsulate([struct.pack("<16I", 2, 64, 66, *[0] * 13) + b"\x80\0\x80\0"])
    made["PixelData"].is_undefined_length = True
    started = time.perf_counter()
    with pytest.raises(UnsuitableError, match="1 slices of 65535 x 65535: more than is read"):
        loaded([made])
    assert time.perf_counter() - started < 2


def test_a_deflated_dataset_is_refused_before_it_is_inflated() -> None:
    made = as_bytes(headers()[0]).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    # the length of the element and of the group grow by two
    made = made.replace(b"\x02\x00\x10\x00UI\x14\x00", b"\x02\x00\x10\x00UI\x16\x00")
    start = made.index(b"1.2.840.10008.1.2.1.99") + 22
    bomb = made[:start] + zlib.compress(bytes(2**28), 9)[2:-4]
    started = time.perf_counter()
    with pytest.raises(UnsuitableError, match="Deflated Explicit VR Little Endian"):
        parse(bomb)
    assert time.perf_counter() - started < 0.5


def test_an_unknown_transfer_syntax_is_not_repeated() -> None:
    made = as_bytes(headers()[0]).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.999.PHANTOM1")
    with pytest.raises(UnsuitableError, match="transfer syntax of an unknown UID is not read"):
        parse(made)


def nested(depth: int) -> bytes:
    """A dataset whose sequences of undefined length lie in each other."""
    made = headers()[0]
    del made.PixelData
    start = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return as_bytes(made) + start * depth + end * depth


def test_sequences_nested_too_deep_are_refused() -> None:
    with pytest.raises(UnsuitableError, match="RecursionError"):
        parse(nested(2000))
