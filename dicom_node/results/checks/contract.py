"""What viewers and readers need of an object beyond the standard, as a table of small rules, each with its source."""

from collections.abc import Callable
from dataclasses import dataclass

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks import segments
from dicom_node.results.checks.air import REPORT
from dicom_node.results.checks.measurement_groups import groups
from dicom_node.results.checks.references import numbers
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.content_tree import concept, content_items

_RESEARCH = "RESEARCH USE"
_GRAPHICS = {"SCOORD", "SCOORD3D"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One demand.

    Attributes
    ----------
    source
        Who makes it: a viewer and its issue, a part of the standard, or a promise of this node.
    concerns
        Whether it is made of an object.
    fault
        What is wrong with an object, as the end of a sentence that begins with its name; None where nothing is.
    """

    source: str
    concerns: Callable[[Written], bool]
    fault: Callable[[Written, Subject], str | None]


def check_contract(written: Written, subject: Subject) -> None:
    """Check every rule that concerns an object.

    Raises
    ------
    DefectError
        At the first rule that is broken, with its source.
    """
    for rule in RULES:
        fault = rule.fault(written, subject) if rule.concerns(written) else None
        if fault is not None:
            raise DefectError(f"{written.name} {fault} [{rule.source}]")


def _any(_written: Written) -> bool:
    return True


def _masks(written: Written) -> bool:
    return written.is_segmentation


def _measurements(written: Written) -> bool:
    return written.is_measurements


def _words(written: Written) -> bool:
    return written.is_report and not written.is_measurements


def _marked(written: Written, _subject: Subject) -> str | None:
    said = str(written.dataset.get("SeriesDescription", ""))
    return None if "AI" in said and "unverified" in said else "does not say AI, unverified in its SeriesDescription"


def _research(written: Written, subject: Subject) -> str | None:
    if subject.research and _RESEARCH not in str(written.dataset.get("SeriesDescription", "")):
        return f"does not say {_RESEARCH} in its SeriesDescription"
    return None


def _qualified(written: Written, subject: Subject) -> str | None:
    wanted = "RESEARCH" if subject.research else "PRODUCT"
    return None if written.dataset.get("ContentQualification") == wanted else f"lacks ContentQualification {wanted}"


def _derived(written: Written, _subject: Subject) -> str | None:
    derived = list(written.dataset.ImageType[:2]) == ["DERIVED", "PRIMARY"]
    return None if derived else "has no ImageType DERIVED\\PRIMARY"


def _lossy(written: Written, subject: Subject) -> str | None:
    """What was drawn on lossy images is lossy, by the ratio of the images where they say it."""
    series = {str(item.SeriesInstanceUID) for item in written.dataset.ReferencedSeriesSequence}
    lossy = [
        source
        for source in subject.received
        if str(source.SeriesInstanceUID) in series and source.get("LossyImageCompression") == "01"
    ]
    if lossy and written.dataset.get("LossyImageCompression") != "01":
        return "does not say LossyImageCompression 01 as its source does"
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if any(source.get(keyword) for source in lossy) and not written.dataset.get(keyword):
            return f"lacks {keyword}, which its source says"
    return None


def _drawn(written: Written, _subject: Subject) -> str | None:
    return _first(written, lambda group: _segment_of(group) and not _is_drawn(group), "has a segment and no SCOORD")


def _children(written: Written, _subject: Subject) -> str | None:
    """In a group without a region OHIF reads a child of every number, and stops at a number without."""
    return _first(written, lambda group: not _is_drawn(group) and _childless(group), "has a NUM without a child")


def _first(written: Written, broken: Callable[[Dataset], bool], fault: str) -> str | None:
    found = [number for number, group in enumerate(groups(written.dataset), start=1) if broken(group)]
    return f"has a measurement group ({found[0]}) that {fault}" if found else None


def _is_drawn(group: Dataset) -> bool:
    return any(item.ValueType in _GRAPHICS for item in content_items(group))


def _segment_of(group: Dataset) -> bool:
    references = [r for item in group.ContentSequence for r in item.get("ReferencedSOPSequence", ())]
    return any(numbers(reference, "ReferencedSegmentNumber") for reference in references)


def _childless(group: Dataset) -> bool:
    return any(item.ValueType == "NUM" and not item.get("ContentSequence") for item in group.ContentSequence)


def _titled(written: Written, _subject: Subject) -> str | None:
    return "has the title 126000" if concept(written.dataset) == REPORT else None


_UNVERIFIED = (("AI", "not verified"), ("KI", "nicht ärztlich geprüft"))
"""In each language: who made it, and that nobody verified it."""


def _warned(written: Written, subject: Subject) -> str | None:
    said = [str(item.TextValue) for item in content_items(written.dataset) if item.ValueType == "TEXT"]
    if not any(maker in text and unverified in text for text in said for maker, unverified in _UNVERIFIED):
        return "does not say in words that AI made it and nobody verified it"
    return f"does not say {_RESEARCH} in words" if subject.research and not any(_RESEARCH in t for t in said) else None


RULES = (
    Rule(source="the one line of a series that a radiologist sees", concerns=_any, fault=_marked),
    Rule(source="clinical use of the bundle", concerns=_any, fault=_research),
    Rule(source="PS3.3 C.12.1, clinical use of the bundle", concerns=_any, fault=_qualified),
    Rule(source="PS3.3 C.8.20.2", concerns=_masks, fault=_derived),
    Rule(source="PS3.3 C.7.6.1.1.5", concerns=_masks, fault=_lossy),
    Rule(source="PS3.3 C.8.20.2", concerns=_masks, fault=segments.numbering),
    Rule(source="PS3.3 C.8.20.2", concerns=_masks, fault=segments.algorithm_type),
    Rule(source="IHE AIR 6.5.3.1", concerns=_masks, fault=segments.algorithm),
    Rule(source="a finding is the same in mask and report", concerns=_masks, fault=segments.tracking),
    Rule(source="OHIF, Weasis and Slicer draw in it", concerns=_masks, fault=segments.color),
    Rule(source="OHIF #3390", concerns=_measurements, fault=_drawn),
    Rule(source="OHIF reads a child of every number", concerns=_measurements, fault=_children),
    Rule(source="OHIF shows 126000 without its text", concerns=_words, fault=_titled),
    Rule(source="clinical use of the bundle", concerns=_words, fault=_warned),
)
"""In the order in which they are checked."""
