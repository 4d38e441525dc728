"""Segmentations written, read back and compared in millimetres: every orientation, single- and multi-frame."""

import itertools
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from highdicom import Volume
from highdicom.seg import Segmentation, segread
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dicom_node.errors import UnsuitableError
from dicom_node.results import mask_comparison, segmentation
from dicom_node.results.envelope import to_file
from dicom_node.results.source import Source
from inference.findings import Findings, Mask
from tests import phantoms
from tests.peers import dciodvfy

SIGNED_PERMUTATIONS = [
    np.eye(3)[:, list(axes)] * signs
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]
"""All 48 ways in which an array's axes can lie along the patient's; half of them left-handed, as some stacks run."""


def _written(findings: Findings, source: Source) -> Segmentation:
    return segread(BytesIO(to_file(segmentation.write(findings, source, phantoms.identity()))))


def _places(written: Segmentation, segment: int) -> set[tuple[float, ...]]:
    """Centres of a segment's voxels, LPS, in hundredths of a millimetre, as found from the file alone."""
    read = written.get_volume(segment_numbers=[segment], combine_segments=True, allow_missing_positions=True)
    return _centres(read.array > 0, read.affine)


def _centres(mask: Mask, affine: np.ndarray) -> set[tuple[float, ...]]:
    indices = np.c_[np.argwhere(mask), np.ones(int(mask.sum()))]
    return set(map(tuple, np.rint(100 * (affine @ indices.T)[:3].T).astype(int).tolist()))


@pytest.mark.parametrize(
    "direction", [*phantoms.ORIENTATIONS.values(), phantoms.OBLIQUE], ids=[*phantoms.ORIENTATIONS, "oblique"]
)
@pytest.mark.parametrize("frames", ["single", "multi", "multi, shuffled"])
def test_every_orientation_comes_back_voxel_identical(direction: np.ndarray, frames: str, tmp_path: Path) -> None:
    volume = phantoms.volume(direction)
    source = _source(volume, frames)
    findings = phantoms.two_lesions()
    dataset = segmentation.write(findings, source, phantoms.identity())
    path = tmp_path / "seg.dcm"
    path.write_bytes(to_file(dataset))
    mask_comparison.compare(path.read_bytes(), findings, source)
    for number, segment in enumerate(findings.segments, start=1):
        assert _places(segread(path), number) == _centres(segment.mask, volume.affine)
    assert dciodvfy(path) == []


def _source(volume: Volume, frames: str) -> Source:
    if frames == "single":
        return phantoms.single_frame(volume)
    order = [3, -1, 2, 1, 0, -1, 7, 6, 5, 4] if "shuffled" in frames else None
    return phantoms.multi_frame(volume, order=order, shared_orientation="shuffled" not in frames)


@settings(max_examples=60, deadline=None)
@given(
    masks=st.lists(arrays(np.bool_, (4, 5, 7)), min_size=1, max_size=3),
    direction=st.sampled_from(SIGNED_PERMUTATIONS),
    frames=st.sampled_from(["single", "multi"]),
    order=st.permutations(range(4)),
)
def test_any_mask_on_any_axes_comes_back_voxel_identical(
    masks: list[Mask],
    direction: np.ndarray,
    frames: str,
    order: list[int],
) -> None:
    findings = Findings(
        algorithm=phantoms.algorithm(),
        segments=tuple(phantoms.segment(mask, f"class {i}") for i, mask in enumerate(masks)),
        findings=(),
        narrative=phantoms.nothing().narrative,
    )
    if segmentation.is_empty(findings):
        return
    volume = phantoms.volume(direction, shape=(4, 5, 7))
    source = phantoms.multi_frame(volume, order=order) if frames == "multi" else phantoms.single_frame(volume)
    data = to_file(segmentation.write(findings, source, phantoms.identity()))
    mask_comparison.compare(data, findings, source)
    written = segread(BytesIO(data))
    for number, mask in enumerate(masks, start=1):
        if mask.any():
            assert _places(written, number) == _centres(mask, volume.affine)


def test_each_frame_refers_to_the_instance_it_lies_on() -> None:
    source = phantoms.single_frame(phantoms.volume(phantoms.ORIENTATIONS["axial, towards the feet"]))
    written = _written(phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 4), (4, 9), (3, 7))), source)
    by_uid = {ds.SOPInstanceUID: ds for ds in source.datasets}
    for frame in written.PerFrameFunctionalGroupsSequence:
        image = frame.DerivationImageSequence[0].SourceImageSequence[0]
        there = by_uid[image.ReferencedSOPInstanceUID].ImagePositionPatient
        assert frame.PlanePositionSequence[0].ImagePositionPatient == there
    assert {len(s.ReferencedInstanceSequence) for s in written.ReferencedSeriesSequence} == {8}


def test_each_frame_refers_to_the_frame_it_lies_on() -> None:
    source = phantoms.multi_frame(phantoms.volume(), order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4])
    written = _written(phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 4), (4, 9), (3, 7))), source)
    numbers = {
        int(f.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber)
        for f in written.PerFrameFunctionalGroupsSequence
    }
    assert numbers == {3, 1}  # slices 2 and 3 are stored as frames 3 and 1


