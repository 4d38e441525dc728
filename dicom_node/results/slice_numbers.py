"""Numbers of single slices below the number of the whole: each inferred from its image."""

from collections.abc import Sequence

from highdicom.sr import RelationshipTypeValues
from pydicom import Dataset
from pydicom.sr.codedict import codes

from dicom_node.results import content
from dicom_node.results.planes import plane_reference
from dicom_node.results.source import Source
from dicom_node.results.text import number
from inference import findings

_INFERRED = RelationshipTypeValues.INFERRED_FROM


def add(written: Sequence[Dataset], measured: Sequence[findings.Measurement], source: Source) -> None:
    """Put the numbers of the slices below those measurements that were inferred from them.

    An extension of TID 300 that Comprehensive and Enhanced SR allow; viewers that list the numbers of a group list the
    whole alone.

    Parameters
    ----------
    written
        Content items of `measured`, in its order; there may be more.
    """
    for item, one in zip(written, measured, strict=False):
        if one.by_slice:
            content.below(item, [_of_slice(one, value, source, plane) for plane, value in one.by_slice])


def _of_slice(one: findings.Measurement, value: float, source: Source, plane: int) -> Dataset:
    image = content.image(codes.DCM.SourceOfMeasurement, plane_reference(source, plane), relationship=_INFERRED)
    return content.number(one.code, value, one.unit, number(value), _INFERRED, [image])
