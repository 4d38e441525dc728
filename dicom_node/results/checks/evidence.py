"""Whether a document's evidence lists what its tree refers to, each instance once (PS3.3 C.17.2)."""

from dicom_node.errors import DefectError
from dicom_node.results.checks.nesting import nested
from dicom_node.results.checks.references import referenced
from dicom_node.results.checks.subject import Written
from dicom_node.results.content_tree import content_items


def check_evidence(document: Written) -> None:
    """Check Current Requested Procedure Evidence.

    Raises
    ------
    DefectError
        If it lacks an instance or names one twice, which makes Stone refuse the whole document.
    """
    evidence = document.dataset.get("CurrentRequestedProcedureEvidenceSequence")
    if not evidence:
        raise DefectError(f"{document.name} lists no evidence (CurrentRequestedProcedureEvidenceSequence)")
    listed = [referenced(i) for study in evidence for _, i in nested(study) if "ReferencedSOPInstanceUID" in i]
    once = set(listed)
    if len(once) < len(listed):
        raise DefectError(f"the evidence of {document.name} lists an instance twice")
    for item in content_items(document.dataset):
        for reference in item.get("ReferencedSOPSequence", ()):
            if referenced(reference) not in once:
                raise DefectError(f"{document.name} refers to an instance that its evidence does not list")
