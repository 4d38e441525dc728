"""The Image Library of a report (TID 1600): which images it speaks of, with what they share."""

from collections.abc import Sequence

from highdicom.sr import (
    CodeContentItem,
    ContainerContentItem,
    ContentSequence,
    ImageContentItem,
    NumContentItem,
    RelationshipTypeValues,
    UIDRefContentItem,
)
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results.planes import Reference
from dicom_node.results.source import Source

MODALITIES = {"CT": codes.DCM.ComputedTomography, "MR": codes.DCM.MagneticResonance}
"""Modality (121139) of TID 1602 by Modality (0008,0060), CID 29."""

_SOURCE = Code("260753009", "SCT", "Source")
_PIXELS = Code("{pixels}", "UCUM", "Pixels")


def image_library(source: Source, images: Sequence[Reference]) -> ContainerContentItem:
    """One group of images of the source, each instance once."""
    library = ContainerContentItem(name=codes.DCM.ImageLibrary, relationship_type=RelationshipTypeValues.CONTAINS)
    group = ContainerContentItem(name=codes.DCM.ImageLibraryGroup, relationship_type=RelationshipTypeValues.CONTAINS)
    group.ContentSequence = ContentSequence(_shared(source))
    classes = {image.sop_instance_uid: image.sop_class_uid for image in images}
    group.ContentSequence.extend(
        ImageContentItem(
            name=_SOURCE,
            referenced_sop_class_uid=class_uid,
            referenced_sop_instance_uid=uid,
            relationship_type=RelationshipTypeValues.CONTAINS,
        )
        for uid, class_uid in classes.items()
    )
    library.ContentSequence = ContentSequence([group])
    return library


def _shared(source: Source) -> list[CodeContentItem | UIDRefContentItem | NumContentItem]:
    """TID 1602: what every image of a source has in common."""
    context = RelationshipTypeValues.HAS_ACQ_CONTEXT
    first = source.datasets[0]
    _, rows, columns = source.shape
    frame = first.get("FrameOfReferenceUID")
    modality = MODALITIES.get(str(first.Modality))
    return [
        *([CodeContentItem(codes.DCM.Modality, modality, relationship_type=context)] if modality else []),
        *([UIDRefContentItem(codes.DCM.FrameOfReferenceUID, str(frame), relationship_type=context)] if frame else []),
        _count(codes.DCM.PixelDataRows, rows),
        _count(codes.DCM.PixelDataColumns, columns),
    ]


def _count(name: Code, value: int) -> NumContentItem:
    item = NumContentItem(name, value, _PIXELS, relationship_type=RelationshipTypeValues.HAS_ACQ_CONTEXT)
    item.MeasuredValueSequence[0].NumericValue = str(value)  # highdicom writes 64.0
    return item
