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
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import provenance
from dicom_node.results.content_tree import content_items
from dicom_node.results.identity import Identity
from dicom_node.results.planes import Reference
from dicom_node.results.provenance import Device
from dicom_node.results.words import Words
from dicom_node.results.words_en import ENGLISH

TITLE = codes.cid7000.DiagnosticImagingReport
"""Document title (18748-4, LN). Not 126000: OHIF shows reports of that title without their text."""


def report(
    device: Device, procedure: Code, sections: Sequence[ContainerContentItem], words: Words
) -> ContainerContentItem:
    """Root of TID 2000: language, observer, procedure, sections; every code under the name it has in the language."""
    root = ContainerContentItem(name=TITLE, template_id="2000", is_content_continuous=False)
    root.ContentSequence = ContentSequence(is_root=False)
    root.ContentSequence.extend(_language(words.code))
    root.ContentSequence.extend(provenance.observation_context(device))
    root.ContentSequence.append(
        CodeContentItem(
            codes.DCM.ProcedureReported, procedure, relationship_type=RelationshipTypeValues.HAS_CONCEPT_MOD
        )
    )
    root.ContentSequence.extend(sections)
    for item in [root, *content_items(root)]:
        _rename(item, words)
    return root


def section(heading: Code, items: Sequence[ContentItem]) -> ContainerContentItem:
    """A section with a heading of CID 7001."""
    container = ContainerContentItem(
        name=heading, is_content_continuous=False, relationship_type=RelationshipTypeValues.CONTAINS
    )
    container.ContentSequence = ContentSequence(items)
    return container


def paragraph(
    name: Code, text: str, evidence: Sequence[ContentItem] = (), *, in_english: bool = False
) -> TextContentItem:
    """A paragraph named by CID 7002, inferred from its evidence (TID 2001); known as English where the rest is not."""
    item = TextContentItem(name=name, value=text, relationship_type=RelationshipTypeValues.CONTAINS)
    below = [*(_language(ENGLISH.code) if in_english else ()), *evidence]
    if below:
        item.ContentSequence = ContentSequence(below)
    return item


def with_english(name: Code, before: str, english: str, words: Words) -> list[TextContentItem]:
    """What is known in English only, behind its introduction: one paragraph, or two of two languages."""
    if words is ENGLISH:
        return [paragraph(name, f"{before} {english}.")]
    return [paragraph(name, before), paragraph(name, f"{english}.", in_english=True)]


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


def warning(device: Device, words: Words) -> str:
    """What every text starts with."""
    return f"{words.warning} {words.research}" if device.research else words.warning


def origin(device: Device, identity: Identity, words: Words) -> str:
    """Which algorithm, weights, provider and node made it, and when."""
    read_by = words.read_by.format(
        name=device.model_name,
        version=device.software_version,
        maker=device.manufacturer,
        digest=identity.algorithm_digest[:12],
        provider=identity.provider,
    )
    return f"{read_by} {node(identity, words)}"


def node(identity: Identity, words: Words) -> str:
    """Which node, and when the analysis started."""
    when = identity.analysed_at.astimezone(UTC)
    return words.node.format(version=identity.software_version, when=f"{when:%Y-%m-%d %H:%M:%S} UTC")


def _language(code: Code) -> LanguageOfContentItemAndDescendants:
    return LanguageOfContentItemAndDescendants(CodedConcept.from_code(code))


def _rename(item: Dataset, words: Words) -> None:
    """Code Meaning may be in any language (PS3.3 8.3): viewers print it as a heading; the code itself stays."""
    for keyword in ("ConceptNameCodeSequence", "ConceptCodeSequence"):
        if keyword in item:
            concept = CodedConcept.from_dataset(getattr(item, keyword)[0])
            meaning = words.name(Code(concept.value, concept.scheme_designator, concept.meaning))
            renamed = CodedConcept(concept.value, concept.scheme_designator, meaning, concept.scheme_version)
            setattr(item, keyword, [renamed])
