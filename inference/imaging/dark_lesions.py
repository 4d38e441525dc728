"""Lesions that are dark in T2, in part or whole: dark parts and what they enclose as one region; knows no disease.

`candidates` asks that a whole region stands out from its tissue. Blood of mixed age does not: a cavernous malformation
is a dark rim with bright loculi, and would fall into pieces. Here dark voxels are closed and filled first, and it is
the filled region that has to be like a ball.
"""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.findings import Mask
from inference.imaging.candidates import Candidate, ball_likeness, inner
from inference.imaging.components import Component, components
from inference.imaging.grid import affine_of, to_image

LEAST_RADIUS_MM, MOST_RADIUS_MM = 1.7, 22.0
"""Radii of balls of the same volume that are looked for."""

LEAST_BLOBNESS = 0.55
"""Share of an ideal ball's answer that the filled region gives."""

MOST_CANDIDATES = 20
"""More than these are no candidates but a bad image; the best are kept."""

_DARK = 0.78  # of the dark tenth of brain, which in T2 is white matter
_SMOOTH_MM = 0.8  # takes out noise before the threshold
_CLOSE_MM = 3.5  # gaps between dark parts of one lesion


def dark_lesions(brightness: NDArray[np.float32], brain: Mask, affine: NDArray[np.float64]) -> tuple[Candidate, ...]:
    """Find candidates, best first.

    Parameters
    ----------
    brightness
        (slice, row, column), float32: evened out, so that one tissue is equally bright everywhere.
    brain
        (slice, row, column), bool.
    affine
        (4, 4): index (slice, row, column) to LPS, mm.
    """
    within = inner(brain, affine)
    if not within.any():
        return ()
    smooth = sitk.DiscreteGaussian(
        to_image(brightness, affine), variance=[_SMOOTH_MM**2] * 3, maximumKernelWidth=9, useImageSpacing=True
    )
    values = sitk.GetArrayFromImage(smooth)
    middle, dark = np.percentile(values[within], (50, 10))
    filled = _filled((values < _DARK * dark) & within, affine)
    spread = max(float(middle - dark), 0.01 * abs(float(middle)))
    found = [
        _candidate(part, float(middle - np.percentile(values[tuple(part.indices.T)], 25)) / spread)
        for part in components(filled, affine, touching="faces")
        if LEAST_RADIUS_MM <= _radius_mm(part) <= MOST_RADIUS_MM
    ]
    kept = sorted((c for c in found if c.blobness >= LEAST_BLOBNESS), key=lambda c: (-c.score, c.part.centroid_mm))
    return tuple(kept[:MOST_CANDIDATES])


def _filled(dark: Mask, affine: NDArray[np.float64]) -> Mask:
    """Close gaps and fill what is enclosed, slice by slice: slices may lie too far apart to be closed across."""
    image = to_image(dark.astype(np.uint8), affine)
    across, down = (round(_CLOSE_MM / step) for step in image.GetSpacing()[:2])
    closed = sitk.BinaryMorphologicalClosing(image, [across, down, 0], sitk.sitkBall)
    filled = np.stack([sitk.GetArrayFromImage(sitk.BinaryFillhole(closed[:, :, k])) for k in range(closed.GetDepth())])
    opened = sitk.BinaryMorphologicalOpening(to_image(filled, affine_of(image)), [1, 1, 0], sitk.sitkCross)
    mask: Mask = sitk.GetArrayFromImage(opened) > 0
    return mask


def _radius_mm(part: Component) -> float:
    return float((3.0 * part.volume_mm3 / (4.0 * np.pi)) ** (1.0 / 3.0))


def _candidate(part: Component, contrast: float) -> Candidate:
    """`contrast`: how far its darkest quarter lies from the middle of the brain, in units of the tissue's spread."""
    margin = np.ceil(4.0 * _radius_mm(part) / np.linalg.norm(part.affine[:3, :3], axis=0)).astype(int) + 2
    low = part.indices.min(axis=0) - margin
    box = np.zeros(part.indices.max(axis=0) + margin + 1 - low, dtype=np.float32)
    box[tuple((part.indices - low).T)] = 1.0
    likeness = ball_likeness(box, part.indices - low, _radius_mm(part), part.affine)
    return Candidate(part=part, contrast=max(contrast, 0.0), blobness=float(np.clip(likeness, 0.0, 1.0)))
