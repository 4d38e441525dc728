"""The worker against a real ledger and spool; what reads the study is made up, so that it can fail in every way."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicom_node.config import Config, InferenceTable, NodeTable
from dicom_node.errors import ConfigError, DefectError, DurabilityError, TransientError
from dicom_node.reading import worker as worker_module
from dicom_node.reading.task import ReadingResult, Task
from dicom_node.reading.worker import Worker
from dicom_node.records.arrivals import Plan
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool
from dicom_node.result_classes import ENHANCED, Accepted
from dicom_node.results.profiles import PROFILES
from dicom_node.results.rendering import GENERIC_RENDERING, Rendering, choose
from dicom_node.study import (
    ObjectKind,
    Outcome,
    Rejection,
    ResultObject,
    SeriesInstanceUID,
    SOPClassUID,
    SOPInstanceUID,
)
from tests import tiny_bundles
from tests.ledgers import at, instance, ledger
from tests.nodes import prove_once

DATA = b"one instance"


def made(kind: ObjectKind, number: int, rendering: Rendering = GENERIC_RENDERING) -> ResultObject:
    return ResultObject(
        kind=kind,
        sop_class_uid=SOPClassUID("1.2.840.10008.5.1.4.1.1.66.4"),
        sop_instance_uid=SOPInstanceUID(f"2.25.{number}"),
        series_instance_uid=SeriesInstanceUID(f"2.25.{number}0"),
        data=f"object {number}".encode(),
        rendering=rendering.key,
    )


class Reader:
    """Stands in for StudyReader: forced outcomes give a report, else `behave` says what happens."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.behave: Callable[[Task], ReadingResult] = self.result

    def result(self, task: Task) -> ReadingResult:
        objects = tuple(
            made(kind, 10 * number + place, rendering)
            for place, rendering in enumerate(task.renderings)
            for number, kind in enumerate((ObjectKind.SEG, ObjectKind.SR), start=1)
        )
        return ReadingResult(
            outcome=Outcome.RESULT, reason="", objects=objects, instances_digest="d", provider="CPU", seconds=0.5
        )

    def start(self) -> None: ...

    def close(self) -> None: ...

    def read(self, task: Task) -> ReadingResult:
        self.tasks.append(task)
        if task.forced is not None:
            outcome, reason = task.forced
            report = (made(ObjectKind.OUTCOME, 9),)
            return ReadingResult(outcome=outcome, reason=reason, objects=report, instances_digest="d")
        return self.behave(task)


class Bench:
    """A worker with one closed study before it, and a clock that only the test moves."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, destinations: dict[str, str] | None = None, **settings: Any
    ) -> None:
        tiny_bundles.written(folder / "bundles")
        self.reader = Reader()
        monkeypatch.setattr(worker_module, "StudyReader", lambda _settings: self.reader)
        inference = InferenceTable(bundles_dir=str(folder / "bundles"), **settings)
        rules = ({"name": "r", "algorithms": ("tiny",)},)
        peers = [
            {"name": name, "profile": profile, "ae_title": "PACS", "host": "127.0.0.1", "port": 104 + number}
            for number, (name, profile) in enumerate((destinations or {"pacs": "auto"}).items())
        ]
        node = NodeTable(state_dir=folder / "state")
        self.config = Config.model_validate({"node": node, "inference": inference, "rule": rules, "destination": peers})
        self.ledger: Ledger = ledger(folder / "state")
        self.spool = Spool(folder / "spool", 0)
        self.names = tuple(destination.name for destination in self.config.destination)
        self.clock = 100.0
        prove_once(self.config)
        self.worker = Worker(self.config, self.ledger, self.spool, "w", now=lambda: at(self.clock))

    def study(self, algorithm: str = "tiny") -> None:
        arrived = instance(1)
        self.spool.put(DATA, arrived.sha256)
        self.ledger.record_instance(arrived, now=at(0))
        plan = Plan(
            algorithm=algorithm, rule="r", destinations=self.names, series=(arrived.header.series_instance_uid,)
        )
        assert self.ledger.close_study(self.ledger.open_studies()[0], "quiet", [plan], now=at(60))

    def reading(self) -> dict[str, Any]:
        (reading,) = self.ledger.readings("1.2.3")
        return reading


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    there = Bench(tmp_path, monkeypatch)
    there.study()
    return there


def failing(error: Exception) -> Callable[[Task], ReadingResult]:
    def fail(_task: Task) -> ReadingResult:
        raise error

    return fail


def test_a_result_lies_in_the_spool_before_the_ledger_speaks_of_it(bench: Bench) -> None:
    assert bench.worker.work_once()
    reading = bench.reading()
    assert (reading["outcome"], reading["provider"], reading["bundle"]) == ("result", "CPU", "tiny-1.0.0")
    for kept in reading["objects"]:
        assert bench.spool.read(kept["sha256"]).startswith(b"object")
        assert [d["state"] for d in kept["deliveries"]] == ["waiting"]
    (task,) = bench.reader.tasks
    assert (task.instances, task.algorithm, task.analysed_at) == ((DATA,), "tiny", at(100))
    assert task.configuration_digest == bench.config.reading_digest
    assert not bench.worker.work_once()


ENHANCED_ONLY: Accepted = {ENHANCED: ("1.2.840.10008.1.2.1",)}


def deliveries(reading: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Where each object goes, by profile and kind."""
    return {(o["profile"], o["kind"]): [d["destination"] for d in o["deliveries"]] for o in reading["objects"]}


