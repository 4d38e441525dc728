"""A study that brings a report: what its text says joins what the image says, and the result says so."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.reading.admission import admit, beside
from export_onnx.__main__ import app
from inference.synthetic.bleeding_head import BleedingHead, bleeding_head
from tests import peers, t2_series, tiny_berts, tiny_lesions
from tests.report_documents import file_of, report

CODES = {
    "glioma": {"scheme": "SCT", "value": "274100004", "meaning": "Cerebral hemorrhage"},
    "meningioma": {"scheme": "SCT", "value": "416824008", "meaning": "Cavernous hemangioma"},
    "no tumour": {"scheme": "99HOSPITAL", "value": "none", "meaning": "Neither"},
}
FUSION = {"image_weight": 1.0, "text_weight": 1.0, "intercept": 0.0, "text": "made up"}
SECRET = "Haemorrhage in the left thalamus"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    codes = folder / "codes.json"
    codes.write_text(json.dumps(CODES))
    checkpoint = tiny_berts.checkpoint(tmp_path_factory.mktemp("hf") / "bert")
    terms = ["--name", "report-bert", "--source", "tests", "--licence", "Apache-2.0", "--training", "real"]
    made = CliRunner().invoke(
        app, ["bert", str(checkpoint), str(folder), *terms, "--made-at", "2026-01-01", "--codes", str(codes)]
    )
    assert made.exit_code == 0, made.output
    codes.unlink()
    tiny_lesions.written(folder, fusion=FUSION, inputs={"modality": ["MR"], "weighting": ["T2"]})
    tiny_lesions.written(folder, name="alone")
    return folder


@pytest.fixture(scope="module")
def head() -> BleedingHead:
    return bleeding_head(40, ["aih", "aih"], spacing_mm=(4.0, 1.5, 1.5))


def process(study: Path, out: Path, bundles: Path, *options: str, joined: bool = True) -> dict[str, Any]:
    config = out.with_suffix(".toml")
    readers = 'text_readers = { tiny = "report-bert" }' if joined else ""
    config.write_text(f"[inference]\nbundles_dir = {json.dumps(str(bundles))}\n{readers}\n", encoding="utf-8")
    command = [sys.executable, "-m", "dicom_node", "process", str(study), "--out", str(out), "--config", str(config)]
    done = subprocess.run(
        [*command, "--algorithm", "tiny", "--json", *options], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    (study_told,) = json.loads(done.stdout)["studies"]
    (reading,) = study_told["algorithms"]
    assert reading["outcome"] == "result", reading["reason"]
    return dict(reading)


def test_a_report_given_with_the_study_is_joined(head: BleedingHead, bundles: Path, tmp_path: Path) -> None:
    study = t2_series.written(head, tmp_path / "study")
    text = tmp_path / "report.txt"
    text.write_text(f"{SECRET}.", encoding="utf-8")
    without = process(study, tmp_path / "a", bundles)
    joined = process(study, tmp_path / "b", bundles, "--report", str(text))
    assert "From the image alone; no text was taken into it." in without["narrative"]
    assert "% of a report given with the task, read by report-bert 1.0.0" in joined["narrative"]
    assert "fitted on was made up" in joined["narrative"]
    pairs = zip(without["objects"], joined["objects"], strict=True)
    assert all(one["sop_instance_uid"] != other["sop_instance_uid"] for one, other in pairs)
    for made in joined["objects"]:
        assert peers.dciodvfy(Path(made["path"])) == []


def test_a_report_in_the_study_is_joined(head: BleedingHead, bundles: Path, tmp_path: Path) -> None:
    study = t2_series.written(head, tmp_path / "study")
    (study / "SR").write_bytes(file_of(report(f"{SECRET}.", labels=t2_series.LABELS)))
    joined = process(study, tmp_path / "a", bundles)
    assert "% of the Basic Text SR in series 5 (verified), read by report-bert 1.0.0" in joined["narrative"]
    alone = process(study, tmp_path / "b", bundles, joined=False)
    assert "From the image alone" in alone["narrative"]


def test_a_text_that_cannot_be_read_leaves_the_image_alone(head: BleedingHead, bundles: Path, tmp_path: Path) -> None:
    study = t2_series.written(head, tmp_path / "study")
    text = tmp_path / "report.txt"
    text.write_text(" \n", encoding="utf-8")
    said = process(study, tmp_path / "a", bundles, "--report", str(text))["narrative"]
    assert "no text was taken into it (the report's text is empty)" in said


@pytest.mark.parametrize(
    ("readers", "message"),
    [
        ({"alone": "report-bert"}, "alone does not say how a text is joined"),
        ({"tiny": "brain-extractor"}, "brain-extractor reads no text"),
        ({"tiny": "nothing"}, "is called 'nothing'"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_read(
    bundles: Path, readers: dict[str, str], message: str
) -> None:
    settings = InferenceTable(bundles_dir=str(bundles), text_readers=readers)
    with pytest.raises(ConfigError, match=message):
        beside(admit(next(iter(readers)), settings), settings)


def test_a_text_bundle_that_tells_another_class_does_not_go_with_it(bundles: Path, tmp_path: Path) -> None:
    other = {"label": "aih", "code": {"scheme": "SCT", "value": "35566002", "meaning": "Hematoma"}}
    classes = [tiny_lesions.manifest()["classes"][0], other]
    tiny_lesions.written(bundles, name="other", fusion=FUSION, classes=classes)
    settings = InferenceTable(bundles_dir=str(bundles), text_readers={"other": "report-bert"})
    with pytest.raises(ConfigError, match="tells no class 35566002"):
        beside(admit("other", settings), settings)
