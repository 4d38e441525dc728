"""Malformations and haemorrhages look as they should, lie in the brain, and are the same for the same seed."""

import numpy as np
import pytest

from inference.synthetic.anatomy import Tones
from inference.synthetic.bleeding_head import BleedingHead, bleeding_head
from inference.synthetic.haemorrhage import DIAMETER_MM, Kind, drawn

SPACING = (4.0, 1.5, 1.5)


@pytest.fixture(scope="module")
def heads() -> dict[Kind, BleedingHead]:
    return {
        "ccm": bleeding_head(50, ["ccm"] * 3, spacing_mm=SPACING),
        "aih": bleeding_head(51, ["aih"] * 3, spacing_mm=SPACING),
    }


def test_the_same_seed_makes_the_same_head(heads: dict[Kind, BleedingHead]) -> None:
    again = bleeding_head(50, ["ccm"] * 3, spacing_mm=SPACING)
    np.testing.assert_array_equal(again.image.volume.array, heads["ccm"].image.volume.array)


def test_in_t2_liquor_is_bright_and_lesions_lie_in_the_brain(heads: dict[Kind, BleedingHead]) -> None:
    for kind, head in heads.items():
        picture = head.image.volume.array
        assert head.image.weighting == "T2"
        assert np.percentile(picture[head.brain], 97) > 1.8 * np.median(picture[head.brain])
        assert head.lesions
        for lesion in head.lesions:
            assert lesion.kind == kind
            assert not (lesion.mask & ~head.brain).any()
            points = np.argwhere(lesion.mask) @ head.image.volume.affine[:3, :3].T + head.image.volume.affine[:3, 3]
            np.testing.assert_allclose(points.mean(axis=0), lesion.centre_mm, atol=0.35 * lesion.diameter_mm + 2.0)


@pytest.mark.parametrize("seed", range(6))
def test_a_malformation_has_a_dark_rim_and_no_oedema(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tones = Tones.drawn_t2(rng)
    lesion = drawn("ccm", tones, rng)
    assert DIAMETER_MM["ccm"][0] <= 2.0 * lesion.radius_mm <= DIAMETER_MM["ccm"][1]
    points = rng.normal(0.0, lesion.radius_mm, (4000, 3)).astype(np.float32)
    layer = lesion.at(points)
    assert not layer.oedema.any()
    edge = (layer.lesion > 0.6) & (layer.lesion < 1.0)
    assert (layer.lesion_value[edge] < 0.5 * tones.white).all()
    assert lesion.cell_values.min() < tones.grey


@pytest.mark.parametrize("seed", range(6))
def test_a_haemorrhage_is_dark_in_bright_oedema(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tones = Tones.drawn_t2(rng)
    lesion = drawn("aih", tones, rng)
    assert DIAMETER_MM["aih"][0] <= 2.0 * lesion.radius_mm <= DIAMETER_MM["aih"][1]
    assert lesion.oedema_value > tones.grey
    points = rng.normal(0.0, 1.2 * lesion.radius_mm, (4000, 3)).astype(np.float32)
    layer = lesion.at(points)
    around = (layer.lesion == 0.0) & (layer.oedema > 0.2)
    assert around.any()
    assert np.linalg.norm(points[layer.oedema > 0.0], axis=1).max() <= lesion.reach_mm
    assert np.median(lesion.cell_values) < tones.white


def test_sizes_of_the_two_overlap() -> None:
    rng = np.random.default_rng(0)
    tones = Tones.drawn_t2(rng)
    sizes = {kind: np.array([drawn(kind, tones, rng).radius_mm for _ in range(300)]) for kind in DIAMETER_MM}
    larger = (sizes["aih"][:, None] > sizes["ccm"][None]).mean()
    assert 0.4 < larger < 0.7
