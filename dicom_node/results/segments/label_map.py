"""Segments as one number a voxel (PS3.3 C.8.20.2, LABELMAP): where they overlap, the smaller one is seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.findings import Segment

Labels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelMap:
    """Segments drawn over each other.

    Attributes
    ----------
    planes
        (row, column) each: number of the segment seen, 0 where there is none; 16 bits where 8 do not do.
    covered
        For each segment the indices of those that are drawn over a part of it.
    """

    planes: tuple[Labels, ...]
    covered: tuple[tuple[int, ...], ...]


def label_map(segments: Sequence[Segment], planes: Sequence[int]) -> LabelMap:
    """Draw the segments on the planes of these indices: large ones first, of two of one size the first."""
    sizes = [int(np.count_nonzero(segment.mask)) for segment in segments]
    order = sorted(range(len(segments)), key=lambda index: -sizes[index])
    cell = np.uint8 if len(segments) <= np.iinfo(np.uint8).max else np.uint16
    covered: list[set[int]] = [set() for _ in segments]
    drawn: list[Labels] = []
    for plane in planes:
        labels: Labels = np.zeros(segments[0].mask.shape[1:], cell)
        for index in order:
            mask = segments[index].mask[plane]
            if not mask.any():
                continue
            for below in np.flatnonzero(np.bincount(labels[mask])).tolist():
                if below:
                    covered[below - 1].add(index)
            labels[mask] = index + 1
        drawn.append(labels)
    return LabelMap(planes=tuple(drawn), covered=tuple(tuple(sorted(over)) for over in covered))
