"""Stored pixel values of one instance, frame by frame, from any transfer syntax that is read; knows no geometry."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRBigEndian

from dicom_node.errors import UnsuitableError
from dicom_node.reading.frames import frame_count
from dicom_node.reading.header_values import text, whole
from dicom_node.reading.part10 import UNCOMPRESSED, Part10
from dicom_node.unreadable import UNREADABLE

Stored = NDArray[np.integer[Any]]

PREFERRED_PLUGINS = ("pyjpegls", "pylibjpeg", "pillow", "pydicom", "gdcm")
"""Decoders in order of preference: pydicom's own order tries gdcm first, which needs 1.7 times as long for JPEG-LS."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How pixels are stored (PS3.3 C.7.6.3.1), one sample a pixel, whole numbers.

    Attributes
    ----------
    frames, rows, columns
        Size.
    allocated, stored
        Bits of a cell and of the value in it.
    signed
        Two's complement.
    """

    frames: int
    rows: int
    columns: int
    allocated: int
    stored: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.allocated // 8


def layout(header: Dataset) -> Layout:
    """How the pixels of an instance are stored.

    Raises
    ------
    UnsuitableError
        If they are colour, inverted, not whole numbers of 8, 16 or 32 bits, or the description contradicts itself.
    """
    samples, photometric = whole(header, "SamplesPerPixel"), text(header, "PhotometricInterpretation")
    if samples != 1 or photometric != "MONOCHROME2":
        known = photometric if photometric in ("MONOCHROME1", "RGB", "YBR_FULL", "PALETTE COLOR") else "unknown"
        raise UnsuitableError(
            f"{samples} samples a pixel, photometric interpretation {known}: only MONOCHROME2 is read"
        )
    allocated, stored = whole(header, "BitsAllocated"), whole(header, "BitsStored")
    if allocated not in (8, 16, 32) or not 1 <= stored <= allocated:
        raise UnsuitableError(f"{stored} bits stored in {allocated} allocated: 8, 16 or 32 allocated are read")
    if whole(header, "HighBit") != stored - 1:
        raise UnsuitableError(f"high bit {whole(header, 'HighBit')} for {stored} bits stored")
    return Layout(
        frames=frame_count(header),
        rows=whole(header, "Rows"),
        columns=whole(header, "Columns"),
        allocated=allocated,
        stored=stored,
        signed=whole(header, "PixelRepresentation") == 1,
    )


def stored_values(part: Part10) -> Iterator[Stored]:
    """Frames in stored order, each (row, column), integers.

    Raises
    ------
    UnsuitableError
        If the pixels are absent, cut short or cannot be decoded, or no decoder for their transfer syntax is installed.
    """
    shape = layout(part.header)
    if part.pixels is None:
        raise UnsuitableError("an image without Pixel Data")
    if part.transfer_syntax_uid in UNCOMPRESSED:
        decoded = _uncompressed(part.pixels, part.transfer_syntax_uid, shape)
    else:
        decoded = _decoded(part.pixels, part.transfer_syntax_uid, shape)
    for frame in decoded:
        yield _without_unused_bits(frame, shape)


def _uncompressed(pixels: memoryview, transfer_syntax_uid: str, shape: Layout) -> Iterator[Stored]:
    if len(pixels) < shape.frames * shape.frame_bytes:
        raise UnsuitableError(f"{len(pixels)} bytes of Pixel Data, {shape.frames * shape.frame_bytes} needed")
    order = ">" if transfer_syntax_uid == ExplicitVRBigEndian else "<"
    cell = np.dtype(f"{order}{'i' if shape.signed else 'u'}{shape.allocated // 8}")
    for index in range(shape.frames):
        flat = np.frombuffer(pixels, cell, shape.rows * shape.columns, index * shape.frame_bytes)
        yield flat.reshape(shape.rows, shape.columns)


def _decoded(pixels: memoryview, transfer_syntax_uid: str, shape: Layout) -> Iterator[Stored]:
    decoder = get_decoder(UID(transfer_syntax_uid))
    plugin = next((p for p in PREFERRED_PLUGINS if p in decoder.available_plugins), None)
    if plugin is None:
        raise UnsuitableError(_missing_decoder(transfer_syntax_uid))
    encapsulated, described = bytes(pixels), _described(shape)
    try:
        for index in range(shape.frames):
            frame, _ = decoder.as_array(encapsulated, index=index, raw=True, decoding_plugin=plugin, **described)
            if frame.shape != (shape.rows, shape.columns):
                raise UnsuitableError(f"a frame of {frame.shape} where {shape.rows} x {shape.columns} is declared")
            yield frame
    except (*UNREADABLE, RuntimeError) as error:
        name = UID(transfer_syntax_uid).name
        raise UnsuitableError(f"{name} pixels cannot be decoded ({type(error).__name__})") from error


def _described(shape: Layout) -> dict[str, Any]:
    """The layout as pydicom's decoders take it."""
    return {
        "rows": shape.rows,
        "columns": shape.columns,
        "number_of_frames": shape.frames,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": shape.allocated,
        "bits_stored": shape.stored,
        "pixel_representation": int(shape.signed),
        "pixel_keyword": "PixelData",
    }


def _missing_decoder(transfer_syntax_uid: str) -> str:
    name = UID(transfer_syntax_uid).name
    return f"no decoder for {name} ({transfer_syntax_uid}) is installed: pip install 'dicom-node[jpeg-lossless]'"


def _without_unused_bits(frame: Stored, shape: Layout) -> Stored:
    """Bits above the stored ones hold overlays or nothing (PS3.5 8.1.1): clear them, or carry the sign into them."""
    spare = frame.dtype.itemsize * 8 - shape.stored
    if spare == 0 or not frame.size:
        return frame
    if shape.signed:
        return (frame << spare) >> spare
    mask = (1 << shape.stored) - 1
    return frame if int(frame.max()) <= mask else frame & mask
