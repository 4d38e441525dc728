"""kill -9 in the middle of studies: nothing acknowledged is lost, nothing is made or sent twice.

Twenty kills by default; more with DICOM_NODE_KILLS=500.
"""

import hashlib
import os
import random
import threading
import time
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from highdicom import Volume
from pydicom import Dataset, dcmread
from pynetdicom import AE
from pynetdicom.sop_class import MRImageStorage  # type: ignore[attr-defined]

from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.records.spool import Spool
from tests import tiny_bundles
from tests.loopback import wait_until
from tests.nodes import RunningNode, running_node

KILLS = int(os.environ.get("DICOM_NODE_KILLS", "20"))
ROLES = ("listen", "work", "send")
SLICES = 12

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + 30 * KILLS)]


def study(number: int) -> list[Dataset]:
    """A small series of its own study with a box that the tiny bundle takes for a lesion."""
    values = np.zeros((SLICES, 48, 48), np.float32)
    values[3:9, 10 : 20 + number % 20, 12:24] = 1
    affine = np.array([[0, 0, 2.0, 0], [0, 2.0, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1.0]])
    volume = Volume(values, affine=affine, coordinate_system="PATIENT")
    return series_from_volume(volume, labels=Labels(seed=f"kill {number}", patient_id=f"KILL-{number}"))


class Sender(threading.Thread):
    """Sends studies as a PACS does: what is not acknowledged is sent again; keeps its own book of acknowledgements."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.enough = threading.Event()
        self.acknowledged: list[Dataset] = []
        self.studies = 0
        self.fault: Exception | None = None

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                self.studies += 1
                waiting = study(self.studies)
                while waiting:
                    waiting = self._send(waiting)
        except Exception as error:  # noqa: BLE001 - reported by the test
            self.fault = error

    def _send(self, datasets: list[Dataset]) -> list[Dataset]:
        """One association; what has not been acknowledged when it ends."""
        ae = AE(ae_title="SENDER")
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 5
        ae.add_requested_context(MRImageStorage)
        association = ae.associate("127.0.0.1", self._port, ae_title="NODE")
        if not association.is_established:
            time.sleep(0.1)
            return datasets
        left = list(datasets)
        while left:
            try:
                status = association.send_c_store(left[0])
            except (RuntimeError, ValueError):
                break
            if status.get("Status") != 0x0000:
                break
            self.acknowledged.append(left.pop(0))
            time.sleep(0.01)
        association.abort()
        return left


def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    pacs = SmallPacs("SENDER")
    pacs.start()
    try:
        tiny_bundles.written(tmp_path / "bundles")
        with running_node(
            tmp_path, pacs="SENDER", pacs_port=pacs.port, lease_s=3.0, algorithm="tiny", bundles=tmp_path / "bundles"
        ) as node:
            sender = Sender(node.port)
            sender.start()
            killed = kill_at_random(node)
            sender.enough.set()
            sender.join(timeout=60)
            assert sender.fault is None, sender.fault
            assert not sender.is_alive()
            assert sum(killed.values()) == KILLS
            assert set(killed) == set(ROLES)
            check_all_ended(node, sender)
            check_everything_is_there_once(node, sender, pacs)
    finally:
        pacs.stop()


def kill_at_random(node: RunningNode) -> Counter[str]:
    """Kill processes of the node, one after the other, each while studies are on their way."""
    chance = random.Random(7)
    killed: Counter[str] = Counter()
    while sum(killed.values()) < KILLS:
        time.sleep(chance.uniform(0.2, 1.5))
        role = ROLES[sum(killed.values()) % len(ROLES)]
        killed[role] += node.kill(role)
    return killed


def check_all_ended(node: RunningNode, sender: Sender) -> None:
    ledger = node.ledger()
    try:
        wait_until(lambda: len(ledger.studies(limit=10_000)) == sender.studies, 60, "every study to be known")
        uids = [line.study_instance_uid for line in ledger.studies(limit=10_000)]
        wait_until(lambda: not any(ledger.work_remains(uid) for uid in uids), 180, "every study to end")
    finally:
        ledger.close()


def check_everything_is_there_once(node: RunningNode, sender: Sender, pacs: SmallPacs) -> None:
    ledger = node.ledger()
    spool = Spool(node.config.spool_dir, 0)
    lines = ledger.studies(limit=10_000)
    assert sum(line.instances for line in lines) == len(sender.acknowledged)
    assert {line.outcome for line in lines} == {"result"}
    made = []
    for line in lines:
        readings = [r for r in ledger.readings(line.study_instance_uid) if r["version"] == line.version]
        (reading,) = readings
        assert sorted(o["kind"] for o in reading["objects"]) == ["NARRATIVE", "SEG", "SR"]
        assert {d["state"] for o in reading["objects"] for d in o["deliveries"]} == {"sent"}
    for line in lines:
        for reading in ledger.readings(line.study_instance_uid):
            made += [(o["sop_instance_uid"], o["sha256"]) for o in reading["objects"]]
    assert ledger.audit_verdict().fault is None
    ledger.close()
    for _, sha256 in made:
        assert hashlib.sha256(spool.read(sha256)).hexdigest() == sha256
    name_of = dict(made)
    assert {str(dataset.SOPInstanceUID) for dataset in pacs.received()} == set(name_of)
    for dataset in pacs.received():  # however often it was sent, the last time as the first
        assert dataset == dcmread(BytesIO(spool.read(name_of[str(dataset.SOPInstanceUID)])))
