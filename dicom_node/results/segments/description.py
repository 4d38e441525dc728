"""What a segmentation says of its segments: the Segment Sequence (PS3.3 C.8.20.4)."""

from collections.abc import Sequence

import numpy as np
from highdicom.color import CIELabColor
from pydicom import Dataset
from pydicom.sr.coding import Code

from dicom_node.results import placement, provenance
from dicom_node.results.identity import Identity
from dicom_node.results.item import coded, item
from dicom_node.results.provenance import Device
from dicom_node.results.text import fit
from inference.findings import Findings, Segment

_BACKGROUND = Code("125040", "DCM", "Background")


def described(findings: Findings, device: Device, identity: Identity) -> list[Dataset]:
    """One item for each segment, in their order."""
    return [_segment(findings, index, device, identity) for index in range(len(findings.segments))]


def described_labels(
    findings: Findings, device: Device, identity: Identity, covered: Sequence[Sequence[int]]
) -> list[Dataset]:
    """The same of a label map: with an item for its background, and told of each segment what is drawn over it."""
    items = described(findings, device, identity)
    for item_of_segment, over in zip(items, covered, strict=True):
        if over:
            names = ", ".join(fit(findings.segments[index].label, 64) for index in over)
            item_of_segment.SegmentDescription = fit(
                f"{item_of_segment.SegmentDescription}. Its voxels under {names} carry that number", 1024
            )
    return [_background(device), *items]


def warning(device: Device) -> str:
    """What the object and each segment say first."""
    return "AI, not verified by a physician" + (". RESEARCH USE ONLY" if device.research else "")


def _algorithm(device: Device) -> dict[str, object]:
    return {
        "SegmentAlgorithmType": "AUTOMATIC",
        "SegmentAlgorithmName": device.model_name,
        "SegmentationAlgorithmIdentificationSequence": list(provenance.algorithm_identification(device)),
    }


def _segment(findings: Findings, index: int, device: Device, identity: Identity) -> Dataset:
    segment = findings.segments[index]
    label = _tracking_label(findings, index, segment)
    anatomy = {"AnatomicRegionSequence": [coded(segment.anatomy)]} if segment.anatomy else {}
    return item(
        SegmentNumber=index + 1,
        SegmentLabel=fit(segment.label, 64),
        SegmentDescription=warning(device),
        **_algorithm(device),
        SegmentedPropertyCategoryCodeSequence=[coded(segment.category)],
        SegmentedPropertyTypeCodeSequence=[coded(segment.type)],
        **anatomy,
        RecommendedDisplayCIELabValue=_lab(segment.color),
        TrackingID=label,
        TrackingUID=placement.tracking_uid(identity, label),
    )


def _tracking_label(findings: Findings, index: int, segment: Segment) -> str:
    """The finding's label where the segment shows that finding and no more, so that SEG and SR track the same thing."""
    shown = [(f.label, f.region) for f in findings.findings if f.segment == index and f.region is not None]
    if len(shown) == 1 and np.array_equal(shown[0][1], segment.mask):
        return fit(shown[0][0], 64)
    return fit(f"segment {index + 1}: {segment.label}", 64)


def _background(device: Device) -> Dataset:
    return item(
        SegmentNumber=0,
        SegmentLabel="Background",
        SegmentDescription=warning(device),
        **_algorithm(device),
        SegmentedPropertyCategoryCodeSequence=[coded(_BACKGROUND)],
        SegmentedPropertyTypeCodeSequence=[coded(_BACKGROUND)],
        RecommendedDisplayCIELabValue=_lab((0, 0, 0)),
    )


def _lab(color: tuple[int, int, int]) -> list[int]:
    return list(CIELabColor.from_rgb(*color).value)
