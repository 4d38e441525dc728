"""Structured reports in words, as a radiologist's workstation writes them; made up."""

from collections.abc import Sequence
from io import BytesIO

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import UID, BasicTextSRStorage, ExplicitVRLittleEndian

from dicom_node.reading.synthetic_study import Labels
from dicom_node.study import derive_uid
from tests.series_files import headers

FINDINGS = Code("121070", "DCM", "Findings")
TITLE = Code("18748-4", "LN", "Diagnostic imaging report")


def coded(code: Code) -> list[Dataset]:
    """A code sequence of one code."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return [item]


def text_item(said: str, relationship: str = "CONTAINS") -> Dataset:
    """One paragraph."""
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = relationship, "TEXT", said
    item.ConceptNameCodeSequence = coded(Code("121071", "DCM", "Finding"))
    return item


def section(items: Sequence[Dataset]) -> Dataset:
    """A section with a heading."""
    container = Dataset()
    container.RelationshipType, container.ValueType, container.ContinuityOfContent = "CONTAINS", "CONTAINER", "SEPARATE"
    container.ConceptNameCodeSequence = coded(FINDINGS)
    container.ContentSequence = list(items)
    return container


def language(value: str) -> Dataset:
    """What language the document is in (TID 1204)."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "HAS CONCEPT MOD", "CODE"
    item.ConceptNameCodeSequence = coded(Code("121049", "DCM", "Language of Content Item and Descendants"))
    item.ConceptCodeSequence = coded(Code(value, "RFC5646", value))
    return item


def report(
    said: str | Sequence[Dataset],
    *,
    number: int = 5,
    verified: bool = True,
    date: str = "20260102",
    kind: str = BasicTextSRStorage,
    labels: Labels | None = None,
) -> Dataset:
    """A document of the study that `series_files.headers` makes.

    Parameters
    ----------
    said
        One paragraph for each line, or content items.
    number
        Series Number; also the source of its UIDs.
    """
    labels = labels or Labels()
    image = headers(labels=labels)[0]
    ds = Dataset()
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"):
        ds[keyword] = image[keyword]
    ds.StudyTime, ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = image.StudyTime, "A1", "1", ""
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = kind, "SR", "Reporting", "RIS"
    ds.SOPInstanceUID = derive_uid(labels.seed, "report", str(number))
    ds.SeriesInstanceUID = derive_uid(labels.seed, "report series", str(number))
    ds.SeriesNumber, ds.InstanceNumber = number, 1
    ds.ContentDate, ds.ContentTime = date, "120000"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "VERIFIED" if verified else "UNVERIFIED"
    ds.ReferencedPerformedProcedureStepSequence, ds.PerformedProcedureCodeSequence = [], []
    ds.ValueType, ds.ContinuityOfContent, ds.ConceptNameCodeSequence = "CONTAINER", "SEPARATE", coded(TITLE)
    items = [section([text_item(line) for line in said.split("\n")])] if isinstance(said, str) else list(said)
    ds.ContentSequence = items
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = UID(kind), ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def file_of(dataset: Dataset) -> bytes:
    """The document as a file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
