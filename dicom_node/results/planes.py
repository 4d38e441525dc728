"""The source's planes as the writers need them: plain headers for highdicom, and references to instance and frame.

highdicom builds from whole source headers and stumbles over what real ones hold (a sex of "0000", an orientation stored
frame by frame, a spacing that is not the distance of slices), so it is shown these instead: identity and geometry,
nothing of the patient.
"""

from dataclasses import dataclass

from highdicom import PixelMeasuresSequence, PlaneOrientationSequence, PlanePositionSequence
from highdicom.enum import CoordinateSystemNames
from pydicom import Dataset

from dicom_node.errors import DefectError, UnsuitableError
from dicom_node.results.source import Source, TextSource

_PATIENT = CoordinateSystemNames.PATIENT


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


def headers(source: Source) -> list[Dataset]:
    """What highdicom is told of the source: one header a plane, or one multi-frame header with the planes in order.

    Raises
    ------
    UnsuitableError
        If the source has no frame of reference, so that nothing can be placed in it.
    DefectError
        If the images' matrix is not the geometry's.
    """
    if not source.frame_numbers:
        return [_single(source, k) for k in range(len(source.datasets))]
    header = _common(source, 0)
    shared = Dataset()
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = _orientation(source), _measures(source)
    header.SharedFunctionalGroupsSequence = [shared]
    header.NumberOfFrames = len(source.frame_numbers)
    header.PerFrameFunctionalGroupsSequence = [_frame(source, k) for k in range(len(source.frame_numbers))]
    return [header]


def _single(source: Source, index: int) -> Dataset:
    header = _common(source, index)
    header.ImagePositionPatient = _position(source, index)[0].ImagePositionPatient
    header.ImageOrientationPatient = _orientation(source)[0].ImageOrientationPatient
    header.update(_measures(source)[0])
    return header


def _frame(source: Source, index: int) -> Dataset:
    frame = Dataset()
    frame.PlanePositionSequence = _position(source, index)
    return frame


def _common(source: Source, index: int) -> Dataset:
    original, _ = source.plane(index)
    if not original.get("FrameOfReferenceUID"):
        raise UnsuitableError("the series has no Frame of Reference UID: a result could not be placed in it")
    if (original.Rows, original.Columns) != source.shape[1:]:
        raise DefectError(f"an image of {original.Rows}x{original.Columns} for planes of {source.shape[1:]}")
    header = Dataset()
    for keyword in _IDENTITY:
        setattr(header, keyword, original.get(keyword))
    for keyword in _EMPTY:
        setattr(header, keyword, "")
    if original.get("LossyImageCompression") == "01":
        for keyword in _LOSSY:  # PS3.3 C.8.20.2: what a mask was drawn on was lossy, and how much
            if original.get(keyword):
                setattr(header, keyword, original.get(keyword))
    return header


def _plane(source: Source, index: int) -> Dataset:
    """The dataset or functional group that holds Image Position (Patient) of a plane."""
    header, frame_number = source.plane(index)
    if frame_number is None:
        return header
    return _group(header, frame_number, "PlanePositionSequence")


def _position(source: Source, index: int) -> PlanePositionSequence:
    return PlanePositionSequence(_PATIENT, [float(v) for v in _plane(source, index).ImagePositionPatient])


def _orientation(source: Source) -> PlaneOrientationSequence:
    header, frame_number = source.plane(0)
    plane = header if frame_number is None else _group(header, frame_number, "PlaneOrientationSequence")
    return PlaneOrientationSequence(_PATIENT, [float(v) for v in plane.ImageOrientationPatient])


def _measures(source: Source) -> PixelMeasuresSequence:
    header, frame_number = source.plane(0)
    plane = header if frame_number is None else _group(header, frame_number, "PixelMeasuresSequence")
    spacing = source.closest_mm  # the distance of the planes; the header's own value may be a gap or a guess
    thickness = float(plane.get("SliceThickness") or 0)
    return PixelMeasuresSequence(
        pixel_spacing=[float(v) for v in plane.PixelSpacing],
        slice_thickness=thickness if thickness > 0 else spacing,
        spacing_between_slices=spacing,
    )


def _group(header: Dataset, frame_number: int, sequence: str) -> Dataset:
    own = header.PerFrameFunctionalGroupsSequence[frame_number - 1]
    group: Dataset = (own if sequence in own else header.SharedFunctionalGroupsSequence[0])[sequence][0]
    return group


_IDENTITY = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "Rows",
    "Columns",
)
_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
_LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
