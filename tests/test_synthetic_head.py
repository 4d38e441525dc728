"""A synthetic head is the same for the same seed, looks like a head, and tells the truth about its lesions."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from dicom_node.reading.synthetic_study import series_from_volume
from inference.findings import Mask
from inference.imaging.components import largest
from inference.synthetic.head import SyntheticHead, synthetic_head
from inference.synthetic.template import ASSET

SPACING = (3.0, 1.5, 1.5)
CONTENT = "c8e406ff545456854b7babe01357441ed4509df7868ba69e1a597d0369cc2616"
"""sha256 of the asset's arrays; `export-onnx head-asset` makes them from nilearn's wheel."""


@pytest.fixture(scope="module")
def heads() -> Sequence[SyntheticHead]:
    return [synthetic_head(seed, lesions=3, spacing_mm=SPACING) for seed in range(50, 54)]


def test_the_same_seed_makes_the_same_head_whatever_else_draws_numbers(heads: Sequence[SyntheticHead]) -> None:
    np.random.seed(0)
    before = np.random.get_state(legacy=False)["state"]["key"].copy()
    again = synthetic_head(50, lesions=3, spacing_mm=SPACING)
    np.testing.assert_array_equal(again.image.volume.array, heads[0].image.volume.array)
    for one, two in zip(again.lesions, heads[0].lesions, strict=True):
        np.testing.assert_array_equal(one.mask, two.mask)
        assert (one.kind, one.centre_mm, one.volume_ml) == (two.kind, two.centre_mm, two.volume_ml)
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], before)


def test_another_seed_makes_another_head(heads: Sequence[SyntheticHead]) -> None:
    pictures = {hashlib.sha256(head.image.volume.array.tobytes()).hexdigest() for head in heads}
    assert len(pictures) == len(heads)


def test_slices_rise_to_the_head_rows_go_back_and_columns_left(heads: Sequence[SyntheticHead]) -> None:
    volume = heads[0].image.volume
    assert "".join(letter.value for letter in volume.get_closest_patient_orientation()) == "HPL"
    assert volume.spacing == pytest.approx(SPACING)
    np.testing.assert_allclose(volume.affine[:3, 0], [0.0, 0.0, 3.0])
    np.testing.assert_allclose(volume.affine[:3, 1], [0.0, 1.5, 0.0])
    np.testing.assert_allclose(volume.affine[:3, 2], [1.5, 0.0, 0.0])


def test_a_shape_is_kept_and_the_field_of_view_stays_centered() -> None:
    made = synthetic_head(1, lesions=0, spacing_mm=(6.0, 4.0, 4.0), shape=(20, 40, 44))
    assert made.image.volume.shape == made.brain.shape == (20, 40, 44)
    center = made.image.volume.affine @ [9.5, 19.5, 21.5, 1.0]
    default = synthetic_head(1, lesions=0, spacing_mm=(6.0, 4.0, 4.0)).image.volume
    middle = default.affine @ [*((np.array(default.shape) - 1) / 2.0), 1.0]
    np.testing.assert_allclose(center, middle)


def test_the_brain_has_a_brain_s_size_and_lies_amid_skull_and_scalp(heads: Sequence[SyntheticHead]) -> None:
    for head in heads:
        volume, brain = head.image.volume, head.brain
        assert 1000.0 < brain.sum() * volume.voxel_volume / 1000.0 < 1800.0
        picture = volume.array
        assert picture.dtype == np.float32
        assert picture.min() >= 0.0
        assert 700.0 < picture.max() < 1600.0
        np.testing.assert_array_equal(picture, np.rint(picture))
        k = picture.shape[0] // 2
        rows, columns = np.nonzero(brain[k])
        middle = int(np.median(rows))
        line = picture[k, middle]
        inside = np.nonzero(brain[k, middle])[0]
        right_of_brain, left_of_brain = line[: inside[0]], line[inside[-1] + 1 :]
        for outside in (right_of_brain, left_of_brain):  # dark bone, then bright scalp, then air
            assert outside.min() < 120.0
            assert outside.max() > 300.0
        assert np.median(picture[k][:8]) < 100.0
        assert len(columns)


def test_lesions_lie_in_the_brain_apart_from_each_other_and_have_the_size_they_say(
    heads: Sequence[SyntheticHead],
) -> None:
    for head in heads:
        assert len(head.lesions) == 3
        together = np.zeros(head.brain.shape, dtype=np.int_)
        for lesion in head.lesions:
            together += lesion.mask
            assert not (lesion.mask & ~head.brain).any()
            indices = np.argwhere(lesion.mask)
            affine = head.image.volume.affine
            np.testing.assert_allclose(lesion.centre_mm, affine[:3, :3] @ indices.mean(axis=0) + affine[:3, 3])
            assert lesion.volume_ml == pytest.approx(len(indices) * 3.0 * 1.5 * 1.5 / 1000.0)
            assert 0.1 < lesion.volume_ml < 20.0
        assert together.max() == 1


def test_a_lesion_looks_as_its_kind_says() -> None:
    seen: dict[str, int] = {}
    for seed in range(60, 66):
        head = synthetic_head(seed, lesions=3, spacing_mm=SPACING)
        picture = head.image.volume.array
        planted = np.logical_or.reduce([lesion.mask for lesion in head.lesions])
        white = float(np.percentile(picture[head.brain & ~planted], 90))
        for lesion in head.lesions:
            seen[lesion.kind] = seen.get(lesion.kind, 0) + 1
            inside = picture[lesion.mask]
            if lesion.kind == "hyperintense":
                assert np.median(inside) > 1.1 * white
            elif lesion.kind == "hypointense":
                assert np.median(inside) < 0.8 * white
            else:
                assert inside.max() > 1.05 * white
                assert inside.min() < 0.8 * white
    assert set(seen) == {"hyperintense", "hypointense", "ring"}


def test_a_healthy_head_has_no_lesion() -> None:
    assert synthetic_head(2, lesions=0, spacing_mm=(6.0, 4.0, 4.0)).lesions == ()


def test_more_lesions_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="no room for lesion"):
        synthetic_head(1, lesions=400, spacing_mm=(12.0, 12.0, 12.0))


def test_left_and_right_cannot_be_confused(heads: Sequence[SyntheticHead]) -> None:
    for head in heads:
        picture, volume = head.image.volume.array, head.image.volume
        around = np.argwhere((picture > 500.0) & ~_grown(head))
        assert len(around)  # the capsule, apart from the head
        positions = around @ volume.affine[:3, :3].T + volume.affine[:3, 3]
        assert (positions[:, 0] < -60.0).all()  # LPS: the patient's right
        mirrored = picture[:, :, ::-1]
        assert np.corrcoef(picture.ravel(), mirrored.ravel())[0, 1] < 0.97


def test_the_series_written_from_it_holds_the_same_numbers(heads: Sequence[SyntheticHead]) -> None:
    volume = heads[1].image.volume
    for index, dataset in enumerate(series_from_volume(volume)):
        stored = np.frombuffer(dataset.PixelData, "<i2").reshape(dataset.Rows, dataset.Columns)
        np.testing.assert_array_equal(stored, volume.array[index])


def test_the_asset_is_the_one_that_was_reduced_from_the_template() -> None:
    with np.load(ASSET, allow_pickle=False) as asset:
        assert {name: asset[name].shape for name in asset} == {
            "t1": (94, 116, 98),
            "gm": (94, 116, 98),
            "wm": (94, 116, 98),
            "affine": (4, 4),
        }
        np.testing.assert_array_equal(asset["affine"][:3, 3], [-96.5, -96.5, -71.5])
        content = hashlib.sha256(b"".join(asset[name].tobytes() for name in ("t1", "gm", "wm"))).hexdigest()
    assert content == CONTENT
    assert ASSET.stat().st_size < 500_000


def _grown(head: SyntheticHead) -> Mask:
    """The head with its skin: everything brighter than air that hangs together with the scalp."""
    return largest(head.image.volume.array > 150.0)
