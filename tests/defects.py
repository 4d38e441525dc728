"""What a seeded defect is, and the tools to harm a dataset in one place without pydicom's leave."""

from collections.abc import Callable
from dataclasses import dataclass

from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from dicom_node.results.content_tree import concept, content_items
from dicom_node.study import ObjectKind

Objects = dict[ObjectKind, Dataset]
Harm = Callable[[Objects], None]

SEG, SR, NARRATIVE = ObjectKind.SEG, ObjectKind.SR, ObjectKind.NARRATIVE
ANY_SOURCE = ("single-frame", "multi-frame")


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One thing that is wrong.

    Attributes
    ----------
    name
        In words, unique.
    harm
        Does it to valid objects.
    words
        What the error must say, as a regular expression that no other check's sentence satisfies.
    sources
        Kinds of source it is seeded on.
    """

    name: str
    harm: Harm
    words: str
    sources: tuple[str, ...] = ANY_SOURCE


def put(item: Dataset, keyword: str, value: object) -> None:
    """Set a value that need not be valid."""
    item[keyword] = DataElement(Tag(keyword), dictionary_VR(keyword), value, validation_mode=config.IGNORE)


def setting(kind: ObjectKind, keyword: str, value: object) -> Harm:
    """Harm at the root of an object: another value."""
    return lambda objects: put(objects[kind], keyword, value)


def removing(kind: ObjectKind, keyword: str) -> Harm:
    """Harm at the root of an object: an attribute less."""
    return lambda objects: delattr(objects[kind], keyword)


def in_segment(number: int, keyword: str, value: object) -> Harm:
    """Harm in a segment (1-based): another value, or none for None."""

    def harm(objects: Objects) -> None:
        segment = objects[SEG].SegmentSequence[number - 1]
        if value is None:
            delattr(segment, keyword)
        else:
            put(segment, keyword, value)

    return harm


def find(root: Dataset, code: str, value_type: str | None = None) -> Dataset:
    """The first content item with a concept name."""
    items = (i for i in content_items(root) if concept(i) == code)
    return next(i for i in items if value_type in {None, i.ValueType})


def group(objects: Objects, number: int = 1) -> Dataset:
    """A measurement group (1-based) of the report."""
    return [i for i in content_items(objects[SR]) if concept(i) == "125007"][number - 1]


def drop(parent: Dataset, code: str) -> None:
    """Take the children with a concept name out of an item."""
    parent.ContentSequence = [item for item in parent.ContentSequence if concept(item) != code]


def frame(objects: Objects, number: int = 1) -> Dataset:
    """Functional groups of a frame (1-based) of the segmentation."""
    item: Dataset = objects[SEG].PerFrameFunctionalGroupsSequence[number - 1]
    return item


def source_image(objects: Objects, number: int = 1) -> Dataset:
    """The reference of a frame of the segmentation to its source."""
    image: Dataset = frame(objects, number).DerivationImageSequence[0].SourceImageSequence[0]
    return image


def region_image(objects: Objects) -> Dataset:
    """The reference of the first region of the report to its image."""
    image: Dataset = find(objects[SR], "111030").ContentSequence[0].ReferencedSOPSequence[0]
    return image


def evidence(objects: Objects, kind: ObjectKind = SR) -> Dataset:
    """The study in a document's evidence."""
    study: Dataset = objects[kind].CurrentRequestedProcedureEvidenceSequence[0]
    return study


def algorithm(objects: Objects, kind: ObjectKind) -> Dataset:
    """The algorithm in the Contributing Equipment of an object."""
    found: Dataset = next(i for i in objects[kind].ContributingEquipmentSequence if "DeviceUID" in i)
    return found
