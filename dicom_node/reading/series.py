"""The image series of a study: their frames in place, their facts for the choice, and what is wrong with them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydicom import Dataset

from dicom_node.errors import UnsuitableError
from dicom_node.reading.contrast_agent import contrast_agent_given
from dicom_node.reading.frames import CLASSIC, CT, MULTI_FRAME, Frame, frame_count, frames
from dicom_node.reading.geometry import Grid, arrange, extent_mm, places, usual_spacing
from dicom_node.reading.header_values import number, text
from dicom_node.reading.part10 import Part10
from dicom_node.reading.patient import age_years
from dicom_node.reading.selection import SeriesCandidate
from dicom_node.reading.weighting import contrast, weighting

TRAITS_SHOWN = 4
"""Values of one trait that a sentence lists before it only counts them."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One frame of the series: which part it comes from, its index there, and what is known of it."""

    part: int
    index: int
    frame: Frame


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
    notes
        What was left out or should be known, without patient data.
    """

    modality: Literal["CT", "MR"]
    parts: tuple[Part10, ...]
    slots: tuple[Slot, ...]
    grid: Grid | None
    candidate: SeriesCandidate
    notes: tuple[str, ...]


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
    spots = _places(slots, faults)
    kept, repeated = _without_repeats(spots, parts)
    grid = _grid(kept, faults)
    header = parts[0].header
    modality: Literal["CT", "MR"] = "CT" if header.SOPClassUID in CT else "MR"
    return ImageSeries(
        modality=modality,
        parts=parts,
        slots=tuple(kept[i][0] for i in grid.order) if grid else (),
        grid=grid,
        candidate=_candidate(uid, modality, parts, kept, tuple(faults)),
        notes=(f"{repeated} of {len(slots)} images repeat another one and were left out",) if repeated else (),
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
    classes = {part.header.SOPClassUID for part in parts}
    if len(classes) > 1:
        faults.append(f"{len(classes)} kinds of image in one series")
    return slots, faults


def _places(slots: list[Slot], faults: list[str]) -> list[list[Slot]]:
    """Slots of each place along the normal; empty with a fault where there are none or no orientation to sort by."""
    if not slots:
        return []
    try:
        return [[slots[i] for i in place] for place in places([slot.frame.plane for slot in slots])]
    except UnsuitableError as error:
        faults.append(str(error))
        return []


def _without_repeats(spots: list[list[Slot]], parts: Sequence[Part10]) -> tuple[list[list[Slot]], int]:
    """Places with images that repeat another one left out, and how many those were."""
    kept: list[list[Slot]] = []
    for place in spots:
        different: list[Slot] = []
        for slot in place:
            if not any(_repeats(slot, other, parts) for other in different):
                different.append(slot)
        kept.append(different)
    return kept, sum(map(len, spots)) - sum(map(len, kept))


def _repeats(slot: Slot, other: Slot, parts: Sequence[Part10]) -> bool:
    """Whether two single images hold the same pixels; frames of one object never count as repeats."""
    one, two = parts[slot.part], parts[other.part]
    if slot.frame.number is not None or other.frame.number is not None or one.pixels is None or two.pixels is None:
        return False
    described = ("BitsAllocated", "BitsStored", "PixelRepresentation", "Rows", "Columns")
    return (
        one.transfer_syntax_uid == two.transfer_syntax_uid
        and (slot.frame.slope, slot.frame.intercept) == (other.frame.slope, other.frame.intercept)
        and all(text(one.header, keyword) == text(two.header, keyword) for keyword in described)
        and one.pixels == two.pixels
    )


def _grid(kept: list[list[Slot]], faults: list[str]) -> Grid | None:
    if not kept:
        return None
    several = _several_at_one_place(kept)
    if several:
        faults.append(several)
    if any(not place[0].frame.plane.frame_of_reference_uid for place in kept):
        faults.append("no Frame of Reference UID")
    try:
        grid = arrange([place[0].frame.plane for place in kept])
    except UnsuitableError as error:
        faults.append(str(error))
        return None
    return None if faults else grid


def _several_at_one_place(kept: list[list[Slot]]) -> str:
    """What is there several times, and what tells it apart: time points, echoes, b-values; empty where nothing is."""
    crowded = [place for place in kept if len(place) > 1]
    if not crowded:
        return ""
    counts = sorted({len(place) for place in crowded})
    many = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    where = "each of" if len(crowded) == len(kept) else f"{len(crowded)} of"
    found = [dict(slot.frame.traits) for slot in crowded[0]]
    names = [name for name in found[0] if len({traits.get(name) for traits in found}) > 1]
    told_apart = ", ".join(f"{name} {_values([traits.get(name, '') for traits in found])}" for name in names)
    return f"{many} images at {where} {len(kept)} places" + (f", apart in {told_apart}" if told_apart else "")


def _values(values: list[str]) -> str:
    try:
        different = sorted({float(value) for value in values})
    except ValueError:
        return f"({len(set(values))} values)"
    shown = ", ".join(f"{value:g}" for value in different[:TRAITS_SHOWN])
    return f"({shown}{' ...' if len(different) > TRAITS_SHOWN else ''})"


def _candidate(
    uid: str, modality: Literal["CT", "MR"], parts: Sequence[Part10], kept: list[list[Slot]], faults: tuple[str, ...]
) -> SeriesCandidate:
    header = parts[0].header
    planes = [place[0].frame.plane for place in kept]
    spacing = usual_spacing(planes) if planes else None
    described = contrast(header)
    image_type = tuple(value for value in text(header, "ImageType").split("\\") if value)
    return SeriesCandidate(
        uid=uid,
        label=_label(header),
        modality=modality,
        weighting="CT" if modality == "CT" else weighting(described),
        body_part=text(header, "BodyPartExamined"),
        contrast_agent=contrast_agent_given(header),
        image_type=image_type,
        objects=len(parts),
        frames=sum(frame_count(part.header) for part in parts),
        slices=len(kept),
        volumes=max(map(len, kept), default=0),
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
