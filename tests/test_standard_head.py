import numpy as np
import pytest
import SimpleITK as sitk
from highdicom import Volume

from inference.errors import UnsuitableImageError
from inference.imaging import grid
from inference.imaging.standard_head import fit, standard
from inference.synthetic.head import synthetic_head


def overlap(image: sitk.Image, brain: np.ndarray, affine: np.ndarray) -> float:
    """Dice of the laid standard brain with a drawn one."""
    where = grid.to_image(brain.astype(np.uint8), affine)
    laid = sitk.Resample(standard().distance, where, fit(image).GetInverse(), sitk.sitkLinear, 99.0)
    inside = sitk.GetArrayFromImage(laid) < 0.0
    return float(2 * (inside & brain).sum() / (inside.sum() + brain.sum()))


@pytest.mark.parametrize("seed", [1, 4])
def test_the_standard_brain_comes_to_lie_on_the_brain(seed: int) -> None:
    head = synthetic_head(seed, lesions=0)
    volume = head.image.volume
    assert overlap(grid.upright(volume, 3.0), head.brain, volume.affine) > 0.88


def test_where_the_scanner_has_its_origin_does_not_matter() -> None:
    head = synthetic_head(1, lesions=0)
    affine = head.image.volume.affine.copy()
    affine[:3, 3] += [150.0, -90.0, 400.0]
    volume = Volume(head.image.volume.array, affine, coordinate_system="PATIENT")
    assert overlap(grid.upright(volume, 3.0), head.brain, affine) > 0.88


def test_the_same_head_is_fitted_the_same_on_any_number_of_threads() -> None:
    image = grid.upright(synthetic_head(1, lesions=0).image.volume, 3.0)
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    fits = []
    try:
        for threads in (1, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            fits.append(fit(image).GetParameters())
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert fits[0] == fits[1]


def test_too_little_for_a_head_is_refused_with_numbers() -> None:
    array = np.zeros((40, 40, 40), dtype=np.float32)
    array[15:25, 15:25, 15:25] = 100.0
    with pytest.raises(UnsuitableImageError, match="a head has 500 mL"):
        fit(sitk.GetImageFromArray(array))
