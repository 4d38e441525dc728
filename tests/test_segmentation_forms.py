"""The forms of a segmentation, written and read by highdicom: bits, labels and probabilities on any planes."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from highdicom.seg import Segmentation, segread
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pydicom.uid import JPEGLSLossless

from dicom_node.results import mask_comparison, segmentation
from dicom_node.results.envelope import to_file
from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.source import Source
from inference.findings import Findings, Mask
from tests import phantoms
from tests.peers import dciodvfy

SHAPE = (8, 20, 18)
FORMS = list(SegForm)


def written(findings: Findings, source: Source, form: SegForm) -> Segmentation:
    """What highdicom reads of it, after our own comparison."""
    data = to_file(segmentation.write(findings, source, phantoms.identity(), form))
    mask_comparison.compare(data, findings, source)
    return segread(BytesIO(data))


def drawn(read: Segmentation, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(slice, row, column) of a segment as highdicom lays it out, every slice of the source, and the affine."""
    volume = read.get_volume(
        segment_numbers=[number], rescale_fractional=True, allow_missing_positions=True, dtype=np.float64
    )
    return volume.array[..., 0], volume.affine


def with_probability(findings: Findings) -> Findings:
    """The lesions of `phantoms.two_lesions` with a probability that falls off around them."""
    brain, lesions = findings.segments
    probability = np.where(lesions.mask, 200, 0).astype(np.uint8)
    probability[2:5, 9, 3:7] = 90
    return replace(findings, segments=(brain, replace(lesions, probability=probability)))


@pytest.mark.parametrize("frames", ["single", "multi"])
@pytest.mark.parametrize("direction", [*phantoms.ORIENTATIONS.values(), phantoms.OBLIQUE])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_comes_back_where_it_was_drawn(form: SegForm, direction: np.ndarray, frames: str) -> None:
    volume = phantoms.volume(direction)
    source = (
        phantoms.single_frame(volume)
        if frames == "single"
        else phantoms.multi_frame(volume, order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4])
    )
    mask = phantoms.two_lesions().segments[1].mask
    array, affine = drawn(written(phantoms.one_lesion(mask), source, form), 1)
    assert set(np.unique(array)) <= {0.0, 1.0}
    there = (affine[:3] @ np.c_[np.argwhere(array > 0), np.ones(int(mask.sum()))].T).T
    here = (volume.affine[:3] @ np.c_[np.argwhere(mask), np.ones(int(mask.sum()))].T).T
    np.testing.assert_allclose(sorted(there.round(3).tolist()), sorted(here.round(3).tolist()), atol=2e-3)


@pytest.mark.parametrize("form", FORMS)
def test_each_frame_lies_on_its_own_plane_of_a_tilted_uneven_stack(form: SegForm) -> None:
    source = phantoms.single_frame(phantoms.volume())
    planes = [
        replace(plane, position=(-81.5, 34.25 + 0.7 * k, 12.125 + 3.0 * k + 0.5 * k * k))
        for k, plane in enumerate(source.planes)
    ]
    for header, plane in zip(source.datasets, planes, strict=True):
        header.ImagePositionPatient = list(plane.position)
    source = replace(source, planes=tuple(planes))
    read = written(phantoms.two_lesions(), source, form)
    uids = [str(header.SOPInstanceUID) for header in source.datasets]
    for frame in read.PerFrameFunctionalGroupsSequence:
        image = frame.DerivationImageSequence[0].SourceImageSequence[0]
        plane = planes[uids.index(image.ReferencedSOPInstanceUID)]
        assert frame.PlanePositionSequence[0].ImagePositionPatient == list(plane.position)
    assert read.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices == 3.5  # the closest
    assert "DimensionOrganizationType" not in read


@pytest.mark.parametrize("form", [SegForm.BINARY, SegForm.FRACTIONAL])
def test_the_validator_finds_no_error(form: SegForm, tmp_path: Path) -> None:
    path = tmp_path / "seg.dcm"
    for source in (phantoms.single_frame(phantoms.volume()), phantoms.multi_frame(phantoms.volume())):
        for findings in (phantoms.two_lesions(), with_probability(phantoms.two_lesions())):
            path.write_bytes(to_file(segmentation.write(findings, source, phantoms.identity(), form)))
            assert dciodvfy(path) == []


