"""The slow change of brightness across an MR image, as a polynomial of place; knows no organ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ORDER = 2
_POWERS = [(i, j, k) for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i) for k in range(_ORDER + 1 - i - j)]
_MOST_SAMPLES = 20000
_ROUNDS = 4  # of fitting without what lies far off: liquor, vessels, lesions
_FAR = 2.5  # standard deviations
_BEYOND = 0.3  # of the logarithm, past the range met while fitting: a polynomial runs away outside it


@dataclass(frozen=True, kw_only=True, eq=False)
class Shading:
    """Brightness of one and the same tissue at any place.

    Attributes
    ----------
    center_mm, reach_mm
        LPS: the middle of the samples and their greatest distance from it along each axis.
    terms
        Of the polynomial of the logarithm.
    lowest, highest
        Bounds of the logarithm.
    """

    center_mm: NDArray[np.float64]
    reach_mm: NDArray[np.float64]
    terms: NDArray[np.float64]
    lowest: float
    highest: float

    def over(self, affine: NDArray[np.float64], shape: tuple[int, int, int]) -> NDArray[np.float32]:
        """On a grid: (slice, row, column), float32, in the unit of the image it was fitted to.

        Parameters
        ----------
        affine
            (4, 4): index (slice, row, column) to LPS, mm.
        shape
            Of the grid.
        """
        steps = affine[:3, :3] / self.reach_mm[:, None]
        start = (affine[:3, 3] - self.center_mm) / self.reach_mm
        s, r, c = np.ogrid[: shape[0], : shape[1], : shape[2]]
        x, y, z = (
            (start[a] + steps[a, 0] * s + steps[a, 1] * r + steps[a, 2] * c).astype(np.float32) for a in range(3)
        )
        powers = zip(self.terms.astype(np.float32), _POWERS, strict=True)
        exponent = np.zeros(shape, dtype=np.float32)
        for term, (i, j, k) in powers:
            exponent += term * x**i * y**j * z**k
        shading: NDArray[np.float32] = np.exp(np.clip(exponent, self.lowest, self.highest))
        return shading


def fitted(values: NDArray[np.float32], points: NDArray[np.float64]) -> Shading:
    """Fit to samples of mostly one kind of tissue.

    Parameters
    ----------
    values
        (n,), float32; those not above 0 do not count.
    points
        (n, 3): where, LPS, mm.
    """
    thin = slice(None, None, max(1, len(values) // _MOST_SAMPLES))
    values, points = values[thin], points[thin]
    values, points = values[values > 0], points[values > 0]
    center = (points.min(axis=0) + points.max(axis=0)) / 2.0
    reach = np.maximum((points.max(axis=0) - points.min(axis=0)) / 2.0, 1.0)
    x, y, z = ((points - center) / reach).T
    columns = np.stack([x**i * y**j * z**k for i, j, k in _POWERS], axis=1)
    logarithm = np.log(values.astype(np.float64))
    near = np.ones(len(values), dtype=np.bool_)
    terms = np.zeros(len(_POWERS))
    for _ in range(_ROUNDS):
        terms = np.linalg.lstsq(columns[near], logarithm[near], rcond=None)[0]
        off = logarithm - columns @ terms
        middle = np.median(off[near])
        spread = 1.4826 * np.median(np.abs(off[near] - middle))
        near = np.abs(off - middle) <= _FAR * spread
    low, high = np.percentile(columns @ terms, [0.5, 99.5])
    return Shading(
        center_mm=center, reach_mm=reach, terms=terms, lowest=float(low - _BEYOND), highest=float(high + _BEYOND)
    )


def even() -> Shading:
    """No shading: 1 everywhere, for CT."""
    return Shading(center_mm=np.zeros(3), reach_mm=np.ones(3), terms=np.zeros(len(_POWERS)), lowest=0.0, highest=0.0)
