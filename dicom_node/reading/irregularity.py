"""What sets sorted slices apart from a regular grid, in sentences with numbers: gaps, junctions, tilt, shifts."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

SAME_PLACE_MM = 1e-3
"""Planes closer than this, mm, are in one place: positions of one place differ by 1e-6 mm from rounding."""

SPACING_TOLERANCE = 0.01
"""Part of the spacing by which one step from slice to slice may differ."""

ROUNDING_MM = 0.02
"""Difference, mm, that is always allowed: positions are written with two decimals by some scanners."""

SHIFT_TOLERANCE = 0.1
"""Part of a pixel by which a slice may lie sideways of the grid."""

TILT_AGREEMENT_DEG = 0.5
"""Shifts whose angles differ by less than this, degrees, are one gantry tilt; otherwise patient or table moved."""

LONG_RUN = 3
"""Equal steps in a row from which on a spacing counts as intended, so that a change of it is a junction, not a gap."""


CLOSEST = 0.25
"""Part of the usual distance below which two slices are too close to be told apart on one grid."""

MISSING = 1.9
"""Multiple of the usual distance from which on a step that stands alone is a slice that is missing: twice is one."""


@dataclass(frozen=True, kw_only=True)
class Irregularity:
    """What sets parallel planes apart from a regular, rectangular grid.

    Attributes
    ----------
    faults
        Why they cannot be read at all.
    remarks
        How they must be laid on a grid; nothing is lost by it.
    tilted
        Whether they are shifted sideways, all by one angle.
    uneven
        Whether their distances differ.
    """

    faults: tuple[str, ...]
    remarks: tuple[str, ...]
    tilted: bool
    uneven: bool


def irregularities(positions: Vector, normal: Vector, spacing: tuple[float, float]) -> Irregularity:
    """Look at parallel planes.

    Parameters
    ----------
    positions
        (slice, 3), sorted along `normal`, LPS, mm.
    normal
        Unit vector perpendicular to the planes.
    spacing
        Of the pixels, mm.
    """
    if len(positions) < 2:
        return Irregularity(faults=(), remarks=(), tilted=False, uneven=False)
    steps = np.diff(positions @ normal)
    if steps.min() < SAME_PLACE_MM:
        lone = int(np.argmin(steps))
        sideways = np.linalg.norm(positions[lone + 1] - positions[lone])
        fault = f"slices {lone + 1} and {lone + 2} lie in one plane, {sideways:.1f} mm apart within it"
        return Irregularity(faults=(fault,), remarks=(), tilted=False, uneven=False)
    angle = _tilt(positions, steps, normal, spacing)
    moved = [] if angle is not None else _moved(positions, normal, spacing)
    told, unreadable = _uneven(steps)
    remarks = [f"gantry tilt of {angle:.1f} degrees"] if angle else []
    return Irregularity(
        faults=tuple(moved + (told if unreadable else [])),
        remarks=tuple(remarks + ([] if unreadable else told)),
        tilted=bool(angle),
        uneven=not even(steps),
    )


def even(steps: Vector) -> bool:
    """Whether distances of neighbouring slices, mm, are one but for rounding."""
    return bool(_alike(steps, float(np.median(steps))).all())


def _sideways(positions: Vector, normal: Vector) -> Vector:
    offsets = positions - positions[0]
    lengths: Vector = np.linalg.norm(offsets - np.outer(offsets @ normal, normal), axis=1)
    return lengths


def _tilt(positions: Vector, steps: Vector, normal: Vector, spacing: tuple[float, float]) -> float | None:
    """Degrees by which all slices are shifted alike; 0 where they lie straight, None where each goes its own way."""
    if _sideways(positions, normal).max() <= max(ROUNDING_MM, SHIFT_TOLERANCE * min(spacing)):
        return 0.0
    jumps = np.diff(positions, axis=0)
    within = jumps - np.outer(jumps @ normal, normal)
    angles = np.degrees(np.arctan2(np.linalg.norm(within, axis=1), steps))
    alike = np.ptp(angles) < TILT_AGREEMENT_DEG and bool((within @ within.sum(axis=0) > 0).all())
    return float(np.median(angles)) if alike else None


def _moved(positions: Vector, normal: Vector, spacing: tuple[float, float]) -> list[str]:
    return [f"slices are shifted sideways by up to {_sideways(positions, normal).max():.1f} mm"]


def _uneven(steps: Vector) -> tuple[list[str], bool]:
    """Gaps, junctions and jitter among the distances of neighbouring slices, mm; and whether they cannot be read."""
    usual = float(np.median(steps))
    odd = np.flatnonzero(~_alike(steps, usual))
    if not len(odd):
        return [], False
    runs = _runs(steps)
    long = [run for run in runs if run[1] >= LONG_RUN]
    meant = {step for first, count in long for step in range(first, first + count)}
    unreadable = bool(steps.min() < CLOSEST * usual) or any(
        steps[i] >= MISSING * usual and i not in meant for i in odd.tolist()
    )
    several = any(not _alike(steps[[first]], float(steps[long[0][0]])).all() for first, _ in long)
    if several and sum(count for _, count in long) >= 0.8 * len(steps):
        return _junctions(steps, long), unreadable
    if len(odd) > 3 or len(odd) == len(steps):
        return [f"slices {mm(steps.min())} to {mm(steps.max())} mm apart, usually {mm(usual)} mm"], unreadable
    return [_gap(int(i), float(steps[i]), usual) for i in odd], unreadable


def _alike(steps: Vector, usual: float) -> NDArray[np.bool_]:
    return np.abs(steps - usual) <= max(ROUNDING_MM, SPACING_TOLERANCE * usual)


def _runs(steps: Vector) -> list[tuple[int, int]]:
    """(first step, number of steps) of each run of equal steps."""
    runs: list[tuple[int, int]] = []
    for index, step in enumerate(steps):
        if runs and _alike(np.array([step]), float(steps[runs[-1][0]]))[0]:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((index, 1))
    return runs


def _junctions(steps: Vector, runs: list[tuple[int, int]]) -> list[str]:
    faults = []
    for (first, count), (second, _) in itertools.pairwise(runs):
        before, after = float(steps[first]), float(steps[second])
        between = range(first + count, second)
        if _alike(np.array([before]), after).all():
            faults += [_gap(index, float(steps[index]), before) for index in between]
            continue
        fault = f"spacing changes from {mm(before)} mm to {mm(after)} mm at slice {second + 1}"
        for index in between:
            overlap = " and overlap" if steps[index] < min(before, after) else ""
            fault += f", slices {index + 1} and {index + 2} are {mm(float(steps[index]))} mm apart{overlap}"
        faults.append(fault)
    return faults


def _gap(index: int, step: float, usual: float) -> str:
    if step > usual:
        return f"slice gap of {mm(step)} mm at slice {index + 1}, spacing elsewhere {mm(usual)} mm"
    return f"slices {index + 1} and {index + 2} only {mm(step)} mm apart, spacing elsewhere {mm(usual)} mm"


def mm(value: float) -> str:
    """A length for a sentence: two decimals where they say something, else one."""
    return f"{value:.2f}" if abs(value - round(value, 1)) >= 0.01 else f"{value:.1f}"
