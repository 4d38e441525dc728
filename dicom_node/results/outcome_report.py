"""Why a study has no result: a short text report for `abstained`, `failed` and `not-applicable`, from headers alone."""

import hashlib
from collections.abc import Sequence

from highdicom.sr import CodeContentItem, RelationshipTypeValues
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import provenance, text_report
from dicom_node.results.document import document
from dicom_node.results.envelope import Envelope
from dicom_node.results.identity import Identity, Predecessor
from dicom_node.results.languages import WORDS
from dicom_node.results.measurement_report import procedure
from dicom_node.results.planes import reference
from dicom_node.results.text import one_line
from dicom_node.results.text_report import paragraph, section, with_english
from dicom_node.study import ObjectKind, Outcome


def write(
    outcome: Outcome,
    reason: str,
    algorithm_name: str,
    headers: Sequence[Dataset],
    identity: Identity,
    predecessors: Sequence[Predecessor] = (),
) -> Dataset:
    """A report that says that there is no result, and why.

    Parameters
    ----------
    outcome
        Any but `result`.
    reason
        In English words, for the radiologist; without patient data.
    algorithm_name
        Algorithm that would have read the study; empty where no rule chose one.
    headers
        Any instances of the study, of any class, at least one.
    identity
        Its digest stands for the algorithm or, where there is none, for the node. Outcome and reason are sources of the
        UIDs too: a second try may end otherwise.
    predecessors
        Objects of the previous version.

    Raises
    ------
    ValueError
        If the outcome is `result` or no header is given.
    """
    if outcome is Outcome.RESULT or not headers:
        raise ValueError("an outcome report needs an outcome without result and an instance of the study")
    device, words = provenance.device_named(algorithm_name, identity), WORDS[identity.language]
    begun, why = f"{words.no_result[outcome]} {words.reason}", one_line(reason).rstrip(".")
    summary = [
        *with_english(codes.cid7001.Summary, begun, why, words),
        paragraph(codes.cid7001.Summary, text_report.warning(device, words)),
        CodeContentItem(
            codes.DCM.SummaryOfAnalyses, _STATUS[outcome], relationship_type=RelationshipTypeValues.CONTAINS
        ),
    ]
    sections = [
        section(codes.cid7001.Summary, summary),
        section(
            codes.cid7001.CurrentProcedureDescriptions,
            [paragraph(codes.DCM.ProcedureDescription, _origin(algorithm_name, identity))],
        ),
    ]
    return document(
        text_report.report(device, procedure(headers[0]), sections, words),
        Envelope(
            kind=ObjectKind.OUTCOME,
            identity=identity,
            device=device,
            source=headers[0],
            detail=f" {outcome} {hashlib.sha256(reason.encode()).hexdigest()}",
        ),
        [reference(instance) for instance in headers],
        predecessors,
    )


def _origin(algorithm_name: str, identity: Identity) -> str:
    words = WORDS[identity.language]
    algorithm = f"{words.algorithm.format(name=one_line(algorithm_name))} " if algorithm_name else ""
    return algorithm + text_report.node(identity, words)


_STATUS: dict[Outcome, Code] = {
    Outcome.ABSTAINED: codes.DCM.NotAttempted,
    Outcome.FAILED: codes.DCM.Failed,
    Outcome.NOT_APPLICABLE: codes.DCM.NotAttempted,
}
"""Summary of Analyses (111065), as CAD reports say it (PS3.16 CID 6042)."""
