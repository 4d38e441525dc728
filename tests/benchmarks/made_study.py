"""A made-up CT study of 300 slices with three segments and 50 findings, the same every time; no patient's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.operation.synthetic_study import series_from_volume
from dicom_node.results.source import Source
from inference.findings import Finding, Findings, Mask, Measurement, Narrative, Segment
from tests import phantoms

SHAPE = (300, 512, 512)
"""(slice, row, column)."""

FINDINGS = 50
"""Lesions that the report lists."""

_BRAIN, _LESION = Code("12738006", "SCT", "Brain"), Code("52988006", "SCT", "Lesion")


def volume() -> Volume:
    """A ball of noisy tissue in air: (slice, row, column), float32, HU."""
    random = np.random.default_rng(7)
    noise = random.normal(0.0, 12.0, SHAPE[1:])
    array = np.full(SHAPE, -1000.0, dtype=np.float32)
    for k, inside in enumerate(_ball((150, 256, 256), (140, 200, 170))):
        array[k] += noise + 1040.0 * inside
        noise = np.roll(noise, 37, axis=1)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, :3] = phantoms.ORIENTATIONS["axial"] * np.array([1.0, 0.5, 0.5])
    affine[:3, 3] = (-128.0, -120.5, 12.25)
    return Volume(array, affine=affine, coordinate_system="PATIENT", frame_of_reference_uid="2.25.1234")


def images() -> list[Dataset]:
    """The volume as classic CT images with pixels."""
    return series_from_volume(volume(), modality="CT")


def source(images: list[Dataset]) -> Source:
    """What the writers are given of the images."""
    headers = []
    for image in images:
        header = Dataset(image)
        header.file_meta = image.file_meta
        del header.PixelData
        headers.append(header)
    return Source(datasets=tuple(headers), frame_numbers=(), planes=phantoms.planes_of(volume()))


def findings(*, overlapping: bool = True) -> Findings:
    """Brain, a lesion class of 50 parts and one large mass: three segments, 50 findings of the lesion class.

    Parameters
    ----------
    overlapping
        Whether the brain holds the lesions too; what is one value a voxel has no place for that.
    """
    brain = np.array(list(_ball((150, 256, 256), (90, 150, 120))))
    mass = np.array(list(_ball((190, 256, 330), (12, 20, 20))))
    parts = [_part(number) for number in range(FINDINGS)]
    lesions = np.logical_or.reduce(parts)
    if not overlapping:
        brain &= ~(lesions | mass)
    return Findings(
        algorithm=phantoms.algorithm(),
        segments=(
            Segment(
                label="Brain",
                category=Code("91723000", "SCT", "Anatomical Structure"),
                type=_BRAIN,
                anatomy=None,
                mask=brain,
                color=(220, 200, 170),
            ),
            phantoms.segment(lesions, "Lesion"),
            phantoms.segment(mass, "Mass", (40, 90, 230)),
        ),
        findings=tuple(_finding(number, part) for number, part in enumerate(parts, start=1)),
        narrative=Narrative(sentences=()),
    )


def files(images: list[Dataset], folder: Path) -> list[Path]:
    """The images written, in slice order."""
    folder.mkdir(parents=True)
    paths = [folder / f"{number:03d}.dcm" for number in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        image.save_as(path, enforce_file_format=True)
    return paths


def _ball(centre: tuple[int, int, int], radii: tuple[int, int, int]) -> Iterator[Mask]:
    """(row, column) planes of an ellipsoid, slice by slice."""
    rows, columns = np.ogrid[: SHAPE[1], : SHAPE[2]]
    across = ((rows - centre[1]) / radii[1]) ** 2 + ((columns - centre[2]) / radii[2]) ** 2
    for k in range(SHAPE[0]):
        yield across + ((k - centre[0]) / radii[0]) ** 2 <= 1.0


def _part(number: int) -> Mask:
    """One of 50 lesions, 7 to 15 pixels wide, that do not touch."""
    layer, place = divmod(number, 10)
    row, column = 170 + 40 * (place // 2), 200 + 60 * (place % 2)
    radius = 4 + number % 5
    centre = (90 + 25 * layer, row, column)
    part: NDArray[np.bool_] = np.zeros(SHAPE, dtype=np.bool_)
    z, y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    window = tuple(slice(c - radius, c + radius + 1) for c in centre)
    part[window] = z**2 + y**2 + x**2 <= radius**2
    return part


def _finding(number: int, part: Mask) -> Finding:
    return Finding(
        label=f"lesion {number}",
        code=_LESION,
        site=codes.SCT.Brain,
        laterality=codes.SCT.Left,
        probability=0.9 - 0.01 * number,
        segment=1,
        region=part,
        measurements=(
            Measurement(code=codes.SCT.Volume, value=100.0 + number, unit=codes.UCUM.CubicMillimeter),
            Measurement(code=codes.SCT.LongAxis, value=5.0 + number, unit=codes.UCUM.Millimeter),
        ),
    )
