from typing import Literal

import numpy as np
import pytest
import SimpleITK as sitk
from highdicom import Volume

from inference.errors import UnsuitableImageError
from inference.image import Image
from inference.imaging.brain_mask import find_brain
from inference.synthetic.head import synthetic_head
from tests.real_heads import real

REFERENCE_ML = {"skyra": 1469, "prisma-hfs": 1543, "prisma-hfp": 1536}
"""Of deepbet 1.0.2 on the same series."""


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.fixture(scope="module")
def head() -> tuple[Image, np.ndarray]:
    made = synthetic_head(5, lesions=0)
    return made.image, made.brain


def test_the_brain_of_a_synthetic_head(head: tuple[Image, np.ndarray]) -> None:
    image, truth = head
    found = find_brain(image)
    assert dice(found.mask, truth) >= 0.93
    assert found.whole_ml == pytest.approx(found.mask.sum() * np.prod(image.volume.spacing) / 1000, rel=0.01)


@pytest.mark.parametrize("turn", ["flipped slices", "flipped columns", "sagittal"])
def test_how_the_slices_are_cut_does_not_matter(head: tuple[Image, np.ndarray], turn: str) -> None:
    image, truth = head
    volume, mask = turned(image.volume, truth, turn)
    found = find_brain(Image(volume=volume, modality="MR", weighting="T1"))
    assert dice(found.mask, mask) >= 0.93


def turned(volume: Volume, mask: np.ndarray, how: str) -> tuple[Volume, np.ndarray]:
    """The same head on the same voxels, listed in another order; the affine says so."""
    array, affine = volume.array, volume.affine.copy()
    if how == "sagittal":
        array, mask = array.transpose(2, 1, 0), mask.transpose(2, 1, 0)
        affine[:, [0, 1, 2]] = affine[:, [2, 1, 0]]
    else:
        axis = 0 if how == "flipped slices" else 2
        array, mask = np.flip(array, axis), np.flip(mask, axis)
        affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
        affine[:3, axis] *= -1
    return Volume(np.ascontiguousarray(array), affine, coordinate_system="PATIENT"), np.ascontiguousarray(mask)


def test_the_same_head_gives_the_same_mask_on_any_number_of_threads(head: tuple[Image, np.ndarray]) -> None:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    found = []
    try:
        for threads in (1, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            found.append(find_brain(head[0]))
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert np.array_equal(found[0].mask, found[1].mask)
    assert np.array_equal(found[0].shading.terms, found[1].shading.terms)


def ellipsoid(head: np.ndarray, radii: tuple[float, float, float]) -> np.ndarray:
    """Of these radii along (slice, row, column), mm, in the middle of a 2 mm grid."""
    middle = (np.array(head.shape) - 1) / 2.0
    index = np.stack(np.meshgrid(*map(np.arange, head.shape), indexing="ij"), axis=-1)
    inside: np.ndarray = ((2.0 * (index - middle) / radii) ** 2).sum(axis=-1) < 1.0
    return inside


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_a_brain_of_any_shape_in_skull_and_scalp(modality: Literal["MR", "CT"]) -> None:
    air, scalp, skull, tissue = (0.0, 900.0, 30.0, 500.0) if modality == "MR" else (-1000.0, 50.0, 1200.0, 35.0)
    array = np.full((100, 110, 90), air)
    brain = ellipsoid(array, (78, 84, 67))
    array[ellipsoid(array, (92, 98, 82))] = scalp
    array[ellipsoid(array, (86, 92, 76))] = skull
    array[brain] = tissue
    array += np.random.default_rng(0).normal(0.0, 0.03 * tissue, array.shape)
    affine = np.array([[0, 0, 2.0, -90.0], [0, 2.0, 0, -110.0], [2.0, 0, 0, -100.0], [0, 0, 0, 1.0]])
    volume = Volume(array.astype(np.float32), affine, coordinate_system="PATIENT")
    weighting: Literal["T1", "CT"] = "T1" if modality == "MR" else "CT"
    found = find_brain(Image(volume=volume, modality=modality, weighting=weighting))
    assert dice(found.mask, brain) >= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCE_ML)
def test_real_brains_have_the_size_an_independent_reference_gives(name: str) -> None:
    assert find_brain(real(name)).whole_ml == pytest.approx(REFERENCE_ML[name], rel=0.05)


@pytest.mark.slow
def test_four_positions_of_one_head_agree() -> None:
    whole = [find_brain(real(f"prisma-{position}")).whole_ml for position in ("hfs", "hfp", "hfdr", "hfdl")]
    assert (max(whole) - min(whole)) / min(whole) <= 0.05


def test_what_is_no_head_is_refused() -> None:
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    noise = np.random.default_rng(0).random((48, 48, 48), dtype=np.float32)
    for array in (noise, np.zeros_like(noise)):
        volume = Volume(array, affine, coordinate_system="PATIENT")
        with pytest.raises(UnsuitableImageError, match=r"\d"):
            find_brain(Image(volume=volume, modality="MR", weighting="T1"))
