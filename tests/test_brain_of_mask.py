"""All about a brain from its mask: whole volume, place in the standard head, brightness of its tissue."""

import numpy as np
import pytest
from highdicom import Volume

from inference.errors import UnsuitableImageError
from inference.image import Image
from inference.imaging.brain import Brain
from inference.imaging.brain_of_mask import brain_of
from inference.synthetic.bleeding_head import BleedingHead, bleeding_head


@pytest.fixture(scope="module")
def head() -> BleedingHead:
    return bleeding_head(41, ["aih", "ccm", "ccm"], spacing_mm=(3.0, 1.5, 1.5))


@pytest.fixture(scope="module")
def found(head: BleedingHead) -> Brain:
    return brain_of(head.brain, head.image)


def voxel_ml(volume: Volume) -> float:
    return float(np.prod(volume.spacing)) / 1000.0


def test_a_whole_brain_misses_next_to_nothing(head: BleedingHead, found: Brain) -> None:
    assert found.mask is head.brain
    assert found.whole_ml == pytest.approx(head.brain.sum() * voxel_ml(head.image.volume), rel=0.02)


def test_points_of_the_standard_head_land_where_they_lie_in_the_patient(head: BleedingHead, found: Brain) -> None:
    for lesion in head.lesions:
        landed = (found.from_standard @ [*lesion.standard_mm, 1.0])[:3]
        assert np.linalg.norm(landed - lesion.centre_mm) < 7.0  # what the head is deformed by, beyond an affine map


def test_the_order_of_the_axes_does_not_matter(head: BleedingHead, found: Brain) -> None:
    volume, turn = head.image.volume, [2, 0, 1]
    affine = volume.affine.copy()
    affine[:3, :3] = volume.affine[:3, :3][:, turn]
    turned = Volume(np.ascontiguousarray(volume.array.transpose(turn)), affine, coordinate_system="PATIENT")
    other = brain_of(head.brain.transpose(turn), Image(volume=turned, modality="MR", weighting="T2"))
    assert other.whole_ml == pytest.approx(found.whole_ml, rel=0.01)
    np.testing.assert_allclose(other.from_standard, found.from_standard, atol=1.5)


@pytest.mark.parametrize(("axis", "share"), [(2, 0.75), (0, 0.8)])
def test_what_the_volume_cuts_off_is_estimated(head: BleedingHead, axis: int, share: float) -> None:
    volume = head.image.volume
    there = np.flatnonzero(head.brain.any(axis=tuple(a for a in range(3) if a != axis)))
    kept = int(there[0] + share * len(there))
    part = [slice(None)] * 3
    part[axis] = slice(0, kept)
    cut = Volume(np.ascontiguousarray(volume.array[tuple(part)]), volume.affine, coordinate_system="PATIENT")
    mask = head.brain[tuple(part)]
    found = brain_of(mask, Image(volume=cut, modality="MR", weighting="T2"))
    whole = head.brain.sum() * voxel_ml(volume)
    assert mask.sum() * voxel_ml(volume) < 0.9 * whole
    assert found.whole_ml == pytest.approx(whole, rel=0.08)


def test_tissue_is_as_bright_everywhere_after_the_shading_is_taken_out(head: BleedingHead, found: Brain) -> None:
    volume = head.image.volume
    slope = np.linspace(0.7, 1.4, volume.array.shape[2], dtype=np.float32)
    shaded = volume.with_array(volume.array * slope)
    brain = brain_of(head.brain, Image(volume=shaded, modality="MR", weighting="T2"))
    shape = (int(volume.shape[0]), int(volume.shape[1]), int(volume.shape[2]))
    evened = shaded.array / brain.shading.over(volume.affine, shape)
    columns = np.flatnonzero(head.brain.any(axis=(0, 1)))
    left, right = np.array_split(columns, 2)
    halves = [np.median(evened[:, :, half][head.brain[:, :, half]]) for half in (left, right)]
    assert halves[0] == pytest.approx(halves[1], rel=0.05)


def test_a_ct_is_not_shaded_and_no_brain_has_this_volume(head: BleedingHead) -> None:
    image = Image(volume=head.image.volume, modality="CT", weighting="CT")
    assert np.ptp(brain_of(head.brain, image).shading.over(np.eye(4), (4, 4, 4))) == 0.0
    small = head.brain & (np.arange(head.brain.shape[0])[:, None, None] % 20 == 0)
    with pytest.raises(UnsuitableImageError, match=r"measures \d+ mL, a brain 200 to 2500 mL"):
        brain_of(small, head.image)
