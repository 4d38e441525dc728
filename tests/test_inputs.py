"""Series that a bundle and its evidence both read."""

import pytest

from inference.errors import BundleError
from inference.inputs import Inputs, narrowed


def test_both_bounds_hold() -> None:
    one = Inputs(modality=("MR", "CT"), weighting=("T1", "T2"), min_slices=5, max_slices=90, min_age_years=18.0)
    other = Inputs(
        modality=("MR",),
        body_part=("HEAD",),
        weighting=("T1",),
        contrast_agent=True,
        min_slices=20,
        min_matrix=64,
        max_spacing_mm=4.0,
        min_extent_mm=100.0,
        max_age_years=90.0,
    )
    both = Inputs(
        modality=("MR",),
        body_part=("HEAD",),
        weighting=("T1",),
        contrast_agent=True,
        min_slices=20,
        max_slices=90,
        min_matrix=64,
        max_spacing_mm=4.0,
        min_extent_mm=100.0,
        min_age_years=18.0,
        max_age_years=90.0,
    )
    assert narrowed(one, other) == narrowed(other, one) == both
    assert narrowed(both, both) == both


@pytest.mark.parametrize(
    "other",
    [
        Inputs(modality=("CT",)),
        Inputs(modality=("MR",), weighting=("FLAIR",)),
        Inputs(modality=("MR",), body_part=("CHEST",)),
        Inputs(modality=("MR",), contrast_agent=False),
    ],
)
def test_where_nothing_is_read_by_both(other: Inputs) -> None:
    one = Inputs(modality=("MR",), weighting=("T1",), body_part=("HEAD",), contrast_agent=True)
    with pytest.raises(BundleError):
        narrowed(one, other)
