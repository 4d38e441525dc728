"""Numbers of single slices below the number of the whole: each inferred from its image."""

from collections.abc import Sequence

from highdicom.sr import ContentSequence, Measurement, NumContentItem, RelationshipTypeValues, SourceImageForMeasurement

from dicom_node.results.planes import plane_reference
from dicom_node.results.source import Source
from dicom_node.results.text import number
from inference import findings


def add(written: Sequence[Measurement], measured: Sequence[findings.Measurement], source: Source) -> None:
    """Put the numbers of the slices below those measurements that were inferred from them.

    An extension of TID 300 that Comprehensive and Enhanced SR allow; viewers that list the numbers of a group list the
    whole alone.

    Parameters
    ----------
    written
        Content items of `measured`, in its order; there may be more.
    """
    for item, one in zip(written, measured, strict=False):
        slices = [_of_slice(one, value, source, plane) for plane, value in one.by_slice]
        if slices:
            item[0].ContentSequence = ContentSequence([*item[0].get("ContentSequence", []), *slices])


def _of_slice(one: findings.Measurement, value: float, source: Source, plane: int) -> NumContentItem:
    image = plane_reference(source, plane)
    frames = None if image.frame_number is None else [image.frame_number]
    item = NumContentItem(one.code, float(value), one.unit, relationship_type=RelationshipTypeValues.INFERRED_FROM)
    item.MeasuredValueSequence[0].NumericValue = number(value)
    item.ContentSequence = ContentSequence(
        [SourceImageForMeasurement(image.sop_class_uid, image.sop_instance_uid, frames)]
    )
    return item
