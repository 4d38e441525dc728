"""Who made a result: the four places that IHE AIR wants to agree, in every object."""

from io import BytesIO

import pytest
from pydicom import Dataset, dcmread

from dicom_node.results import objects, provenance
from dicom_node.results.content_tree import texts
from dicom_node.study import Outcome
from tests import phantoms


@pytest.fixture(scope="module")
def written() -> dict[str, Dataset]:
    source, identity = phantoms.single_frame(phantoms.volume()), phantoms.identity()
    results = [
        *objects.write_all(phantoms.two_lesions(), source, identity),
        objects.write_outcome(Outcome.FAILED, "no memory", "lesion-segmenter", source.datasets, identity),
    ]
    return {result.kind: dcmread(BytesIO(result.data)) for result in results}


KINDS = ["SEG", "SR", "NARRATIVE", "OUTCOME"]


def _equipment(dataset: Dataset) -> Dataset:
    equipment: list[Dataset] = list(dataset.ContributingEquipmentSequence)
    (item,) = [i for i in equipment if i.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"]
    return item


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_names_the_algorithm_as_equipment(written: dict[str, Dataset], kind: str) -> None:
    item = _equipment(written[kind])
    assert item.ManufacturerModelName == "lesion-segmenter"
    assert item.DeviceUID == provenance.device_uid(phantoms.DIGEST)
    assert item.ContributionDateTime == "20260102030405+0000"
    assert phantoms.DIGEST in item.ContributionDescription
    assert "CPUExecutionProvider" in item.ContributionDescription


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_names_node_and_scanner(written: dict[str, Dataset], kind: str) -> None:
    dataset = written[kind]
    assert (dataset.Manufacturer, dataset.ManufacturerModelName) == ("dicom-node", "dicom-node")
    assert dataset.SoftwareVersions == "0.1.0"
    assert dataset.DeviceSerialNumber == "c0" * 8
    scanner = dataset.ContributingEquipmentSequence[0]
    assert scanner.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Acquisition Equipment"
    assert scanner.ManufacturerModelName == "synthetic study"


def test_the_four_places_agree(written: dict[str, Dataset]) -> None:
    item = _equipment(written["SEG"])
    for segment in written["SEG"].SegmentSequence:
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert algorithm.AlgorithmSource == item.Manufacturer == "Example Institute"
        assert algorithm.AlgorithmName == item.ManufacturerModelName
        assert algorithm.AlgorithmVersion == item.SoftwareVersions
    for kind in ("SR", "NARRATIVE"):
        assert texts(written[kind], "121012") == {item.DeviceUID}
        assert texts(written[kind], "121014") == {item.Manufacturer}
        assert texts(written[kind], "121015") == {item.ManufacturerModelName}
    assert texts(written["SR"], "111001") == {item.ManufacturerModelName}
    assert texts(written["SR"], "111003") == {item.SoftwareVersions}


def test_other_weights_are_another_device() -> None:
    assert provenance.device_uid("a" * 64) != provenance.device_uid("b" * 64)


def test_long_names_are_cut_alike_everywhere() -> None:
    algorithm = phantoms.algorithm()
    long = type(algorithm)(
        name="n" * 80,
        version="v" * 80,
        source="s\\" * 40,
        digest=algorithm.digest,
        family=algorithm.family,
        clinical_use="cleared",
        training="none",
    )
    device = provenance.device_of(long, phantoms.identity())
    sequence = provenance.algorithm_identification(device)
    item = provenance.contributing_equipment(device, phantoms.identity())
    assert len(item.Manufacturer) <= 64
    assert (item.Manufacturer, item.ManufacturerModelName) == (sequence[0].AlgorithmSource, sequence[0].AlgorithmName)
    assert item.SoftwareVersions == sequence[0].AlgorithmVersion == "v" * 64


def test_a_scanner_without_a_name_is_left_out() -> None:
    assert provenance.acquisition_equipment(Dataset()) is None
