"""The groups of a measurement report (TID 1410, 1411, 1501): tracked, measured in UCUM, made by a named algorithm."""

from collections.abc import Iterator

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks.subject import Written
from dicom_node.results.content_tree import concept, content_items

GROUP = "125007"
"""Measurement Group."""

TRACKING_IDENTIFIER, TRACKING_UID = "112039", "112040"
ALGORITHM_NAME, ALGORITHM_VERSION = "111001", "111003"

_TEMPLATES = {"1410", "1411", "1501"}


def groups(root: Dataset) -> Iterator[Dataset]:
    """Every measurement group of a document."""
    return (item for item in content_items(root) if item.ValueType == "CONTAINER" and concept(item) == GROUP)


def tracking(group: Dataset) -> tuple[str, str]:
    """Tracking Identifier and Tracking Unique Identifier of a group that passed `check_measurement_groups`."""
    named = {concept(item): item for item in group.ContentSequence}
    return str(named[TRACKING_IDENTIFIER].TextValue), str(named[TRACKING_UID].UID)


def check_measurement_groups(report: Written) -> None:
    """Check every group.

    Raises
    ------
    DefectError
        At the first that lacks something, with its number.
    """
    found = list(groups(report.dataset))
    if not found:
        raise DefectError(f"{report.name} has no measurement group (125007, DCM)")
    for number, group in enumerate(found, start=1):
        what = f"measurement group {number} of {report.name}"
        _check_template(group, what)
        _check_tracking(group, what)
        _check_algorithm(group, what)
        _check_numbers(group, what)
    if len({tracking(group)[1] for group in found}) < len(found):
        raise DefectError(f"two measurement groups of {report.name} have one Tracking Unique Identifier")


def _check_template(group: Dataset, what: str) -> None:
    if {str(item.get("TemplateIdentifier")) for item in group.get("ContentTemplateSequence", ())} - _TEMPLATES:
        raise DefectError(f"{what} names another template than TID 1410, 1411 and 1501")
    if not group.get("ContentTemplateSequence"):
        raise DefectError(f"{what} does not name its template (ContentTemplateSequence)")


def _check_tracking(group: Dataset, what: str) -> None:
    names = [concept(item) for item in group.ContentSequence]
    for code, meaning in ((TRACKING_IDENTIFIER, "Tracking Identifier"), (TRACKING_UID, "Tracking Unique Identifier")):
        if names.count(code) != 1:
            raise DefectError(f"{what} has {names.count(code)} items {meaning} ({code}, DCM), not one")
    if {names[0], names[1]} != {TRACKING_IDENTIFIER, TRACKING_UID}:  # OHIF takes a group's first UIDREF for it
        raise DefectError(f"{what} does not begin with Tracking Identifier and Tracking Unique Identifier")


def _check_algorithm(group: Dataset, what: str) -> None:
    """TID 4019."""
    names = {concept(item) for item in group.ContentSequence}
    for code, meaning in ((ALGORITHM_NAME, "Algorithm Name"), (ALGORITHM_VERSION, "Algorithm Version")):
        if code not in names:
            raise DefectError(f"{what} does not say its {meaning} ({code}, DCM)")


def _check_numbers(group: Dataset, what: str) -> None:
    for item in content_items(group):
        if item.ValueType != "NUM":
            continue
        unit = item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]
        if unit.get("CodingSchemeDesignator") != "UCUM":
            raise DefectError(f"{what} measures in a unit that is not of UCUM")
