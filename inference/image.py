"""One series as an algorithm sees it: a volume with its geometry, and what the header said about the contrast."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference.imaging.laying import Laying

Weighting = Literal["T1", "T2", "FLAIR", "T2*", "CT", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Image:
    """A series in patient geometry.

    Attributes
    ----------
    volume
        (slice, row, column), float32, rescaled (HU for CT), LPS, mm. The slice axis runs in the order of the source
        instances that the caller keeps, so that a mask plane k belongs to source plane k.
    modality
        Modality (0008,0060).
    weighting
        Contrast of the image as the header tells it.
    slice_mm
        How much of its normal each slice stands for, mm, where slices of unequal distance were laid on an even grid;
        None: its spacing. Volumes are measured with it.
    laying
        How the planes that were acquired lie on this grid; None: plane k is slice k, pixel for pixel. What is measured
        in a plane is measured in one that was acquired, where it is drawn.
    """

    volume: Volume
    modality: Literal["CT", "MR"]
    weighting: Weighting
    slice_mm: tuple[float, ...] | None = None
    laying: Laying | None = None

    def __post_init__(self) -> None:
        if self.volume.array.ndim != 3:
            raise ValueError(f"an image is (slice, row, column), got {self.volume.array.ndim} axes")
        if self.volume.array.dtype != "float32":
            raise ValueError(f"an image is float32, got {self.volume.array.dtype}")
        if self.slice_mm is not None and len(self.slice_mm) != self.volume.array.shape[0]:
            raise ValueError(f"{len(self.slice_mm)} extents for {self.volume.array.shape[0]} slices")
        if self.laying is not None and self.laying.shape != self.volume.array.shape:
            raise ValueError(f"planes laid on {self.laying.shape}, the grid is {self.volume.array.shape}")

    def by_plane(self, by_slice: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
        """(slice index, value) as (plane index, value), as the planes were acquired; see `Laying.highest_on_planes`."""
        return by_slice if self.laying is None else self.laying.highest_on_planes(by_slice)

    def volume_mm3(self, on_slices: NDArray[np.int64]) -> float:
        """Volume of a mask, mm3.

        Parameters
        ----------
        on_slices
            (slice,): how many voxels of the mask lie on each slice.
        """
        if len(on_slices) != self.volume.array.shape[0]:
            raise ValueError(f"voxels of {len(on_slices)} slices, the image has {self.volume.array.shape[0]}")
        step, rows, columns = self.volume.spacing
        extents = np.full(len(on_slices), step) if self.slice_mm is None else np.array(self.slice_mm)
        return float(on_slices @ extents) * rows * columns