def test_a_label_map_shows_the_smaller_of_two_that_overlap_and_says_so() -> None:
    findings = phantoms.two_lesions()
    brain, lesions = (segment.mask for segment in findings.segments)
    for order in (1, -1):  # whichever comes first
        turned = replace(phantoms.nothing(), segments=findings.segments[::order])
        read = written(turned, phantoms.single_frame(phantoms.volume()), SegForm.LABELMAP)
        numbers = (1, 2)[::order]
        labels = np.stack([read.get_stored_frame(number) for number in range(1, read.NumberOfFrames + 1)])
        np.testing.assert_array_equal(labels == numbers[0], (brain & ~lesions)[1:7])
        np.testing.assert_array_equal(labels == numbers[1], lesions[1:7])
        told = {s.SegmentLabel: s.SegmentDescription for s in read.SegmentSequence}
        assert told["Brain"].endswith(". Its voxels under Lesion carry that number")
        assert "carry" not in told["Lesion"]
        assert read.SegmentsOverlap == "NO"


def test_a_label_map_is_compressed_without_loss_in_its_own_class() -> None:
    read = written(phantoms.two_lesions(), phantoms.single_frame(phantoms.volume()), SegForm.LABELMAP)
    assert read.file_meta.TransferSyntaxUID == JPEGLSLossless
    assert read.SOPClassUID == read.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.66.7"
    assert [s.SegmentNumber for s in read.SegmentSequence] == [0, 1, 2]
    assert (read.PixelPaddingValue, read.BitsAllocated) == (0, 8)
    assert [i.DimensionIndexPointer for i in read.DimensionIndexSequence] == [0x00200032]


def test_more_segments_than_a_byte_counts_take_two() -> None:
    masks = np.eye(300, dtype=np.bool_).reshape(300, 3, 10, 10)
    findings = replace(
        phantoms.nothing(),
        segments=tuple(phantoms.segment(mask, f"class {number}") for number, mask in enumerate(masks)),
    )
    read = written(findings, phantoms.single_frame(phantoms.volume(shape=(3, 10, 10))), SegForm.LABELMAP)
    assert read.BitsAllocated == 16
    labels = np.stack([read.get_stored_frame(number) for number in (1, 2, 3)])
    np.testing.assert_array_equal(labels.ravel(), np.arange(1, 301))


def test_a_probability_is_written_as_it_is_and_a_mask_as_certain() -> None:
    findings = with_probability(phantoms.two_lesions())
    read = written(findings, phantoms.single_frame(phantoms.volume()), SegForm.FRACTIONAL)
    assert (read.SegmentationFractionalType, read.MaximumFractionalValue) == ("PROBABILITY", 255)
    frames = {
        (f.SegmentIdentificationSequence[0].ReferencedSegmentNumber, f.FrameContentSequence[0].DimensionIndexValues[1])
        for f in read.PerFrameFunctionalGroupsSequence
    }
    assert {rank for segment, rank in frames if segment == 2} == {2, 3, 4, 5}  # of the planes 1 to 6 that have frames
    brain, lesions = findings.segments
    whole = np.stack([read.get_stored_frame(number) for number in range(1, 7)])
    np.testing.assert_array_equal(whole, np.where(brain.mask, 255, 0)[1:7])
    part = np.stack([read.get_stored_frame(number) for number in range(7, 11)])
    assert lesions.probability is not None
    np.testing.assert_array_equal(part, lesions.probability[2:6])


@settings(max_examples=40, deadline=None)
@given(masks=st.lists(arrays(np.bool_, (3, 5, 7)), min_size=1, max_size=4), form=st.sampled_from(FORMS))
def test_any_masks_come_back_in_any_form(masks: list[Mask], form: SegForm) -> None:
    findings = replace(
        phantoms.nothing(),
        segments=tuple(phantoms.segment(mask, f"class {number}") for number, mask in enumerate(masks)),
    )
    if segmentation.is_empty(findings):
        return
    read = written(findings, phantoms.single_frame(phantoms.volume(shape=(3, 5, 7))), form)
    overlapping = bool((np.sum(masks, axis=0) > 1).any())
    assert read.SegmentsOverlap == ("YES" if overlapping and form is not SegForm.LABELMAP else "NO")


@pytest.mark.parametrize("form", FORMS)
def test_the_same_findings_give_the_same_bytes(form: SegForm) -> None:
    source = phantoms.single_frame(phantoms.volume())
    once, again = (
        to_file(segmentation.write(phantoms.two_lesions(), source, phantoms.identity(), form)) for _ in range(2)
    )
    assert once == again
