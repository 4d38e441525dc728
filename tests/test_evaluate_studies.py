"""Volumes with questions and reports through a volume-report bundle, on the command's own path."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from dicom_node.__main__ import app
from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.operation.evaluate import Asks, Data, evaluate_bundle
from dicom_node.operation.evaluate_studies import VolumeReader
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from export_onnx.recipes import m3d
from inference.algorithms import Runtime
from inference.algorithms.report_judge import ReportJudge
from inference.algorithms.volume_report import VolumeReport
from inference.bundle import load
from inference.catalogue import open_reader
from inference.errors import DataError
from tests import phantoms, tiny_judges, tiny_lameds
from tests.study_folders import entry, written
from tests.tiny_llavas import DECLARATION, asked

QUIET = Console(quiet=True)
ANSWER = "[Clinically Significant Errors]:\n(b) Missing: 1. X\n[Matched Findings]:\n1. Y"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("m3d")
    checkpoint = tiny_lameds.checkpoint(folder / "lamed", *tiny_lameds.models())
    m3d.export(checkpoint, folder / "out", DECLARATION, asked())
    return folder / "out"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path / "data", [entry(number) for number in range(6)])


def told(bundles: Path, folder: Path, asks: Asks | None = None, **which: Any) -> dict[str, Any]:
    settings = InferenceTable(bundles_dir=str(bundles), threads=1)
    return evaluate_bundle("tiny-llava", Data(folders=[folder], **which), settings, QUIET, asks=asks)


def test_answers_and_reports_beside_guesses_and_templates(bundles: Path, data: Path) -> None:
    both = told(bundles, data, Asks(modes=("plain", "localised")))
    assert both["bundle"] == "tiny-llava-1.0.0"
    ours, everything = both["subsets"]
    assert (ours["name"], everything["name"]) == ("data", "all")
    assert (ours["n_patients"], ours["n_closed"], ours["n_open"], ours["n_reports"]) == (6, 12, 6, 6)
    assert ours["metrics"] == everything["metrics"]
    for name in ("vqa_closed_accuracy", "vqa_closed_accuracy_localised"):
        value = ours["metrics"][name]["value"]
        assert (12 * value) == pytest.approx(round(12 * value))
    assert {"report_rule_score", "report_bleu1", "report_rougel", "report_token_f1"} <= set(ours["metrics"])
    assert {"vqa_chance", "vqa_majority", "vqa_blind", "report_template"} <= set(ours["baselines"])
    assert "vqa_closed_accuracy" in ours["over_baselines"]["vqa_closed_accuracy_localised"]
    assert told(bundles, data, Asks(modes=("plain", "localised"))) == both


def test_the_other_folds_say_what_the_majority_is(bundles: Path, data: Path) -> None:
    ours = told(bundles, data, fold=1)["subsets"][0]
    assert (ours["n_cases"], ours["n_training"]) == (2, 4)
    with pytest.raises(DataError, match="data: none of its 6 studies is of fold 9"):
        told(bundles, data, fold=9)


def test_two_folders_together(bundles: Path, data: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other", [entry(number, report=None) for number in range(2)])
    settings = InferenceTable(bundles_dir=str(bundles), threads=1)
    both = evaluate_bundle("tiny-llava", Data(folders=[data, other]), settings, QUIET)["subsets"]
    assert [(one["name"], one["n_patients"], one["n_reports"]) for one in both] == [
        ("data", 6, 6), ("other", 2, 0), ("all", 8, 6)
    ]  # fmt: skip


def test_slices_of_dicom_and_what_the_node_would_not_read(bundles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        for number, dataset in enumerate(series_from_volume(phantoms.volume(), labels=Labels(seed=name))):
            dataset.save_as(folder / name / f"{number}.dcm", enforce_file_format=True)
    series = {"modality": None, "weighting": None, "mask": None, "location": "Marked: nothing."}
    written(folder, [entry(0, volume="one", **series), entry(1, volume="two", **series), entry(2, modality="CT")])
    ours = told(bundles, folder, Asks(modes=("localised",)))["subsets"][0]
    assert (ours["n_patients"], ours["n_abstained"]) == (2, 1)
    assert "vqa_closed_accuracy_localised" in ours["metrics"]
    (folder / "one" / "0.dcm").write_bytes((folder / "two" / "0.dcm").read_bytes())
    with pytest.raises(DataError, match="0: 2 series of images, not one"):
        told(bundles, folder)


def test_letters_are_asked_and_turned_back(bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = open_reader("tiny-llava", bundles, Runtime(providers=("cpu",), threads=1))
    assert isinstance(reader, VolumeReport)
    heard: list[tuple[str, Sequence[str]]] = []

    def replied(_seen: object, question: str, options: Sequence[str]) -> tuple[str, tuple[float, ...]]:
        heard.append((question, options))
        return options[1], (0.25, 0.75)

    blank = reader.blank()
    monkeypatch.setattr(reader, "replied", replied)
    answer = VolumeReader(reader, letters=True).answer(blank, "Which side?", ["left", "right"])
    assert heard == [("Which side? Choices: A. left B. right", ("A", "B"))]
    assert (answer.text, dict(answer.options)) == ("right", {"left": 0.25, "right": 0.75})


def test_the_command_tells_people(bundles: Path, data: Path, tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    config.write_text(f"[inference]\nbundles_dir = {json.dumps(str(bundles))}\n", encoding="utf-8")
    command = ["evaluate", "tiny-llava", str(data), "--fold", "1", "--prompt-mode", "both", "--choices", "letters"]
    done = CliRunner().invoke(app, [*command, "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert (
        "6 questions (4 closed, 2 open), 2 reports; majority and frequent template from 4 other studies" in done.output
    )
    assert "vqa_closed_accuracy_localised over vqa_closed_accuracy:" in done.output
    assert "report_rule_score over report_template_normal:" in done.output


def test_what_is_wrong_is_said(bundles: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is asked about volumes \(studies.json\)"):
        told(bundles, tmp_path)
    bare = written(tmp_path / "bare", [entry(0, mask=None)])
    with pytest.raises(DataError, match="0: neither location nor mask"):
        told(bundles, bare, Asks(modes=("localised",)))
    marks = [{"text": "Is it </s> there?", "answer": "yes"}]
    with pytest.raises(DataError, match="no mark of the tokenizer"):
        told(bundles, written(tmp_path / "marks", [entry(0, questions=marks)]))
    options = [{"text": "How many?", "options": ["1", "10"], "answer": "1"}]
    with pytest.raises(DataError, match="the beginning of another"):
        told(bundles, written(tmp_path / "options", [entry(0, questions=options)]))
    settings = InferenceTable(bundles_dir=str(bundles), threads=1)
    with pytest.raises(ConfigError, match="speaks of no volumes"):
        evaluate_bundle("lesion-segmenter", Data(folders=[data]), settings, QUIET, asks=Asks())


def test_a_localiser_says_what_was_located(bundles: Path, data: Path) -> None:
    ours = told(bundles, data, Asks(modes=("localised",), localiser="brain-lesions"))["subsets"][0]
    assert ours["n_cases"] == 6


def test_green_is_the_answer_of_a_judge(bundles: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = tiny_judges.written(data.parent / "judges", load(bundles / "tiny-llava-1.0.0"))
    asks = Asks(judge=str(judge.path))
    unread = told(bundles, data, asks)
    ours = unread["subsets"][0]
    assert (unread["judge"], unread["judge_digest"]) == ("tiny-judge-1.0.0", judge.digest)
    assert ("green" in ours["metrics"], ours["n_green_unread"]) == (False, 6)
    monkeypatch.setattr(ReportJudge, "compare", lambda _self, _reference, _candidate: ANSWER)
    ours = told(bundles, data, asks)["subsets"][0]
    assert (ours["metrics"]["green"], ours["n_green_unread"]) == ({"value": 0.5, "ci95": [0.5, 0.5]}, 0)
    with pytest.raises(ConfigError, match="not a report-judge bundle but segment"):
        told(bundles, data, Asks(judge="lesion-segmenter"))
