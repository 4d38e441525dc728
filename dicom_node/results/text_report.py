"""The parts of a report in words (after TID 2000): sections, paragraphs and what each rests on."""

from collections.abc import Sequence
from datetime import UTC

from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    ContainerContentItem,
    ContentItem,
    ContentSequence,
    ImageContentItem,
    LanguageOfContentItemAndDescendants,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import provenance
from dicom_node.results.identity import Identity
from dicom_node.results.planes import Reference
from dicom_node.results.provenance import Device

TITLE = codes.cid7000.DiagnosticImagingReport
"""Document title (18748-4, LN). Not 126000: OHIF shows reports of that title without their text."""

ENGLISH = CodedConcept("en", "RFC5646", "English")


def report(device: Device, procedure: Code, sections: Sequence[ContainerContentItem]) -> ContainerContentItem:
    """Root of TID 2000: language, observer, procedure, sections."""
    root = ContainerContentItem(name=TITLE, template_id="2000", is_content_continuous=False)
    root.ContentSequence = ContentSequence(is_root=False)
    root.ContentSequence.extend(LanguageOfContentItemAndDescendants(ENGLISH))
    root.ContentSequence.extend(provenance.observation_context(device))
    root.ContentSequence.append(
        CodeContentItem(
            codes.DCM.ProcedureReported, procedure, relationship_type=RelationshipTypeValues.HAS_CONCEPT_MOD
        )
    )
    root.ContentSequence.extend(sections)
    return root


def section(heading: Code, items: Sequence[ContentItem]) -> ContainerContentItem:
    """A section with a heading of CID 7001."""
    container = ContainerContentItem(
        name=heading, is_content_continuous=False, relationship_type=RelationshipTypeValues.CONTAINS
    )
    container.ContentSequence = ContentSequence(items)
    return container


def paragraph(name: Code, text: str, evidence: Sequence[ContentItem] = ()) -> TextContentItem:
    """A paragraph named by CID 7002, inferred from its evidence (TID 2001)."""
    item = TextContentItem(name=name, value=text, relationship_type=RelationshipTypeValues.CONTAINS)
    if evidence:
        item.ContentSequence = ContentSequence(evidence)
    return item


def image_evidence(purpose: Code, image: Reference, segment_number: int | None = None) -> ImageContentItem:
    """An image, a frame or a segment that a paragraph is inferred from."""
    return ImageContentItem(
        name=purpose,
        referenced_sop_class_uid=image.sop_class_uid,
        referenced_sop_instance_uid=image.sop_instance_uid,
        referenced_frame_numbers=image.frame_number,
        referenced_segment_numbers=segment_number,
        relationship_type=RelationshipTypeValues.INFERRED_FROM,
    )


def warning(device: Device) -> str:
    """What every text starts with."""
    research = " RESEARCH USE ONLY, not for diagnosis." if device.research else ""
    return f"Made by AI, not verified by a physician.{research}"


def origin(device: Device, identity: Identity) -> str:
    """Which algorithm, weights, provider and node made it, and when."""
    return (
        f"Read by {device.model_name} {device.software_version} of {device.manufacturer}, "
        f"sha256 {identity.algorithm_digest[:12]}, on {identity.provider}. {node(identity)}"
    )


def node(identity: Identity) -> str:
    """Which node, and when the analysis started."""
    when = identity.analysed_at.astimezone(UTC)
    return f"Node: dicom-node {identity.software_version}, {when:%Y-%m-%d %H:%M:%S} UTC."
