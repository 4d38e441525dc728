"""Masks as a Segmentation object on the planes of the source, in the form a destination takes; knows no reports."""

from collections.abc import Sequence

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset

from dicom_node.errors import DefectError, UnsuitableError
from dicom_node.results import provenance
from dicom_node.results.envelope import Envelope, seal
from dicom_node.results.header import text
from dicom_node.results.identity import Identity
from dicom_node.results.item import item
from dicom_node.results.planes import instance_references
from dicom_node.results.rendering import segmentation_class
from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.segments.description import described, described_labels, warning
from dicom_node.results.segments.frames import Frame, frames, overlap
from dicom_node.results.segments.groups import add_groups
from dicom_node.results.segments.label_map import label_map
from dicom_node.results.segments.pixels import MAXIMUM_FRACTIONAL_VALUE, Pixels, bits, fractions, numbers
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind
from inference.findings import Findings


def is_empty(findings: Findings) -> bool:
    """Whether no segment has a voxel, so that there is nothing to write."""
    return not any(segment.mask.any() for segment in findings.segments)


def write(findings: Findings, source: Source, identity: Identity, form: SegForm = SegForm.BINARY) -> Dataset:
    """A Segmentation (PS3.3 A.51) of all segments, one item of the Segment Sequence each, in their order.

    Frames are on the source's own planes and refer to instance and frame; planes on which a segment is empty are left
    out, a segment that is empty everywhere is described all the same: it was looked for.

    Parameters
    ----------
    findings
        At least one segment has a voxel.
    identity
        That of one rendering: the same masks in another form are another object, with another one.
    form
        BINARY: a bit a voxel. FRACTIONAL: a byte, `Segment.probability` where there is one, else 0 or 255. LABELMAP: a
        number a voxel in JPEG-LS, where of segments that overlap the smallest one is seen and the others say so.

    Raises
    ------
    UnsuitableError
        If the source has no frame of reference.
    DefectError
        If the images' matrix is not that of the planes.
    """
    _check(source)
    device = provenance.device_of(findings.algorithm, identity)
    envelope = Envelope(kind=ObjectKind.SEG, identity=identity, device=device, source=source.datasets[0])
    shown = frames(findings.segments, form)
    dataset = Dataset()
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = source.frame_of_reference_uid, ""
    dataset.ContentLabel, dataset.ContentDescription = "AI_SEGMENTATION", warning(device)
    dataset.ContentCreatorName = ""
    _refer(dataset, source)
    add_groups(dataset, shown, source, identity.uid("dimension organization", segmentation_class(form)))
    _add_form(dataset, findings, envelope, shown, form)
    _add_lossy(dataset, source)
    seal(dataset, envelope)
    dataset.SOPClassUID = segmentation_class(form)
    return dataset


def _check(source: Source) -> None:
    for header in source.datasets:
        if not header.get("FrameOfReferenceUID"):
            raise UnsuitableError("the series has no Frame of Reference UID: a result could not be placed in it")
        if (header.Rows, header.Columns) != source.shape[1:]:
            raise DefectError(f"an image of {header.Rows}x{header.Columns} for planes of {source.shape[1:]}")


def _refer(dataset: Dataset, source: Source) -> None:
    """Every instance of the source (PS3.3 C.12.2, C.12.4)."""
    references = instance_references(source)
    instances = [
        item(ReferencedSOPClassUID=r.sop_class_uid, ReferencedSOPInstanceUID=r.sop_instance_uid) for r in references
    ]
    dataset.SourceImageSequence = instances
    dataset.ReferencedSeriesSequence = [
        item(ReferencedInstanceSequence=instances, SeriesInstanceUID=references[0].series_instance_uid)
    ]


def _add_form(dataset: Dataset, findings: Findings, envelope: Envelope, shown: Sequence[Frame], form: SegForm) -> None:
    """Segmentation Image module (PS3.3 C.8.20.2): what the segments are, and their pixels."""
    segments, device, identity = findings.segments, envelope.device, envelope.identity
    dataset.SegmentationType = form.value
    if form is SegForm.LABELMAP:
        drawn = label_map(segments, [frame.plane for frame in shown])
        dataset.SegmentSequence = described_labels(findings, device, identity, drawn.covered)
        dataset.SegmentsOverlap, dataset.PixelPaddingValue = "NO", 0
        _add_pixels(dataset, numbers(drawn), segments[0].mask.shape)
        return
    dataset.SegmentSequence = described(findings, device, identity)
    dataset.SegmentsOverlap = "YES" if overlap(segments) else "NO"
    if form is SegForm.FRACTIONAL:
        dataset.SegmentationFractionalType = "PROBABILITY"
        dataset.MaximumFractionalValue = MAXIMUM_FRACTIONAL_VALUE
    _add_pixels(dataset, (fractions if form is SegForm.FRACTIONAL else bits)(segments, shown), segments[0].mask.shape)


def _add_pixels(dataset: Dataset, made: Pixels, shape: tuple[int, ...]) -> None:
    """Image Pixel module (PS3.3 C.7.6.3)."""
    _, dataset.Rows, dataset.Columns = shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.BitsAllocated = dataset.BitsStored = made.bits
    dataset.HighBit, dataset.PixelRepresentation = made.bits - 1, 0
    dataset.PixelData = made.data
    dataset["PixelData"].VR = "OB"  # PS3.5 8.2, A.4
    dataset["PixelData"].is_undefined_length = made.transfer_syntax_uid.is_encapsulated
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = made.transfer_syntax_uid


def _add_lossy(dataset: Dataset, source: Source) -> None:
    """Whether the images had lost anything before they were read (PS3.3 C.7.6.1.1.5)."""
    lossy = next((header for header in source.datasets if text(header, "LossyImageCompression") == "01"), None)
    dataset.LossyImageCompression = "00" if lossy is None else "01"
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if lossy is not None and keyword in lossy:
            dataset[keyword] = lossy[keyword]
