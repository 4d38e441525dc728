"""A study's life and a night without PACS, told with a whole node in processes of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from highdicom import Volume
from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage, EnhancedSRStorage, SegmentationStorage

from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from tests import tiny_bundles
from tests.loopback import wait_until
from tests.nodes import RunningNode, running_node

pytestmark = pytest.mark.slow


@dataclass
class Hospital:
    """A node and its PACS, which can go away and come back."""

    node: RunningNode
    pacs: SmallPacs

    def send(self, datasets: list[Dataset]) -> None:
        self.pacs.send(datasets, host="127.0.0.1", port=self.node.port, called_ae="NODE")

    def outcome(self, version: int) -> str | None:
        ledger = self.node.ledger()
        try:
            lines = [line for line in ledger.studies() if line.version == version]
            return lines[0].outcome if lines else None
        finally:
            ledger.close()


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    bundles = tmp_path / "bundles"
    tiny_bundles.written(bundles)
    pacs = SmallPacs("PACS")
    pacs.start()
    try:
        with running_node(tmp_path, pacs="PACS", pacs_port=pacs.port, algorithm="tiny", bundles=bundles) as node:
            yield Hospital(node=node, pacs=pacs)
    finally:
        pacs.stop()


def series(seed: str) -> list[Dataset]:
    values = np.zeros((14, 32, 32), np.float32)
    values[4:8, 10:20, 12:24] = 1
    volume = Volume(values, np.diag([3.0, 2.0, 2.0, 1.0]), coordinate_system="PATIENT")
    return series_from_volume(volume, labels=Labels(seed=seed, patient_id=seed))


def test_a_study_comes_in_pieces_and_twice(hospital: Hospital) -> None:
    """A first part is read; its resend changes nothing; the late rest makes version 2, which names version 1."""
    images = series("in pieces")
    hospital.send(images[:12])
    assert hospital.pacs.wait_for(3, 60)
    first = {ds.SOPClassUID: ds for ds in hospital.pacs.received()}
    assert set(first) == {SegmentationStorage, Comprehensive3DSRStorage, EnhancedSRStorage}
    hospital.send(images[:12])
    assert not hospital.pacs.wait_for(4, 5)
    assert hospital.outcome(1) == "result"

    hospital.send(images[12:])
    assert hospital.pacs.wait_for(6, 60)
    second = {ds.SOPClassUID: ds for ds in hospital.pacs.received()[3:]}
    for sop_class, dataset in second.items():
        assert dataset.SOPInstanceUID != first[sop_class].SOPInstanceUID
        assert dataset.SeriesInstanceUID != first[sop_class].SeriesInstanceUID
    for sop_class in (Comprehensive3DSRStorage, EnhancedSRStorage):
        named = second[sop_class].PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
        assert named.ReferencedSOPInstanceUID == first[sop_class].SOPInstanceUID
    wait_until(lambda: hospital.outcome(2) == "result", 10, "the ledger to say so")


def test_a_night_without_pacs(hospital: Hospital) -> None:
    """The study is read while the PACS is away; its objects wait, and all arrive when it is back, each once."""
    images = series("night")
    hospital.send(images)
    port = hospital.pacs.port
    hospital.pacs.stop()
    wait_until(lambda: hospital.outcome(1) == "result", 60, "the study to be read")
    ledger = hospital.node.ledger()
    uid = ledger.studies()[0].study_instance_uid
    assert ledger.work_remains(uid)
    hospital.pacs = SmallPacs("PACS", port=port)
    hospital.pacs.start()
    try:
        assert hospital.pacs.wait_for(3, 60)
        wait_until(lambda: not ledger.work_remains(uid), 30, "the ledger to say so")
    finally:
        hospital.pacs.stop()
        ledger.close()
    assert len({ds.SOPInstanceUID for ds in hospital.pacs.received()}) == 3