def test_each_destination_gets_its_own_rendering_and_those_alike_share_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, monkeypatch, {"a": "auto", "b": "stone", "c": "generic"})
    bench.study()
    assert bench.worker.work_once()
    assert deliveries(bench.reading()) == {
        ("generic", "SEG"): ["a", "c"],
        ("generic", "SR"): ["a", "c"],
        ("stone", "SEG"): ["b"],
        ("stone", "SR"): ["b"],
    }
    assert [rendering.key for rendering in bench.reader.tasks[0].renderings] == [
        "generic: BINARY SEG, Comprehensive 3D SR, text as Enhanced SR",
        "stone: BINARY SEG, Comprehensive SR, text as Enhanced SR; original source",
    ]


def test_what_a_destination_answered_is_what_it_gets(bench: Bench) -> None:
    (pacs,) = bench.config.destination
    bench.ledger.record_answer(pacs, bench.config.node.ae_title, ENHANCED_ONLY, now=at(1))
    assert bench.worker.work_once()
    (rendering,) = bench.reader.tasks[0].renderings
    assert rendering.key == "generic: Enhanced SR, text as Enhanced SR"


def test_a_rendering_that_was_not_asked_for_parks_the_study(bench: Bench) -> None:
    def another(task: Task) -> ReadingResult:
        stone = replace(task, renderings=(choose(PROFILES["stone"]),))
        return bench.reader.result(stone)

    bench.reader.behave = another
    assert bench.worker.work_once()
    reading = bench.reading()
    assert (reading["state"], reading["outcome"]) == ("CANCELED", "failed")
    assert reading["reason"] == "the reading process made 1 renderings that were not asked for"


def test_a_new_version_names_what_went_to_the_same_destination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, monkeypatch, {"a": "auto", "b": "stone"})
    bench.study()
    assert bench.worker.work_once()
    first = {(o["profile"], o["kind"]): o["sop_instance_uid"] for o in bench.reading()["objects"]}
    # b takes less from now on: its new rendering still replaces its old one
    bench.ledger.record_answer(bench.config.destination[1], bench.config.node.ae_title, ENHANCED_ONLY, now=at(150))
    late = instance(2)
    bench.spool.put(DATA, late.sha256)
    bench.ledger.record_instance(late, now=at(200))
    plan = Plan(algorithm="tiny", rule="r", destinations=bench.names, series=(late.header.series_instance_uid,))
    assert bench.ledger.close_study(bench.ledger.open_studies()[0], "quiet", [plan], now=at(300))
    bench.clock = 400.0
    assert bench.worker.work_once()
    told = [(p.rendering, p.kind, p.sop_instance_uid) for p in bench.reader.tasks[-1].predecessors]
    assert sorted(told) == [
        ("generic: BINARY SEG, Comprehensive 3D SR, text as Enhanced SR", "SEG", first["generic", "SEG"]),
        ("generic: BINARY SEG, Comprehensive 3D SR, text as Enhanced SR", "SR", first["generic", "SR"]),
        ("stone: Enhanced SR, text as Enhanced SR; original source", "SEG", first["stone", "SEG"]),
        ("stone: Enhanced SR, text as Enhanced SR; original source", "SR", first["stone", "SR"]),
    ]


