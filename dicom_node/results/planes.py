"""References to what was read: to an instance of the study, or to the instance and frame that a plane is."""

from dataclasses import dataclass

from pydicom import Dataset

from dicom_node.results.source import Source, TextSource


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One instance in the study.

    Attributes
    ----------
    series_instance_uid, sop_class_uid, sop_instance_uid
        Where and what it is.
    frame_number
        1-based, None for the whole instance.
    """

    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int | None = None


def reference(header: Dataset, frame_number: int | None = None) -> Reference:
    """Reference to an instance, or to one of its frames."""
    return Reference(
        series_instance_uid=str(header.SeriesInstanceUID),
        sop_class_uid=str(header.SOPClassUID),
        sop_instance_uid=str(header.SOPInstanceUID),
        frame_number=frame_number,
    )


def plane_reference(source: Source, index: int) -> Reference:
    """Reference to the plane at `index` on the slice axis."""
    return reference(*source.plane(index))


def instance_references(source: Source | TextSource) -> list[Reference]:
    """References to every instance of the source, in the order of its datasets."""
    return [reference(header) for header in source.datasets]
