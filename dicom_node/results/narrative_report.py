"""The report a radiologist reads: an SR in words, in the class of the rendering, each sentence tied to its evidence."""

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
from dicom_node.results.drafts import Drafted, drafted
from dicom_node.results.envelope import Envelope
from dicom_node.results.identity import Identity, Predecessor
from dicom_node.results.languages import WORDS
from dicom_node.results.measurement_report import (
    document_evidence,
    key_slice,
    procedure,
    segmentation_reference,
)
from dicom_node.results.planes import instance_references, plane_reference
from dicom_node.results.provenance import Device
from dicom_node.results.source import Source, TextSource
from dicom_node.results.spoken import Spoken, spoken
from dicom_node.results.text import fit, one_line, percent
from dicom_node.results.text_report import image_evidence, paragraph, section, with_english
from dicom_node.study import Language, ObjectKind
from inference.findings import Finding, Findings

SUMMARY, FINDINGS, PROCEDURE = codes.cid7001.Summary, codes.cid7001.Findings, codes.cid7001.CurrentProcedureDescriptions
"""Headings (CID 7001)."""

DRAFT = Code("draft-text", "99DICOMNODE", "Draft text, generated, not verified")
"""Heading and name of generated sentences: none of CID 7001 says that."""


def write(
    findings: Findings, source: Source | TextSource, identity: Identity, predecessors: Sequence[Predecessor] = ()
) -> Dataset:
    """A text report: warning and what holds for the study, one section for each finding, drafts, how it was made.

    It is in the language of the identity. A finding that the narrative does not mention is put into words from its
    codes, so none is left out. Generated sentences stand apart, behind what is coded, each with its mark.
    """
    device, words = provenance.device_of(findings.algorithm, identity), WORDS[identity.language]
    sections = [
        _summary(findings, source, identity, device),
        *(_finding(finding, findings, source, identity) for finding in findings.findings),
        *_drafts(findings, source, identity),
        section(PROCEDURE, _procedure(findings, source, device, identity)),
    ]
    return document(
        text_report.report(device, procedure(source.datasets[0]), sections, words),
        Envelope(kind=ObjectKind.NARRATIVE, identity=identity, device=device, source=source.datasets[0]),
        [*instance_references(source), *segmentation_reference(findings, identity)],
        predecessors,
    )


def said_of_study(findings: Findings, language: Language) -> list[Spoken]:
    """What holds for the study as a whole, at least that nothing was found."""
    words = WORDS[language]
    said = [sentence for sentence in spoken(findings, language) if sentence.finding is None]
    own = []
    if findings.study_probability is not None:
        value = percent(findings.study_probability, words.below, words.above)
        own.append(words.whole_study.format(value=value))
    if not findings.findings and not said and not own:
        own.append(words.nothing)
    return said + [Spoken(text=text, finding=None, language=language) for text in own]


def said_of(finding: Finding, findings: Findings, language: Language) -> list[Spoken]:
    """The sentences about a finding, at least what its codes say."""
    return [sentence for sentence in spoken(findings, language) if sentence.finding == finding.label]


def made_by(findings: Findings, source: Source | TextSource, device: Device, identity: Identity) -> str:
    """Which algorithm, weights, provider and node made it, when, and what the weights learnt from."""
    training, words = findings.algorithm.training, WORDS[identity.language]
    told = words.training_on_text if isinstance(source, TextSource) else words.training
    learnt = "" if training == "none" else f" {told[training]}"
    return text_report.origin(device, identity, words) + learnt


def _summary(
    findings: Findings, source: Source | TextSource, identity: Identity, device: Device
) -> ContainerContentItem:
    warning = text_report.warning(device, WORDS[identity.language])
    paragraphs = [
        _sentence(codes.DCM.Impression, one, _study_evidence(findings, source, identity), identity)
        for one in said_of_study(findings, identity.language)
    ]
    return section(SUMMARY, [paragraph(SUMMARY, warning), *paragraphs])


def _finding(
    finding: Finding, findings: Findings, source: Source | TextSource, identity: Identity
) -> ContainerContentItem:
    tracked = TextContentItem(
        name=codes.DCM.TrackingIdentifier,
        value=fit(finding.label, 64),
        relationship_type=RelationshipTypeValues.HAS_OBS_CONTEXT,
    )
    coded = CodeContentItem(codes.DCM.Finding, finding.code, relationship_type=RelationshipTypeValues.CONTAINS)
    paragraphs = [
        _sentence(codes.DCM.Finding, one, _evidence(finding, findings, source, identity), identity)
        for one in said_of(finding, findings, identity.language)
    ]
    return section(FINDINGS, [tracked, coded, *paragraphs])


def _drafts(findings: Findings, source: Source | TextSource, identity: Identity) -> list[ContainerContentItem]:
    """The section of generated sentences, where there are any."""
    drafts = drafted(findings, identity.language)
    rests = [_draft_evidence(one, findings, source, identity) for one in drafts]
    paragraphs = [paragraph(DRAFT, one_line(one.text), rest) for one, rest in zip(drafts, rests, strict=True)]
    return [section(DRAFT, paragraphs)] if paragraphs else []


def _draft_evidence(
    drafted: Drafted, findings: Findings, source: Source | TextSource, identity: Identity
) -> list[ContentItem]:
    """Of each finding that it agrees with or contradicts; or the empty segment."""
    evidence = [
        item
        for finding in findings.findings
        if finding.label in drafted.evidence
        for item in _evidence(finding, findings, source, identity)
    ]
    if drafted.segment is not None:
        written = segmentation_reference(findings, identity)
        return [image_evidence(codes.DCM.ReferencedSegment, image, drafted.segment + 1) for image in written]
    return evidence


def _sentence(name: Code, sentence: Spoken, evidence: list[ContentItem], identity: Identity) -> TextContentItem:
    return paragraph(name, one_line(sentence.text), evidence, in_english=sentence.language != identity.language)


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
    return [read_series(source)]


def read_series(source: Source) -> UIDRefContentItem:
    """The series that was read, as evidence."""
    series = str(source.datasets[0].SeriesInstanceUID)
    return UIDRefContentItem(_SERIES, series, relationship_type=RelationshipTypeValues.INFERRED_FROM)


def _procedure(
    findings: Findings, source: Source | TextSource, device: Device, identity: Identity
) -> list[TextContentItem]:
    """How it was made, and how the images were taken where they are no plain stack."""
    words, name = WORDS[identity.language], codes.DCM.ProcedureDescription
    made = [paragraph(name, made_by(findings, source, device, identity))]
    if isinstance(source, TextSource) or not source.remarks:
        return made
    return [*made, *with_english(name, words.images, "; ".join(source.remarks), words)]


_SERIES = Code("112002", "DCM", "Series Instance UID")
