"""`dicom-node process` as a script would call it, on files as real folders hold them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from highdicom import Volume
from pydicom.uid import MediaStorageDirectoryStorage

from dicom_node.operation.came_back import mask_on
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.result_classes import COMPREHENSIVE
from inference.synthetic.head import synthetic_head
from tests import peers

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"


def process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dicom_node", "process", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def process_json(*arguments: str | Path) -> dict[str, Any]:
    done = process(*arguments, "--json")
    assert done.returncode in (0, 1), done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def real(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"shared/data/dicom/{name} is not here")
    return folder


@pytest.fixture(scope="module")
def head_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic head among what real folders hold: a localiser, a directory of media, a text file, another study."""
    folder = tmp_path_factory.mktemp("media")
    head = synthetic_head(31, lesions=1)
    for number, dataset in enumerate(series_from_volume(head.image.volume, labels=Labels(seed="process"))):
        dataset.save_as(folder / f"IM{number:04}", enforce_file_format=True)
    small = Volume(np.ones((3, 64, 64), np.float32), np.diag([30.0, 4.0, 4.0, 1.0]), coordinate_system="PATIENT")
    localiser = Labels(seed="process", series_number=9, series_description="localizer")
    for number, dataset in enumerate(series_from_volume(small, labels=localiser)):
        dataset.save_as(folder / f"LOC{number}", enforce_file_format=True)
    for number, dataset in enumerate(series_from_volume(small, modality="CT", labels=Labels(seed="another"))):
        dataset.save_as(folder / f"OTHER{number}", enforce_file_format=True)
    directory = pydicom.Dataset()
    directory.file_meta = pydicom.dataset.FileMetaDataset()
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3")
    directory.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    directory.FileSetID = "MEDIA"
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    (folder / "README.TXT").write_text("burned by the scanner", encoding="utf-8")
    return folder


def test_a_folder_as_it_comes_from_media(head_folder: Path, tmp_path: Path) -> None:
    told = process_json(head_folder, "--out", tmp_path)
    assert sum(told["left"].values()) == 2  # DICOMDIR and the text
    by_outcome = {study["outcome"]: study for study in told["studies"]}
    assert set(by_outcome) == {"result", "abstained"}
    (reading,) = by_outcome["result"]["algorithms"]
    assert (reading["name"], reading["provider"]) == ("brain-lesions", "CPUExecutionProvider")
    assert [o["kind"] for o in reading["objects"]] == ["SEG", "SR", "NARRATIVE"]
    assert len(reading["series"]["left"]) == 1
    assert all(Path(o["path"]).is_file() for o in reading["objects"])
    (refused,) = by_outcome["abstained"]["algorithms"]
    assert [o["kind"] for o in refused["objects"]] == ["OUTCOME"]
    assert "3 slices" in refused["reason"]


def test_a_profile_chooses_the_classes(head_folder: Path, tmp_path: Path) -> None:
    told = process_json(head_folder, "--out", tmp_path, "--profile", "stone")
    (result,) = [study for study in told["studies"] if study["outcome"] == "result"]
    objects = result["algorithms"][0]["objects"]
    assert {o["profile"] for o in objects} == {"stone"}
    (report,) = [o for o in objects if o["kind"] == "SR"]
    assert pydicom.dcmread(report["path"]).SOPClassUID == report["sop_class_uid"] == COMPREHENSIVE


def test_a_profile_that_is_none_is_wrong_use(head_folder: Path, tmp_path: Path) -> None:
    done = process(head_folder, "--out", tmp_path, "--profile", "osirix")
    assert done.returncode == 2
    assert "known: generic, ohif, weasis, slicer, stone" in " ".join(done.stderr.split())


