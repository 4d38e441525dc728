"""A measured value in few letters, for a page of the summary."""

from dicom_node.results.text import number
from inference.findings import Measurement

_UNITS = {"1": "", "{score}": "", "mm2": "mm²", "mm3": "mm³", "cm2": "cm²", "cm3": "cm³", "ml": "mL"}
"""UCUM as it is printed, where that differs."""


def measured(measurement: Measurement) -> str:
    """A measured value with its unit, as it is read: "12.35 mL"."""
    unit = _UNITS.get(measurement.unit.value, measurement.unit.value)
    return f"{number(measurement.value)} {unit}".rstrip()
