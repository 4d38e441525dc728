"""Volumes with questions and reports: what a folder lists, and what is wrong with it said by place."""

from pathlib import Path
from typing import Any

import pytest

from inference.errors import DataError
from inference.evaluation.report_facts import Fact, Facts
from inference.evaluation.studies import holds_studies, studies
from tests.study_folders import entry, written


def test_what_a_folder_lists(tmp_path: Path) -> None:
    folder = written(tmp_path / "data", [entry(0), entry(3, mask=None, location="Nothing is marked.")])
    assert holds_studies(folder)
    assert not holds_studies(tmp_path)
    sick, healthy = studies(folder)
    assert (sick.name, sick.patient, sick.fold) == ("data/studies.json: 0", "p0", 1)
    assert (sick.volume, sick.mask) == (folder / "p0" / "volume.nii.gz", folder / "p0" / "mask.nii.gz")
    assert (sick.modality, sick.weighting) == ("MR", "T1")
    assert [(q.kind, q.closed, q.options) for q in sick.questions] == [
        ("location", True, ("left", "right", "both", "none")),
        ("abnormality", True, ("yes", "no")),
        ("", False, ()),
    ]
    assert {q.subject for q in sick.questions} == {"p0"}
    assert (healthy.mask, healthy.location) == (None, "Nothing is marked.")


def test_facts_are_those_of_the_file_else_of_the_words(tmp_path: Path) -> None:
    known = {"present": [{"finding": "cyst", "sides": ["right"], "size_mm": 4}], "denied": ["glioma"]}
    told, read = studies(written(tmp_path / "data", [entry(0, facts=known), entry(1)]))
    cyst = Fact(finding="cyst", sides=frozenset({"right"}), size_mm=4.0)
    assert told.facts == Facts(present=(cyst,), denied=frozenset({"glioma"}))
    glioma = Fact(finding="glioma", sides=frozenset({"right"}), size_mm=12.0)
    assert read.facts == Facts(present=(glioma,), denied=frozenset({"haemorrhage"}))


def test_a_folder_of_slices_has_no_modality_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "data" / "slices").mkdir(parents=True)
    series = {"volume": "slices", "modality": None, "mask": None}
    (found,) = studies(written(tmp_path / "data", [entry(0, **series)]))
    assert (found.volume.is_dir(), found.modality) == (True, None)
    with pytest.raises(DataError, match="by its headers alone"):
        studies(written(tmp_path / "data", [entry(0, **{**series, "modality": "MR"})]))


def both(**changes: Any) -> list[dict[str, Any]]:
    return [entry(0), entry(1, **changes)]


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([], "data/studies.json: lists no study"),
        (both(volume="../SECRET.nii.gz"), r"1\.volume: Value error, not the path of a file in this folder"),
        (both(modality=None), "1: modality is said of a NIfTI file"),
        (both(report=None, questions=None), "1: Value error, neither questions nor a report"),
        (both(report=None, facts={}), "1: Value error, facts of a report that is not there"),
        (both(facts={"denied": ["SECRET"]}), r"1\.facts\.denied\.0: Value error, none of haemorrhage"),
        (both(facts={"present": [{"finding": "cyst"}], "denied": ["cyst"]}), "a finding is present and denied"),
        (both(questions=[{"text": "Which?", "answer": "a", "options": ["SECRET", "b"]}]), "none of the 2 options"),
        (both(questions=[{"text": "Which?", "answer": "a", "options": ["a", "A."]}]), "at least two that differ"),
        (both(SECRET=1), "1.SECRET: Extra inputs are not permitted"),
        (both(patient="p0"), "1: its patient is in another fold as well"),
        (both(volume="p0/volume.nii.gz"), "1: its volume is another study's as well"),
    ],
)
def test_what_is_wrong_is_said_by_place(tmp_path: Path, entries: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(DataError, match=fault) as caught:
        studies(written(tmp_path / "data", entries))
    assert "SECRET" not in str(caught.value).replace("1.SECRET", "")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    folder = written(tmp_path / "data", [entry(0)])
    (folder / "p0" / "mask.nii.gz").unlink()
    with pytest.raises(DataError, match="0: its mask is not there"):
        studies(folder)
    (folder / "p0" / "volume.nii.gz").unlink()
    with pytest.raises(DataError, match="0: its volume is not there"):
        studies(folder)
    with pytest.raises(DataError, match=r"studies\.json: No such file"):
        studies(tmp_path)


def test_patients_are_not_told(tmp_path: Path) -> None:
    (found,) = studies(written(tmp_path / "data", [entry(0)]))
    assert "p0" not in repr(found)
    assert "glioma" not in repr(found)
