"""The standard head laid over a made-up one: points land where they lie, whichever way the volume is turned."""

import numpy as np
import pytest
from highdicom import Volume

from inference.errors import UnsuitableImageError
from inference.image import Image
from inference.imaging.head_placement import laid_over, matrix_of
from inference.synthetic.bleeding_head import bleeding_head


def test_points_of_the_standard_head_land_near_where_they_lie_in_the_patient() -> None:
    head = bleeding_head(45, ["aih", "ccm", "ccm"], spacing_mm=(3.0, 1.5, 1.5))
    placed = laid_over(head.image)
    for lesion in head.lesions:
        landed = (matrix_of(placed) @ [*lesion.standard_mm, 1.0])[:3]
        np.testing.assert_allclose(landed, placed.TransformPoint(lesion.standard_mm), atol=1e-6)
        assert np.linalg.norm(landed - lesion.centre_mm) < 8.0
    turned = Image(volume=head.image.volume.flip_spatial(0), modality="MR", weighting="T2")
    np.testing.assert_allclose(matrix_of(laid_over(turned)), matrix_of(placed), atol=1e-3)


def test_where_no_head_is_nothing_is_laid() -> None:
    dark = Volume(np.zeros((40, 40, 40), np.float32), np.diag([4.0, 4.0, 4.0, 1.0]), coordinate_system="PATIENT")
    with pytest.raises(UnsuitableImageError):
        laid_over(Image(volume=dark, modality="MR", weighting="T1"))
