"""A brain in a volume, however it was found: its mask, its whole volume, the brightness of its tissue, its place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.errors import UnsuitableImageError
from inference.findings import Mask
from inference.imaging.shading import Shading

LEAST_ML, MOST_ML = 200.0, 2500.0
"""Volumes that a brain may have: a newborn's is about 350 mL."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Brain:
    """A brain in a volume.

    Attributes
    ----------
    mask
        (slice, row, column), bool, on the source grid: parenchyma with ventricles and the liquor between the
        convolutions, down to the foramen magnum. In T2, where liquor is brighter than brain, with the liquor around
        it too: all that the skull holds.
    whole_ml
        Volume of the mask, mL, and where the image cuts the brain off, of the missing part as the standard brain
        continues it.
    shading
        Brightness of brain tissue at each place.
    from_standard
        (4, 4), float64: points of the standard head to the patient, LPS, mm, as the two brains' surfaces fit best.
    """

    mask: Mask
    whole_ml: float
    shading: Shading
    from_standard: NDArray[np.float64]


def check_volume(volume_ml: float) -> None:
    """Raise UnsuitableImageError where no brain has that volume."""
    if not LEAST_ML <= volume_ml <= MOST_ML:
        raise UnsuitableImageError(
            f"what looks like a brain measures {volume_ml:.0f} mL, a brain {LEAST_ML:.0f} to {MOST_ML:.0f} mL"
        )
