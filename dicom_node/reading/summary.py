"""Findings as plain JSON values, in the shape that `process --json` and `show --json` print."""

from typing import Any

from pydicom.sr.coding import Code

from dicom_node.results.identity import Identity
from dicom_node.results.placement import tracking_uid
from inference.findings import Finding, Findings


def summarised(findings: Findings, identity: Identity) -> tuple[dict[str, Any], ...]:
    """One mapping for each finding: code, site, laterality, probability, measurements, tracking_uid."""
    return tuple(_finding(finding, identity) for finding in findings.findings)


def _finding(finding: Finding, identity: Identity) -> dict[str, Any]:
    return {
        "code": _code(finding.code),
        "site": _code(finding.site) if finding.site else None,
        "laterality": _code(finding.laterality) if finding.laterality else None,
        "probability": float(finding.probability) if finding.probability is not None else None,
        "measurements": [
            {"code": _code(m.code), "value": float(m.value), "unit": m.unit.value} for m in finding.measurements
        ],
        "tracking_uid": tracking_uid(identity, finding.label),
    }


def _code(code: Code) -> dict[str, str]:
    return {"scheme": code.scheme_designator, "value": code.value, "meaning": code.meaning}
