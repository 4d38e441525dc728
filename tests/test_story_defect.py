"""An object that fails its checks never leaves: the study ends `failed` and says why, or says nothing at all."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from dicom_node.reading.analysis import read_study
from dicom_node.reading.task import Analysis, Given, ReadingResult, Task
from dicom_node.records.arrivals import Plan
from dicom_node.results import outcome_report, segmentation
from dicom_node.study import Header, Instance, SeriesInstanceUID, SOPClassUID, SOPInstanceUID, StudyInstanceUID
from inference.image import Image
from tests.analyses import bright
from tests.ledgers import START, at
from tests.series_files import as_bytes, headers
from tests.test_analysis import head
from tests.test_worker import Bench


def analyse(_name: str, given: Given) -> Analysis:
    assert isinstance(given, Image)
    return Analysis(findings=bright(given, float(given.volume.array.max()) / 2), provider="numpy", seconds=0.25)


def read(task: Task) -> ReadingResult:
    """As the cage reads, in this process."""
    return read_study(task, analyse)


class Site(Bench):
    """A worker that really reads a study of nine images, and the objects it may have kept."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, monkeypatch)
        monkeypatch.setattr(self.reader, "read", read)
        self.folder = folder / "spool"
        self.datasets = headers(head())
        for dataset in self.datasets:
            self.arrive(dataset)
        series = (SeriesInstanceUID(str(self.datasets[0].SeriesInstanceUID)),)
        plan = Plan(algorithm="tiny", rule="r", destinations=("pacs",), series=series)
        assert self.ledger.close_study(self.ledger.open_studies()[0], "quiet", [plan], now=at(60))

    def arrive(self, dataset: Dataset) -> None:
        data = as_bytes(dataset)
        sha256 = hashlib.sha256(data).hexdigest()
        header = Header(
            sop_instance_uid=SOPInstanceUID(str(dataset.SOPInstanceUID)),
            sop_class_uid=SOPClassUID(str(dataset.SOPClassUID)),
            study_instance_uid=StudyInstanceUID(str(dataset.StudyInstanceUID)),
            series_instance_uid=SeriesInstanceUID(str(dataset.SeriesInstanceUID)),
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            patient_id="PHANTOM-1",
            modality="MR",
        )
        self.spool.put(data, sha256)
        instance = Instance(header=header, sha256=sha256, size=len(data), received_at=START, calling_ae="PACS")
        self.ledger.record_instance(instance, now=at(0))

    def reading(self) -> dict[str, Any]:
        (reading,) = self.ledger.readings(str(self.datasets[0].StudyInstanceUID))
        return reading

    def kept(self) -> list[str]:
        """Modality of every file in the spool, sorted."""
        return sorted(str(dcmread(path).Modality) for path in self.folder.rglob("*") if path.is_file())

    def due(self) -> list[str]:
        """Kinds of the objects that wait to be sent, sorted."""
        return sorted(made["kind"] for made in self.reading()["objects"] if made["deliveries"])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


def without_tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on segmentations lack Tracking UIDs."""
    write = segmentation.write

    def harmed(*given: Any) -> Dataset:
        dataset = write(*given)
        del dataset.SegmentSequence[0].TrackingUID
        return dataset

    monkeypatch.setattr(segmentation, "write", harmed)


def verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on outcome reports claim to be verified."""
    write = outcome_report.write

    def harmed(*given: Any) -> Dataset:
        dataset = write(*given)
        dataset.VerificationFlag = "VERIFIED"
        return dataset

    monkeypatch.setattr(outcome_report, "write", harmed)


def test_what_is_valid_is_kept_and_waits(site: Site) -> None:
    assert site.worker.work_once()
    assert (site.reading()["outcome"], site.due()) == ("result", ["NARRATIVE", "SEG", "SR"])
    assert site.kept() == ["MR"] * 9 + ["SEG", "SR", "SR"]


def test_a_defect_of_one_object_keeps_all_of_them_here_and_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    without_tracking(monkeypatch)
    assert site.worker.work_once()
    reading = site.reading()
    assert (reading["state"], reading["outcome"]) == ("CANCELED", "failed")
    assert reading["reason"].startswith("the SEG object lacks TrackingUID in segment 1")
    assert site.due() == ["OUTCOME"]
    assert site.kept() == ["MR"] * 9 + ["SR"]
    (report,) = (dcmread(p) for p in site.folder.rglob("*") if p.is_file() and dcmread(p).Modality == "SR")
    assert "lacks TrackingUID" in str(report.to_json())


def test_where_even_the_outcomes_report_has_a_defect_nothing_is_sent(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_tracking(monkeypatch)
    verified(monkeypatch)
    assert site.worker.work_once()
    reading = site.reading()
    assert (reading["outcome"], reading["objects"], site.due()) == ("failed", [], [])
    assert reading["reason"].startswith("the SEG object lacks TrackingUID in segment 1")
    assert site.kept() == ["MR"] * 9
