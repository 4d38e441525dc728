"""An asymmetric solid in a made-up series of any orientation, tilted and uneven: what a geometry is proved on.

No turn and no mirror brings it onto itself, so that a mask of it says where each axis went.
"""

import itertools
from collections.abc import Iterator
from io import BytesIO
from typing import Literal

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray
from pydicom import Dataset

from dicom_node.reading.synthetic_study import Labels, series_from_volume

SOLID = 1000.0
"""Value of the solid; everything else is 0."""

SHAPE = (9, 14, 16)
SPACING_MM = (16.0, 11.0, 9.5)
"""(slice, row, column): three different values, so that no two axes can be taken for each other; the size of a head."""

Stack = Literal["even", "uneven and tilted"]
STACKS: tuple[Stack, ...] = ("even", "uneven and tilted")
_TILT_DEG = 17.0
_UNEVEN_MM = (0.0, 16.0, 30.0, 44.0, 65.0, 86.0, 97.0, 110.0, 126.0)

Orientation = tuple[tuple[int, ...], tuple[int, ...]]
"""Which patient axis each array axis runs along, and which way."""


def orientations() -> Iterator[Orientation]:
    """All 48 ways in which an array's axes can lie along the patient's."""
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            yield axes, signs


def series(orientation: Orientation, stack: Stack, modality: Literal["MR", "CT"] = "MR") -> list[Dataset]:
    """The phantom as single images, Explicit VR Little Endian, in no order that means anything."""
    affine = np.zeros((4, 4))
    for index, (axis, sign, mm) in enumerate(zip(*orientation, SPACING_MM, strict=True)):
        affine[axis, index] = sign * mm
    affine[:3, 3], affine[3, 3] = (-71.5, 42.25, 17.0), 1.0
    volume = Volume(solid(), affine, coordinate_system="PATIENT")
    labels = Labels(seed=f"geometry phantom {orientation} {stack} {modality}")
    images = series_from_volume(volume, modality=modality, labels=labels)
    for k, image in enumerate(images):
        image.ImagePositionPatient = [f"{value:.8g}" for value in _position(affine, k, stack)]
    return images[1::2] + images[::2]


def solid() -> NDArray[np.float32]:
    """(slice, row, column), float32: a trunk with arms of different length and place."""
    array = np.zeros(SHAPE, np.float32)
    array[1:8, 2:12, 2:5] = SOLID
    array[1:3, 2:5, 2:14] = SOLID
    array[4:6, 6:9, 2:10] = SOLID
    array[6:8, 10:12, 5:8] = SOLID
    return array


def as_file(image: Dataset) -> bytes:
    """The image as a DICOM file (PS3.10)."""
    buffer = BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _position(affine: NDArray[np.float64], k: int, stack: Stack) -> NDArray[np.float64]:
    steps = affine[:3, :3] / np.array(SPACING_MM)
    uneven = stack == "uneven and tilted"
    distance = _UNEVEN_MM[k] if uneven else SPACING_MM[0] * k
    sideways = distance * np.tan(np.radians(_TILT_DEG)) if uneven else 0.0
    moved: NDArray[np.float64] = affine[:3, 3] + steps[:, 0] * distance + steps[:, 1] * sideways
    return moved
