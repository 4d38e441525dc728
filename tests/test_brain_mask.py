from pathlib import Path

import numpy as np
import pytest
from highdicom import Volume

from dicom_node.reading.part10 import parse
from dicom_node.reading.series import survey
from dicom_node.reading.volume import load
from inference.errors import UnsuitableImageError
from inference.image import Image
from inference.imaging.brain_mask import find_brain
from inference.synthetic.head import synthetic_head

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"
REFERENCE_ML = {"skyra": 1469, "prisma-hfs": 1543, "prisma-hfp": 1536}
"""Of deepbet 1.0.2 on the same series."""


def real(name: str) -> Image:
    folder = DATA / f"mr-t1-siemens-{name}"
    if not folder.is_dir():
        pytest.skip(f"shared/data/dicom/mr-t1-siemens-{name} is not here")
    return load(survey([parse(p.read_bytes()) for p in sorted(folder.rglob("*.dcm"))])[0]).image


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


def test_the_same_head_gives_the_same_mask(head: tuple[Image, np.ndarray]) -> None:
    assert np.array_equal(find_brain(head[0]).mask, find_brain(head[0]).mask)


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
