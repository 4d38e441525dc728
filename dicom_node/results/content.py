"""Content items of an SR tree (PS3.3 C.17.3), a function for each value type that is written; knows no template.

They are the items that highdicom's classes make, made without walking and copying the tree at every step.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from highdicom.sr import RelationshipTypeValues
from pydicom import Dataset
from pydicom.sr.coding import Code

from dicom_node.results.item import coded, item
from dicom_node.results.planes import Reference

SOURCE = Code("260753009", "SCT", "Source")
"""Names the image that coordinates are selected from."""

_CONTAINS = RelationshipTypeValues.CONTAINS


def container(
    name: Code,
    children: Iterable[Dataset],
    relationship: RelationshipTypeValues | None = _CONTAINS,
    template: str | None = None,
) -> Dataset:
    """CONTAINER; of a template of DCMR where one is named, the root of the tree where it has no relationship."""
    templates = {} if template is None else {"ContentTemplateSequence": [_template(template)]}
    return _content("CONTAINER", name, relationship, children, ContinuityOfContent="CONTINUOUS", **templates)


def text(
    name: Code, value: str, relationship: RelationshipTypeValues = _CONTAINS, children: Sequence[Dataset] = ()
) -> Dataset:
    """TEXT."""
    return _content("TEXT", name, relationship, children, TextValue=value)


def code(
    name: Code, value: Code, relationship: RelationshipTypeValues = _CONTAINS, children: Sequence[Dataset] = ()
) -> Dataset:
    """CODE."""
    return _content("CODE", name, relationship, children, ConceptCodeSequence=[coded(value)])


def uid(name: Code, value: str, relationship: RelationshipTypeValues = _CONTAINS) -> Dataset:
    """UIDREF."""
    return _content("UIDREF", name, relationship, UID=value)


def number(
    name: Code,
    value: float,
    unit: Code,
    shown: str,
    relationship: RelationshipTypeValues = _CONTAINS,
    children: Sequence[Dataset] = (),
) -> Dataset:
    """NUM (PS3.3 C.18.1): `shown` is the decimal string for the reader, `value` the number as it is."""
    measured = item(MeasurementUnitsCodeSequence=[coded(unit)], FloatingPointValue=float(value), NumericValue=shown)
    return _content("NUM", name, relationship, children, MeasuredValueSequence=[measured])


def image(
    name: Code,
    reference: Reference,
    segment_number: int | None = None,
    relationship: RelationshipTypeValues = _CONTAINS,
) -> Dataset:
    """IMAGE (PS3.3 C.18.4): an instance, its frame, or its segment."""
    frame = {} if reference.frame_number is None else {"ReferencedFrameNumber": reference.frame_number}
    segment = {} if segment_number is None else {"ReferencedSegmentNumber": segment_number}
    return _content("IMAGE", name, relationship, ReferencedSOPSequence=[_instance(reference, **frame, **segment)])


def below(parent: Dataset, children: Sequence[Dataset]) -> None:
    """Put more content items below one."""
    parent.ContentSequence = [*parent.get("ContentSequence", ()), *children]


def polyline(
    name: Code,
    vertices: Sequence[float],
    on: Reference,
    relationship: RelationshipTypeValues = _CONTAINS,
    source_name: Code = SOURCE,
) -> Dataset:
    """SCOORD of a line (PS3.3 C.18.6): column, row, column, row, ... on the image that it is selected from."""
    source = image(source_name, on, relationship=RelationshipTypeValues.SELECTED_FROM)
    return _content("SCOORD", name, relationship, [source], GraphicType="POLYLINE", GraphicData=list(vertices))


def _content(
    value_type: str,
    name: Code,
    relationship: RelationshipTypeValues | None,
    children: Iterable[Dataset] = (),
    **values: Any,
) -> Dataset:
    items = list(children)
    return item(
        **({} if relationship is None else {"RelationshipType": relationship.value}),
        ValueType=value_type,
        ConceptNameCodeSequence=[coded(name)],
        **values,
        **({"ContentSequence": items} if items else {}),
    )


def _template(identifier: str) -> Dataset:
    return item(MappingResource="DCMR", TemplateIdentifier=identifier)


def _instance(reference: Reference, **values: int) -> Dataset:
    return item(
        ReferencedSOPClassUID=reference.sop_class_uid, ReferencedSOPInstanceUID=reference.sop_instance_uid, **values
    )
