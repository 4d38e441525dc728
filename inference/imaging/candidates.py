"""Blob-like regions in a brain that stand out from its tissue, without weights; knows no disease.

Voxels beyond the tissue's own spread are joined to regions, and each is held against a Laplacian of Gaussian of its own
size, which answers most to a ball and less to a vessel, a sulcus or the edge of a ventricle.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.findings import Mask
from inference.imaging.components import Component, components
from inference.imaging.grid import to_image

LEAST_RADIUS_MM, MOST_RADIUS_MM = 2.0, 15.0
"""Radii of balls that are looked for, by volume."""

LEAST_BLOBNESS = 0.5
"""Share of an ideal ball's answer; a long cylinder gives about half, a sheet a third."""

LEAST_SCORE = 0.25
"""What real heads without a known lesion hold at the rim scores up to 0.22."""

MOST_CANDIDATES = 20
"""More than these are no candidates but a bad image; the best are kept."""

_RIM_MM = 4.0  # within the brain's edge: vessels, membranes and partial volume
_BEYOND = 1.5  # times the tissue's spread, past its outer tenth
_LEAST_SPREAD = 0.01  # of the tissue's brightness, where an image has no noise
_BALL = float(
    np.sqrt(2.0 / np.pi) * 3.0**1.5 * np.exp(-1.5)
)  # answer at a ball's centre, of unit contrast, sigma r / sqrt 3
_HALF_SCORE = 5.0  # contrast, in units of the tissue's spread, that halves the doubt


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One region that stands out.

    Attributes
    ----------
    part
        Its voxels on the source grid.
    contrast
        Mean brightness less the tissue's, in units of the tissue's spread; above 0 whichever way it stands out.
    blobness
        1 for a ball, less for anything else.
    """

    part: Component
    contrast: float
    blobness: float

    @property
    def score(self) -> float:
        """Between 0 and 1: how blob-like times how far from tissue. An order among candidates, not a probability."""
        return float(self.blobness * (1.0 - 2.0 ** (-self.contrast / _HALF_SCORE)))

    def slice_scores(self) -> tuple[tuple[int, float], ...]:
        """(slice index, score): the candidate's score in each slice it lies in, in proportion to its area there."""
        areas = np.bincount(self.part.indices[:, 0])
        return tuple((k, float(self.score * areas[k] / areas.max())) for k in self.part.slices)


def candidates(
    brightness: NDArray[np.float32], brain: Mask, affine: NDArray[np.float64], *, stands_out: Literal["bright", "dark"]
) -> tuple[Candidate, ...]:
    """Find candidates, best first.

    Parameters
    ----------
    brightness
        (slice, row, column), float32: evened out, so that one tissue is equally bright everywhere.
    brain
        (slice, row, column), bool.
    affine
        (4, 4): index (slice, row, column) to LPS, mm.
    stands_out
        Which way a lesion differs from tissue in this contrast.
    """
    values = brightness if stands_out == "bright" else -brightness
    within = inner(brain, affine)
    if not within.any():
        return ()
    middle, outer = np.percentile(values[within], (50, 90))
    spread = max(float(outer - middle), _LEAST_SPREAD * abs(float(middle)))
    parts = [p for p in components((values > outer + _BEYOND * spread) & within, affine, touching="faces") if _fits(p)]
    calm = np.where(brain, values, middle).astype(np.float32)  # the brain's own edge must not answer
    found = [_candidate(part, calm, float(middle), spread, affine) for part in parts]
    kept = sorted(
        (c for c in found if c.blobness >= LEAST_BLOBNESS and c.score >= LEAST_SCORE),
        key=lambda c: (-c.score, c.part.centroid_mm),
    )
    return tuple(kept[:MOST_CANDIDATES])


def inner(brain: Mask, affine: NDArray[np.float64]) -> Mask:
    """Brain (slice, row, column) clear of its edge, where vessels, membranes and partial volume are."""
    distance = sitk.SignedMaurerDistanceMap(
        to_image(brain.astype(np.uint8), affine), insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    within: Mask = sitk.GetArrayFromImage(distance) > _RIM_MM
    return within


def _radius_mm(part: Component) -> float:
    return float((3.0 * part.volume_mm3 / (4.0 * np.pi)) ** (1.0 / 3.0))


def _fits(part: Component) -> bool:
    return LEAST_RADIUS_MM <= _radius_mm(part) <= MOST_RADIUS_MM


def _candidate(
    part: Component, calm: NDArray[np.float32], middle: float, spread: float, affine: NDArray[np.float64]
) -> Candidate:
    """Measure one part in a box around it."""
    voxels = tuple(part.indices.T)
    contrast = float(calm[voxels].mean()) - middle
    radius = _radius_mm(part)
    steps = np.ceil(4.0 * radius / np.linalg.norm(affine[:3, :3], axis=0)).astype(int) + 2
    low = np.maximum(part.indices.min(axis=0) - steps, 0)
    high = np.minimum(part.indices.max(axis=0) + steps + 1, calm.shape)
    box = calm[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    likeness = ball_likeness(box, part.indices - low, radius, affine)
    return Candidate(part=part, contrast=contrast / spread, blobness=float(np.clip(likeness / contrast, 0.0, 1.0)))


def ball_likeness(
    box: NDArray[np.float32], indices: NDArray[np.int64], radius_mm: float, affine: NDArray[np.float64]
) -> float:
    """Strongest answer of a Laplacian of Gaussian of one size within a part, in units of a ball's of contrast 1.

    Parameters
    ----------
    box
        (slice, row, column), float32: the part, bright, in its surroundings.
    indices
        (voxel, 3): of the part in the box.
    radius_mm
        Of a ball of the part's volume.
    affine
        (4, 4): its steps are those of the box, mm.
    """
    if min(box.shape) < 4:  # the recursive filter needs four samples
        return 0.0
    sigma = radius_mm / np.sqrt(3.0)
    image = sitk.LaplacianRecursiveGaussian(to_image(box, affine), sigma=sigma)
    answer = -(sigma**2) * sitk.GetArrayFromImage(image)[tuple(indices.T)].min()
    return float(answer / _BALL)