def test_a_form_that_a_viewer_does_not_show_stops_the_start(tmp_path: Path) -> None:
    wanting = {"name": "a", "ae_title": "A", "host": "h", "port": 1, "profile": "slicer", "segmentation": "LABELMAP"}
    config = Config.model_validate({"destination": [wanting]})
    with pytest.raises(ConfigError, match="slicer does not show it"):
        Worker(config, ledger(tmp_path / "state"), Spool(tmp_path / "spool", 0), "w")


def test_a_failure_of_the_surroundings_is_tried_again_later_and_given_up_in_the_end(bench: Bench) -> None:
    bench.reader.behave = failing(TransientError("the reading process was killed by signal 9"))
    assert bench.worker.work_once()
    assert bench.reading()["state"] == "SCHEDULED"
    bench.clock += 9
    assert not bench.worker.work_once()
    for pause in (2, 21):
        bench.clock += pause
        assert bench.worker.work_once()
    bench.clock += 1000
    assert bench.worker.work_once()
    reading = bench.reading()
    assert reading["outcome"] == "failed"
    assert reading["reason"] == "gave up after 3 attempts: the reading process was killed by signal 9"
    assert [o["kind"] for o in reading["objects"]] == ["OUTCOME"]
    assert {task.analysed_at for task in bench.reader.tasks} == {at(100)}


def test_a_full_disk_is_no_verdict_on_the_study(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_data: object, _name: str) -> Path:
        raise DurabilityError("no space left")

    monkeypatch.setattr(bench.spool, "put", full)
    assert bench.worker.work_once()
    reading = bench.reading()
    assert (reading["state"], reading["outcome"], reading["reason"]) == ("SCHEDULED", None, "no space left")


def test_a_defect_parks_at_once_and_says_so(bench: Bench) -> None:
    bench.reader.behave = failing(DefectError("2 patient identities in one study"))
    assert bench.worker.work_once()
    reading = bench.reading()
    assert (reading["state"], reading["outcome"]) == ("CANCELED", "failed")
    assert reading["reason"] == "2 patient identities in one study"


def test_an_unforeseen_error_parks_without_its_text(bench: Bench) -> None:
    bench.reader.behave = failing(ValueError("SECRET^NAME"))
    assert bench.worker.work_once()
    assert bench.reading()["reason"] == "unforeseen ValueError in the worker"


def test_a_study_whose_report_cannot_be_written_still_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.reader, "read", failing(DefectError("cannot parse")))
    assert bench.worker.work_once()
    reading = bench.reading()
    assert (reading["outcome"], reading["objects"]) == ("failed", [])


def test_a_study_no_rule_wants_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, monkeypatch)
    bench.study(algorithm="")
    assert bench.worker.work_once()
    reading = bench.reading()
    assert (reading["outcome"], [o["kind"] for o in reading["objects"]]) == ("not-applicable", ["OUTCOME"])


def test_reports_of_an_outcome_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, monkeypatch, outcome_report=())
    bench.study(algorithm="")
    assert bench.worker.work_once()
    assert (bench.reading()["outcome"], bench.reading()["objects"]) == ("not-applicable", [])


def test_long_work_keeps_its_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, monkeypatch, lease_s=0.3)
    bench.study()

    def slow(task: Task) -> ReadingResult:
        for _ in range(10):
            time.sleep(0.1)
            bench.clock += 0.1
        return bench.reader.result(task)

    bench.reader.behave = slow
    assert bench.worker.work_once()
    assert (bench.reading()["outcome"], bench.reading()["attempts"]) == ("result", 1)


def test_work_that_was_taken_over_is_not_recorded_twice(bench: Bench) -> None:
    def stolen(task: Task) -> ReadingResult:
        bench.clock += 1000
        assert bench.ledger.claim_workitem("other", now=at(bench.clock), lease_s=60) is not None
        return bench.reader.result(task)

    bench.reader.behave = stolen
    assert bench.worker.work_once()
    reading = bench.reading()
    assert (reading["state"], reading["objects"], reading["attempts"]) == ("IN PROGRESS", [], 2)


def test_a_rule_that_names_what_may_not_serve_stops_the_start(tmp_path: Path) -> None:
    tiny_bundles.written(tmp_path / "bundles", training="synthetic-findings")
    config = Config.model_validate(
        {
            "inference": InferenceTable(bundles_dir=str(tmp_path / "bundles")),
            "rule": ({"name": "r", "algorithms": ("tiny", "absent")},),
        }
    )
    with pytest.raises(ConfigError) as caught:
        Worker(config, ledger(tmp_path / "state"), Spool(tmp_path / "spool", 0), "w")
    assert len(str(caught.value).splitlines()) == 2


