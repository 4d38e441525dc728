"""Where a plane lies in the patient, as the header of its image or of its frame says."""

from pydicom import Dataset

from dicom_node.plane import Plane
from dicom_node.results.checks.functional_groups import functional_group

_MACROS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
}


def plane(header: Dataset, frame_number: int | None) -> Plane | None:
    """The plane of an image, or of a frame (1-based) of a multi-frame object; None where the header does not say."""
    frames = "PerFrameFunctionalGroupsSequence" in header
    values = []
    for keyword, macro in _MACROS.items():
        group = functional_group(header, frame_number or 1, macro) if frames else header
        values.append(tuple(float(v) for v in (group.get(keyword) if group is not None else None) or ()))
    position, orientation, spacing = values
    if (len(position), len(orientation), len(spacing)) != (3, 6, 2):
        return None
    return Plane(
        position=(position[0], position[1], position[2]),
        orientation=(*orientation[:3], *orientation[3:]),  # type: ignore[arg-type]
        spacing=(spacing[0], spacing[1]),
        matrix=(int(header.Rows), int(header.Columns)),
        thickness=None,
        frame_of_reference_uid=str(header.get("FrameOfReferenceUID", "")),
    )
