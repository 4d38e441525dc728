"""From a LLaVA folder to the PACS: export by the command line, reading, objects; generated text is marked as such."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import Volume
from pydantic import ValidationError
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from dicom_node.reading.synthetic_study import Labels, series_from_volume
from export_onnx.__main__ import app
from inference.algorithms import Runtime
from inference.algorithms.image_dialogue import ImageDialogue, on_source, spread
from inference.bundle import Bundle, load
from inference.catalogue import open_reader
from inference.errors import BundleError
from inference.image import Image
from inference.manifest import from_values
from inference.manifests.talk import DialogueManifest
from inference.parity import measured
from tests import peers, tiny_llavas
from tests.test_process import process_json

CPU = Runtime(providers=("cpu",), threads=1)
AFFINE = np.array([[0, 0, 2.0, -40], [0, 2.0, 0, -40], [5.0, 0, 0, 0], [0, 0, 0, 1]])  # axial, rising to the head


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("llava")
    checkpoint = tiny_llavas.checkpoint(folder / "hf", tiny_llavas.model())
    asks = folder / "asks.json"
    asks.write_text(tiny_llavas.asked(slices=3).model_dump_json(), encoding="utf-8")
    terms = ["--name", "tiny-llava", "--source", "tests", "--licence", "MIT", "--made-at", "2026-01-01"]
    done = CliRunner().invoke(app, ["llava", str(checkpoint), str(folder / "out"), "--asks", str(asks), *terms])
    assert done.exit_code == 0, done.output
    return load(folder / "out" / "tiny-llava-1.0.0")


@pytest.fixture(scope="module")
def reader(bundle: Bundle) -> ImageDialogue:
    opened = open_reader("tiny-llava", bundle.path.parent, CPU)
    assert isinstance(opened, ImageDialogue)
    return opened


def volume(*, brightest: int = 1) -> Volume:
    """Seven slices of noise, one brighter than the others."""
    array = 100.0 * np.random.default_rng(5).random((7, 40, 40), dtype=np.float32)
    array[brightest, 10:20, 10:20] += 400.0
    return Volume(array, AFFINE, coordinate_system="PATIENT", frame_of_reference_uid="2.25.7")


def image(given: Volume) -> Image:
    return Image(volume=given, modality="MR", weighting="T1")


def test_the_bundle_computes_the_same_here(bundle: Bundle) -> None:
    assert measured(bundle, CPU).agrees
    weights = bundle.path / "graphs" / "decoder.onnx.data"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    try:
        with pytest.raises(BundleError, match=r"decoder.onnx.data: sha256 is"):
            ImageDialogue.opened(bundle, CPU)
    finally:
        changed[-1] ^= 1
        weights.write_bytes(changed)


def test_closed_questions_give_codes_and_texts_are_drafts(bundle: Bundle, reader: ImageDialogue) -> None:
    found = reader.read(image(volume()))
    manifest = bundle.manifest
    assert isinstance(manifest, DialogueManifest)
    for question, measurement in zip(manifest.questions, found.measurements, strict=True):
        assert [k for k, _ in measurement.by_slice] == [1, 3, 5]
        assert measurement.value == max(value for _, value in measurement.by_slice)
        listed = [finding for finding in found.findings if finding.label == question.id]
        assert len(listed) == (measurement.value >= 50.0)
        for finding in listed:
            assert finding.code == question.code.code()
            assert finding.probability == pytest.approx(measurement.value / 100.0)
            assert finding.laterality is None
            assert finding.measurements == ()
    drafts = [sentence for sentence in found.narrative.sentences if sentence.draft is not None]
    assert drafts
    assert all(s.draft is not None and s.draft.verdict == "unsupported" and s.finding is None for s in drafts)
    said = [sentence.text for sentence in found.narrative.sentences]
    assert "A language model wrote about slice 4 of 7; its text is a draft that nobody checked." in said
    assert "It was cut off after 12 tokens." in said
    assert reader.read(image(volume())) == found


def test_a_finding_is_listed_from_its_least_probability_on(bundle: Bundle, reader: ImageDialogue) -> None:
    manifest = bundle.manifest
    assert isinstance(manifest, DialogueManifest)
    for least, count in ((0.0, 2), (1.0, 0)):
        questions = tuple(q.model_copy(update={"least_probability": least}) for q in manifest.questions)
        other = replace(bundle, manifest=manifest.model_copy(update={"questions": questions, "requests": ()}))
        found = ImageDialogue.opened(other, CPU).read(image(volume()))
        assert len(found.findings) == count
        assert len(found.measurements) == 2


def test_slices_upside_down_are_the_same_slices(reader: ImageDialogue) -> None:
    given = volume()
    turned = given.flip_spatial(0)
    one, other = reader.read(image(given)), reader.read(image(turned))
    for first, second in zip(one.measurements, other.measurements, strict=True):
        assert first.value == pytest.approx(second.value)
        assert dict(first.by_slice) == pytest.approx({6 - k: value for k, value in second.by_slice})


def test_slices_are_spread_around_the_middle() -> None:
    assert spread(7, 3) == [1, 3, 5]
    assert spread(25, 1) == [12]
    assert spread(2, 5) == [0, 1]
    assert spread(9, 9) == list(range(9))
    given = volume()
    assert [on_source(given.flip_spatial(0), k, given) for k in (0, 6)] == [6, 0]


def test_a_series_goes_through_to_valid_objects(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, dataset in enumerate(series_from_volume(volume(), labels=Labels(seed="dialogue"))):
        dataset.save_as(tmp_path / "in" / f"IM{number}", enforce_file_format=True)
    config = tmp_path / "node.toml"
    config.write_text(f"[inference]\nbundles_dir = {json.dumps(str(bundle.path.parent))}\n", encoding="utf-8")
    arguments: list[str | Path] = ["--algorithm", "tiny-llava", "--config", config]
    told = process_json(tmp_path / "in", "--out", tmp_path / "out", *arguments)
    (study,) = told["studies"]
    assert study["outcome"] == "result", study["reason"]
    (reading,) = study["algorithms"]
    assert {o["kind"] for o in reading["objects"]} == {"SR", "NARRATIVE"}
    assert "its text is a draft that nobody checked" in reading["narrative"]
    assert 'Asked "Is there a lesion?", the model gives Lesion a probability of' in reading["narrative"]
    for told_object in reading["objects"]:
        assert peers.dciodvfy(Path(told_object["path"])) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"questions": [], "requests": []}, "asks something"),
        ({"requests": [{"id": "lesion", "text": "x"}]}, "a name of its own"),
        ({"chat": {"before": "", "after": "no question", "stops": [2]}}, "once"),
        ({"slices": 2}, "middle one"),
        ({"algorithm": "volume-report"}, "mean"),
    ],
)
def test_a_manifest_that_does_not_hold_together(bundle: Bundle, changes: dict[str, Any], said: str) -> None:
    values = bundle.manifest.model_dump(mode="json")
    from_values(values)
    with pytest.raises(ValidationError, match=said):
        from_values({**values, **changes})


def test_options_that_cannot_be_told_apart_are_refused(bundle: Bundle) -> None:
    manifest = bundle.manifest
    assert isinstance(manifest, DialogueManifest)
    options = [{"text": " No", "present": False}, {"text": " No.", "present": True}]
    values = manifest.model_dump(mode="json")
    values["questions"] = [{**values["questions"][0], "options": options}]
    other = replace(bundle, manifest=from_values(values))
    with pytest.raises(BundleError, match="question lesion: option 1 is the beginning of another"):
        ImageDialogue.opened(other, CPU).read(image(volume()))
