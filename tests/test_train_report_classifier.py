"""From labelled reports to a bundle that reads: the tiny network of the quick setting, and a table of a site."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from export_onnx.__main__ import app
from export_onnx.training.report_sentences import LABELS, made_up
from inference.algorithms.report_classifier import ReportClassifier
from inference.bundle import load
from inference.manifests.report import ReportManifest
from tests.tiny_bundles import CPU

pytestmark = pytest.mark.slow


def test_the_quick_training_ends_in_a_bundle_that_says_it_is_made_up(tmp_path: Path) -> None:
    arguments = ["--data", str(tmp_path / "data"), "--out", str(tmp_path), "--quick", "--threads", "1", "--json"]
    done = CliRunner().invoke(app, ["train", "report-classifier", *arguments])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["repeats"]["n"] == len(told["repeats"]["all"]) == 2
    assert "accuracy on test, 2 repeats: mean" in done.stderr
    bundle = load(Path(told["path"]))
    assert bundle.manifest.training == "synthetic-findings"
    assert isinstance(bundle.manifest, ReportManifest)
    assert {kind.label for kind in bundle.manifest.classes} == set(LABELS)
    scores = ReportClassifier.opened(bundle, CPU).scores("Fresh blood in the pons, 12 mm.")
    assert sum(scores.values()) == pytest.approx(1.0)


def test_a_site_trains_on_its_own_table(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with (data / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label", "patient"])
        rows.writerows([report.text, report.label, report.patient] for report in made_up(300, 2))
    arguments = ["--data", str(data), "--out", str(tmp_path), "--repeats", "1", "--epochs", "1", "--threads", "1"]
    done = CliRunner().invoke(app, ["train", "report-classifier", *arguments])
    assert done.exit_code == 0, done.output
    bundle = load(tmp_path / "report-classifier-0.1.0")
    assert bundle.manifest.training == "real"
    assert bundle.manifest.training_run is not None
    assert "--repeats 1 --epochs 1" in bundle.manifest.training_run.command


def test_without_a_table_there_is_nothing_to_learn_from(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "report-classifier", "--data", str(tmp_path), "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "reports.csv" in done.stderr
