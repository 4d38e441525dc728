"""Whether an object says who made it, and says the same wherever it says so (IHE AIR 6.5.3.1, Table 6.5.3.1-1)."""

from collections.abc import Iterator

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.content_tree import texts

_Claim = tuple[str, str, set[str]]


def check_provenance(dataset: Dataset, what: str) -> None:
    """Compare Contributing Equipment with TID 1004, TID 4019 and the Algorithm Identification Sequence.

    Raises
    ------
    DefectError
        If no algorithm with a Device UID contributed, or another place names it otherwise.
    """
    equipment = [i for i in dataset.get("ContributingEquipmentSequence", ()) if i.get("DeviceUID")]
    if len(equipment) != 1:
        raise DefectError(f"{what} names {len(equipment)} algorithms with a Device UID in its Contributing Equipment")
    for keyword, place, said in [*_in_segments(dataset), *_in_content(dataset)]:
        if said - {str(equipment[0].get(keyword))}:
            raise DefectError(f"{place} of {what} does not agree with {keyword} in its Contributing Equipment")


def _in_segments(dataset: Dataset) -> Iterator[_Claim]:
    for segment in dataset.get("SegmentSequence", ()):
        for algorithm in segment.SegmentationAlgorithmIdentificationSequence:
            yield "Manufacturer", "AlgorithmSource", {str(algorithm.get("AlgorithmSource"))}
            yield "ManufacturerModelName", "AlgorithmName", {str(algorithm.get("AlgorithmName"))}
            yield "SoftwareVersions", "AlgorithmVersion", {str(algorithm.get("AlgorithmVersion"))}


def _in_content(dataset: Dataset) -> Iterator[_Claim]:
    yield "DeviceUID", "Device Observer UID (121012)", texts(dataset, "121012")
    yield "Manufacturer", "Device Observer Manufacturer (121014)", texts(dataset, "121014")
    yield "ManufacturerModelName", "Device Observer Model Name (121015)", texts(dataset, "121015")
    yield "ManufacturerModelName", "Algorithm Name (111001)", texts(dataset, "111001")
    yield "SoftwareVersions", "Algorithm Version (111003)", texts(dataset, "111003")
