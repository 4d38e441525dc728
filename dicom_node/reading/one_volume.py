"""One volume out of a series that may hold several: one stack, time point, echo or b-value; what is left is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_node.errors import UnsuitableError
from dicom_node.reading.frames import Frame
from dicom_node.reading.geometry import places, stacks
from dicom_node.reading.header_values import text
from dicom_node.reading.part10 import Part10

VALUES_SHOWN = 4
"""Values of one trait that a sentence lists before it only counts them."""

OBJECT = "object"
"""Trait of frames of different multi-frame objects: which object it is, counted from 1."""

OF_TIME = ("time point", "acquisition", "trigger time (ms)")
"""Traits of which the last is read where a contrast agent was given: the first shows the body before it came."""

TOLD_APART = ("b-value (s/mm2)", *OF_TIME, "Echo Time (ms)", "Inversion Time (ms)", "stack", OBJECT)
"""Traits by which one volume is taken out of several, in this order; of each the lowest value is read."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One frame of the series: which part it comes from, its index there, and what is known of it."""

    part: int
    index: int
    frame: Frame


@dataclass(frozen=True, kw_only=True)
class OneVolume:
    """What is read of a series.

    Attributes
    ----------
    spots
        Slots of each place, along the normal; one each, unless `faults` says why not.
    remarks
        What was left, in sentences without patient data.
    faults
        Why none could be chosen.
    """

    spots: tuple[tuple[Slot, ...], ...]
    remarks: tuple[str, ...]
    faults: tuple[str, ...]


def one_volume(slots: Sequence[Slot], parts: Sequence[Part10], *, contrast_agent: bool) -> OneVolume:
    """Choose one volume.

    Parameters
    ----------
    slots
        All frames of the series.
    parts
        Its instances, whose pixels tell a repeated image from another one.
    contrast_agent
        Whether one was given: then the last of several time points is read, else the first.
    """
    if not slots:
        return OneVolume(spots=(), remarks=(), faults=())
    try:
        found = stacks([slot.frame.plane for slot in slots])
        stack = [slots[i] for i in found.read]
        spots = [[stack[i] for i in place] for place in places([slot.frame.plane for slot in stack])]
    except UnsuitableError as error:
        return OneVolume(spots=(), remarks=(), faults=(str(error),))
    spots, repeated = _without_repeats(spots, parts)
    remarks = [found.remark] if found.remark else []
    if repeated:
        remarks.append(f"{repeated} of {len(slots)} images repeat another one and were left out")
    spots, left = _one_of_several(spots, contrast_agent=contrast_agent)
    several = _several_at_one_place(spots)
    return OneVolume(
        spots=tuple(map(tuple, spots)),
        remarks=(*remarks, *left),
        faults=(several,) if several else (),
    )


def _one_of_several(spots: list[list[Slot]], *, contrast_agent: bool) -> tuple[list[list[Slot]], list[str]]:
    """Places thinned out by one trait after the other, and what was left by each."""
    remarks = []
    objects = {part: str(n) for n, part in enumerate(sorted({s.part for place in spots for s in place}), start=1)}
    for name in TOLD_APART:
        if max(map(len, spots)) == 1:
            break
        values = [[_trait(slot, name, objects) for slot in place] for place in spots]
        if not any(len(set(of_place)) > 1 for of_place in values):
            continue
        everywhere = _ordered(set.intersection(*(set(of_place) - {""} for of_place in values)))
        if not everywhere:
            continue
        wanted = everywhere[-1 if contrast_agent and name in OF_TIME else 0]
        others = _ordered({v for of_place in values for v in of_place} - {wanted})
        remarks.append(f"{_many(spots)}: {name} {_shown([wanted])} was read, {_shown(others)} left")
        spots = [[slot for slot in place if _trait(slot, name, objects) == wanted] for place in spots]
    return spots, remarks


def _trait(slot: Slot, name: str, objects: dict[int, str]) -> str:
    if name == OBJECT:
        return objects[slot.part] if slot.frame.number is not None else ""
    return dict(slot.frame.traits).get(name, "")


def _ordered(values: set[str]) -> list[str]:
    try:
        return sorted(values, key=lambda value: (float(value), value))
    except ValueError:
        return sorted(values)


def _shown(values: Sequence[str]) -> str:
    named = [f"{float(v):g}" if _is_number(v) else "(none)" if not v else "another" for v in values[:VALUES_SHOWN]]
    return ", ".join(named) + (f" and {len(values) - VALUES_SHOWN} more" if len(values) > VALUES_SHOWN else "")


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _many(spots: Sequence[Sequence[Slot]]) -> str:
    crowded = [place for place in spots if len(place) > 1]
    counts = sorted({len(place) for place in crowded})
    many = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{many} images at {'each of' if len(crowded) == len(spots) else f'{len(crowded)} of'} {len(spots)} places"


def _several_at_one_place(spots: list[list[Slot]]) -> str:
    """What is there several times, and what tells it apart; empty where nothing is."""
    crowded = [place for place in spots if len(place) > 1]
    if not crowded:
        return ""
    found = [dict(slot.frame.traits) for slot in crowded[0]]
    names = [name for name in found[0] if len({traits.get(name) for traits in found}) > 1]
    told_apart = [f"{name} ({_shown(_ordered({traits.get(name, '') for traits in found}))})" for name in names]
    return _many(spots) + (f", apart in {', '.join(told_apart)}" if told_apart else "")


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
