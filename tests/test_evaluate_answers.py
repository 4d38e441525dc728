"""Questions about pictures through a dialogue bundle: figures beside the guesses, on the command's own path."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from rich.console import Console
from typer.testing import CliRunner

from dicom_node.__main__ import app
from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.operation.evaluate import Data, evaluate_bundle
from export_onnx.__main__ import app as workshop
from inference.errors import DataError
from inference.evaluation.questions import fold_of
from tests import tiny_llavas

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llava")
    checkpoint = tiny_llavas.checkpoint(folder / "hf", tiny_llavas.model())
    asks = folder / "asks.json"
    asks.write_text(tiny_llavas.asked(slices=3).model_dump_json(), encoding="utf-8")
    terms = ["--name", "tiny-llava", "--source", "tests", "--licence", "MIT", "--made-at", "2026-01-01"]
    done = CliRunner().invoke(workshop, ["llava", str(checkpoint), str(folder / "out"), "--asks", str(asks), *terms])
    assert done.exit_code == 0, done.output
    return folder / "out"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "images").mkdir(parents=True)
    entries = []
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 30 + number, 3), dtype=np.uint8)
        Picture.fromarray(pixels).save(folder / "images" / f"{number}.png")
        told = {"image_name": f"{number}.png", "question_type": "PRES"}
        answer = "yes" if number % 3 else "no"
        entries.append({**told, "question": "Is there a lesion?", "answer": answer, "answer_type": "CLOSED"})
        entries.append({**told, "question": "What is it?", "answer": "a lesion", "answer_type": "OPEN"})
    (folder / "train.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


def test_a_bundles_answers_are_counted_beside_the_guesses(bundles: Path, pictures: Path) -> None:
    settings = InferenceTable(bundles_dir=str(bundles), threads=1)
    fold = fold_of("0.png")
    told = evaluate_bundle("tiny-llava", Data(folders=[pictures], fold=fold), settings, QUIET)
    assert told["bundle"] == "tiny-llava-1.0.0"
    ours, everything = told["subsets"]
    assert (ours["name"], everything["name"]) == ("pictures", "all")
    asked = sum(fold_of(f"{number}.png") == fold for number in range(12))
    assert (ours["n_images"], ours["n_closed"], ours["n_open"]) == (asked, asked, asked)
    closed = ours["metrics"]["vqa_closed_accuracy"]["value"]
    assert 0.0 <= closed <= 1.0
    assert (asked * closed) == pytest.approx(round(asked * closed))
    assert ours["baselines"]["vqa_chance"] == 0.5
    assert {"vqa_majority", "vqa_blind", "vqa_open_majority"} <= set(ours["baselines"])
    assert evaluate_bundle("tiny-llava", Data(folders=[pictures], fold=fold), settings, QUIET) == told


def test_the_command_tells_people(bundles: Path, pictures: Path, tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    config.write_text(f"[inference]\nbundles_dir = {json.dumps(str(bundles))}\n", encoding="utf-8")
    command = ["evaluate", "tiny-llava", str(pictures), "--fold", str(fold_of("0.png")), "--config", str(config)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "vqa_closed_accuracy" in done.output
    assert "closed" in done.output


def test_what_is_wrong_is_said(bundles: Path, pictures: Path, tmp_path: Path) -> None:
    settings = InferenceTable(bundles_dir=str(bundles), threads=1)
    with pytest.raises(ConfigError, match="--fold 1 to 4"):
        evaluate_bundle("tiny-llava", Data(folders=[pictures]), settings, QUIET)
    with pytest.raises(DataError, match="answers questions"):
        evaluate_bundle("tiny-llava", Data(folders=[tmp_path], fold=1), settings, QUIET)
    with pytest.raises(ConfigError, match="compares bundles that draw"):
        evaluate_bundle("tiny-llava", Data(folders=[pictures], fold=1), settings, QUIET, against="tiny-llava")
