"""A segmentation damaged in every way that matters, and the comparison that must see it."""

from collections.abc import Callable

import pytest
from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results import mask_comparison, segmentation
from dicom_node.results.envelope import to_file
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
    written.PixelData = written.PixelData[: 20 * 18 * written.NumberOfFrames // 8]


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
def test_the_comparison_sees_every_damage(damage: Callable[[Dataset], None], message: str) -> None:
    source = phantoms.single_frame(phantoms.volume())
    findings = phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 5), (4, 9), (3, 7)))
    dataset = segmentation.write(findings, source, phantoms.identity())
    damage(dataset)
    with pytest.raises(DefectError, match=message):
        mask_comparison.compare(to_file(dataset), findings, source)
