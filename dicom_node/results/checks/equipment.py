"""Whether an object says which algorithm made it, and alike wherever it does (IHE AIR 6.5.3.1, Table 6.5.3.1-1)."""

from collections.abc import Iterator

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks.subject import Written
from dicom_node.results.content_tree import texts

PROCESSING = ("109102", "DCM")
"""Processing Equipment, the purpose of reference of an algorithm."""

_NAMED = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceUID")
_Claim = tuple[str, str, str]


def check_equipment(written: Written) -> None:
    """Compare Contributing Equipment with TID 1004, TID 4019 and the Algorithm Identification Sequence.

    Raises
    ------
    DefectError
        If no algorithm contributed as Processing Equipment with a Device UID, or another place names it otherwise.
    """
    dataset, what = written.dataset, written.name
    equipment = [i for i in dataset.get("ContributingEquipmentSequence", ()) if i.get("DeviceUID")]
    if len(equipment) != 1:
        raise DefectError(f"{what} names {len(equipment)} algorithms with a DeviceUID in its Contributing Equipment")
    (purpose,) = equipment[0].PurposeOfReferenceCodeSequence
    if (purpose.get("CodeValue"), purpose.get("CodingSchemeDesignator")) != PROCESSING:
        raise DefectError(f"{what} names its algorithm for another purpose than Processing Equipment (109102, DCM)")
    for keyword in _NAMED:
        if not equipment[0].get(keyword):
            raise DefectError(f"{what} names an algorithm without {keyword} in its Contributing Equipment")
    for keyword, place, said in [*_in_segments(dataset), *_in_content(dataset)]:
        if said != str(equipment[0].get(keyword)):
            raise DefectError(f"{place} of {what} does not agree with {keyword} in its Contributing Equipment")


def _in_segments(dataset: Dataset) -> Iterator[_Claim]:
    for segment in dataset.get("SegmentSequence", ()):
        if segment.get("SegmentAlgorithmName"):
            yield "ManufacturerModelName", "SegmentAlgorithmName", str(segment.SegmentAlgorithmName)
        for algorithm in segment.get("SegmentationAlgorithmIdentificationSequence", ()):
            yield "Manufacturer", "AlgorithmSource", str(algorithm.get("AlgorithmSource"))
            yield "ManufacturerModelName", "AlgorithmName", str(algorithm.get("AlgorithmName"))
            yield "SoftwareVersions", "AlgorithmVersion", str(algorithm.get("AlgorithmVersion"))


def _in_content(dataset: Dataset) -> Iterator[_Claim]:
    for keyword, place, code in (
        ("DeviceUID", "Device Observer UID (121012)", "121012"),
        ("Manufacturer", "Device Observer Manufacturer (121014)", "121014"),
        ("ManufacturerModelName", "Device Observer Model Name (121015)", "121015"),
        ("ManufacturerModelName", "Algorithm Name (111001)", "111001"),
        ("SoftwareVersions", "Algorithm Version (111003)", "111003"),
    ):
        for said in texts(dataset, code):
            yield keyword, place, said
