"""The smallest box of any mask, and what a finding says of its own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from inference.findings import Finding, Mask
from inference.imaging.box import box_of
from tests import phantoms


@given(arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, max_side=6)))
def test_the_box_holds_all_and_no_more(mask: Mask) -> None:
    expected = tuple(slice(int(hit.min()), int(hit.max()) + 1) if len(hit) else slice(0, 0) for hit in np.nonzero(mask))
    assert box_of(mask) == expected


@given(st.permutations(range(3)))
def test_a_box_is_found_along_every_axis(order: list[int]) -> None:
    mask = phantoms.box((7, 8, 9), (1, 3), (2, 6), (4, 5)).transpose(order)
    assert box_of(mask) == tuple([slice(1, 3), slice(2, 6), slice(4, 5)][axis] for axis in order)


def test_a_finding_knows_its_box_and_its_largest_slice() -> None:
    region = phantoms.box((8, 20, 18), (2, 6), (4, 9), (3, 7))
    region[4, 9, 3] = True
    finding = phantoms.finding(region)
    assert finding.box == (slice(2, 6), slice(4, 10), slice(3, 7))
    assert finding.largest_slice == 4
    region = phantoms.box((8, 20, 18), (2, 6), (4, 9), (3, 7))
    assert phantoms.finding(region).largest_slice == 4  # of four alike, the upper of the two in the middle


def test_without_a_region_there_is_none() -> None:
    finding = Finding(label="one", code=phantoms.finding(None).code)
    assert finding.box == (slice(0, 0),) * 3
    assert finding.largest_slice is None
