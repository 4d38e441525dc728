"""Towards which part of the patient a direction points, in the letters of Patient Orientation (PS3.3 C.7.6.1.1.1)."""

from dicom_node.plane import Vector

LEAST = 0.35
"""Share of a unit vector from which a second letter is said, about 20 degrees: a tilted gantry has none."""


def letters(direction: Vector) -> str:
    """Letters in order of decreasing significance, for example "L" or "PF".

    Parameters
    ----------
    direction
        (3,), unit vector, LPS: Left, Posterior and Head are positive, Right, Anterior and Foot negative.
    """
    order = sorted(range(3), key=lambda axis: -abs(round(float(direction[axis]), 6)))
    said = [("RL", "AP", "FH")[axis][int(direction[axis] > 0)] for axis in order if abs(direction[axis]) >= LEAST]
    return "".join(said)


def edges(along_row: Vector, down_column: Vector) -> tuple[str, str, str, str]:
    """Letters at the left, right, upper and lower edge of an image."""
    return letters(-along_row), letters(along_row), letters(-down_column), letters(down_column)
