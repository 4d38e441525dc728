"""The summary as pictures for archives and viewers that show nothing else: Secondary Capture images of one series.

Plain single-frame RGB images (PS3.3 A.8.1), which every viewer of the last decades shows, one a page. They are no
result to count on: IHE AIR allows them beside its reports, not instead. No name or number of the patient is drawn.
"""

import numpy as np
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.sr.codedict import codes

from dicom_node.errors import DefectError
from dicom_node.results import provenance, text_report
from dicom_node.results.envelope import Envelope, seal
from dicom_node.results.header import text
from dicom_node.results.identity import Identity
from dicom_node.results.languages import WORDS
from dicom_node.results.measurement_report import key_slice
from dicom_node.results.narrative_report import made_by
from dicom_node.results.pages import finding_page, title_page
from dicom_node.results.pages.orientation import letters
from dicom_node.results.pages.page import Imprint
from dicom_node.results.pages.shown_finding import ShownFinding
from dicom_node.results.pages.slice_picture import percentiles
from dicom_node.results.planes import Reference, plane_reference
from dicom_node.results.source import Source, TextSource
from dicom_node.study import ObjectKind
from inference.findings import Findings

MOST_FINDINGS = 8
"""Findings that get a page of their own, the first ones of the reading; the others stand on the title page."""

_UNPAIRED = {"HEAD", "BRAIN", "SKULL", "NECK", "CHEST", "ABDOMEN", "PELVIS"}
"""Body parts (PS3.16 Annex L) of which there is one."""

Pixels = NDArray[np.float32]


def write(
    findings: Findings, pixels: Pixels | None, source: Source | TextSource, identity: Identity
) -> tuple[Dataset, ...]:
    """The pages of one reading: a title page, and a page for each of the first findings that a slice shows.

    Parameters
    ----------
    findings
        Masks on the planes of `source`.
    pixels
        (plane, row, column), float32, HU for CT: the planes of `source`; None of a text.
    source
        What was read.
    identity
        Source of UIDs and times.

    Returns
    -------
    tuple of Dataset
        One series, instances numbered from 1. The same arguments and the same Pillow give the same bytes.

    Raises
    ------
    DefectError
        If the pixels are not those of the planes.
    """
    device = provenance.device_of(findings.algorithm, identity)
    shown = _shown(findings, pixels, source)
    imprint = Imprint(
        warning=text_report.warning(device, WORDS[identity.language]),
        made_by=made_by(findings, source, device, identity),
        pages=1 + len(shown),
        language=identity.language,
    )
    images = [title_page.draw(findings, source, imprint, shown)]
    images += [finding_page.draw(one, imprint, page) for page, one in enumerate(shown, start=2)]
    return tuple(
        _instance(
            image,
            one,
            Envelope(
                kind=ObjectKind.CAPTURE, identity=identity, device=device, source=source.datasets[0], number=number
            ),
        )
        for number, (image, one) in enumerate(zip(images, (None, *shown), strict=True), start=1)
    )


def _shown(findings: Findings, pixels: Pixels | None, source: Source | TextSource) -> list[ShownFinding]:
    """The findings that get a page, with their slice."""
    if isinstance(source, TextSource):
        return []
    if pixels is None or pixels.shape != source.shape:
        there = None if pixels is None else pixels.shape
        raise DefectError(f"pixels of {there} for a source of {source.shape} (plane, row, column)")
    usual = percentiles(pixels)
    placed = [(finding, key) for finding in findings.findings if (key := key_slice(finding)) is not None]
    return [
        ShownFinding(finding=finding, findings=findings, source=source, key=key, pixels=pixels[key], usual=usual)
        for finding, key in placed[:MOST_FINDINGS]
    ]


def _instance(image: Image.Image, shown: ShownFinding | None, envelope: Envelope) -> Dataset:
    dataset = _picture(image)
    _describe(dataset, shown)
    _name_body_part(dataset, text(envelope.source, "BodyPartExamined"))
    seal(dataset, envelope)
    return dataset


def _picture(image: Image.Image) -> Dataset:
    """SC Equipment and Image Pixel modules (PS3.3 C.8.6.1, C.7.6.3).

    No spacing and no frame of reference: nobody is to measure on it.
    """
    dataset = Dataset()
    dataset.ConversionType = "WSD"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.Rows, dataset.Columns = image.height, image.width
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData = image.tobytes()
    return dataset


def _describe(dataset: Dataset, shown: ShownFinding | None) -> None:
    """General Image module (PS3.3 C.7.6.1): derived, from which image, towards where its edges point."""
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PatientOrientation = []
    dataset.DerivationDescription = "Summary of AI findings, title page"
    if shown is None:
        return
    header, _ = shown.source.plane(shown.key)
    along_row, down_column, _ = shown.plane.axes
    dataset.PatientOrientation = [letters(along_row), letters(down_column)]
    dataset.DerivationDescription = "Summary of AI findings: slice with outlines and text, not for measurement"
    dataset.SourceImageSequence = [_source_image(plane_reference(shown.source, shown.key))]
    if header.get("LossyImageCompression") == "01":
        dataset.LossyImageCompression = "01"


def _name_body_part(dataset: Dataset, body_part: str) -> None:
    """What was examined, as the source says; else the side is empty, for it is unknown (PS3.3 C.7.3.1, type 2C)."""
    if body_part in _UNPAIRED:
        dataset.BodyPartExamined = body_part
    else:
        dataset.Laterality = ""


def _source_image(image: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.sop_class_uid, image.sop_instance_uid
    if image.frame_number is not None:
        item.ReferencedFrameNumber = image.frame_number
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.SourceImageForImageProcessingOperation)]
    return item