def test_the_same_files_give_the_same_bytes(head_folder: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        process_json(head_folder, "--out", tmp_path / out)
    first = {p.relative_to(tmp_path / "one"): p.read_bytes() for p in (tmp_path / "one").rglob("*.dcm")}
    second = {p.relative_to(tmp_path / "two"): p.read_bytes() for p in (tmp_path / "two").rglob("*.dcm")}
    assert len(first) == 4
    assert first == second


def test_words_for_people(head_folder: Path, tmp_path: Path) -> None:
    done = process(head_folder, "--out", tmp_path)
    assert done.returncode == 0
    assert "brain-lesions: result" in done.stdout
    assert "mL" in done.stdout
    assert "abstained" in done.stdout


def test_an_algorithm_that_may_not_serve_is_wrong_use(head_folder: Path, tmp_path: Path) -> None:
    done = process(head_folder, "--out", tmp_path, "--algorithm", "lesion-segmenter")
    assert done.returncode == 2
    assert "allow_synthetic" in done.stderr
    done = process(head_folder, "--out", tmp_path, "--algorithm", "no-such-thing")
    assert done.returncode == 2
    assert "known: brain-extractor" in done.stderr


def test_a_folder_without_dicom_is_a_no(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("nothing here", encoding="utf-8")
    done = process(tmp_path, "--out", tmp_path / "out", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["studies"] == []


BRAINS = ("skyra", "prisma-hfs", "prisma-hfp", "prisma-hfdr", "prisma-hfdl")


@pytest.mark.slow
def test_real_heads_have_brains_of_the_right_size(tmp_path: Path) -> None:
    volumes = {}
    for name in BRAINS:
        told = process_json(real(f"mr-t1-siemens-{name}"), "--out", tmp_path / name)
        (study,) = told["studies"]
        (reading,) = study["algorithms"]
        assert [o["kind"] for o in reading["objects"]] == ["SEG", "SR", "NARRATIVE"], study["reason"]
        for made in reading["objects"]:
            assert peers.dciodvfy(Path(made["path"])) == []
        assert 1000 <= brain_ml(reading) <= 1800
        volumes[name] = whole_ml(reading)  # of the four positions one series cuts the brain off
    positions = [volumes[name] for name in BRAINS[1:]]
    assert (max(positions) - min(positions)) / min(positions) <= 0.05


def measured_ml(reading: dict[str, Any]) -> dict[str, float]:
    """The brain's measurements by code, mL."""
    (brain,) = [f for f in reading["findings"] if f["code"]["meaning"] == "Brain"]
    return {m["code"]["value"]: float(m["value"]) for m in brain["measurements"] if m["unit"] == "mL"}


def brain_ml(reading: dict[str, Any]) -> float:
    """The brain in the images."""
    return measured_ml(reading)["118565006"]


def whole_ml(reading: dict[str, Any]) -> float:
    """The whole brain: as measured, or as estimated where the images cut it off."""
    return measured_ml(reading).get("whole-brain-volume", brain_ml(reading))


@pytest.mark.slow
def test_the_brain_of_the_report_is_the_brain_of_the_mask(tmp_path: Path) -> None:
    folder = real("mr-t1-siemens-skyra")
    told = process_json(folder, "--out", tmp_path)
    (reading,) = told["studies"][0]["algorithms"]
    sources = [pydicom.dcmread(p) for p in sorted(folder.rglob("*.dcm"))]
    segmentation = pydicom.dcmread(reading["objects"][0]["path"])
    positions = np.array([ds.ImagePositionPatient for ds in sources], float)
    extent = np.linalg.norm(positions.max(axis=0) - positions.min(axis=0))
    voxel_ml = extent / (len(sources) - 1) * float(np.prod(np.array(sources[0].PixelSpacing, float))) / 1000
    assert brain_ml(reading) == pytest.approx(mask_on(segmentation, sources).sum() * voxel_ml, rel=1e-3)


@pytest.mark.slow
def test_the_tilted_ct_ends_in_a_result_or_says_why_not(tmp_path: Path) -> None:
    told = process_json(real("ct-head-ge-tilted"), "--out", tmp_path)
    (study,) = told["studies"]
    if study["outcome"] == "abstained":
        for word in ("tilt", "18.5", "1.08", "4", "7"):
            assert word in study["reason"]
    else:
        assert study["outcome"] == "result"


@pytest.mark.slow
def test_functional_images_are_no_head(tmp_path: Path) -> None:
    told = process_json(real("mr-enhanced-siemens-xa10"), "--out", tmp_path)
    assert {study["outcome"] for study in told["studies"]} == {"abstained"}
    for study in told["studies"]:
        assert "64" in study["reason"]
        for reading in study["algorithms"]:
            for made in reading["objects"]:
                assert peers.dciodvfy(Path(made["path"])) == []


def test_sentences_are_in_the_language_that_is_asked_for(head_folder: Path, tmp_path: Path) -> None:
    told = process_json(head_folder, "--out", tmp_path, "--language", "de")
    by_outcome = {study["outcome"]: study["algorithms"][0] for study in told["studies"]}
    assert "Abgebildetes Hirnvolumen: " in by_outcome["result"]["narrative"]
    assert "The " not in by_outcome["result"]["narrative"]
    for reading, words in ((by_outcome["result"], "Befund"), (by_outcome["abstained"], "Kein KI-Ergebnis")):
        document = next(o for o in reading["objects"] if o["kind"] in {"NARRATIVE", "OUTCOME"})
        assert words in peers.dsrdump(Path(document["path"]))


def test_a_language_that_is_not_spoken_is_wrong_use(head_folder: Path, tmp_path: Path) -> None:
    assert process(head_folder, "--out", tmp_path, "--language", "fr").returncode == 2
