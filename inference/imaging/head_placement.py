"""Where the standard head lies in a head that a series shows, MR or CT; knows no brain."""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.image import Image
from inference.imaging import grid, head_ct
from inference.imaging.standard_head import fit

_FIT_MM = 3.0  # spacing of the grid on which it is fitted


def laid_over(image: Image) -> sitk.AffineTransform:
    """The standard head laid over a head: turned, moved and scaled alike in all directions.

    Parameters
    ----------
    image
        A head, in any orientation and spacing.

    Returns
    -------
    SimpleITK.AffineTransform
        Of points of the standard head to the patient, LPS, mm.

    Raises
    ------
    UnsuitableImageError
        If nothing of the size of a head lies in the image.
    """
    if image.modality == "CT":
        return fit(head_ct.head_alone(image.volume, _FIT_MM))
    return fit(grid.upright(image.volume, _FIT_MM))


def matrix_of(transform: sitk.AffineTransform) -> NDArray[np.float64]:
    """(4, 4): the same map of points as one matrix."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix
