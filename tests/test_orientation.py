"""Letters at the edges of images of every orientation, worked out by hand."""

import numpy as np
import pytest

from dicom_node.results.pages.orientation import edges, letters
from tests import phantoms


@pytest.mark.parametrize(
    ("orientation", "left", "right", "upper", "lower"),
    [
        ("axial", "R", "L", "A", "P"),
        ("axial, towards the feet", "R", "L", "A", "P"),
        ("coronal", "R", "L", "H", "F"),
        ("sagittal", "A", "P", "H", "F"),
    ],
)
def test_the_edges_of_the_main_planes(orientation: str, left: str, right: str, upper: str, lower: str) -> None:
    along_row, down_column, _ = phantoms.planes_of(phantoms.volume(phantoms.ORIENTATIONS[orientation]))[0].axes
    assert edges(along_row, down_column) == (left, right, upper, lower)


def test_a_prone_patient_seen_from_the_feet_has_the_left_side_on_the_left() -> None:
    assert edges(np.array([-1.0, 0, 0]), np.array([0, -1.0, 0])) == ("L", "R", "P", "A")


def test_a_second_letter_from_about_twenty_degrees() -> None:
    def tilted(degrees: float) -> str:
        return letters(np.array([0.0, np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))]))

    assert [tilted(d) for d in (0, 18.5, 30, 60, 90)] == ["P", "P", "PF", "FP", "F"]


def test_every_direction_has_a_letter_and_the_opposite_one_the_opposite_letters() -> None:
    opposite = str.maketrans("LRPAHF", "RLAPFH")
    for seed in range(200):
        direction = np.random.default_rng(seed).normal(size=3)
        direction /= np.linalg.norm(direction)
        said = letters(direction)
        assert 1 <= len(said) <= 3
        assert letters(-direction) == said.translate(opposite)