def report(number: int) -> ReadingResult:
    """A reading whose one object is a measurement report."""
    objects = (made(ObjectKind.SR, number),)
    return ReadingResult(outcome=Outcome.RESULT, reason="", objects=objects, instances_digest="d")


def read_again(bench: Bench, result: ReadingResult) -> dict[str, Any]:
    """Force another version, which comes out as `result`; the last reading."""
    assert bench.ledger.read_again("1.2.3", now=at(bench.clock)) is not None
    plan = Plan(algorithm="tiny", rule="r", destinations=("pacs",), series=(SeriesInstanceUID("1.2.3.1"),))
    assert bench.ledger.close_study(bench.ledger.open_studies()[0], "quiet", [plan], now=at(bench.clock))
    bench.reader.behave = lambda _task: result
    assert bench.worker.work_once()
    last: dict[str, Any] = bench.ledger.readings("1.2.3")[-1]
    return last


def test_a_reading_that_comes_out_as_before_makes_nothing_new_and_says_so(bench: Bench) -> None:
    bench.reader.behave = lambda _task: report(1)
    assert bench.worker.work_once()
    before = list(bench.spool._root.rglob("*.dcm"))
    changed = replace(report(1), objects=(replace(made(ObjectKind.SR, 1), data=b"another time of analysis"),))
    reading = read_again(bench, changed)
    assert (reading["version"], reading["outcome"], reading["objects"]) == (2, "result", [])
    assert reading["reason"] == "the reading came out as version 1; nothing new was sent"
    assert bench.ledger.find_study("1.2.3").reason == reading["reason"]
    assert bench.ledger.counts().deliveries == {"pacs": {"waiting": 1}}
    assert list(bench.spool._root.rglob("*.dcm")) == before


def test_another_reading_of_the_same_instances_follows_on_the_one_before(bench: Bench) -> None:
    bench.reader.behave = lambda _task: report(1)
    assert bench.worker.work_once()
    reading = read_again(bench, report(2))
    assert (reading["version"], len(reading["objects"]), reading["reason"]) == (2, 1, "")
    task = bench.reader.tasks[-1]
    assert (task.version, [p.sop_instance_uid for p in task.predecessors]) == (2, ["2.25.1"])
    assert (task.earlier, task.instances) == ((b"object 1",), (DATA,))
    back = read_again(bench, report(1))  # to the first bundle again
    assert back["reason"] == "the reading came out as version 1; nothing new was sent"
    assert bench.reader.tasks[-1].earlier == (b"object 2", b"object 1")


def test_an_earlier_report_that_is_gone_or_damaged_hands_nothing_on(bench: Bench) -> None:
    bench.reader.behave = lambda _task: report(1)
    assert bench.worker.work_once()
    (kept,) = bench.reading()["objects"]
    bench.spool.path(kept["sha256"]).write_bytes(b"rot")
    assert read_again(bench, report(2))["outcome"] == "result"
    assert bench.reader.tasks[-1].earlier == ()


def test_what_was_withdrawn_does_not_come_back_under_its_uid(bench: Bench) -> None:
    bench.reader.behave = lambda _task: report(1)
    assert bench.worker.work_once()
    (standing,) = bench.ledger.standing("1.2.3")
    note = replace(standing.results[0], kind="REJECTION", sop_instance_uid="2.25.99")
    bench.ledger.withdraw(standing, Rejection.QUALITY, note, user="anna", now=at(200))
    reading = read_again(bench, report(1))
    assert (reading["state"], reading["outcome"]) == ("CANCELED", "failed")
    assert reading["reason"] == "the reading came out as version 1, which was withdrawn; nothing was sent"
    assert [o["kind"] for o in reading["objects"]] == ["OUTCOME"]  # the study is told that it has no result
    assert bench.reader.tasks[-1].predecessors == ()
    assert read_again(bench, report(2))["outcome"] == "result"


def test_it_works_until_it_is_stopped(bench: Bench) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=bench.worker.run, args=(stop,))
    thread.start()
    until = time.monotonic() + 20
    while bench.reading()["outcome"] is None and time.monotonic() < until:
        time.sleep(0.05)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert bench.reading()["outcome"] == "result"
