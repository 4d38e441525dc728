"""Functional groups of a segmentation's frames (PS3.3 C.7.6.16): where each lies, what it was drawn on; dimensions."""

import math
from collections.abc import Sequence

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.tag import Tag
from pydicom.valuerep import format_number_as_ds

from dicom_node.results.header import text
from dicom_node.results.item import coded, item
from dicom_node.results.planes import plane_reference
from dicom_node.results.segments.frames import Frame
from dicom_node.results.source import Source

_SEGMENTATION = Code("113076", "DCM", "Segmentation")
_SEGMENT = ("ReferencedSegmentNumber", "SegmentIdentificationSequence", "Referenced Segment Number")
_POSITION = ("ImagePositionPatient", "PlanePositionSequence", "Image Position Patient")


def add_groups(dataset: Dataset, shown: Sequence[Frame], source: Source, dimension_organization_uid: str) -> None:
    """Write number, dimensions (PS3.3 C.7.6.17) and functional groups of the frames into `dataset`.

    The dimensions are the segment, where a frame shows one, and the place: rank among the planes that have frames.
    """
    one_each = len({frame.segment for frame in shown}) == 1
    dataset.NumberOfFrames = len(shown)
    dataset.DimensionOrganizationSequence = [item(DimensionOrganizationUID=dimension_organization_uid)]
    dimensions = [_POSITION] if shown[0].segment is None else [_SEGMENT, _POSITION]
    dataset.DimensionIndexSequence = [_dimension(*names, dimension_organization_uid) for names in dimensions]
    if one_each and _is_stack([frame.plane for frame in shown], source):
        dataset.DimensionOrganizationType = "3D"
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=_decimals(source.planes[0].orientation))],
        PixelMeasuresSequence=[_measures(source)],
    )
    segments = {s: [item(ReferencedSegmentNumber=s + 1)] for s in {frame.segment for frame in shown} if s is not None}
    if one_each and segments:
        (shared.SegmentIdentificationSequence,) = segments.values()
        segments = {}
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = _per_frame(shown, source, segments)


def _per_frame(shown: Sequence[Frame], source: Source, segments: dict[int, list[Dataset]]) -> list[Dataset]:
    planes = sorted({frame.plane for frame in shown})
    ranks = {plane: rank for rank, plane in enumerate(planes, start=1)}
    purpose, derivation = [coded(codes.DCM.SourceImageForImageProcessingOperation)], [coded(_SEGMENTATION)]
    images = {plane: [_derivation(source, plane, purpose, derivation)] for plane in planes}
    positions = {k: [item(ImagePositionPatient=_decimals(source.planes[k].position))] for k in planes}
    groups = []
    for frame in shown:
        index = [ranks[frame.plane]] if frame.segment is None else [frame.segment + 1, ranks[frame.plane]]
        own = {"SegmentIdentificationSequence": segments[frame.segment]} if frame.segment in segments else {}
        groups.append(
            item(
                DerivationImageSequence=images[frame.plane],
                FrameContentSequence=[item(DimensionIndexValues=index)],
                PlanePositionSequence=positions[frame.plane],
                **own,
            )
        )
    return groups


def _dimension(keyword: str, sequence: str, label: str, dimension_organization_uid: str) -> Dataset:
    return item(
        DimensionOrganizationUID=dimension_organization_uid,
        DimensionIndexPointer=Tag(keyword),
        FunctionalGroupPointer=Tag(sequence),
        DimensionDescriptionLabel=label,
    )


def _derivation(source: Source, plane: int, purpose: list[Dataset], derivation: list[Dataset]) -> Dataset:
    reference = plane_reference(source, plane)
    frame = {} if reference.frame_number is None else {"ReferencedFrameNumber": reference.frame_number}
    image = item(
        ReferencedSOPClassUID=reference.sop_class_uid,
        ReferencedSOPInstanceUID=reference.sop_instance_uid,
        **frame,
        SpatialLocationsPreserved="YES",
        PurposeOfReferenceCodeSequence=purpose,
    )
    return item(SourceImageSequence=[image], DerivationCodeSequence=derivation)


def _measures(source: Source) -> Dataset:
    """Pixel measures; the spacing is that between the planes: a header's own value may be a gap or a guess."""
    spacing = source.closest_mm
    thickness = _slice_thickness(source) or spacing
    return item(
        **({} if thickness is None else {"SliceThickness": _decimal(thickness)}),
        **({} if spacing is None else {"SpacingBetweenSlices": _decimal(spacing)}),
        PixelSpacing=_decimals(source.planes[0].spacing),
    )


def _slice_thickness(source: Source) -> float:
    """Slice Thickness (0018,0050) of the first plane as its header says, mm; 0 where it says no such number."""
    header, frame_number = source.plane(0)
    if frame_number is not None:
        own = header.PerFrameFunctionalGroupsSequence[frame_number - 1]
        group = own if "PixelMeasuresSequence" in own else header.SharedFunctionalGroupsSequence[0]
        header = group.PixelMeasuresSequence[0]
    try:
        thickness = float(text(header, "SliceThickness") or 0)
    except ValueError:
        return 0.0
    return thickness if 0.0 < thickness < math.inf else 0.0


def _is_stack(planes: Sequence[int], source: Source) -> bool:
    """Whether the planes follow each other straight and at one distance, as the dimension "3D" promises."""
    if len(planes) < 2:
        return False
    steps = np.diff([source.planes[plane].position for plane in planes], axis=0)
    normal = source.planes[0].axes[2]
    sideways = steps - np.outer(steps @ normal, normal)
    return bool(np.allclose(steps, steps[0], atol=0.02) and np.allclose(sideways, 0.0, atol=0.02))


def _decimals(values: Sequence[float]) -> list[str]:
    return [_decimal(value) for value in values]


def _decimal(value: float) -> str:
    """A decimal string (PS3.5 6.2), of at most 16 characters and as exact as these can be."""
    return format_number_as_ds(value + 0.0)
