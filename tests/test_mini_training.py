"""The small readers that speak: from nothing to a bundle with figures and card, which a node then reads with."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

from export_onnx.training import mini_image_dialogue, mini_volume_report
from export_onnx.training.mini_volume_manifest import EVIDENCE, KIND_CODES, PREPROCESS
from export_onnx.training.shipped import Order
from export_onnx.training.talk_heads import talk_heads
from export_onnx.training.talk_heads_drawn import DrawnHeads
from inference.algorithms import Runtime
from inference.bundle import Bundle, load
from inference.catalogue import open_bundle
from inference.manifests.talk import DialogueManifest, VolumeReportManifest
from inference.synthetic.head import synthetic_head
from tests import labelled_folders, question_folders


def order(data: Path, out: Path) -> Order:
    out.mkdir()
    return Order(data=data, out=out, quick=True, fold=1, command="export-onnx train X --quick", report=lambda _: None)


@pytest.fixture(scope="module")
def volume_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heads")


@pytest.fixture(scope="module")
def volume(volume_data: Path) -> Bundle:
    return mini_volume_report.run(order(volume_data, volume_data / "out"))


def test_the_reader_of_volumes_has_figures_of_heads_it_never_saw(volume: Bundle) -> None:
    setting = mini_volume_report.QUICK
    assert not set(setting.training) & set(setting.test)
    assert not set(mini_volume_report.REAL.training) & set(mini_volume_report.REAL.test)
    told = json.loads((volume.path / "metrics.json").read_text())
    (part,) = told["subsets"]
    assert told["digest"] == volume.digest == load(volume.path).digest
    assert part["n_patients"] == len(setting.test)
    assert {"vqa_closed_accuracy", "vqa_closed_accuracy_localised", "report_rule_score"} <= set(part["metrics"])
    assert {"vqa_chance", "vqa_majority", "vqa_blind"} <= set(part["baselines"])
    card = (volume.path / "MODEL_CARD.md").read_text()
    for name, figure in part["metrics"].items():
        assert f"| {name} | {figure['value']:.4f} |" in card
    assert volume.digest in card


def test_the_reader_of_volumes_names_its_evidence_and_reads_a_head(volume: Bundle) -> None:
    manifest = volume.manifest
    assert isinstance(manifest, VolumeReportManifest)
    assert manifest.evidence is not None
    assert f"{manifest.evidence.name}-{manifest.evidence.version}" == EVIDENCE
    reader = open_bundle(volume, None, Runtime(providers=("cpu",), threads=1))
    head = synthetic_head(20270, lesions=2)
    found = reader.read(head.image)  # type: ignore[union-attr]
    lesions = [finding for finding in found.findings if finding.region is not None]
    assert len(lesions) == 2
    known = {code.code().value for code in KIND_CODES.values()} | {"52988006"}
    assert {finding.code.value for finding in lesions} <= known
    assert any(sentence.draft is not None for sentence in found.narrative.sentences)


def test_a_mirrored_head_is_told_of_with_the_other_side(volume_data: Path, volume: Bundle) -> None:
    heads = talk_heads(range(40_000, 40_003), PREPROCESS, volume_data, lambda _: None)
    with_side = next(head for head in heads if head.facts and head.facts[0].side)
    assert (with_side.kinds > 0).any()
    drawn = DrawnHeads(heads=[with_side], encoder=_Spoken(), seed=3, batch=1)  # type: ignore[arg-type]
    sides = set()
    for step in range(8):
        batch = drawn.at(step)
        columns = np.argwhere(batch.marks.numpy()[0].any(axis=0))[:, 2]
        lies_left = bool(columns.mean() > batch.marks.shape[-1] / 2)  # columns run to the patient's left
        (report,) = [text.answer for text in batch.texts[0] if "longest diameter" in text.answer][:1]
        sides.add(lies_left)
        if len(with_side.facts) == 1:
            assert ("left" in report) == lies_left
            assert ("right" in report) != lies_left
    assert sides == {True, False}


class _Spoken:
    """Texts as they are, instead of tokens."""

    def texts(self, batch: list[list[object]]) -> list[list[object]]:
        return batch


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    data = tmp_path_factory.mktemp("pictures")
    labelled_folders.pairs(data / "brain-tumour-t1c", patients=24)
    labelled_folders.without_finding(data / "brain-no-tumour")
    question_folders.of_brightness(data / "vqa-rad")
    return mini_image_dialogue.run(order(data, data / "out"))


def test_the_reader_of_pictures_has_figures_of_patients_it_never_saw(pictures: Bundle) -> None:
    manifest = pictures.manifest
    assert isinstance(manifest, DialogueManifest)
    told = json.loads((pictures.path / "metrics.json").read_text())
    of_patients, of_people = told["subsets"]
    asked = json.loads((pictures.path.parent / "tumour-questions" / "train.json").read_text())
    kept = {entry["patient"] for entry in asked if entry["fold"] == 1}
    learnt = {entry["patient"] for entry in asked if entry["fold"] != 1}
    assert kept
    assert not kept & learnt
    assert of_patients["n_patients"] == len(kept)
    assert {len(entry["options"]) for entry in asked} == {4}
    copied = {path.name for path in (pictures.path.parent / "tumour-questions" / "images").iterdir()}
    assert copied == {entry["image_name"] for entry in asked if entry["fold"] == 1}
    assert "vqa_closed_accuracy" in of_people["metrics"]
    assert [question.id for question in manifest.questions] == ["tumour", "glioma", "meningioma", "pituitary-adenoma"]
