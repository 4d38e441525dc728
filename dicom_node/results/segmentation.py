"""Masks as a BINARY Segmentation object on the planes of the source; knows no reports."""

import numpy as np
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results import placement, planes, provenance
from dicom_node.results.envelope import Envelope, seal
from dicom_node.results.identity import Identity
from dicom_node.results.provenance import Device
from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.source import Source
from dicom_node.results.text import fit
from dicom_node.study import ObjectKind
from inference.findings import Findings, Segment


def is_empty(findings: Findings) -> bool:
    """Whether no segment has a voxel, so that there is nothing to write."""
    return not any(segment.mask.any() for segment in findings.segments)


def write(findings: Findings, source: Source, identity: Identity, form: SegForm = SegForm.BINARY) -> Dataset:
    """A Segmentation (PS3.3 A.51) of all segments, one item of the Segment Sequence each, in their order.

    Frames are on the source's own planes and refer to instance and frame; planes on which a segment is empty are left
    out, a segment that is empty everywhere is described all the same: it was looked for.

    Raises
    ------
    UnsuitableError
        If the source has no frame of reference.
    DefectError
        If the masks do not lie on the grid of the source, or the form is not BINARY.
    """
    if form is not SegForm.BINARY:
        raise DefectError(f"segmentations in the form {form} are not written yet")
    device = provenance.device_of(findings.algorithm, identity)
    place = placement.PLACES[ObjectKind.SEG]
    dataset = Segmentation(
        source_images=planes.headers(source),
        pixel_array=_stacked(findings),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_described(findings, index, device, identity) for index in range(len(findings.segments))],
        series_instance_uid=placement.series_instance_uid(identity, ObjectKind.SEG),
        series_number=place.series_number,
        sop_instance_uid=placement.sop_instance_uid(identity, ObjectKind.SEG),
        instance_number=1,
        manufacturer=provenance.MANUFACTURER,
        manufacturer_model_name=provenance.MODEL_NAME,
        software_versions=fit(identity.software_version, 64),
        device_serial_number=identity.configuration_digest[:16],
        content_label="AI_SEGMENTATION",
        content_description=_content_description(device),
        specific_character_set="ISO_IR 192",
    )
    _refer_to_frames(dataset, source)
    _fix(dataset, identity)
    seal(dataset, Envelope(kind=ObjectKind.SEG, identity=identity, device=device, source=source.datasets[0]))
    return dataset


def _stacked(findings: Findings) -> NDArray[np.uint8]:
    """(slice, row, column) of one segment, or (slice, row, column, segment), in memory one segment after the other."""
    masks = [segment.mask.view(np.uint8) for segment in findings.segments]
    return masks[0] if len(masks) == 1 else np.moveaxis(np.stack(masks), 0, -1)


def _described(findings: Findings, index: int, device: Device, identity: Identity) -> SegmentDescription:
    segment = findings.segments[index]
    description = SegmentDescription(
        segment_number=index + 1,
        segment_label=fit(segment.label, 64),
        segmented_property_category=segment.category,
        segmented_property_type=segment.type,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=provenance.algorithm_identification(device),
        tracking_id=_tracking_label(findings, index, segment),
        tracking_uid=placement.tracking_uid(identity, _tracking_label(findings, index, segment)),
        anatomic_regions=[segment.anatomy] if segment.anatomy else None,
        display_color=CIELabColor.from_rgb(*segment.color),
    )
    description.SegmentDescription = _content_description(device)
    return description


def _tracking_label(findings: Findings, index: int, segment: Segment) -> str:
    """The finding's label where the segment shows that finding and no more, so that SEG and SR track the same thing."""
    shown = [(f.label, f.region) for f in findings.findings if f.segment == index and f.region is not None]
    if len(shown) == 1 and np.array_equal(shown[0][1], segment.mask):
        return fit(shown[0][0], 64)
    return fit(f"segment {index + 1}: {segment.label}", 64)


def _content_description(device: Device) -> str:
    return "AI, not verified by a physician" + (". RESEARCH USE ONLY" if device.research else "")


def _refer_to_frames(dataset: Dataset, source: Source) -> None:
    """Replace the frame numbers of the header that highdicom was shown by those of the source."""
    if not source.frame_numbers:
        return
    frames = dataset.PerFrameFunctionalGroupsSequence
    images = [frame.DerivationImageSequence[0].SourceImageSequence[0] for frame in frames]
    for image in {id(image): image for image in images}.values():  # highdicom shares one item among the segments
        image.ReferencedFrameNumber = source.frame_numbers[int(image.ReferencedFrameNumber) - 1]


def _fix(dataset: Dataset, identity: Identity) -> None:
    """Add what highdicom leaves out; replace what it draws at random, and its last padding byte, an ASCII zero."""
    dataset.ContentCreatorName = ""  # PS3.3 table 10-12, type 2: nobody drew it
    uid = identity.uid("dimension organization", placement.sop_class_uid(identity, ObjectKind.SEG))
    dataset.DimensionOrganizationSequence[0].DimensionOrganizationUID = uid
    for index in dataset.DimensionIndexSequence:
        index.DimensionOrganizationUID = uid
    bits = dataset.Rows * dataset.Columns * dataset.NumberOfFrames
    data = dataset.PixelData[: (bits + 7) // 8]
    dataset.PixelData = data + bytes(len(data) % 2)  # PS3.5 8.1.1: padded to even length with 00H
