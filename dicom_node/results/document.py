"""A document around a content tree (PS3.3 C.17): evidence, and for an SR flags and predecessors; knows no template."""

from collections.abc import Sequence

from pydicom import Dataset

from dicom_node.results.envelope import Envelope, seal
from dicom_node.results.identity import Predecessor
from dicom_node.results.planes import Reference
from dicom_node.study import ObjectKind

_NO_DOCUMENTS = {ObjectKind.SEG, ObjectKind.CAPTURE}


def document(
    root: Dataset, envelope: Envelope, evidence: Sequence[Reference], predecessors: Sequence[Predecessor] = ()
) -> Dataset:
    """A complete, unverified and preliminary document.

    Parameters
    ----------
    root
        Root CONTAINER of the content tree.
    envelope
        What stands around it.
    evidence
        Every instance that the tree refers to or that was read; duplicates are dropped.
    predecessors
        Objects of the previous version; the documents among them that this one replaces are named.
    """
    dataset = selection(root, envelope, evidence)
    dataset.PerformedProcedureCodeSequence = []
    dataset.CompletionFlag, dataset.VerificationFlag, dataset.PreliminaryFlag = "COMPLETE", "UNVERIFIED", "PRELIMINARY"
    if replaced := _replaced(envelope.kind, predecessors):
        dataset.PredecessorDocumentsSequence = [_study(str(dataset.StudyInstanceUID), replaced)]
    return dataset


def selection(root: Dataset, envelope: Envelope, evidence: Sequence[Reference]) -> Dataset:
    """A Key Object Selection Document (PS3.3 C.17.6): it is not completed, verified or replaced; arguments as above."""
    dataset = Dataset()
    for element in root:
        dataset[element.tag] = element
    seal(dataset, envelope)
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.CurrentRequestedProcedureEvidenceSequence = [_study(str(dataset.StudyInstanceUID), evidence)]
    return dataset


def _replaced(kind: ObjectKind, predecessors: Sequence[Predecessor]) -> list[Reference]:
    """The previous document of the same kind, else all documents: an outcome and a result replace each other."""
    documents = [p for p in predecessors if p.kind not in _NO_DOCUMENTS]
    return [
        Reference(
            series_instance_uid=p.series_instance_uid,
            sop_class_uid=p.sop_class_uid,
            sop_instance_uid=p.sop_instance_uid,
        )
        for p in [p for p in documents if p.kind is kind] or documents
    ]


def _study(study_instance_uid: str, references: Sequence[Reference]) -> Dataset:
    """Hierarchical SOP Instance Reference macro (PS3.3 C.17.2.1): series and instances in order of first mention."""
    series: dict[str, dict[str, str]] = {}
    for reference in references:
        series.setdefault(reference.series_instance_uid, {})[reference.sop_instance_uid] = reference.sop_class_uid
    study = Dataset()
    study.StudyInstanceUID = study_instance_uid
    study.ReferencedSeriesSequence = [_series(uid, instances) for uid, instances in series.items()]
    return study


def _series(series_instance_uid: str, instances: dict[str, str]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = series_instance_uid
    series.ReferencedSOPSequence = [_instance(class_uid, uid) for uid, class_uid in instances.items()]
    return series


def _instance(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    instance = Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = sop_class_uid, sop_instance_uid
    return instance
