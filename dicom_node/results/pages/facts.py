"""A finding's facts in few letters, for a page of the summary: where it lies, and each measured value with its unit."""

from dicom_node.results.text import number
from inference.findings import Finding, Measurement

_UNITS = {"1": "", "{score}": "", "mm2": "mm²", "mm3": "mm³", "cm2": "cm²", "cm3": "cm³", "ml": "mL"}
"""UCUM as it is printed, where that differs."""


def place(finding: Finding) -> str:
    """Side and site of a finding, "Left Brain"; empty where neither is known."""
    return " ".join(code.meaning for code in (finding.laterality, finding.site) if code)


def measured(measurement: Measurement) -> str:
    """A measured value with its unit, as it is read: "12.35 mL"."""
    unit = _UNITS.get(measurement.unit.value, measurement.unit.value)
    return f"{number(measurement.value)} {unit}".rstrip()
