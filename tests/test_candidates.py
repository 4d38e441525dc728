import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.findings import Mask
from inference.imaging.candidates import candidates

SHAPE = (60, 70, 64)
SPACING = (2.0, 1.8, 1.6)
AFFINE = np.array([[0, 0, SPACING[2], -51.0], [0, SPACING[1], 0, -63.0], [SPACING[0], 0, 0, -60.0], [0, 0, 0, 1.0]])


def points() -> NDArray[np.float64]:
    """(slice, row, column, 3): LPS position of each voxel, mm."""
    index = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    found: NDArray[np.float64] = index @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    return found


def head(seed: int) -> tuple[NDArray[np.float32], Mask]:
    """An ellipsoid of two tissues with noise, as T1 shows them, evened out."""
    place = points()
    brain = ((place / [45.0, 55.0, 52.0]) ** 2).sum(axis=-1) < 1.0
    white = ((place / [30.0, 38.0, 36.0]) ** 2).sum(axis=-1) < 1.0
    noise = np.random.default_rng(seed).normal(0, 0.04, SHAPE)
    values = np.where(white, 1.0, np.where(brain, 0.75, 0.1)) + noise
    return values.astype(np.float32), brain


def balls(seed: int, number: int) -> list[tuple[NDArray[np.float64], float]]:
    """Centres within the brain, mm, apart from each other, and radii of 3 to 8 mm."""
    chance = np.random.default_rng(seed)
    made: list[tuple[NDArray[np.float64], float]] = []
    while len(made) < number:
        centre, radius = chance.uniform(-28, 28, 3), float(chance.uniform(3, 8))
        if all(np.linalg.norm(centre - other) > radius + r + 8 for other, r in made):
            made.append((centre, radius))
    return made


def test_balls_are_found_where_they_are_and_little_else() -> None:
    """Sensitivity at least 0.95 at one false candidate a head or less, centres within 2 mm."""
    planted = found = false = 0
    for seed in range(8):
        values, brain = head(seed)
        truth = balls(100 + seed, 4)
        for centre, radius in truth:
            values[np.linalg.norm(points() - centre, axis=-1) < radius] += 0.8
        places = [np.array(c.part.centroid_mm) for c in candidates(values, brain, AFFINE, stands_out="bright")]
        hits = [[np.linalg.norm(place - centre) for place in places] for centre, _ in truth]
        planted += len(truth)
        found += sum(bool(min(distances, default=99.0) <= 2.0) for distances in hits)
        false += sum(bool(min(np.linalg.norm(place - c) for c, _ in truth) > 8.0) for place in places)
    assert found / planted >= 0.95
    assert false / 8 <= 1.0


def test_a_healthy_head_has_none() -> None:
    for seed in range(4):
        values, brain = head(seed)
        assert candidates(values, brain, AFFINE, stands_out="bright") == ()


def test_dark_balls_are_found_when_asked_for() -> None:
    values, brain = head(1)
    values[np.linalg.norm(points() - [10.0, 5.0, -8.0], axis=-1) < 6.0] -= 0.9
    (one,) = candidates(values, brain, AFFINE, stands_out="dark")
    assert np.allclose(one.part.centroid_mm, [10.0, 5.0, -8.0], atol=2.0)
    assert candidates(values, brain, AFFINE, stands_out="bright") == ()


def test_a_rod_is_less_of_a_blob_than_a_ball() -> None:
    values, brain = head(2)
    place = points()
    rod = (np.hypot(place[..., 0], place[..., 1]) < 2.5) & (np.abs(place[..., 2]) < 25)
    values[rod] += 0.8
    assert not [c for c in candidates(values, brain, AFFINE, stands_out="bright") if c.blobness > 0.75]


@settings(max_examples=15, deadline=None)
@given(radius=st.floats(3.0, 10.0), rise=st.floats(0.8, 1.5))
def test_scores_lie_between_nought_and_one_and_grow_with_contrast(radius: float, rise: float) -> None:
    values, brain = head(3)
    ball = np.linalg.norm(points() - [-12.0, 4.0, 6.0], axis=-1) < radius
    scores = []
    for times in (1.0, 2.0):
        lifted = values.copy()
        lifted[ball] += rise * times
        found = candidates(lifted, brain, AFFINE, stands_out="bright")
        assert len(found) == 1
        scores.append(found[0].score)
        by_slice = found[0].slice_scores()
        assert max(score for _, score in by_slice) == pytest.approx(found[0].score)
        assert all(0.0 < score <= 1.0 for _, score in by_slice)
    assert 0.0 < scores[0] <= scores[1] <= 1.0


def test_no_brain_no_candidates() -> None:
    values, brain = head(0)
    assert candidates(values, np.zeros_like(brain), AFFINE, stands_out="bright") == ()
