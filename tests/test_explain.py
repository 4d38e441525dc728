from pathlib import Path

import numpy as np
from highdicom import Volume
from rich.console import Console

from dicom_node.config import parse
from dicom_node.operation.explain import explain_folder, show_explanation
from dicom_node.reading.synthetic_study import Labels, series_from_volume

RULES = """
[[rule]]
name = "t1"
algorithms = ["brain-lesions"]
match = { modality = "MR", series_description = { pattern = "t1" }, minimum_slices = 3 }
[[rule]]
name = "ct"
algorithms = ["brain-lesions"]
match = { modality = "CT" }
"""


def test_each_series_is_held_against_each_rule(tmp_path: Path) -> None:
    volume = Volume(np.ones((4, 8, 8), np.float32), np.diag([2.0, 1, 1, 1]), coordinate_system="PATIENT")
    for number, description in enumerate(("Sag T1", "T2 tra"), start=1):
        labels = Labels(seed="explain", series_number=number, series_description=description)
        for dataset in series_from_volume(volume, labels=labels):
            dataset.save_as(tmp_path / f"{number}-{dataset.InstanceNumber}", enforce_file_format=True)
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    told = explain_folder(tmp_path, parse(RULES))
    by_description = {series["description"]: series for series in told["series"]}
    assert [rule["matches"] for rule in by_description["Sag T1"]["rules"]] == [True, False]
    assert by_description["T2 tra"]["rules"][0]["why_not"] == ["series_description does not hold 't1'"]
    assert told["left"] == {"no DICOM instance": 1}
    console = Console(record=True, width=120)
    show_explanation(console, told)
    text = console.export_text()
    assert "MR, 4 slices, Sag T1" in text
    assert "rule t1: matches" in text
    assert "rule ct: does not match: modality is not 'CT'" in text
    assert "no rule matches: not read" in text
