"""What is checked together: the objects of one reading, what was received, and what the reading knows of itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage

from dicom_node.results.identity import Predecessor
from dicom_node.study import ObjectKind

SEGMENTATIONS = {
    "1.2.840.10008.5.1.4.1.1.66.4": "Segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation",
}
"""SOP classes of masks (PS3.3 A.51); only the first says of each frame which segment it shows."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """One object as it was read back from its file."""

    kind: ObjectKind
    dataset: Dataset

    @property
    def name(self) -> str:
        """How a message names it."""
        return f"the {self.kind} object"

    @property
    def sop_class_uid(self) -> str:
        """SOP Class UID, "" where there is none."""
        return str(self.dataset.get("SOPClassUID", ""))

    @property
    def is_segmentation(self) -> bool:
        """Whether it holds masks."""
        return self.sop_class_uid in SEGMENTATIONS

    @property
    def is_document(self) -> bool:
        """Whether it has a content tree."""
        return self.dataset.get("Modality") == "SR" or "ContentSequence" in self.dataset

    @property
    def is_report(self) -> bool:
        """Whether it is a document that says something, not one that only selects objects (PS3.3 A.35.4)."""
        return self.is_document and self.kind is not ObjectKind.REJECTION

    @property
    def is_measurements(self) -> bool:
        """Whether it is the measurement report, in whichever class it was written."""
        return self.is_document and self.kind is ObjectKind.SR


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The objects of one reading and everything they are compared with.

    Attributes
    ----------
    objects
        All objects of the reading; they may refer to each other.
    received
        Headers of the instances that were received: all that the objects may refer to besides.
    predecessors
        Objects of the previous version, which they may name.
    analysed_at
        Start of the analysis, aware.
    research
        Whether the objects must say RESEARCH USE.
    measurement_classes
        SOP classes the measurement report may have; IHE AIR 6.5.3.1 knows the first alone, a destination may need
        another.
    """

    objects: tuple[Written, ...]
    received: tuple[Dataset, ...]
    predecessors: tuple[Predecessor, ...] = ()
    analysed_at: datetime
    research: bool
    measurement_classes: frozenset[str] = frozenset({str(Comprehensive3DSRStorage)})

    def __post_init__(self) -> None:
        if self.analysed_at.tzinfo is None:
            raise ValueError("analysed_at must be aware")

    @property
    def segmentations(self) -> Iterator[Written]:
        """The objects that hold masks."""
        return (written for written in self.objects if written.is_segmentation)

    @property
    def documents(self) -> Iterator[Written]:
        """The objects that have a content tree."""
        return (written for written in self.objects if written.is_document)

    @property
    def measurements(self) -> Iterator[Written]:
        """The measurement reports."""
        return (written for written in self.objects if written.is_measurements)

    @cached_property
    def sources(self) -> dict[str, Dataset]:
        """The instances received, by SOP Instance UID."""
        return {str(header.SOPInstanceUID): header for header in self.received}

    @cached_property
    def instances(self) -> dict[str, Dataset]:
        """The instances received and the objects of the reading, by SOP Instance UID."""
        return self.sources | {str(written.dataset.SOPInstanceUID): written.dataset for written in self.objects}
