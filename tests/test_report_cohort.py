"""Labelled reports: read without showing themselves, divided by patient, and made up alike for one seed."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from export_onnx.errors import ExportError
from export_onnx.training.report_cohort import divided, read
from export_onnx.training.report_sentences import LABELS, made_up


def test_no_patient_is_on_two_sides_and_every_class_on_each() -> None:
    reports = made_up(240, 1)
    parts = divided(reports, 3)
    sides = [{report.patient for report in part} for part in (parts.training, parts.validation, parts.test)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 120
    assert [len(side) for side in sides] == [84, 18, 18]
    for part in (parts.training, parts.validation, parts.test):
        assert {report.label for report in part} == set(LABELS)


def test_the_same_seed_makes_the_same_reports() -> None:
    assert made_up(12, 5) == made_up(12, 5) != made_up(12, 6)


def test_a_table_is_read_and_its_faults_name_no_content(tmp_path: Path) -> None:
    table = tmp_path / "reports.csv"
    table.write_text('patient,label,text\nP1,a,"line\nline, CANARY"\nP2,b,x\n', encoding="utf-8")
    first, second = read(table)
    assert (first.text, first.label, second.patient) == ("line\nline, CANARY", "a", "P2")
    assert "CANARY" not in repr(first)
    for data, complaint in (
        (b"text,label\nCANARY,a\n", "columns text, label, patient"),
        (b"text,label,patient\nCANARY,a,\n", "report 1 lacks"),
        (b"text,label,patient\nCANARY\xff,a,P\n", "not a table in UTF-8"),
        (b"", "columns"),
    ):
        table.write_bytes(data)
        with pytest.raises(ExportError, match=complaint) as caught:
            read(table)
        assert "CANARY" not in str(caught.value)
    with pytest.raises(ExportError, match="2 patients: too few"):
        divided([first, second], 1)
