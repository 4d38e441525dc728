"""A segmentation damaged in every way that matters, and the comparison that must see it."""

from collections.abc import Callable

import jpeg_ls
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate, generate_frames

from dicom_node.errors import DefectError
from dicom_node.results import mask_comparison, segmentation
from dicom_node.results.envelope import to_file
from dicom_node.results.segmentation_form import SegForm
from tests import phantoms


def _swap_references(written: Dataset) -> None:
    _swap(written, "DerivationImageSequence")


def _swap_positions(written: Dataset) -> None:
    _swap(written, "PlanePositionSequence")


def _swap(written: Dataset, keyword: str) -> None:
    first, second = written.PerFrameFunctionalGroupsSequence[:2]
    first[keyword], second[keyword] = second[keyword], first[keyword]


def _flip_a_bit(written: Dataset) -> None:
    written.PixelData = bytes([written.PixelData[0] ^ 1]) + written.PixelData[1:]


def _refer_elsewhere(written: Dataset) -> None:
    frame = written.PerFrameFunctionalGroupsSequence[0]
    frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = "2.25.99"


def _lose_a_frame(written: Dataset) -> None:
    written.PerFrameFunctionalGroupsSequence = written.PerFrameFunctionalGroupsSequence[:-1]
    written.NumberOfFrames -= 1
    written.PixelData = written.PixelData[: 20 * 18 * written.NumberOfFrames * written.BitsAllocated // 8]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_swap_references, "mm from where its mask was drawn"),
        (_swap_positions, "mm from where its mask was drawn"),
        (_flip_a_bit, "not written as it was drawn on slice"),
        (_refer_elsewhere, "refers to no plane of the source"),
        (_lose_a_frame, "were not written"),
    ],
)
@pytest.mark.parametrize("form", [SegForm.BINARY, SegForm.FRACTIONAL])
def test_the_comparison_sees_every_damage(damage: Callable[[Dataset], None], message: str, form: SegForm) -> None:
    source = phantoms.single_frame(phantoms.volume())
    findings = phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 5), (4, 9), (3, 7)))
    dataset = segmentation.write(findings, source, phantoms.identity(), form)
    damage(dataset)
    with pytest.raises(DefectError, match=message):
        mask_comparison.compare(to_file(dataset), findings, source)


def _relabel(written: Dataset, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """A label map whose labels were changed before they were compressed."""
    frames = list(generate_frames(written.PixelData, number_of_frames=written.NumberOfFrames))
    labels = [np.frombuffer(jpeg_ls.decode_from_buffer(frame), np.uint8).reshape(20, 18).copy() for frame in frames]
    written.PixelData = encapsulate([bytes(jpeg_ls.encode_array(change(plane))) for plane in labels])
    written["PixelData"].is_undefined_length = True


def _lost(labels: np.ndarray) -> np.ndarray:
    return np.where(labels == 2, 0, labels).astype(np.uint8)


def _hidden(labels: np.ndarray) -> np.ndarray:
    return np.where(labels == 2, 1, labels).astype(np.uint8)


def _made_up(labels: np.ndarray) -> np.ndarray:
    labels[0, 0] = 1
    return labels


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_lost, "segment 2 was not written"),
        (_hidden, "segment 2 was not written"),
        (_made_up, "segment 1 was not written"),
    ],
)
def test_the_comparison_sees_a_wrong_label(change: Callable[[np.ndarray], np.ndarray], message: str) -> None:
    source, findings = phantoms.single_frame(phantoms.volume()), phantoms.two_lesions()
    dataset = segmentation.write(findings, source, phantoms.identity(), SegForm.LABELMAP)
    mask_comparison.compare(to_file(dataset), findings, source)
    _relabel(dataset, change)
    with pytest.raises(DefectError, match=message):
        mask_comparison.compare(to_file(dataset), findings, source)


def test_a_frame_of_a_label_map_that_is_lost_is_seen() -> None:
    source, findings = phantoms.single_frame(phantoms.volume()), phantoms.two_lesions()
    dataset = segmentation.write(findings, source, phantoms.identity(), SegForm.LABELMAP)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames))
    dataset.PixelData = encapsulate(frames[:-1])
    dataset["PixelData"].is_undefined_length = True
    dataset.NumberOfFrames -= 1
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:-1]
    with pytest.raises(DefectError, match="segment 1 has voxels on slice 7 that were not written"):
        mask_comparison.compare(to_file(dataset), findings, source)


def test_pixels_that_are_cut_short_are_seen() -> None:
    source = phantoms.single_frame(phantoms.volume())
    findings = phantoms.two_lesions()
    dataset = segmentation.write(findings, source, phantoms.identity())
    dataset.PixelData = dataset.PixelData[:-2]
    with pytest.raises(DefectError, match="pixels of the segmentation are missing"):
        mask_comparison.compare(to_file(dataset), findings, source)


def test_a_number_of_frames_that_does_not_fit_is_seen() -> None:
    source, findings = phantoms.single_frame(phantoms.volume()), phantoms.two_lesions()
    dataset = segmentation.write(findings, source, phantoms.identity())
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:-1]
    with pytest.raises(DefectError, match="9 functional groups for 10 frames"):
        mask_comparison.compare(to_file(dataset), findings, source)
