"""What was read, as the writers need it: headers in array order with the planes masks lie on, or a document."""

from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from dicom_node.plane import Plane, distances


@dataclass(frozen=True, kw_only=True)
class Source:
    """A series that was read.

    Attributes
    ----------
    datasets
        Headers without pixel data. Classic: one a slice, in the order of the array's slice axis. Multi-frame: exactly
        one.
    frame_numbers
        Multi-frame: the 1-based frame number of each plane, in the order of the slice axis. Classic: empty.
    planes
        Where each plane of a mask lies, in the order of the slice axis: parallel, one after the other, of one matrix
        and pixel spacing; not always the same distance apart, nor straight above each other (gantry tilt).
    remarks
        What a reader of the result must know of how the series was read, in sentences without patient data.
    """

    datasets: tuple[Dataset, ...]
    frame_numbers: tuple[int, ...]
    planes: tuple[Plane, ...]
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        held = len(self.frame_numbers) or len(self.datasets)
        if self.frame_numbers and len(self.datasets) != 1:
            raise ValueError(f"a multi-frame source is one object, got {len(self.datasets)}")
        if held != len(self.planes):
            raise ValueError(f"{held} images for {len(self.planes)} planes")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a mask on the source: (plane, row, column)."""
        return (len(self.planes), *self.planes[0].matrix)

    @property
    def frame_of_reference_uid(self) -> str:
        """Of all planes."""
        return self.planes[0].frame_of_reference_uid

    @property
    def spacing_mm(self) -> float | None:
        """Distance of neighbouring planes along their normal, mm; None where it is not one and the same."""
        if len(self.planes) == 1:
            return self.planes[0].thickness
        along = distances(self.planes)
        step = float(along[-1] - along[0]) / (len(along) - 1)
        return step if np.allclose(np.diff(along), step, rtol=0.01, atol=0.02) else None

    @property
    def closest_mm(self) -> float | None:
        """Distance of neighbouring planes along their normal, mm: the smallest where they differ.

        On a grid of that distance each plane has a slice of its own, and readers that know even grids only (dcmqi) keep
        all of them; with a larger one they lay several on one slice.
        """
        if self.spacing_mm is not None or len(self.planes) == 1:
            return self.spacing_mm
        return float(np.diff(distances(self.planes)).min())

    def plane(self, index: int) -> tuple[Dataset, int | None]:
        """Header and frame number (None for classic images) of the plane at `index` on the slice axis."""
        if self.frame_numbers:
            return self.datasets[0], self.frame_numbers[index]
        return self.datasets[index], None


@dataclass(frozen=True, kw_only=True)
class TextSource:
    """A report that was read.

    Attributes
    ----------
    datasets
        The document alone; where the text did not come from the study, headers of the study that it belongs to.
    document
        The document; None where the text did not come from the study.
    """

    datasets: tuple[Dataset, ...]
    document: Dataset | None

    def __post_init__(self) -> None:
        if not self.datasets:
            raise ValueError("a report belongs to a study, of which at least one instance is known")
