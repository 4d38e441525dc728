"""Well-known places have the site that anatomy gives them, and places between two have none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.imaging.sites import site, site_in_standard


def ball(x: float, y: float, z: float, radius: float = 4.0) -> NDArray[np.float64]:
    """Points about a place in MNI coordinates (x to the right, y to the front), as LPS."""
    steps = np.stack(np.meshgrid(*[np.arange(-radius, radius + 1)] * 3), axis=-1).reshape(-1, 3)
    inside = steps[np.linalg.norm(steps, axis=1) <= radius]
    place: NDArray[np.float64] = inside + np.array([-x, -y, z])
    return place


@pytest.mark.parametrize(
    ("place", "meaning"),
    [
        ((30, 45, 20), "Frontal lobe"),
        ((-30, 45, 20), "Frontal lobe"),
        ((35, -55, 45), "Parietal lobe"),
        ((50, -15, -22), "Temporal lobe"),
        ((20, -90, 0), "Occipital lobe"),
        ((11, -18, 7), "Thalamus"),
        ((-25, 2, 1), "Basal ganglia"),
        ((0, -27, -32), "Brain Stem"),
        ((25, -65, -38), "Cerebellum"),
    ],
)
def test_places_in_the_middle_of_a_part(place: tuple[float, float, float], meaning: str) -> None:
    found = site_in_standard(ball(*place, radius=3.0))
    assert found is not None
    assert found.meaning == meaning


@pytest.mark.parametrize("place", [(38, -21, 50), (18, -10, 4)])
def test_between_two_parts_there_is_none(place: tuple[float, float, float]) -> None:
    assert site_in_standard(ball(*place)) is None


def test_the_patient_s_place_is_taken_back_to_the_standard_head() -> None:
    placed = np.eye(4)
    placed[:3, :3] *= 0.9
    placed[:3, 3] = (4.0, -7.0, 20.0)
    points = ball(11, -18, 7, radius=3.0) @ placed[:3, :3].T + placed[:3, 3]
    found = site(points, placed)
    assert found is not None
    assert found.meaning == "Thalamus"
