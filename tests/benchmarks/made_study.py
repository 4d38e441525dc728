"""A made-up CT study of 300 slices with three segments and 50 findings, the same every time; no patient's."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from highdicom import Volume
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.reading.synthetic_study import series_from_volume
from dicom_node.results.source import Source
from inference.findings import Finding, Findings, Mask, Narrative, Segment
from inference.image import Image
from inference.imaging.components import Component
from inference.measured import measured
from tests import phantoms

SHAPE = (300, 512, 512)
"""(slice, row, column)."""

FINDINGS = 50
"""Lesions that the report lists."""


def volume() -> Volume:
    """A ball of tissue in air: (slice, row, column), float32, HU; noise of 12 HU in it and 3 HU around.

    In JPEG-LS a slice takes about as many bits as one of a real head CT.
    """
    noise = np.random.default_rng(7).normal(0.0, 12.0, SHAPE[1:])
    array = np.full(SHAPE, -1000.0, dtype=np.float32)
    for k, inside in enumerate(_ball((150, 256, 256), (140, 200, 170))):
        array[k] += np.roll(noise, 37 * k, axis=1) * np.where(inside, 1.0, 0.25) + 1040.0 * inside
    affine = np.eye(4)
    affine[:3, :3] = phantoms.ORIENTATIONS["axial"] * np.array([1.0, 0.5, 0.5])
    affine[:3, 3] = (-128.0, -120.5, 12.25)
    return Volume(array, affine=affine, coordinate_system="PATIENT", frame_of_reference_uid="2.25.1234")


def images(of: Volume) -> list[Dataset]:
    """The volume as classic CT images with pixels, in slice order."""
    return series_from_volume(of, modality="CT")


def source(made: Sequence[Dataset], of: Volume) -> Source:
    """What the writers are given of the images."""
    headers = [Dataset({tag: image[tag] for tag in image.keys() if tag != 0x7FE00010}) for image in made]  # noqa: SIM118
    for header, image in zip(headers, made, strict=True):
        header.file_meta = image.file_meta
    return Source(datasets=tuple(headers), frame_numbers=(), planes=phantoms.planes_of(of))


def findings(of: Volume) -> Findings:
    """A brain, 50 lesions in it and a mass in it: three segments that do not overlap, 50 findings."""
    parts = [_lesion(number, of) for number in range(FINDINGS)]
    lesions = np.logical_or.reduce([part.region for part in parts])
    mass = np.array(list(_ball((190, 256, 330), (12, 20, 20))))
    brain = np.array(list(_ball((150, 256, 256), (90, 150, 120)))) & ~lesions & ~mass
    image = Image(volume=of, modality="CT", weighting="CT")
    return Findings(
        algorithm=phantoms.algorithm(),
        segments=(
            Segment(
                label="Brain",
                category=Code("91723000", "SCT", "Anatomical Structure"),
                type=codes.SCT.Brain,
                anatomy=None,
                mask=brain,
                color=(220, 200, 170),
            ),
            phantoms.segment(lesions, "Lesion"),
            phantoms.segment(mass, "Mass", (40, 90, 230)),
        ),
        findings=tuple(_finding(number, part, image) for number, part in enumerate(parts, start=1)),
        narrative=Narrative(sentences=()),
    )


def files(made: Sequence[Dataset], folder: Path) -> list[Path]:
    """The images written to a new folder, in slice order."""
    folder.mkdir()
    paths = [folder / f"{number:03d}.dcm" for number in range(len(made))]
    for image, path in zip(made, paths, strict=True):
        image.save_as(path, enforce_file_format=True)
    return paths


def _ball(centre: tuple[int, int, int], radii: tuple[int, int, int]) -> Iterator[Mask]:
    """(row, column) planes of an ellipsoid, slice by slice."""
    rows, columns = np.ogrid[: SHAPE[1], : SHAPE[2]]
    across = ((rows - centre[1]) / radii[1]) ** 2 + ((columns - centre[2]) / radii[2]) ** 2
    for k in range(SHAPE[0]):
        yield across + ((k - centre[0]) / radii[0]) ** 2 <= 1.0


def _lesion(number: int, of: Volume) -> Component:
    """One of 50 balls, 9 to 17 pixels wide, that do not touch."""
    layer, place = divmod(number, 10)
    centre = np.array([90 + 25 * layer, 170 + 40 * (place // 2), 200 + 60 * (place % 2)])
    radius = 4 + number % 5
    z, y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    indices = np.argwhere(z**2 + y**2 + x**2 <= radius**2) + centre - radius
    return Component(indices=indices, affine=of.affine, shape=SHAPE)


def _finding(number: int, part: Component, image: Image) -> Finding:
    return Finding(
        label=f"lesion {number}",
        code=Code("52988006", "SCT", "Lesion"),
        site=codes.SCT.Brain,
        laterality=codes.SCT.Left,
        probability=0.9 - 0.01 * number,
        segment=1,
        region=part.region,
        measurements=measured(part, image),
    )