def test_what_the_object_says_of_itself() -> None:
    written = _written(phantoms.two_lesions(), phantoms.single_frame(phantoms.volume()))
    assert written.SeriesDescription == "AI segmentation: lesion-segmenter (unverified), RESEARCH USE"
    assert (written.ContentLabel, written.ContentQualification) == ("AI_SEGMENTATION", "RESEARCH")
    assert (written.SegmentationType, written.ImageType) == ("BINARY", ["DERIVED", "PRIMARY"])
    assert written.FrameOfReferenceUID == "2.25.1234"
    assert f"{written.ContentDate}{written.ContentTime}" == "20260102030405"
    brain, lesion = written.SegmentSequence
    assert (brain.SegmentLabel, lesion.SegmentLabel) == ("Brain", "Lesion")
    assert {s.SegmentAlgorithmType for s in (brain, lesion)} == {"AUTOMATIC"}
    assert lesion.AnatomicRegionSequence[0].CodeMeaning == "Brain"
    assert "AnatomicRegionSequence" not in brain
    assert len(lesion.RecommendedDisplayCIELabValue) == 3
    assert lesion.TrackingID == "segment 2: Lesion"
    assert written.SegmentsOverlap == "YES"


def test_cleared_algorithms_are_not_marked_for_research() -> None:
    findings = phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 4), (4, 9), (3, 7)))
    cleared = Findings(
        algorithm=phantoms.algorithm("cleared"),
        segments=findings.segments,
        findings=findings.findings,
        narrative=findings.narrative,
    )
    written = _written(cleared, phantoms.single_frame(phantoms.volume()))
    assert "RESEARCH" not in str(written)
    assert written.ContentQualification == "PRODUCT"


def test_a_segment_empty_beside_others_is_described_without_frames(tmp_path: Path) -> None:
    shape = (8, 20, 18)
    full = phantoms.one_lesion(phantoms.box(shape, (2, 4), (4, 9), (3, 7)))
    findings = Findings(
        algorithm=full.algorithm,
        segments=(phantoms.segment(np.zeros(shape, dtype=np.bool_), "Haemorrhage"), *full.segments),
        findings=(),
        narrative=phantoms.nothing().narrative,
    )
    path = tmp_path / "seg.dcm"
    path.write_bytes(
        to_file(segmentation.write(findings, phantoms.single_frame(phantoms.volume()), phantoms.identity()))
    )
    written = segread(path)
    assert [s.SegmentLabel for s in written.SegmentSequence] == ["Haemorrhage", "Lesion"]
    assert written.NumberOfFrames == 2
    assert dciodvfy(path) == []


def test_the_padding_byte_is_zero() -> None:
    volume = phantoms.volume(shape=(3, 5, 5))  # one frame of 25 bits: four bytes; three frames of 75 bits: ten
    mask = phantoms.box((3, 5, 5), (1, 2), (0, 5), (0, 5))
    for findings, length in (
        (phantoms.one_lesion(mask), 4),
        (phantoms.one_lesion(np.ones((3, 5, 5), dtype=np.bool_)), 10),
    ):
        data = segmentation.write(findings, phantoms.single_frame(volume), phantoms.identity()).PixelData
        assert len(data) == length
    single = phantoms.one_lesion(phantoms.box((1, 3, 2), (0, 1), (0, 3), (0, 2)))
    dataset = segmentation.write(single, phantoms.single_frame(phantoms.volume(shape=(1, 3, 2))), phantoms.identity())
    assert dataset.PixelData == b"\x3f\x00"


@pytest.mark.parametrize("thickness", ["", "0", None, "5"])
def test_spacing_is_that_of_the_planes_whatever_the_header_says(thickness: str | None) -> None:
    source = phantoms.single_frame(phantoms.volume())
    for dataset in source.datasets:
        dataset.SpacingBetweenSlices = "7.7"
        if thickness is None:
            del dataset.SliceThickness
        else:
            dataset.SliceThickness = thickness
    written = _written(phantoms.two_lesions(), source)
    measures = written.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert (measures.SpacingBetweenSlices, measures.PixelSpacing) == (3.0, [0.9, 1.1])
    assert measures.SliceThickness == (5.0 if thickness == "5" else 3.0)


def test_lossy_source_is_said() -> None:
    source = phantoms.single_frame(phantoms.volume())
    for dataset in source.datasets:
        dataset.LossyImageCompression, dataset.LossyImageCompressionRatio = "01", "8"
    assert _written(phantoms.two_lesions(), source).LossyImageCompression == "01"


def test_a_source_without_frame_of_reference_is_refused() -> None:
    source = phantoms.single_frame(phantoms.volume())
    for dataset in source.datasets:
        del dataset.FrameOfReferenceUID
    with pytest.raises(UnsuitableError, match="Frame of Reference"):
        segmentation.write(phantoms.two_lesions(), source, phantoms.identity())
