"""A person asks a running node: the answer streams, its SR reaches the PACS, a killed worker is relieved."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import Volume
from sqlalchemy import select

from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.records.tables import AuditRow
from dicom_node.results.content_tree import content_items
from tests import tiny_bundles, tiny_speakers
from tests.loopback import wait_until
from tests.nodes import RunningNode, running_node

pytestmark = pytest.mark.slow

DENIES = "There is no lesion."
QUESTION = "CANARYQUESTION what is it?"


@dataclass
class Hospital:
    """A node that read one study with a lesion, its PACS, and someone who asks."""

    node: RunningNode
    pacs: SmallPacs
    study: str

    def asking(self, question: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "dicom_node", "ask", self.study, "--wait", "200"]
        command += ["--config", str(self.node.config_path)]
        process = subprocess.Popen(
            [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        process.stdin.write(question)
        process.stdin.close()
        process.stdin = None
        return process

    def told(self, question: str, *arguments: str) -> dict[str, Any]:
        process = self.asking(question, "--algorithm", "tiny-speaker", "--json", *arguments)
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        told: dict[str, Any] = json.loads(out)
        return told

    def audited(self) -> list[tuple[str, str]]:
        ledger = self.node.ledger()
        try:
            with ledger._database.reading() as session:
                rows = session.scalars(select(AuditRow).order_by(AuditRow.sequence))
                return [(row.event, row.detail) for row in rows]
        finally:
            ledger.close()


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    bundles = tmp_path / "bundles"
    tiny_bundles.written(bundles)
    tiny_speakers.written(bundles, DENIES)
    tiny_speakers.written(bundles, tiny_speakers.LONG, name="tiny-talker", work=700)
    values = np.zeros((14, 32, 32), np.float32)
    values[4:8, 10:20, 12:24] = 1
    images = series_from_volume(
        Volume(values, np.diag([3.0, 2.0, 2.0, 1.0]), coordinate_system="PATIENT"),
        labels=Labels(seed="asked", patient_id="asked"),
    )
    pacs = SmallPacs("PACS")
    pacs.start()
    try:
        with running_node(tmp_path, pacs="PACS", pacs_port=pacs.port, algorithm="tiny", bundles=bundles) as node:
            pacs.send(images, host="127.0.0.1", port=node.port, called_ae="NODE")
            assert pacs.wait_for(3, 60)
            yield Hospital(node=node, pacs=pacs, study=str(images[0].StudyInstanceUID))
    finally:
        pacs.stop()


def test_a_question_and_a_further_one(hospital: Hospital, capfd: pytest.CaptureFixture[str]) -> None:
    """The coded lesion contradicts the answer: it is streamed, shown with its mark, and withheld in the PACS."""
    first = hospital.told(QUESTION)
    assert first["answers"][0]["text"] == DENIES
    assert first["answers"][0]["sentences"][0]["reason"] == "absence"
    assert first["destinations"] == ["pacs"]
    assert hospital.pacs.wait_for(4, 60)
    (answer,) = [ds for ds in hospital.pacs.received() if ds.SOPInstanceUID in first["objects"]]
    assert answer.SeriesDescription == "AI answer: tiny-speaker (unverified), RESEARCH USE"
    said = [str(item.TextValue) for item in content_items(answer) if item.ValueType == "TEXT"]
    assert QUESTION in said
    assert "1 generated sentence was withheld: absence contradicts lesion 1." in said
    assert not any(DENIES in text for text in said)

    further = hospital.told("And where?", "--continue")
    assert further["objects"] != first["objects"]
    assert hospital.pacs.wait_for(5, 60)
    rows = hospital.audited()
    events = [event for event, _ in rows]
    assert events.count("Question Asked") == events.count("Text Generated") == 2
    asked = [json.loads(detail) for event, detail in rows if event == "Question Asked"]
    assert [detail["earlier"] for detail in asked] == [0, 1]
    assert not any("CANARY" in detail or DENIES in detail for _, detail in rows)
    out, err = capfd.readouterr()
    assert "CANARY" not in out + err


def test_a_worker_killed_while_it_writes(hospital: Hospital) -> None:
    """The next worker answers from the start; the study does not notice."""
    process = hospital.asking("What is it?", "--algorithm", "tiny-talker")
    assert process.stdout is not None
    begun = ""
    while "word3" not in begun:
        piece = process.stdout.read(1)
        assert piece, process.communicate()
        begun += piece
    wait_until(lambda: hospital.node.kill("work"), 10, "a worker to kill")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "another one begins anew" in err
    assert tiny_speakers.LONG in out
    ledger = hospital.node.ledger()
    try:
        (question,) = ledger.questions(hospital.study)
        assert (question["outcome"], ledger.find_study(hospital.study).outcome) == ("result", "result")
    finally:
        ledger.close()
