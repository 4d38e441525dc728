"""Connected components of a mask and their size in millimetres; knows no image and no finding.

All lengths come from the affine of the volume, index (slice, row, column) to LPS in mm, never from Slice Thickness.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.findings import Mask

_PAIRS_AT_ONCE = 256
"""Rows of the distance table held in memory together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Component:
    """Voxels that touch each other.

    Attributes
    ----------
    indices
        (voxel, 3), int64: index (slice, row, column) of each voxel, in the order they lie in the array.
    affine
        (4, 4), float64: index (slice, row, column) to LPS, mm.
    shape
        Of the array the voxels lie in: (slice, row, column).
    """

    indices: NDArray[np.int64]
    affine: NDArray[np.float64]
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        if self.indices.ndim != 2 or self.indices.shape[1] != 3 or len(self.indices) == 0:
            raise ValueError(f"a component needs (voxel, 3) indices, at least one, got {self.indices.shape}")

    @property
    def region(self) -> Mask:
        """(slice, row, column), bool: the component alone."""
        region = np.zeros(self.shape, dtype=np.bool_)
        region[tuple(self.indices.T)] = True
        return region

    @property
    def slices(self) -> tuple[int, ...]:
        """Indices of the slices it lies in, rising."""
        return tuple(int(k) for k in np.unique(self.indices[:, 0]))

    @property
    def volume_mm3(self) -> float:
        """Number of voxels times the volume of one, mm3."""
        return len(self.indices) * voxel_volume_mm3(self.affine)

    @property
    def centroid_mm(self) -> tuple[float, float, float]:
        """Mean of the voxel centers, LPS, mm."""
        x, y, z = self.affine[:3, :3] @ self.indices.mean(axis=0) + self.affine[:3, 3]
        return float(x), float(y), float(z)

    @property
    def longest_axis_mm(self) -> float:
        """Line through its two voxel centers farthest apart, in any direction, out to their outer faces, mm.

        What classifiers of lesions are told as its size; reported is what `inference.imaging.axes` measures on a slice.
        """
        return _longest_line(_line_ends(self.indices), self.affine[:3, :3])


def components(
    mask: Mask, affine: NDArray[np.float64], *, touching: Literal["faces", "corners"] = "corners"
) -> tuple[Component, ...]:
    """Connected components of a mask, largest first; of the same size, the one that comes first in the array.

    Parameters
    ----------
    mask
        (slice, row, column), bool.
    affine
        (4, 4): index (slice, row, column) to LPS, mm; `Volume.affine`.
    touching
        Which neighbours count: the 6 that share a face, or all 26.
    """
    labelled = sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), touching == "corners")
    labels = sitk.GetArrayFromImage(labelled)
    inside = np.flatnonzero(labels)
    order = np.argsort(labels.ravel()[inside], kind="stable")
    inside = inside[order]
    borders = np.flatnonzero(np.diff(labels.ravel()[inside])) + 1
    groups = [group for group in np.split(inside, borders) if len(group)]
    groups.sort(key=lambda group: (-len(group), int(group[0])))
    shape = (int(mask.shape[0]), int(mask.shape[1]), int(mask.shape[2]))
    return tuple(
        Component(indices=np.stack(np.unravel_index(group, shape), axis=1), affine=affine, shape=shape)
        for group in groups
    )


def largest(mask: Mask, *, touching: Literal["faces", "corners"] = "faces") -> Mask:
    """The largest connected component of a mask as a mask of its own; an empty mask stays empty."""
    found = components(mask, np.eye(4), touching=touching)
    return found[0].region if found else np.zeros(mask.shape, dtype=np.bool_)


def voxel_volume_mm3(affine: NDArray[np.float64]) -> float:
    """Volume of one voxel, mm3; right for a sheared grid too."""
    return float(abs(np.linalg.det(affine[:3, :3])))


def _line_ends(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Voxels first or last on their line along each of the three axes; the two farthest apart are among them."""
    for axis in range(3):
        along = indices[:, axis]
        others = [indices[:, other] for other in range(3) if other != axis]
        order = np.lexsort((along, *others))
        line = np.stack(others, axis=1)[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (line[1:] != line[:-1]).any(axis=1)
        last = np.append(new[1:], True)
        indices = indices[np.sort(order[new | last])]
    return indices


def _longest_line(ends: NDArray[np.int64], steps: NDArray[np.float64]) -> float:
    longest, crossed = 0.0, 1
    for start in range(0, len(ends), _PAIRS_AT_ONCE):
        between = ends[None, start:] - ends[start : start + _PAIRS_AT_ONCE, None]
        length = np.linalg.norm(between @ steps.T, axis=2)
        farthest = np.unravel_index(int(length.argmax()), length.shape)
        if length[farthest] > longest:
            longest, crossed = float(length[farthest]), int(np.abs(between[farthest]).max())
    if longest == 0.0:
        return float(np.linalg.norm(steps, axis=0).max())
    # the line leaves each end voxel half a step further on, along the axis on which it takes the most steps
    return longest * (1.0 + 1.0 / crossed)
