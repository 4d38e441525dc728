"""A question that a person asked about a study, and its answers: a text SR of marked sentences with their evidence."""

import hashlib
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

from dicom_node.results import placement, provenance, text_report
from dicom_node.results.answers import Answer, answers
from dicom_node.results.document import document
from dicom_node.results.drafts import drafted
from dicom_node.results.envelope import Envelope
from dicom_node.results.identity import Identity
from dicom_node.results.languages import WORDS
from dicom_node.results.measurement_report import procedure
from dicom_node.results.narrative_report import DRAFT, FINDINGS, PROCEDURE, SUMMARY, made_by, read_series
from dicom_node.results.planes import instance_references, plane_reference
from dicom_node.results.source import Source
from dicom_node.results.spoken import in_words, spoken
from dicom_node.results.text import fit, one_line
from dicom_node.results.text_report import image_evidence, paragraph, section, with_english
from dicom_node.study import ObjectKind
from inference.asked import Asked
from inference.findings import Finding, Findings

QUESTION = Code("question", "99DICOMNODE", "Question asked")
"""Heading and name of what a person asked: none of CID 7001 says that."""


def write(findings: Findings, asked: Asked, source: Source, identity: Identity) -> Dataset:
    """A text report: warning, question, each answer with its marks, what it was held against, how it was made.

    Parameters
    ----------
    findings
        As `inference.asked.Answerer.answered` gives them.
    asked
        The question; a source of the UIDs too, with all that went before and was found.
    identity
        Its inherited tracking identifiers are those of `asked.found`.
    """
    device, words = provenance.device_of(findings.algorithm, identity), WORDS[identity.language]
    made = [paragraph(codes.DCM.ProcedureDescription, made_by(findings, source, device, identity))]
    if source.remarks:
        made += with_english(codes.DCM.ProcedureDescription, words.images, "; ".join(source.remarks), words)
    held = words.answer.held if asked.found else words.answer.held_against_none
    fixed = (text_report.warning(device, words), words.answer.what, held)
    sections = [
        section(SUMMARY, [paragraph(SUMMARY, text) for text in fixed]),
        _question(asked, identity),
        *(_answer(answer, source, identity) for answer in answers(findings)),
        *(_found(finding, identity) for finding in asked.found),
        section(PROCEDURE, made),
    ]
    digest = hashlib.sha256(repr(asked).encode()).hexdigest()
    return document(
        text_report.report(device, procedure(source.datasets[0]), sections, words),
        Envelope(
            kind=ObjectKind.ANSWER, identity=identity, device=device, source=source.datasets[0], detail=f" {digest}"
        ),
        instance_references(source),
    )


def _question(asked: Asked, identity: Identity) -> ContainerContentItem:
    words, count = WORDS[identity.language].answer, len(asked.earlier)
    items = [paragraph(QUESTION, one_line(asked.text))]
    if count:
        goes_on = words.goes_on_one if count == 1 else words.goes_on_many.format(count=count)
        items.append(paragraph(QUESTION, goes_on))
    return section(QUESTION, items)


def _answer(answer: Answer, source: Source, identity: Identity) -> ContainerContentItem:
    said = [s for s in spoken(answer.findings, identity.language) if s.finding is None]
    evidence = _evidence(answer, source)
    return section(
        DRAFT,
        [
            *(_paragraph(one_line(s.text), evidence, english=s.language != identity.language) for s in said),
            *(_paragraph(one_line(d.text), evidence) for d in drafted(answer.findings, identity.language)),
        ],
    )


def _paragraph(text: str, evidence: Sequence[ContentItem], *, english: bool = False) -> TextContentItem:
    return paragraph(DRAFT, text, evidence, in_english=english)


def _evidence(answer: Answer, source: Source) -> list[ContentItem]:
    """The slice that was looked at, or the series."""
    if answer.plane is None:
        return [read_series(source)]
    return [image_evidence(codes.DCM.IllustrationOfROI, plane_reference(source, answer.plane))]


def _found(finding: Finding, identity: Identity) -> ContainerContentItem:
    """A finding of another result, known by its Tracking Unique Identifier in all objects of the study."""
    context = RelationshipTypeValues.HAS_OBS_CONTEXT
    uid = placement.tracking_uid(identity, finding.label)
    return section(
        FINDINGS,
        [
            TextContentItem(codes.DCM.TrackingIdentifier, fit(finding.label, 64), relationship_type=context),
            UIDRefContentItem(codes.DCM.TrackingUniqueIdentifier, uid, relationship_type=context),
            CodeContentItem(codes.DCM.Finding, finding.code, relationship_type=RelationshipTypeValues.CONTAINS),
            paragraph(codes.DCM.Finding, f"{in_words(finding, WORDS[identity.language])}."),
        ],
    )
