"""Objects that came back from a synthetic head, held against what was planted in it: in voxels and millilitres."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from highdicom.seg import Segmentation
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage, EnhancedSRStorage, SegmentationStorage

from inference.synthetic.head import SyntheticHead

_LEAST_DICE = 0.7
_VOLUME_TOLERANCE = 0.01  # between the SR's millilitres and those of the mask, relative
_KINDS = {SegmentationStorage: "SEG", Comprehensive3DSRStorage: "SR", EnhancedSRStorage: "NARRATIVE"}
_ANSWERS = "AI answer"
_VOLUME = "118565006"  # SCT, Volume


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """What was found against what was planted.

    Attributes
    ----------
    agrees
        Every planted lesion was found, nothing else was, the masks overlap, and the report's volumes are the mask's.
    lines
        The same in words.
    caption
        One line for the picture.
    mask
        (slice, row, column), bool: what the segmentation drew, on the grid of the head.
    """

    agrees: bool
    lines: tuple[str, ...]
    caption: str
    mask: NDArray[np.bool_]


def kind(dataset: Dataset) -> str:
    """SEG, SR or NARRATIVE, by SOP class; ANSWER of a narrative that answers a question, by its description."""
    if str(dataset.get("SeriesDescription", "")).startswith(_ANSWERS):
        return "ANSWER"
    return _KINDS.get(dataset.SOPClassUID, "OTHER")


def file_size(dataset: Dataset) -> int:
    """Bytes of the object as a file."""
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return len(file.getvalue())


def in_words(dataset: Dataset) -> str:
    """What an object says, in one line."""
    if dataset.SOPClassUID == SegmentationStorage:
        labels = ", ".join(str(item.SegmentLabel) for item in dataset.SegmentSequence)
        return f"segments: {labels}; {dataset.NumberOfFrames} frames"
    volumes = volumes_ml(dataset)
    if volumes:
        findings = "one finding" if len(volumes) == 1 else f"{len(volumes)} findings"
        return f"{findings}: " + ", ".join(f"{ml:.2f} mL" for ml in volumes)
    return " ".join(texts(dataset))


def agreement(head: SyntheticHead, sent: Sequence[Dataset], received: Sequence[Dataset]) -> Agreement:
    """Compare the mask voxel by voxel with the planted lesions, and the report's volumes with the mask's."""
    by_kind = {kind(dataset): dataset for dataset in received}
    mask = mask_on(by_kind["SEG"], sent) if "SEG" in by_kind else np.zeros(head.brain.shape, dtype=np.bool_)
    planted = np.any([lesion.mask for lesion in head.lesions], axis=0)
    dice = 2.0 * np.sum(mask & planted) / max(1, np.sum(mask) + np.sum(planted))
    hit = sum(bool(np.any(mask & lesion.mask)) for lesion in head.lesions)
    reported = volumes_ml(by_kind["SR"]) if "SR" in by_kind else []
    voxel_ml = float(np.prod(head.image.volume.spacing)) / 1000.0
    drawn_ml, planted_ml = float(mask.sum()) * voxel_ml, float(planted.sum()) * voxel_ml
    volumes_fit = abs(sum(reported) - drawn_ml) <= _VOLUME_TOLERANCE * max(drawn_ml, voxel_ml)
    counts_fit = hit == len(reported) == len(head.lesions)
    lines = (
        f"planted: {_lesions(len(head.lesions))}, {planted_ml:.2f} mL",
        f"found: {_lesions(len(reported))}, {drawn_ml:.2f} mL in the mask, {sum(reported):.2f} mL in the report",
        f"{hit} of {_lesions(len(head.lesions))} touched by the mask, Dice {dice:.2f} over all voxels",
    )
    caption = (
        "found: " + ", ".join(f"{ml:.2f} mL" for ml in reported) + f"; planted: {planted_ml:.2f} mL, Dice {dice:.2f}"
    )
    return Agreement(agrees=counts_fit and volumes_fit and dice >= _LEAST_DICE, lines=lines, caption=caption, mask=mask)


def _lesions(count: int) -> str:
    return "1 lesion" if count == 1 else f"{count} lesions"


def mask_on(segmentation: Dataset, sources: Sequence[Dataset]) -> NDArray[np.bool_]:
    """The union of a segmentation's segments, (source, row, column), on single-frame sources in their order."""
    read = Segmentation.from_dataset(segmentation)
    pixels = read.get_pixels_by_source_instance(
        [source.SOPInstanceUID for source in sources], assert_missing_frames_are_empty=True
    )
    found: NDArray[np.bool_] = np.any(pixels > 0, axis=-1)
    return found


def volumes_ml(report: Dataset) -> list[float]:
    """Every volume in a report's tree, mL, in order."""
    found = []
    for item in _items(report):
        concept = item.get("ConceptNameCodeSequence")
        if item.get("ValueType") == "NUM" and concept and concept[0].get("CodeValue") == _VOLUME:
            value = item.MeasuredValueSequence[0]
            scale = 0.001 if value.MeasurementUnitsCodeSequence[0].CodeValue == "mm3" else 1.0
            found.append(float(value.NumericValue) * scale)
    return found


def texts(report: Dataset) -> list[str]:
    """Every text that a report's sections hold, in order; not who observed."""
    contained = (item for item in _items(report) if item.get("RelationshipType") == "CONTAINS")
    return [str(item.TextValue) for item in contained if item.get("ValueType") == "TEXT"]


def _items(node: Dataset) -> list[Dataset]:
    found = []
    for item in node.get("ContentSequence", []):
        found.append(item)
        found.extend(_items(item))
    return found
