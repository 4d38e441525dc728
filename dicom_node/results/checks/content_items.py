"""Whether each content item holds what its value type demands and its SOP class allows (PS3.3 C.17.3, C.18)."""

from pydicom import Dataset
from pydicom.uid import BasicTextSRStorage, ComprehensiveSRStorage, EnhancedSRStorage

from dicom_node.errors import DefectError
from dicom_node.results.checks.subject import Written
from dicom_node.results.checks.values import is_empty
from dicom_node.results.content_tree import content_items

VALUE = {
    "CODE": ("ConceptCodeSequence",),
    "COMPOSITE": ("ReferencedSOPSequence",),
    "CONTAINER": ("ContinuityOfContent",),
    "DATE": ("Date",),
    "DATETIME": ("DateTime",),
    "IMAGE": ("ReferencedSOPSequence",),
    "NUM": ("MeasuredValueSequence",),
    "PNAME": ("PersonName",),
    "SCOORD": ("GraphicType", "GraphicData"),
    "SCOORD3D": ("GraphicType", "GraphicData", "ReferencedFrameOfReferenceUID"),
    "TEXT": ("TextValue",),
    "TIME": ("Time",),
    "UIDREF": ("UID",),
}
"""Attributes of each value type (PS3.3 Table C.17-5 and C.18) that may not be empty here."""

_MAY_BE_NAMELESS = {"IMAGE", "COMPOSITE", "SCOORD", "SCOORD3D"}
_RELATIONSHIPS = {
    "CONTAINS",
    "HAS ACQ CONTEXT",
    "HAS CONCEPT MOD",
    "HAS OBS CONTEXT",
    "HAS PROPERTIES",
    "INFERRED FROM",
    "SELECTED FROM",
}
_FORBIDDEN = {
    str(BasicTextSRStorage): {"NUM", "SCOORD", "SCOORD3D", "TCOORD"},  # PS3.3 A.35.1.3.1
    str(EnhancedSRStorage): {"SCOORD3D"},  # PS3.3 A.35.2.3.1
    str(ComprehensiveSRStorage): {"SCOORD3D"},  # PS3.3 A.35.3.3.1
}


def check_content_items(written: Written) -> None:
    """Check every item of a document.

    Raises
    ------
    DefectError
        If an item lacks its value, name or relationship, or may not stand in this class of document.
    """
    root = written.dataset
    if root.get("ValueType") != "CONTAINER" or not root.get("ContentSequence"):
        raise DefectError(f"{written.name} has no content tree (ContentSequence)")
    _check_item(root, written)
    for item in content_items(root):
        _check_item(item, written)
        if item.get("RelationshipType") not in _RELATIONSHIPS:
            raise DefectError(f"a {item.ValueType} item of {written.name} lacks its RelationshipType")


def _check_item(item: Dataset, written: Written) -> None:
    kind = str(item.get("ValueType", ""))
    if kind not in VALUE or kind in _FORBIDDEN.get(written.sop_class_uid, ()):
        raise DefectError(f"{written.name} has an item whose ValueType its class does not allow")
    if kind not in _MAY_BE_NAMELESS and not item.get("ConceptNameCodeSequence"):
        raise DefectError(f"a {kind} item of {written.name} lacks its name (ConceptNameCodeSequence)")
    for keyword in VALUE[kind]:
        if keyword not in item or is_empty(item, keyword):
            raise DefectError(f"a {kind} item of {written.name} lacks {keyword}")
    if kind == "NUM" and not item.MeasuredValueSequence[0].get("MeasurementUnitsCodeSequence"):
        raise DefectError(f"a NUM item of {written.name} lacks its unit (MeasurementUnitsCodeSequence)")
    if kind == "NUM" and item.MeasuredValueSequence[0].get("NumericValue") is None:
        raise DefectError(f"a NUM item of {written.name} lacks NumericValue")
