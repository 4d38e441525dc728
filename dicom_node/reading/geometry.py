"""Planes in patient space laid on one rectangular grid, or the numbers why not; knows no pixels and no header."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dicom_node.errors import UnsuitableError
from dicom_node.plane import Plane, Vector, extents
from dicom_node.reading.irregularity import SAME_PLACE_MM, Irregularity, even, irregularities
from inference.imaging.laying import Laying

DIRECTION_TOLERANCE = 1e-3
"""How far two direction cosines may differ and still be one direction: headers round them to 4 to 16 digits."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Planes in order, and the rectangular, evenly spaced grid that is read of them.

    Attributes
    ----------
    order
        Indices of the planes along the ascending normal.
    affine
        (4, 4), index (slice, row, column) of the grid to LPS, mm.
    laying
        Where the planes, in that order, lie on the grid.
    slice_mm
        How much of the normal each slice of the grid stands for, mm; None where that is its spacing.
    remarks
        What was done to planes that are no such grid themselves, in sentences with numbers.
    """

    order: tuple[int, ...]
    affine: Vector
    laying: Laying
    slice_mm: tuple[float, ...] | None
    remarks: tuple[str, ...]


def places(planes: Sequence[Plane]) -> tuple[tuple[int, ...], ...]:
    """Indices of the planes of each place, along the normal of the first plane; one index each in a plain stack.

    Planes of other orientation or moved sideways are places of their own.
    """
    distances = np.array([plane.position for plane in planes]) @ _axes(planes[0])[2]
    groups: list[list[int]] = []
    for index in np.argsort(distances, kind="stable").tolist():
        near = itertools.takewhile(lambda g: distances[index] - distances[g[0]] < 2 * SAME_PLACE_MM, reversed(groups))  # noqa: B023
        group = next((g for g in near if _same_place(planes[g[0]], planes[index])), None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    return tuple(tuple(group) for group in groups)


def arrange(planes: Sequence[Plane]) -> Grid:
    """Order planes, one at each place, and lay them on a grid along the ascending normal.

    Raises
    ------
    UnsuitableError
        If they are not parallel slices of one size, or a part of the body between them was not imaged; the message has
        the numbers.
    """
    faults = _unlike(planes)
    if faults:
        raise UnsuitableError("; ".join(faults))
    axes = _axes(planes[0])
    positions = np.array([plane.position for plane in planes])
    order = np.argsort(positions @ axes[2], kind="stable")
    irregular = irregularities(positions[order], axes[2], planes[0].spacing)
    if irregular.faults:
        raise UnsuitableError("; ".join(irregular.faults))
    return _laid(planes[order[0]], positions[order], axes, tuple(int(i) for i in order), irregular)


def _laid(
    first: Plane, positions: Vector, axes: tuple[Vector, Vector, Vector], order: tuple[int, ...], seen: Irregularity
) -> Grid:
    along_row, down_column, normal = axes
    along = positions @ normal
    step, slices = _step(along, first, uneven=seen.uneven)
    plane_of = _nearest(along, step, slices) if seen.uneven else tuple(range(len(along)))
    corners, origin, size = _corners(positions, axes, first) if seen.tilted else (None, positions[0], first.matrix)
    affine = np.eye(4)
    affine[:3, 0] = normal * step
    affine[:3, 1] = down_column * first.spacing[0]
    affine[:3, 2] = along_row * first.spacing[1]
    affine[:3, 3] = origin
    return Grid(
        order=order,
        affine=affine,
        laying=Laying(
            shape=(slices, *size), matrix=first.matrix, plane_of=plane_of, corners=corners or ((0, 0),) * len(along)
        ),
        slice_mm=_slice_mm(along, plane_of) if seen.uneven else None,
        remarks=seen.remarks,
    )


def _nearest(along: Vector, step: float, slices: int) -> tuple[int, ...]:
    """The plane nearest to each slice of the grid; no step between planes is shorter, so each is the nearest of one."""
    centres = along[0] + step * np.arange(slices)
    away = np.round(
        np.abs(centres[:, None] - along[None, :]), 6
    )  # so that half-way is half-way, and the first one wins
    return tuple(int(plane) for plane in away.argmin(axis=1))


def _slice_mm(along: Vector, plane_of: tuple[int, ...]) -> tuple[float, ...]:
    shown = Counter(plane_of)
    each = extents(along, 0.0)
    return tuple(float(each[plane]) / shown[plane] for plane in plane_of)


def _corners(
    positions: Vector, axes: tuple[Vector, Vector, Vector], first: Plane
) -> tuple[tuple[tuple[int, int], ...], Vector, tuple[int, int]]:
    """First pixels of shifted planes in whole rows and columns of a grid that holds them all; its origin and matrix."""
    along_row, down_column, _ = axes
    offsets = positions - positions[0]
    pixels = np.stack([offsets @ down_column / first.spacing[0], offsets @ along_row / first.spacing[1]], axis=1)
    whole = np.rint(pixels).astype(int)
    least = whole.min(axis=0)
    rows, columns = (whole.max(axis=0) - least + np.array(first.matrix)).tolist()
    origin = positions[0] + least[0] * first.spacing[0] * down_column + least[1] * first.spacing[1] * along_row
    return tuple((int(r), int(c)) for r, c in whole - least), origin, (rows, columns)


def extent_mm(planes: Sequence[Plane], spacing: float | None) -> tuple[float, float, float]:
    """Size of the box around parallel planes (slice, row, column), mm; a lone slice counts with its thickness."""
    normal = _axes(planes[0])[2]
    distances = [float(normal @ np.asarray(plane.position)) for plane in planes]
    plane = planes[0]
    return (
        max(distances) - min(distances) + (spacing or plane.thickness or 0.0),
        plane.matrix[0] * plane.spacing[0],
        plane.matrix[1] * plane.spacing[1],
    )


def widest_spacing(planes: Sequence[Plane]) -> float | None:
    """Distance along the normal of neighbouring planes, one at each place, mm: the largest where they differ by more
    than headers round, else the median; None of a lone plane.
    """
    if len(planes) < 2:
        return None
    normal = _axes(planes[0])[2]
    steps = np.diff(np.sort([float(normal @ np.asarray(p.position)) for p in planes]))
    return float(np.median(steps) if even(steps) else steps.max())


def _axes(plane: Plane) -> tuple[Vector, Vector, Vector]:
    """`Plane.axes`, once it is sure that there are two perpendicular ones."""
    along_row, down_column = np.asarray(plane.orientation[:3]), np.asarray(plane.orientation[3:])
    tilted = abs(float(along_row @ down_column)) > DIRECTION_TOLERANCE
    if tilted or any(abs(float(np.linalg.norm(v)) - 1) > DIRECTION_TOLERANCE for v in (along_row, down_column)):
        raise UnsuitableError("Image Orientation (Patient) is not two perpendicular unit vectors")
    return plane.axes


def _same_place(one: Plane, other: Plane) -> bool:
    return _parallel(one, other) and _near(one.position, other.position, SAME_PLACE_MM)


def _parallel(one: Plane, other: Plane) -> bool:
    return _near(one.orientation, other.orientation, DIRECTION_TOLERANCE)


def _near(one: Sequence[float], other: Sequence[float], tolerance: float) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def _unlike(planes: Sequence[Plane]) -> list[str]:
    """What differs among planes that should differ in position only."""
    faults = []
    orientations = Counter({name: len(of) for name, of in _by_orientation(planes).items()})
    if len(orientations) > 1:
        faults.append(f"{len(orientations)} orientations in one series ({_shares(orientations)})")
    matrices = Counter(f"{p.matrix[0]} x {p.matrix[1]}" for p in planes)
    if len(matrices) > 1:
        faults.append(f"{len(matrices)} matrix sizes in one series ({_shares(matrices)})")
    spacings = np.array([p.spacing for p in planes])
    if not np.allclose(spacings, spacings[0], rtol=1e-4, atol=0):
        shown = Counter(f"{a:.3f} x {b:.3f} mm" for a, b in spacings)
        faults.append(f"{len(shown)} pixel spacings in one series ({_shares(shown)})")
    if len({p.frame_of_reference_uid for p in planes}) > 1:
        faults.append(f"{len({p.frame_of_reference_uid for p in planes})} frames of reference in one series")
    return faults


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """Which planes of a series are read, and what is said of the others; empty where there are none."""

    read: tuple[int, ...]
    remark: str


def stacks(planes: Sequence[Plane]) -> Stacks:
    """The largest stack of parallel planes, where the others are views along other main axes, as of a localiser.

    Planes turned by less are left together, and `arrange` refuses them: nobody knows which of them were meant.

    Raises
    ------
    UnsuitableError
        If an orientation is none.
    """
    found = _by_orientation(planes)
    views = [_view(planes[of[0]]) for of in found.values()]
    if len(found) == 1 or len(set(views)) < len(views):
        return Stacks(read=tuple(range(len(planes))), remark="")
    largest = max(found, key=lambda name: (len(found[name]), name))
    others = Counter({name: len(of) for name, of in found.items() if name != largest})
    remark = f"{len(found)} orientations in one series: {largest} was read, left were {_shares(others)}"
    return Stacks(read=tuple(found[largest]), remark=remark)


def _by_orientation(planes: Sequence[Plane]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, plane in enumerate(planes):
        same = (name for name, of in found.items() if _parallel(planes[of[0]], plane))
        name = next(same, None) or f"{_view(plane)} {len(found) + 1}"
        found.setdefault(name, []).append(index)
    return found


def _view(plane: Plane) -> str:
    return ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(_axes(plane)[2])))]


def _shares(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count} images" if count != 1 else f"{name}: 1 image" for name, count in counts.items())


def _step(along: Vector, plane: Plane, *, uneven: bool) -> tuple[float, int]:
    """Distance of the grid's slices, mm, and how many there are."""
    if len(along) == 1:
        if plane.thickness is None or plane.thickness <= 0:
            raise UnsuitableError("one slice without a slice thickness")
        return plane.thickness, 1
    length = float(along[-1] - along[0])
    slices = math.ceil(length / float(np.diff(along).min()) - 1e-6) + 1 if uneven else len(along)
    return length / (slices - 1), slices
