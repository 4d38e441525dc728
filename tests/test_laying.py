"""Planes laid on a grid by whole voxels, and masks drawn there back on them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr.codedict import codes

from dicom_node.reading.back_on_planes import on_planes
from inference.draft import Draft
from inference.findings import Findings, Measurement, Narrative, Sentence
from inference.imaging.laying import Laying
from tests import phantoms

PLAIN = Laying(shape=(3, 4, 5), matrix=(4, 5), plane_of=(0, 1, 2), corners=((0, 0),) * 3)
LAID = Laying(shape=(5, 6, 5), matrix=(4, 5), plane_of=(0, 1, 1, 1, 2), corners=((0, 0), (1, 0), (2, 0)))
"""A tilted stack of three planes whose second stands for three slices of the grid."""


@st.composite
def layings(draw: st.DrawFn) -> Laying:
    """Any number of planes, each shown some times and shifted somewhere."""
    matrix = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    shown = draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    corners = [draw(st.tuples(st.integers(0, 4), st.integers(0, 4))) for _ in shown]
    return Laying(
        shape=(sum(shown), matrix[0] + 4, matrix[1] + 4),
        matrix=matrix,
        plane_of=tuple(plane for plane, times in enumerate(shown) for _ in range(times)),
        corners=tuple(corners),
    )


@given(layings(), st.integers(0, 2**32 - 1))
def test_every_voxel_comes_back(laying: Laying, seed: int) -> None:
    planes = np.random.default_rng(seed).integers(1, 100, (len(laying.corners), *laying.matrix))
    grid = laying.on_grid(planes, beyond=0)
    assert grid.shape == laying.shape
    np.testing.assert_array_equal(laying.shown(grid), planes)
    for threshold in (20, 50, 80):
        np.testing.assert_array_equal(laying.on_planes(grid > threshold), planes > threshold)
    numbers = planes.astype(np.uint8)
    np.testing.assert_array_equal(laying.on_planes(laying.on_grid(numbers)), numbers)
    copies = np.array([laying.plane_of.count(k) for k in range(len(planes))])
    assert int((grid > 0).sum()) == int((copies * laying.matrix[0] * laying.matrix[1]).sum())


def test_a_plain_stack_is_handed_on_as_it_is() -> None:
    planes = np.ones((3, 4, 5), np.float32)
    assert PLAIN.is_plain
    assert PLAIN.on_grid(planes) is planes
    assert not LAID.is_plain


@given(layings(), st.integers(0, 2**32 - 1))
def test_single_voxels_come_back_as_masks_do(laying: Laying, seed: int) -> None:
    mask = np.random.default_rng(seed).random(laying.shape) < 0.3
    found = laying.indices_on_planes(np.argwhere(mask))
    np.testing.assert_array_equal(found, np.argwhere(laying.on_planes(mask)))


@pytest.mark.parametrize(
    "change",
    [
        {"plane_of": (0, 1, 1, 1, 1)},
        {"plane_of": (0, 1, 2)},
        {"corners": ((0, 0), (1, 0), (3, 0))},
        {"corners": ((0, 0), (1, 1), (2, 0))},
        {"corners": ((-1, 0), (1, 0), (2, 0))},
    ],
    ids=["a plane not shown", "too few slices", "below", "beside", "above"],
)
def test_what_is_no_laying_is_refused(change: dict[str, tuple[object, ...]]) -> None:
    values = {"shape": LAID.shape, "matrix": LAID.matrix, "plane_of": LAID.plane_of, "corners": LAID.corners} | change
    with pytest.raises(ValueError, match="plane"):
        Laying(**values)  # type: ignore[arg-type]


def found(*boxes: tuple[tuple[int, int], ...]) -> Findings:
    """A finding for each box on the grid of LAID, all in one segment."""
    regions = [phantoms.box(LAID.shape, *ranges) for ranges in boxes]
    return Findings(
        algorithm=phantoms.algorithm(),
        segments=(phantoms.segment(np.any(regions, axis=0)),),
        findings=tuple(phantoms.finding(region, f"lesion {n}") for n, region in enumerate(regions, start=1)),
        narrative=Narrative(
            sentences=(
                Sentence(text="All."),
                *(Sentence(text="One.", finding=f"lesion {n}") for n in range(1, len(regions) + 1)),
            )
        ),
    )


def test_findings_are_drawn_on_the_planes() -> None:
    moved = on_planes(found(((1, 3), (1, 3), (0, 2)), ((3, 5), (2, 4), (3, 5))), LAID)
    first, second = (finding.region for finding in moved.findings)
    np.testing.assert_array_equal(first, phantoms.box((3, 4, 5), (1, 2), (0, 2), (0, 2)))
    np.testing.assert_array_equal(
        second, phantoms.box((3, 4, 5), (1, 2), (1, 3), (3, 5)) | phantoms.box((3, 4, 5), (2, 3), (0, 2), (3, 5))
    )
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(moved.segments[0].mask, first | second)
    assert moved.findings[0].measurements == phantoms.finding(first).measurements


def test_probabilities_are_drawn_on_the_planes() -> None:
    findings = found(((1, 3), (1, 3), (0, 2)))
    probability = np.zeros(LAID.shape, np.uint8)
    probability[1, 1, 0], probability[2, 1, 0], probability[3, 1, 0] = 70, 200, 90  # all three show plane 1
    (segment,) = findings.segments
    moved = on_planes(replace(findings, segments=(replace(segment, probability=probability),)), LAID)
    expected = np.zeros((3, 4, 5), np.uint8)
    expected[1, 0, 0] = 200
    np.testing.assert_array_equal(moved.segments[0].probability, expected)


def test_a_finding_where_nothing_was_imaged_is_left_out() -> None:
    moved = on_planes(found(((0, 1), (4, 6), (0, 2)), ((3, 5), (2, 4), (3, 5))), LAID)
    assert [finding.label for finding in moved.findings] == ["lesion 2"]
    assert [sentence.finding for sentence in moved.narrative.sentences] == [None, "lesion 2"]


def test_a_draft_about_what_is_left_out_is_left_out_with_it() -> None:
    findings = found(((0, 1), (4, 6), (0, 2)), ((3, 5), (2, 4), (3, 5)))
    labels = ("lesion 1",), ("lesion 2",), ("lesion 1", "lesion 2")
    drafts = [Sentence(text="A lesion.", draft=Draft(verdict="supported", evidence=some)) for some in labels]
    moved = on_planes(replace(findings, narrative=Narrative(sentences=tuple(drafts))), LAID)
    assert moved.narrative.sentences == (drafts[1],)


def test_of_slices_that_show_one_plane_the_most_probable_counts() -> None:
    findings = found(((1, 3), (1, 3), (0, 2)))
    given_slices = ((0, 0.1), (1, 0.4), (2, 0.6), (3, 0.5), (4, 0.2))
    (finding,) = findings.findings
    moved = on_planes(replace(findings, findings=(replace(finding, slice_probabilities=given_slices),)), LAID)
    assert moved.findings[0].slice_probabilities == ((0, 0.1), (1, 0.6), (2, 0.2))


def test_numbers_of_slices_become_those_of_planes() -> None:
    findings = found(((1, 3), (1, 3), (0, 2)))
    number = Measurement(
        code=codes.SCT.Volume, value=3.0, unit=codes.UCUM.Percent, by_slice=((1, -2.0), (2, -1.0), (4, 5.0))
    )
    (finding,) = findings.findings
    moved = on_planes(
        replace(findings, findings=(replace(finding, measurements=(number,)),), measurements=(number,)), LAID
    )
    expected = replace(number, by_slice=((1, -1.0), (2, 5.0)))
    assert moved.measurements == moved.findings[0].measurements == (expected,)
