"""Planes in patient space to one rectangular grid, or the numbers why not; knows no pixels and no header."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dicom_node.errors import UnsuitableError
from dicom_node.reading.irregularity import SAME_PLACE_MM, irregularities

Vector = NDArray[np.float64]

DIRECTION_TOLERANCE = 1e-3
"""How far two direction cosines may differ and still be one direction: headers round them to 4 to 16 digits."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Where one image or frame lies.

    Attributes
    ----------
    position
        Image Position (Patient) (0020,0032): centre of the first voxel, LPS, mm.
    orientation
        Image Orientation (Patient) (0020,0037): direction along a row, then down a column.
    spacing
        Pixel Spacing (0028,0030): between rows, between columns, mm.
    matrix
        Rows, columns.
    thickness
        Distance of slices for a volume of one slice, mm; None where the header gives none.
    frame_of_reference_uid
        Frame of Reference UID (0020,0052), empty where absent.
    """

    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float, float, float]
    spacing: tuple[float, float]
    matrix: tuple[int, int]
    thickness: float | None
    frame_of_reference_uid: str


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Planes in order.

    Attributes
    ----------
    order
        Indices of the planes along the ascending normal.
    affine
        (4, 4), index (slice, row, column) to LPS, mm.
    """

    order: tuple[int, ...]
    affine: Vector


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
    """Order planes, one at each place, to a grid along the ascending normal.

    Raises
    ------
    UnsuitableError
        If they are not parallel slices of one size on one regular, rectangular grid; the message has the numbers.
    """
    faults = _unlike(planes)
    if faults:
        raise UnsuitableError("; ".join(faults))
    along_row, down_column, normal = _axes(planes[0])
    positions = np.array([plane.position for plane in planes])
    distances = positions @ normal
    order = np.argsort(distances, kind="stable")
    faults = irregularities(positions[order], normal, planes[0].spacing)
    if faults:
        raise UnsuitableError("; ".join(faults))
    affine = np.eye(4)
    affine[:3, 0] = normal * _step(distances[order], planes[0])
    affine[:3, 1] = down_column * planes[0].spacing[0]
    affine[:3, 2] = along_row * planes[0].spacing[1]
    affine[:3, 3] = positions[order[0]]
    return Grid(order=tuple(int(i) for i in order), affine=affine)


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


def usual_spacing(planes: Sequence[Plane]) -> float | None:
    """Median distance along the normal of neighbouring planes, one at each place, mm; None of a lone plane."""
    if len(planes) < 2:
        return None
    normal = _axes(planes[0])[2]
    return float(np.median(np.diff(np.sort([float(normal @ np.asarray(p.position)) for p in planes]))))


def _axes(plane: Plane) -> tuple[Vector, Vector, Vector]:
    """Unit vectors along a row, down a column and their cross product (PS3.3 C.7.6.2.1.1), exactly perpendicular."""
    along_row, down_column = np.asarray(plane.orientation[:3]), np.asarray(plane.orientation[3:])
    lengths = np.linalg.norm(along_row), np.linalg.norm(down_column)
    tilted = abs(float(along_row @ down_column)) > DIRECTION_TOLERANCE
    if tilted or any(abs(length - 1) > DIRECTION_TOLERANCE for length in lengths):
        raise UnsuitableError("Image Orientation (Patient) is not two perpendicular unit vectors")
    along_row = along_row / lengths[0]
    down_column = down_column - (down_column @ along_row) * along_row
    down_column = down_column / np.linalg.norm(down_column)
    return along_row, down_column, np.cross(along_row, down_column)


def _same_place(one: Plane, other: Plane) -> bool:
    parallel = np.allclose(one.orientation, other.orientation, rtol=0, atol=DIRECTION_TOLERANCE)
    return parallel and np.allclose(one.position, other.position, rtol=0, atol=SAME_PLACE_MM)


def _unlike(planes: Sequence[Plane]) -> list[str]:
    """What differs among planes that should differ in position only."""
    faults = []
    orientations = _orientations(planes)
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


def _orientations(planes: Sequence[Plane]) -> Counter[str]:
    found: list[tuple[Plane, str]] = []
    counts: Counter[str] = Counter()
    for plane in planes:
        known = [n for p, n in found if np.allclose(p.orientation, plane.orientation, rtol=0, atol=DIRECTION_TOLERANCE)]
        if not known:
            known = [f"{_view(plane)} {len(found) + 1}"]
            found.append((plane, known[0]))
        counts[known[0]] += 1
    return Counter({name: counts[name] for _, name in found})


def _view(plane: Plane) -> str:
    return ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(_axes(plane)[2])))]


def _shares(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count} images" if count != 1 else f"{name}: 1 image" for name, count in counts.items())


def _step(distances: Vector, plane: Plane) -> float:
    if len(distances) > 1:
        return float(distances[-1] - distances[0]) / (len(distances) - 1)
    if plane.thickness is None or plane.thickness <= 0:
        raise UnsuitableError("one slice without a slice thickness")
    return plane.thickness
