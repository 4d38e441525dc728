"""The report a radiologist reads: an Enhanced SR in words, each sentence tied to what it rests on."""

from collections.abc import Sequence

from highdicom.sr import (
    CodeContentItem,
    ContainerContentItem,
    ContentItem,
    RelationshipTypeValues,
    TextContentItem,
    UIDRefContentItem,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import provenance, text_report
from dicom_node.results.document import document
from dicom_node.results.envelope import Envelope
from dicom_node.results.identity import Identity, Predecessor
from dicom_node.results.measurement_report import (
    document_evidence,
    key_slice,
    procedure,
    segmentation_reference,
)
from dicom_node.results.planes import instance_references, plane_reference
from dicom_node.results.provenance import Device
from dicom_node.results.source import Source, TextSource
from dicom_node.results.text import fit, number, one_line, percent
from dicom_node.results.text_report import image_evidence, paragraph, section
from dicom_node.study import ObjectKind
from inference.findings import Finding, Findings, Measurement

SUMMARY, FINDINGS, PROCEDURE = codes.cid7001.Summary, codes.cid7001.Findings, codes.cid7001.CurrentProcedureDescriptions
"""Headings (CID 7001)."""


def write(
    findings: Findings, source: Source | TextSource, identity: Identity, predecessors: Sequence[Predecessor] = ()
) -> Dataset:
    """A text report: warning and what holds for the study, one section for each finding, and how it was made.

    A finding that the narrative does not mention is put into words from its codes, so none is left out.
    """
    device = provenance.device_of(findings.algorithm, identity)
    sections = [
        _summary(findings, source, identity, text_report.warning(device)),
        *(_finding(finding, findings, source, identity) for finding in findings.findings),
        section(
            PROCEDURE,
            [
                paragraph(codes.DCM.ProcedureDescription, text)
                for text in _procedure(findings, source, device, identity)
            ],
        ),
    ]
    return document(
        text_report.report(device, procedure(source.datasets[0]), sections),
        Envelope(kind=ObjectKind.NARRATIVE, identity=identity, device=device, source=source.datasets[0]),
        [*instance_references(source), *segmentation_reference(findings, identity)],
        predecessors,
    )


def in_words(finding: Finding) -> str:
    """A finding from its codes alone: "lesion 1: Lesion, Left Brain, probability 93 %, Volume 12.35 mL."."""
    sure = [] if finding.probability is None else [f"probability {percent(finding.probability)}"]
    sizes = [f"{m.code.meaning} {measured(m)}" for m in finding.measurements]
    parts = (finding.code.meaning, place(finding), *sure, *sizes)
    return f"{finding.label}: " + ", ".join(part for part in parts if part) + "."


def place(finding: Finding) -> str:
    """Side and site of a finding, "Left Brain"; empty where neither is known."""
    return " ".join(code.meaning for code in (finding.laterality, finding.site) if code)


def measured(measurement: Measurement) -> str:
    """A measured value with its unit, as it is read: "12.35 mL"."""
    unit = _UNITS.get(measurement.unit.value, measurement.unit.value)
    return f"{number(measurement.value)} {unit}".rstrip()


def said_of_study(findings: Findings) -> list[str]:
    """What holds for the study as a whole, at least that nothing was found."""
    said = [one_line(s.text) for s in findings.narrative.sentences if s.finding is None]
    if findings.study_probability is not None:
        said.append(f"Probability for the study as a whole: {percent(findings.study_probability)}.")
    if not findings.findings and not said:
        said.append("The analysis was completed and reports no finding.")
    return said


def said_of(finding: Finding, findings: Findings) -> list[str]:
    """The narrative's sentences about a finding; none where it does not mention it."""
    return [one_line(s.text) for s in findings.narrative.sentences if s.finding == finding.label]


def made_by(findings: Findings, source: Source | TextSource, device: Device, identity: Identity) -> str:
    """Which algorithm, weights, provider and node made it, when, and what the weights learnt from."""
    training = findings.algorithm.training
    told = _TRAINING_ON_TEXT if isinstance(source, TextSource) else _TRAINING
    learnt = "" if training == "none" else f" Trained on {told[training]}."
    return text_report.origin(device, identity) + learnt


def _summary(findings: Findings, source: Source | TextSource, identity: Identity, warning: str) -> ContainerContentItem:
    sentences = [
        paragraph(codes.DCM.Impression, text, _study_evidence(findings, source, identity))
        for text in said_of_study(findings)
    ]
    return section(SUMMARY, [paragraph(SUMMARY, warning), *sentences])


def _finding(
    finding: Finding, findings: Findings, source: Source | TextSource, identity: Identity
) -> ContainerContentItem:
    said = said_of(finding, findings) or [one_line(in_words(finding))]
    tracked = TextContentItem(
        name=codes.DCM.TrackingIdentifier,
        value=fit(finding.label, 64),
        relationship_type=RelationshipTypeValues.HAS_OBS_CONTEXT,
    )
    coded = CodeContentItem(codes.DCM.Finding, finding.code, relationship_type=RelationshipTypeValues.CONTAINS)
    sentences = [paragraph(codes.DCM.Finding, text, _evidence(finding, findings, source, identity)) for text in said]
    return section(FINDINGS, [tracked, coded, *sentences])


def _evidence(
    finding: Finding, findings: Findings, source: Source | TextSource, identity: Identity
) -> list[ContentItem]:
    """The finding's segment and the slice that shows it best; what has neither rests on the study."""
    evidence: list[ContentItem] = []
    if isinstance(source, TextSource):
        return _study_evidence(findings, source, identity)
    if finding.segment is not None:
        evidence += [
            image_evidence(codes.DCM.ReferencedSegment, written, finding.segment + 1)
            for written in segmentation_reference(findings, identity)
        ]
    if (key := key_slice(finding)) is not None:
        evidence.append(image_evidence(codes.DCM.BestIllustrationOfFinding, plane_reference(source, key)))
    return evidence or _study_evidence(findings, source, identity)


def _study_evidence(findings: Findings, source: Source | TextSource, identity: Identity) -> list[ContentItem]:
    """The segmentation, which leads to every image, or else the series that was read; of a text its document."""
    if isinstance(source, TextSource):
        document = source.document
        return [document_evidence(document, RelationshipTypeValues.INFERRED_FROM)] if document else []
    written = segmentation_reference(findings, identity)
    if written:
        return [image_evidence(codes.DCM.IllustrationOfROI, image) for image in written]
    series = str(source.datasets[0].SeriesInstanceUID)
    return [UIDRefContentItem(_SERIES, series, relationship_type=RelationshipTypeValues.INFERRED_FROM)]


def _procedure(findings: Findings, source: Source | TextSource, device: Device, identity: Identity) -> list[str]:
    """How it was made, and how the images were taken where they are no plain stack."""
    told = [f"Images: {'; '.join(source.remarks)}."] if isinstance(source, Source) and source.remarks else []
    return [made_by(findings, source, device, identity), *told]


_UNITS = {"1": "", "mm2": "mm²", "mm3": "mm³", "cm2": "cm²", "cm3": "cm³", "ml": "mL"}
"""UCUM as it is printed, where that differs."""

_SERIES = Code("112002", "DCM", "Series Instance UID")
_TRAINING = {
    "real": "real images",
    "synthetic-appearance": "real anatomy with synthetic appearance",
    "synthetic-findings": "synthetic findings only",
}
_TRAINING_ON_TEXT = {
    "real": "real reports",
    "synthetic-appearance": "real findings in made-up reports",
    "synthetic-findings": "made-up reports only",
}
