"""A study's versions with a real archive: read anew, with the same bundle and another, sent twice, withdrawn."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import Volume
from pydicom import Dataset
from pydicom.uid import (
    Comprehensive3DSRStorage,
    EnhancedSRStorage,
    KeyObjectSelectionDocumentStorage,
    SegmentationStorage,
)

from dicom_node.delivery.link import Link
from dicom_node.delivery.storage_scu import send
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.records.spool import Spool
from dicom_node.results.content_tree import content_items, texts
from tests import tiny_bundles
from tests.loopback import free_port, wait_until
from tests.nodes import RunningNode, running_node
from tests.orthancs import Orthanc, running_orthanc

pytestmark = [pytest.mark.peer, pytest.mark.slow]
RESULTS = (SegmentationStorage, Comprehensive3DSRStorage, EnhancedSRStorage)


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """A node, an Orthanc, and the study that went from one to the other."""

    orthanc: Orthanc
    node: RunningNode
    bundles: Path
    study: str

    def command(self, *arguments: str) -> Any:
        """What `dicom-node ... --json` says."""
        line = [sys.executable, "-m", "dicom_node", *arguments, "--config", str(self.node.config_path), "--json"]
        return json.loads(subprocess.run(line, capture_output=True, check=True, text=True).stdout)

    def told(self) -> Any:
        (study,) = self.command("show", self.study)["studies"]
        return study

    def ended(self, version: int) -> bool:
        """Whether a version is done and all of it delivered."""
        ledger = self.node.ledger()
        try:
            return ledger.find_study(self.study).version == version and not ledger.work_remains(self.study)
        finally:
            ledger.close()

    def held(self, *classes: str) -> dict[str, Dataset]:
        return {str(ds.SOPInstanceUID): ds for ds in self.orthanc.instances_of(*(classes or RESULTS))}


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    values = np.zeros((14, 32, 32), np.float32)
    values[4:8, 10:20, 12:24], values[9:12, 4:8, 4:9] = 1, 1
    volume = Volume(values, np.diag([3.0, 2.0, 2.0, 1.0]), coordinate_system="PATIENT")
    images = series_from_volume(volume, labels=Labels(seed="versions", patient_name="Проба^Голова"))
    bundles, node_port, dicom_port = tmp_path / "bundles", free_port(), free_port()
    tiny_bundles.written(bundles)
    with (
        running_orthanc(tmp_path, node_port=node_port, dicom_port=dicom_port) as orthanc,
        running_node(
            tmp_path, pacs="ORTHANC", pacs_port=dicom_port, port=node_port, algorithm="tiny", bundles=bundles
        ) as node,
    ):
        stored = [orthanc.store(image) for image in images]
        orthanc.send_to_node(orthanc.ask(f"/instances/{stored[0]}")["ParentSeries"])
        there = Hospital(orthanc=orthanc, node=node, bundles=bundles, study=str(images[0].StudyInstanceUID))
        wait_until(lambda: there.orthanc.identifiers_of(SegmentationStorage) != [], 90, "the first version")
        wait_until(lambda: there.ended(1), 30, "the ledger to say so")
        yield there


def other_bundle(hospital: Hospital) -> None:
    """Other weights under the same name, and a worker that has begun with them."""
    shutil.rmtree(hospital.bundles)
    tiny_bundles.written(hospital.bundles, version="1.1.0")
    before = hospital.node.pids("work")
    assert hospital.node.kill("work")
    wait_until(lambda: hospital.node.pids("work") not in ([], before), 30, "another worker")


def tracking(report: Dataset) -> set[str]:
    return texts(report, "112040")


def of_class(objects: dict[str, Dataset], sop_class_uid: str) -> Dataset:
    (found,) = [ds for ds in objects.values() if ds.SOPClassUID == sop_class_uid]
    return found


def test_versions_follow_each_other_and_can_be_withdrawn(hospital: Hospital) -> None:
    first = hospital.held()
    assert len(first) == 3

    # read anew with nothing changed: nothing comes
    assert hospital.command("retry", hospital.study, "--force") == {"version": 2}
    wait_until(lambda: hospital.ended(2), 60, "the second version")
    assert hospital.told()["reason"] == "the reading came out as version 1; nothing new was sent"
    assert set(hospital.held()) == set(first)

    # sent once more: the same objects under the same UIDs
    table, spool = hospital.node.config.destination[0], Spool(hospital.node.config.spool_dir, 0)
    for made in hospital.told()["algorithms"][0]["objects"]:
        assert send(spool.path(made["sha256"]), Link(table, "NODE")).error is None
    assert hospital.held() == first

    # another bundle: a version that names the one before, of the same lesions
    other_bundle(hospital)
    assert hospital.command("retry", hospital.study, "--force") == {"version": 3}
    wait_until(lambda: hospital.ended(3), 60, "the third version")
    third = {uid: ds for uid, ds in hospital.held().items() if uid not in first}
    assert len(third) == 3
    for sop_class in (Comprehensive3DSRStorage, EnhancedSRStorage):
        new, old = of_class(third, sop_class), of_class(first, sop_class)
        (named,) = new.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
        assert named.ReferencedSOPInstanceUID == old.SOPInstanceUID
        assert new.SeriesDescription.endswith(", v3")
    reports = [of_class(held, Comprehensive3DSRStorage) for held in (first, third)]
    assert len(tracking(reports[0])) == 2
    assert tracking(reports[0]) == tracking(reports[1])

    # withdrawn: the note is there, and refers to the third version
    (told,) = hospital.command("withdraw", hospital.study, "--reason", "quality")["withdrawn"]
    wait_until(lambda: hospital.orthanc.identifiers_of(KeyObjectSelectionDocumentStorage) != [], 30, "the note")
    (note,) = hospital.held(KeyObjectSelectionDocumentStorage).values()
    assert (note.SOPInstanceUID, note.StudyInstanceUID) == (told["note"], hospital.study)
    assert note.ConceptNameCodeSequence[0].CodeValue == "113001"
    assert str(note.PatientName) == "Проба^Голова"
    (evidence,) = note.CurrentRequestedProcedureEvidenceSequence
    assert {
        i.ReferencedSOPInstanceUID for s in evidence.ReferencedSeriesSequence for i in s.ReferencedSOPSequence
    } == set(third)

    # what was rejected does not come back
    assert hospital.command("retry", hospital.study, "--force") == {"version": 4}
    wait_until(lambda: hospital.ended(4), 60, "the fourth version")
    assert hospital.told()["outcome"] == "failed"
    left = {uid: ds for uid, ds in hospital.held().items() if uid not in {*first, *third}}
    (outcome,) = left.values()
    assert any("version 3, which was withdrawn" in item.get("TextValue", "") for item in content_items(outcome))
    ledger = hospital.node.ledger()
    assert ledger.audit_verdict().fault is None
    ledger.close()
