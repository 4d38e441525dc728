"""Stored pixel values of one instance, frame by frame, from any transfer syntax that is read; knows no geometry."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from dicom_node.errors import UnsuitableError
from dicom_node.reading.frames import frame_count
from dicom_node.reading.header_values import text, whole
from dicom_node.reading.part10 import UNCOMPRESSED, Part10
from dicom_node.unreadable import UNREADABLE

Stored = NDArray[np.integer[Any]]

CODECS: dict[str, Callable[[bytes], Stored]] = {
    JPEGLSLossless: imagecodecs.jpegls_decode,
    JPEGLSNearLossless: imagecodecs.jpegls_decode,
    JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    JPEG2000: imagecodecs.jpeg2k_decode,
}
"""Decoders that let go of the interpreter's lock, so that frames are decoded side by side; pydicom's do not."""

PREFERRED_PLUGINS = ("pylibjpeg", "pillow", "pydicom", "gdcm")
"""pydicom's decoders in order of preference."""


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


@dataclass(frozen=True, kw_only=True)
class StoredFrames:
    """Frames of one instance in stored order; each is decoded when it is asked for, by several threads if need be."""

    layout: Layout
    decode: Callable[[int], Stored]

    def __len__(self) -> int:
        return self.layout.frames

    def __getitem__(self, index: int) -> Stored:
        """(row, column), integers.

        Raises
        ------
        UnsuitableError
            If it cannot be decoded.
        IndexError
            If there is no such frame.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        return _without_unused_bits(self.decode(index), self.layout)


def stored_frames(part: Part10) -> StoredFrames:
    """The frames of an instance.

    Raises
    ------
    UnsuitableError
        If the pixels are absent or cut short, or no decoder for their transfer syntax is installed.
    """
    shape, syntax = layout(part.header), part.transfer_syntax_uid
    if part.pixels is None:
        raise UnsuitableError("an image without Pixel Data")
    if syntax in UNCOMPRESSED:
        return StoredFrames(layout=shape, decode=_uncompressed(part.pixels, syntax, shape))
    decode = _by_codec(CODECS[syntax], shape) if syntax in CODECS else _by_plugin(syntax, shape)
    coded = _Coded(pixels=part.pixels, transfer_syntax_uid=syntax, shape=shape)
    return StoredFrames(layout=shape, decode=lambda index: _decoded(decode, coded.frames[index], syntax, shape))


def _uncompressed(pixels: memoryview, transfer_syntax_uid: str, shape: Layout) -> Callable[[int], Stored]:
    if len(pixels) < shape.frames * shape.frame_bytes:
        raise UnsuitableError(f"{len(pixels)} bytes of Pixel Data, {shape.frames * shape.frame_bytes} needed")
    cell = _cell(shape).newbyteorder(">" if transfer_syntax_uid == ExplicitVRBigEndian else "<")

    def frame(index: int) -> Stored:
        flat = np.frombuffer(pixels, cell, shape.rows * shape.columns, index * shape.frame_bytes)
        return flat.reshape(shape.rows, shape.columns)

    return frame


@dataclass(frozen=True, kw_only=True)
class _Coded:
    """Compressed frames; their fragments are put together (PS3.5 A.4) when the first one is asked for."""

    pixels: memoryview
    transfer_syntax_uid: str
    shape: Layout

    @cached_property
    def frames(self) -> list[bytes]:
        try:
            coded = list(generate_frames(bytes(self.pixels), number_of_frames=self.shape.frames))
        except UNREADABLE as error:
            raise _undecodable(self.transfer_syntax_uid, error) from error
        if len(coded) < self.shape.frames:
            raise UnsuitableError(f"{len(coded)} compressed frames, {self.shape.frames} are declared")
        return coded


def _decoded(decode: Callable[[bytes], Stored], coded: bytes, transfer_syntax_uid: str, shape: Layout) -> Stored:
    try:
        frame = decode(coded)
    except (*UNREADABLE, RuntimeError) as error:
        raise _undecodable(transfer_syntax_uid, error) from error
    if frame.shape != (shape.rows, shape.columns):
        raise UnsuitableError(f"a frame of {frame.shape} where {shape.rows} x {shape.columns} is declared")
    return frame


def _by_codec(codec: Callable[[bytes], Stored], shape: Layout) -> Callable[[bytes], Stored]:
    """What a codec says of sign and width is that of the code stream; the header's counts (PS3.5 8.2.3, 8.2.4)."""
    cell = _cell(shape)

    def decode(coded: bytes) -> Stored:
        frame = codec(coded)
        if frame.dtype.itemsize > cell.itemsize:
            raise ValueError(f"{frame.dtype} where {cell} is declared")
        return frame.astype(f"{frame.dtype.kind}{cell.itemsize}", copy=False).view(cell)

    return decode


def _by_plugin(transfer_syntax_uid: str, shape: Layout) -> Callable[[bytes], Stored]:
    decoder = get_decoder(UID(transfer_syntax_uid))
    plugin = next((p for p in PREFERRED_PLUGINS if p in decoder.available_plugins), None)
    if plugin is None:
        raise UnsuitableError(_missing_decoder(transfer_syntax_uid))
    described = _described(shape)

    def decode(coded: bytes) -> Stored:
        frame, _ = decoder.as_array(encapsulate([coded]), index=0, raw=True, decoding_plugin=plugin, **described)
        return frame

    return decode


def _cell(shape: Layout) -> np.dtype[np.integer[Any]]:
    return np.dtype(f"{'i' if shape.signed else 'u'}{shape.allocated // 8}")


def _undecodable(transfer_syntax_uid: str, error: Exception) -> UnsuitableError:
    name = UID(transfer_syntax_uid).name
    return UnsuitableError(f"{name} pixels cannot be decoded ({type(error).__name__})")


def _described(shape: Layout) -> dict[str, Any]:
    """The layout of a single frame as pydicom's decoders take it."""
    return {
        "rows": shape.rows,
        "columns": shape.columns,
        "number_of_frames": 1,
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
