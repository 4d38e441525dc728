import json
from pathlib import Path
from typing import Any

from rich.console import Console

from dicom_node.operation.report import (
    as_json,
    show_status,
    show_studies,
    show_study,
    status_json,
    studies_json,
    study_json,
)
from dicom_node.records.arrivals import Plan
from dicom_node.records.work import Ending
from dicom_node.study import Outcome, SeriesInstanceUID
from tests.ledgers import at, instance, ledger, result

DESTINATIONS: list[dict[str, Any]] = [
    {"name": "pacs", "profile": "auto", "asked_at": at(0), "takes": {}, "gets": "Enhanced SR, text as Enhanced SR"},
    {"name": "box", "profile": "generic", "asked_at": None, "takes": None, "gets": "BINARY SEG"},
]
SUMMARY = {
    "bundle": "lesion-segmenter-0.1.0",
    "findings": [{"code": {"scheme": "SCT", "value": "52988006", "meaning": "Lesion"}}],
    "narrative": "One lesion of 4.2 mL.",
    "series": {"read": "1.2.3.1", "left": []},
}


def told(folder: Path) -> tuple[Console, object]:
    """A ledger with one study that has a result, not yet delivered."""
    book = ledger(folder)
    book.record_instance(instance(1), now=at(0))
    plan = Plan(algorithm="lesion-segmenter", rule="r", destinations=("pacs",), series=(SeriesInstanceUID("1.2.3.1"),))
    assert book.close_study(book.open_studies()[0], "quiet", [plan], now=at(60))
    work = book.claim_workitem("w", now=at(60), lease_s=60)
    assert work is not None
    ending = Ending(
        outcome=Outcome.RESULT,
        reason="",
        results=(result(),),
        provider="CPUExecutionProvider",
        seconds=1.25,
        summary=SUMMARY,
    )
    book.end_workitem(work, "w", ending, now=at(62))
    return Console(record=True, width=160), book


def test_a_study_is_shown_with_what_was_found_and_where_it_is(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    console, _ = told(tmp_path)
    line = book.find_study("1.2.3")
    study = json.loads(as_json(study_json(line, book.readings("1.2.3"))))["studies"][0]
    assert (study["study_instance_uid"], study["outcome"]) == ("1.2.3", "result")
    (reading,) = study["algorithms"]
    assert (reading["name"], reading["bundle"], reading["seconds"]) == (
        "lesion-segmenter",
        "lesion-segmenter-0.1.0",
        1.25,
    )
    assert reading["findings"][0]["code"]["value"] == "52988006"
    assert [o["kind"] for o in reading["objects"]] == ["SEG"]
    show_study(console, study)
    text = console.export_text()
    assert "One lesion of 4.2 mL." in text
    assert "pacs: waiting" in text
    assert "Segmentation" in text
    assert "1.2 s on CPUExecutionProvider" in text


def test_status_counts_and_names_the_oldest_object(tmp_path: Path) -> None:
    console, _ = told(tmp_path)
    book = ledger(tmp_path)
    counts, verdict = book.counts(), book.audit_verdict()
    show_status(console, counts, verdict.rows, verdict.fault, DESTINATIONS)
    text = console.export_text()
    assert "objects waiting for pacs" in text
    assert "oldest object not yet delivered was made at 2026-01-01 08:01 UTC" in text
    assert "audit chain intact" in text
    assert "destination pacs, profile auto, asked 2026-01-01 08:00 UTC: gets Enhanced SR, text as Enhanced SR" in text
    assert "destination box, profile generic, not asked what it takes: gets BINARY SEG" in text
    told_as_json = json.loads(as_json(status_json(counts, verdict.rows, None, DESTINATIONS)))
    assert told_as_json["outcomes"] == {"result": 1}
    assert [each["name"] for each in told_as_json["destinations"]] == ["pacs", "box"]


def test_studies_are_listed_by_pseudonym(tmp_path: Path) -> None:
    console, _ = told(tmp_path)
    lines = ledger(tmp_path).studies()
    show_studies(console, lines)
    text = console.export_text()
    assert lines[0].pseudonym in text
    assert "1.2.3" not in text.replace(lines[0].pseudonym, "")
    assert json.loads(as_json(studies_json(lines)))["studies"][0]["state"] == "DONE"


def test_an_empty_list_says_so() -> None:
    console = Console(record=True)
    show_studies(console, [])
    assert console.export_text().strip() == "no studies yet"
