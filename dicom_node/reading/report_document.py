"""The report documents of a study: which text each holds, which one is read, and why not the others.

A text is patient data: no sentence here holds a word of it.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydicom import Dataset
from pydicom.uid import BasicTextSRStorage, Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage

from dicom_node.errors import UnsuitableError
from dicom_node.reading.header_values import items, number, text
from dicom_node.reading.moment import newest
from dicom_node.reading.part10 import Part10
from dicom_node.results.provenance import MANUFACTURER, MODEL_NAME
from dicom_node.unreadable import UNREADABLE
from inference.inputs import TextInputs

KINDS: dict[str, str] = {
    BasicTextSRStorage: "Basic Text SR",
    EnhancedSRStorage: "Enhanced SR",
    ComprehensiveSRStorage: "Comprehensive SR",
    Comprehensive3DSRStorage: "Comprehensive 3D SR",
}
"""Documents that are read (PS3.3 A.35), and how a sentence names them."""

DEEPEST = 32
"""Containers inside each other; a tree that goes deeper is no report."""

SHOWN = 5
"""Documents that the reason of an abstention lists."""

_LANGUAGE = "121049"  # Language of Content Item and Descendants, PS3.16 TID 1204


@dataclass(frozen=True, kw_only=True)
class ReportDocument:
    """One document of the study.

    Attributes
    ----------
    header
        The whole document.
    label
        How a sentence names it: "the Basic Text SR in series 5 (verified)".
    text
        Its narrative, paragraphs on lines of their own; empty where it has none.
    language
        As it says itself, lower case, without region; empty where it does not.
    verified, complete
        Verification Flag and Completion Flag (PS3.3 C.17.2).
    made
        When.
    fault
        Why it is never read; empty where it may be.
    """

    header: Dataset
    label: str
    text: str
    language: str
    verified: bool
    complete: bool
    made: datetime
    fault: str

    @property
    def series(self) -> str:
        """Series Instance UID."""
        return text(self.header, "SeriesInstanceUID")

    def rank(self) -> tuple[bool, bool, datetime, str]:
        """Verified first, then complete, then new; the UID decides what nothing else does."""
        return self.verified, self.complete, self.made, text(self.header, "SOPInstanceUID")


@dataclass(frozen=True, kw_only=True)
class DocumentChoice:
    """The document to read, None where none fits, and (Series Instance UID, label, why) of the others."""

    document: ReportDocument | None
    left: tuple[tuple[str, str, str], ...]


def documents(parts: Sequence[Part10]) -> tuple[ReportDocument, ...]:
    """Every structured report among the instances, by SOP Instance UID; other instances are passed over."""
    found = [part.header for part in parts if text(part.header, "SOPClassUID") in KINDS]
    replaced = {uid for header in found for uid in _predecessors(header)}
    ordered = sorted(found, key=lambda header: text(header, "SOPInstanceUID"))
    return tuple(_document(header, replaced) for header in ordered)


def choose_document(found: Sequence[ReportDocument], inputs: TextInputs) -> DocumentChoice:
    """The newest verified report, else the newest one that is not."""
    reasons = {id(document): _reason_against(document, inputs) for document in found}
    fitting = sorted((d for d in found if not reasons[id(d)]), key=ReportDocument.rank)
    chosen = fitting[-1] if fitting else None
    first = f"fits, but {chosen.label} comes before it" if chosen else ""
    left = tuple((d.series, d.label, reasons[id(d)] or first) for d in found if d is not chosen)
    return DocumentChoice(document=chosen, left=left)


def no_text(choice: DocumentChoice, instances: int) -> UnsuitableError:
    """Why no document can be read, in one sentence."""
    if not choice.left:
        return UnsuitableError(f"the study has no report text: no structured report among {instances} instances")
    shown = " | ".join(f"{label}: {why}" for _, label, why in choice.left[:SHOWN])
    rest = f" | and {len(choice.left) - SHOWN} more" if len(choice.left) > SHOWN else ""
    return UnsuitableError(f"the study has no report text that can be read: {shown}{rest}")


def _document(header: Dataset, replaced: set[str]) -> ReportDocument:
    verified = text(header, "VerificationFlag") == "VERIFIED"
    given = number(header, "SeriesNumber")
    where = "a series without number" if given is None else f"series {given:g}"
    state = "verified" if verified else "not verified"
    fault, narrative, language = "", "", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's warnings quote the value, and a log must not
            narrative, language = "\n".join(_paragraphs(header)), _language(header)
    except UNREADABLE:
        fault = "its content cannot be read"
    if text(header, "Manufacturer") == MANUFACTURER and text(header, "ManufacturerModelName") == MODEL_NAME:
        fault = "made by this node"
    elif text(header, "SOPInstanceUID") in replaced:
        fault = "another document replaces it"
    elif "\N{REPLACEMENT CHARACTER}" in narrative:
        fault = "its text is not in the character set that it names"
    return ReportDocument(
        header=header,
        label=f"the {KINDS[text(header, 'SOPClassUID')]} in {where} ({state})",
        text=narrative,
        language=language,
        verified=verified,
        complete=text(header, "CompletionFlag") == "COMPLETE",
        made=newest([header]),
        fault=fault,
    )


def _reason_against(document: ReportDocument, inputs: TextInputs) -> str:
    wanted = inputs.language.partition("-")[0]
    if document.fault:
        return document.fault
    if not document.text:
        return "no text in it"
    if wanted and document.language and document.language != wanted:
        return f"in another language than {wanted}"
    return ""


def _paragraphs(header: Dataset) -> Iterator[str]:
    """TEXT items that containers contain, in reading order; not what only describes the observation (PS3.3 C.17.3)."""
    pending = [(item, 1) for item in reversed(items(header, "ContentSequence"))]
    while pending:
        item, depth = pending.pop()
        if text(item, "RelationshipType") != "CONTAINS":
            continue
        kind = text(item, "ValueType")
        if kind == "TEXT" and (said := text(item, "TextValue")):
            yield said
        elif kind == "CONTAINER":
            if depth == DEEPEST:
                raise ValueError("a content tree deeper than is read")
            pending += [(child, depth + 1) for child in reversed(items(item, "ContentSequence"))]


def _language(header: Dataset) -> str:
    for item in items(header, "ContentSequence"):
        names, values = items(item, "ConceptNameCodeSequence"), items(item, "ConceptCodeSequence")
        if names and values and text(names[0], "CodeValue") == _LANGUAGE:
            return text(values[0], "CodeValue").lower().partition("-")[0]
    return ""


def _predecessors(header: Dataset) -> Iterator[str]:
    """SOP Instance UIDs that a document replaces (Predecessor Documents Sequence, PS3.3 C.17.2)."""
    for study in items(header, "PredecessorDocumentsSequence"):
        for series in items(study, "ReferencedSeriesSequence"):
            for instance in items(series, "ReferencedSOPSequence"):
                yield text(instance, "ReferencedSOPInstanceUID")
