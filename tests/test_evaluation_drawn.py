"""A drawn mask in words: side from the head's own middle, size in millimetres, largest part first."""

import numpy as np
import pytest
from highdicom import Volume
from pydicom.sr.codedict import codes

from inference.evaluation import drawn
from inference.evaluation.cases import Labelled
from inference.image import Image
from inference.language.localisation import located

AFFINE = np.array([[0.0, 0, 2, -100], [0, 2, 0, -120], [4, 0, 0, 0], [0, 0, 0, 1]])  # columns to the left


def head(mask: np.ndarray, affine: np.ndarray = AFFINE) -> Labelled:
    """An ellipse of 170 x 200 mm on 20 slices, its middle at x = 0."""
    row, column = np.mgrid[:120, :100]
    inside = ((row - 60) / 50) ** 2 + ((column - 50) / 42.5) ** 2 < 1
    array = np.broadcast_to(np.where(inside, 100.0, 0.0), (20, 120, 100)).astype(np.float32)
    volume = Volume(np.ascontiguousarray(array), affine, coordinate_system="PATIENT")
    return Labelled(image=Image(volume=volume, modality="MR", weighting="T1"), truth=mask)


def two() -> np.ndarray:
    """A larger part at columns above the middle, a smaller one below it."""
    mask = np.zeros((20, 120, 100), dtype=np.bool_)
    mask[8:12, 50:60, 70:80] = True
    mask[8:10, 50:55, 20:25] = True
    return mask


def test_side_and_size_of_the_largest_first() -> None:
    left, right = drawn.findings(head(two()))
    assert (left.laterality, right.laterality) == (codes.SCT.Left, codes.SCT.Right)
    assert left.measured(codes.SCT.Volume) == pytest.approx(400 * 16.0)
    assert located([left, right]) == "Marked: lesion, left side, 28 mm x 28 mm; lesion, right side, 14 mm x 14 mm."


def test_a_mirrored_head_has_the_other_side() -> None:
    mirrored = AFFINE.copy()
    mirrored[0] = [0, 0, -2, 98]
    assert [one.laterality for one in drawn.findings(head(two(), mirrored))] == [codes.SCT.Right, codes.SCT.Left]


def test_an_empty_mask_marks_nothing() -> None:
    empty = np.zeros((20, 120, 100), dtype=np.bool_)
    assert located(drawn.findings(head(empty))) == "Marked: nothing."
    with pytest.raises(ValueError, match="no mask"):
        drawn.findings(Labelled(image=head(empty).image, truth=None))
