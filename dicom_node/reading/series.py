"""The image series of a study: their frames in place, their facts for the choice, and what is wrong with them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydicom import Dataset

from dicom_node.errors import UnsuitableError
from dicom_node.reading.contrast_agent import contrast_agent_given
from dicom_node.reading.frames import CLASSIC, CT, MULTI_FRAME, frames
from dicom_node.reading.geometry import Grid, arrange, extent_mm, widest_spacing
from dicom_node.reading.header_values import number, text
from dicom_node.reading.one_volume import Slot, one_volume
from dicom_node.reading.part10 import Part10
from dicom_node.reading.patient import age_years
from dicom_node.reading.selection import SeriesCandidate
from dicom_node.reading.weighting import contrast, weighting


@dataclass(frozen=True, kw_only=True)
class ImageSeries:
    """One series whose headers were looked at.

    Attributes
    ----------
    parts
        Its instances, by SOP Instance UID.
    slots
        Frames, one at each place, in slice order; empty where `candidate.faults` says why no volume can be made.
    grid
        Their grid; None with faults.
    remarks
        What was left out, and how the planes were laid on the grid, without patient data.
    """

    modality: Literal["CT", "MR"]
    parts: tuple[Part10, ...]
    slots: tuple[Slot, ...]
    grid: Grid | None
    candidate: SeriesCandidate
    remarks: tuple[str, ...]


def survey(parts: Sequence[Part10]) -> tuple[ImageSeries, ...]:
    """Group instances to series, by UID, and look at each; instances that are no CT or MR images are passed over."""
    grouped: dict[str, list[Part10]] = {}
    for part in parts:
        if text(part.header, "SOPClassUID") in CLASSIC | MULTI_FRAME:
            grouped.setdefault(text(part.header, "SeriesInstanceUID"), []).append(part)
    return tuple(_series(uid, grouped[uid]) for uid in sorted(grouped))


def _series(uid: str, unsorted: list[Part10]) -> ImageSeries:
    parts = tuple(sorted(unsorted, key=lambda part: text(part.header, "SOPInstanceUID")))
    slots, faults = _slots(parts)
    chosen = one_volume(slots, parts, contrast_agent=contrast_agent_given(parts[0].header))
    spots = chosen.spots
    grid = _grid(spots, faults := [*faults, *chosen.faults])
    header = parts[spots[0][0].part].header if spots else parts[0].header
    modality: Literal["CT", "MR"] = "CT" if header.SOPClassUID in CT else "MR"
    return ImageSeries(
        modality=modality,
        parts=parts,
        slots=tuple(spots[i][0] for i in grid.order) if grid else (),
        grid=grid,
        candidate=_candidate(uid, modality, header, spots, tuple(faults)),
        remarks=(*chosen.remarks, *(grid.remarks if grid else ())),
    )


def _slots(parts: Sequence[Part10]) -> tuple[list[Slot], list[str]]:
    slots: list[Slot] = []
    wrong: Counter[str] = Counter()
    for index, part in enumerate(parts):
        try:
            found = frames(part.header)
        except UnsuitableError as error:
            wrong[str(error)] += 1
            continue
        slots += [Slot(part=index, index=i, frame=frame) for i, frame in enumerate(found)]
    faults = [f"{count} of {len(parts)} images: {what}" for what, count in sorted(wrong.items())]
    classes = {text(part.header, "SOPClassUID") for part in parts}
    if len(classes) > 1:
        faults.append(f"{len(classes)} kinds of image in one series")
    return slots, faults


def _grid(spots: Sequence[Sequence[Slot]], faults: list[str]) -> Grid | None:
    """The grid of the places; None, with what is wrong added to `faults`, where there is any fault."""
    if not spots:
        return None
    if any(not place[0].frame.plane.frame_of_reference_uid for place in spots):
        faults.append("no Frame of Reference UID")
    if len({place[0].part for place in spots if place[0].frame.number is not None}) > 1:
        faults.append("the slices of one volume are spread over several multi-frame objects")
    try:
        grid = arrange([place[0].frame.plane for place in spots])
    except UnsuitableError as error:
        faults.append(str(error))
        return None
    return None if faults else grid


def _candidate(
    uid: str,
    modality: Literal["CT", "MR"],
    header: Dataset,
    spots: Sequence[Sequence[Slot]],
    faults: tuple[str, ...],
) -> SeriesCandidate:
    planes = [place[0].frame.plane for place in spots]
    spacing = widest_spacing(planes) if planes else None
    described = contrast(header)
    return SeriesCandidate(
        uid=uid,
        label=_label(header),
        modality=modality,
        weighting="CT" if modality == "CT" else weighting(described),
        body_part=text(header, "BodyPartExamined"),
        contrast_agent=contrast_agent_given(header),
        image_type=tuple(value for value in text(header, "ImageType").split("\\") if value),
        slices=len(spots),
        rows=int(number(header, "Rows") or 0),
        columns=int(number(header, "Columns") or 0),
        spacing_mm=spacing if spacing is not None else planes[0].thickness if planes else None,
        extent_mm=extent_mm(planes, spacing) if planes else None,
        age_years=age_years(header),
        echo_planar="EP" in described.sequence,
        faults=faults,
    )


def _label(header: Dataset) -> str:
    given = number(header, "SeriesNumber")
    return "a series without number" if given is None else f"series {given:g}"
