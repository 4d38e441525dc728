"""Pixel data of a segmentation by form: bits, bytes, or labels compressed without loss."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jpeg_ls
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless

from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.segments.frames import Drawn, Frame, drawn
from dicom_node.results.segments.label_map import LabelMap, Labels
from inference.findings import Segment

MAXIMUM_FRACTIONAL_VALUE = 255
"""Maximum Fractional Value (0062,000E): what stands for a probability of 1."""


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Pixel Data (7FE0,0010) and how it is to be read.

    Attributes
    ----------
    data
        Of even length; encapsulated where compressed (PS3.5 A.4).
    bits
        Bits Stored.
    transfer_syntax_uid
        Of the object.
    """

    data: bytes
    bits: int
    transfer_syntax_uid: UID


def fractions(segments: Sequence[Segment], shown: Sequence[Frame]) -> Pixels:
    """A byte a voxel: the probability of a segment, or of a mask alone nothing between 0 and the maximum."""
    data = b"".join(_bytes(_plane(segments, frame, SegForm.FRACTIONAL)) for frame in shown)
    return Pixels(data=data + bytes(len(data) % 2), bits=8, transfer_syntax_uid=ExplicitVRLittleEndian)


def bits(segments: Sequence[Segment], shown: Sequence[Frame]) -> Pixels:
    """A bit a voxel, the lowest first, frames end to end (PS3.5 8.1.1)."""
    data = b"".join(_eight_by_eight(segments, shown))
    return Pixels(data=data + bytes(len(data) % 2), bits=1, transfer_syntax_uid=ExplicitVRLittleEndian)


def numbers(drawn: LabelMap) -> Pixels:
    """A number a voxel, in JPEG-LS without loss, a fragment for each frame."""
    return Pixels(
        data=encapsulate([_compressed(plane) for plane in drawn.planes]),
        bits=8 * drawn.planes[0].itemsize,
        transfer_syntax_uid=JPEGLSLossless,
    )


def _eight_by_eight(segments: Sequence[Segment], shown: Sequence[Frame]) -> Iterator[bytes]:
    """Eight frames of any size fill whole bytes."""
    for start in range(0, len(shown), 8):
        masks = [_plane(segments, frame, SegForm.BINARY) for frame in shown[start : start + 8]]
        yield np.packbits(np.stack(masks), bitorder="little").tobytes()


def _bytes(plane: Drawn) -> bytes:
    return (plane * np.uint8(MAXIMUM_FRACTIONAL_VALUE) if plane.dtype == np.bool_ else plane).tobytes()


def _compressed(plane: Labels) -> bytes:
    rows, columns = plane.shape
    return bytes(jpeg_ls.encode_buffer(plane.tobytes(), rows, columns, 1, 8 * plane.itemsize))


def _plane(segments: Sequence[Segment], frame: Frame, form: SegForm) -> Drawn:
    if frame.segment is None:
        raise ValueError("a frame of one segment was asked for")
    plane: Drawn = drawn(segments[frame.segment], form)[frame.plane]
    return plane
