"""The localiser's reader on graphs with known answers: map and score on the source grid, words, other prompts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from highdicom import Volume
from onnx import TensorProto, helper, numpy_helper
from pydantic import ValidationError

pytest.importorskip("tokenizers", reason="tokenizers is not installed")

from tokenizers import Tokenizer, pre_tokenizers
from tokenizers import models as tokenizer_models

from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.operation.other_prompts import change_prompts
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from inference.algorithms.other_prompts import npy, prompts_json
from inference.algorithms.tumour_localiser import TumourLocaliser
from inference.bundle import Bundle, load, parity_names
from inference.bundle_writer import npz, write
from inference.catalogue import open_reader
from inference.errors import BundleError
from inference.image import Image
from inference.imaging.laying import Laying
from inference.language.prompts import Prompts, ensemble, read_prompts
from inference.manifest import from_values
from inference.manifests.localiser import FEATURES, PROMPTS, TOKENIZER
from inference.parity import measured
from inference.session import Session
from tests import peers, tiny_bundles
from tests.test_process import process_json

WORDS = ("normal", "brain", "tumour", "mass")
VECTORS = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.28, 0.96]], dtype=np.float32)
AFFINE = np.array([[0, 0, 2.0, -20], [0, 2.0, 0, -20], [5.0, 0, 0, -10], [0, 0, 0, 1]])


def test_map_and_scores_lie_on_the_source_grid(tmp_path: Path) -> None:
    """The graph gives back the image times the abnormal text's second feature; its score is the image's maximum."""
    reader = TumourLocaliser.opened(written(tmp_path), tiny_bundles.CPU)
    given = image()
    found = reader.scores(given)
    assert np.allclose(found.probability, given.volume.array, atol=1e-6)
    assert np.allclose(found.slices, given.volume.array.max(axis=(1, 2)), atol=1e-6)
    assert found.marked.sum() == 12
    assert found.classes == {}


def test_slices_turned_by_preprocessing_come_back_in_the_order_of_the_source(tmp_path: Path) -> None:
    upside_down = [{"op": "orient", "code": "FPL", "reformat": True}]
    reader = TumourLocaliser.opened(written(tmp_path, preprocess=upside_down), tiny_bundles.CPU)
    given = image()
    assert np.allclose(reader.scores(given).slices, given.volume.array.max(axis=(1, 2)), atol=1e-6)


def test_findings_say_the_slice_and_without_calibration_no_probability_of_the_study(tmp_path: Path) -> None:
    found = TumourLocaliser.opened(written(tmp_path), tiny_bundles.CPU).read(image())
    assert [f.label for f in found.findings] == ["lesion 1"]
    assert (found.study_probability, found.study_code) == (None, None)
    (score,) = found.measurements
    assert (score.code.value, score.unit.value, score.by_slice) == ("slice-score", "{score}", ((3, score.value),))
    assert score.value == pytest.approx(0.9)
    assert found.narrative.sentences[0].text == (
        "Slice 4 of 5, 5 mm superior of the scanner's centre, is the likeliest to show abnormal tissue: score 0.90, "
        "which is an order among slices and no probability."
    )


def test_the_highest_calibrated_score_of_a_slice_is_the_study_s(tmp_path: Path) -> None:
    bundle = written(tmp_path, image_calibration={"slope": 2.0, "intercept": -1.0})
    found = TumourLocaliser.opened(bundle, tiny_bundles.CPU).read(image())
    expected = 1.0 / (1.0 + np.exp(-(2.0 * np.log(0.9 / 0.1) - 1.0)))
    assert found.study_probability == pytest.approx(expected, abs=1e-5)
    assert found.study_code == found.segments[0].type
    (surest,) = found.measurements
    assert (surest.code.value, surest.unit.value, surest.by_slice) == ("slice-probability", "%", ((3, surest.value),))
    assert surest.value == pytest.approx(100 * expected, abs=1e-3)
    assert f"probability {100 * expected:.0f} %." in found.narrative.sentences[0].text


def test_the_slice_that_is_named_is_one_that_was_acquired(tmp_path: Path) -> None:
    """The second of four planes stands for two slices of the grid."""
    given = image()
    laying = Laying(
        shape=given.volume.spatial_shape,
        matrix=given.volume.spatial_shape[1:],
        plane_of=(0, 1, 1, 2, 3),
        corners=((0, 0),) * 4,
    )
    found = TumourLocaliser.opened(written(tmp_path), tiny_bundles.CPU).read(replace(given, laying=laying))
    assert found.narrative.sentences[0].text.startswith("Slice 3 of 4, ")


def test_the_catalogue_opens_it_and_parity_covers_both_graphs(tmp_path: Path) -> None:
    bundle = written(tmp_path)
    assert isinstance(open_reader("tiny-localiser", tmp_path, tiny_bundles.CPU), TumourLocaliser)
    report = measured(bundle, tiny_bundles.CPU)
    assert report.agrees
    assert set(report.max_abs) == {"anomaly_map", "abnormal_prob", "text_features"}


@pytest.mark.parametrize(
    "features", [np.eye(2, dtype=np.float64), np.eye(3, dtype=np.float32), 2 * np.eye(2, dtype=np.float32)]
)
def test_features_that_the_graph_does_not_take_are_refused(tmp_path: Path, features: np.ndarray) -> None:
    with pytest.raises(BundleError, match="text_features"):
        TumourLocaliser.opened(written(tmp_path, features=features), tiny_bundles.CPU)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"texts": None}, "are there together"),
        ({"tiling": {"kind": "slices", "neighbours": 1}}, "3 channels"),
        ({"tiling": {"kind": "whole"}}, "tiling"),
        ({"decoder": "learnt"}, "decoder"),
    ],
)
def test_a_manifest_that_does_not_hold_together(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        from_values(manifest(**changes))


def test_other_prompts_give_another_bundle(tmp_path: Path) -> None:
    old = written(tmp_path, image_calibration={"slope": 2.0, "intercept": 0.0})
    (tmp_path / "prompts.json").write_text(json.dumps({"normal": ["brain"], "abnormal": ["mass", "tumour"]}))
    told = change_prompts(str(old.path), tmp_path / "prompts.json", "1.1.0", tmp_path, InferenceTable())
    new = load(Path(told["path"]))
    assert (told["from"], told["digest"]) == (old.digest, new.digest)
    assert new.digest != old.digest
    assert read_prompts(new.path / PROMPTS).abnormal == ("mass", "tumour")
    features = np.load(new.path / FEATURES)
    assert np.allclose(features, [VECTORS[1], ensemble([VECTORS[3], VECTORS[2]])], atol=1e-6)
    values = new.manifest.model_dump()
    assert values["image_calibration"] is None  # fitted with other texts
    assert values["prompts_changed_from"] == old.digest
    assert old.digest in (new.path / "MODEL_CARD.md").read_text()
    scores = [TumourLocaliser.opened(b, tiny_bundles.CPU).scores(image()).probability.max() for b in (old, new)]
    assert scores[0] != pytest.approx(scores[1], abs=1e-3)


@pytest.mark.parametrize(
    ("prompts", "version", "said"),
    [
        ({"normal": ["brain"], "abnormal": ["mass"]}, "1.0.0", "another version"),
        ({"normal": ["brain"], "abnormal": ["mass"]}, "new", "version like"),
        ({"normal": ["brain"]}, "1.1.0", "abnormal"),
        ({"normal": ["brain"], "abnormal": ["mass " * 20]}, "1.1.0", "20 tokens"),
    ],
)
def test_prompts_that_cannot_be_put_in(tmp_path: Path, prompts: dict[str, Any], version: str, said: str) -> None:
    old = written(tmp_path)
    (tmp_path / "prompts.json").write_text(json.dumps(prompts))
    with pytest.raises(ConfigError, match=said):
        change_prompts(str(old.path), tmp_path / "prompts.json", version, tmp_path, InferenceTable())
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["tiny-localiser-1.0.0"]


def test_a_series_goes_through_to_valid_objects(tmp_path: Path) -> None:
    window = [{"op": "minmax", "scope": "volume"}]
    written(tmp_path / "bundles", preprocess=window, image_calibration={"slope": 1.0, "intercept": 0.0})
    array = (1000.0 * image().volume.array).astype(np.float32)
    volume = Volume(array, AFFINE, coordinate_system="PATIENT", frame_of_reference_uid="2.25.77")
    (tmp_path / "in").mkdir()
    for number, dataset in enumerate(series_from_volume(volume, labels=Labels(seed="localiser"))):
        dataset.save_as(tmp_path / "in" / f"IM{number}", enforce_file_format=True)
    config = tmp_path / "node.toml"
    config.write_text(f'[inference]\nbundles_dir = "{tmp_path / "bundles"}"\n', encoding="utf-8")
    arguments: list[str | Path] = ["--algorithm", "tiny-localiser", "--config", config]
    told = process_json(tmp_path / "in", "--out", tmp_path / "out", *arguments)
    (study,) = told["studies"]
    assert study["outcome"] == "result", study["reason"]
    (reading,) = study["algorithms"]
    assert [o["kind"] for o in reading["objects"]] == ["SEG", "SR", "NARRATIVE"]
    assert "likeliest to show abnormal tissue" in reading["narrative"]
    for told_object in reading["objects"]:
        assert peers.dciodvfy(Path(told_object["path"])) == []


def image() -> Image:
    """Five axial slices; a block of 12 voxels in the fourth, 0.9."""
    array = np.full((5, 20, 20), 0.1, dtype=np.float32)
    array[3, 5:8, 10:14] = 0.9
    volume = Volume(array, AFFINE, coordinate_system="PATIENT", frame_of_reference_uid="2.25.7")
    return Image(volume=volume, modality="MR", weighting="T1")


def vision() -> bytes:
    """anomaly_map: the image times the abnormal text's second feature; abnormal_prob: its maximum."""
    taken = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, "row", "column"]),
        helper.make_tensor_value_info("text_features", TensorProto.FLOAT, [2, 2]),
    ]
    given = [
        helper.make_tensor_value_info("anomaly_map", TensorProto.FLOAT, ["batch", 1, "row", "column"]),
        helper.make_tensor_value_info("abnormal_prob", TensorProto.FLOAT, ["batch"]),
    ]
    constants = [
        numpy_helper.from_array(np.array(1, dtype=np.int64), "one"),
        numpy_helper.from_array(np.array([1, 2, 3], dtype=np.int64), "axes"),
    ]
    nodes = [
        helper.make_node("Gather", ["text_features", "one"], ["abnormal"], axis=0),
        helper.make_node("Gather", ["abnormal", "one"], ["second"], axis=0),
        helper.make_node("Mul", ["image", "second"], ["anomaly_map"]),
        helper.make_node("ReduceMax", ["anomaly_map", "axes"], ["abnormal_prob"], keepdims=0),
    ]
    return model(nodes, taken, given, constants)


def text() -> bytes:
    """The vector of the first word."""
    taken = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["text", "token"])]
    given = [helper.make_tensor_value_info("text_features", TensorProto.FLOAT, ["text", 2])]
    constants = [
        numpy_helper.from_array(VECTORS, "vectors"),
        numpy_helper.from_array(np.array(0, dtype=np.int64), "first"),
    ]
    nodes = [
        helper.make_node("Gather", ["input_ids", "first"], ["word"], axis=1),
        helper.make_node("Gather", ["vectors", "word"], ["text_features"], axis=0),
    ]
    return model(nodes, taken, given, constants)


def model(nodes: list[Any], taken: list[Any], given: list[Any], constants: list[Any]) -> bytes:
    made = helper.make_model(
        helper.make_graph(nodes, "tiny", taken, given, constants),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    onnx.checker.check_model(made)
    data: bytes = made.SerializeToString()
    return data


def manifest(**changes: Any) -> dict[str, Any]:
    maps = {"dtype": "float32", "shape": [None, 1, None, None]}
    graphs = [
        {
            "role": "vision",
            "file": "graphs/vision.onnx",
            "inputs": [{"name": "image", **maps}, {"name": "text_features", "dtype": "float32", "shape": [2, 2]}],
            "outputs": [
                {"name": "anomaly_map", **maps},
                {"name": "abnormal_prob", "dtype": "float32", "shape": [None]},
            ],
            "activation": "none",
        },
        {
            "role": "text",
            "file": "graphs/text.onnx",
            "inputs": [{"name": "input_ids", "dtype": "int64", "shape": [None, None]}],
            "outputs": [{"name": "text_features", "dtype": "float32", "shape": [None, 2]}],
            "activation": "none",
        },
    ]
    kind = {"name": "tiny-localiser", "algorithm": "tumour-localiser", "stages": [1], "decoder": "trained"}
    return tiny_bundles.manifest(**{**kind, "graphs": graphs, "texts": {"max_length": 8}, **changes})


def written(folder: Path, features: np.ndarray | None = None, **changes: Any) -> Bundle:
    """The bundle; its normal text is "normal", its abnormal one "tumour"."""
    valid = from_values(manifest(**changes))
    tokenizer = Tokenizer(tokenizer_models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="brain"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    files = {
        FEATURES: npy(VECTORS[[0, 2]] if features is None else features),
        PROMPTS: prompts_json(Prompts(normal=("normal",), abnormal=("tumour",))),
        TOKENIZER: tokenizer.to_str().encode(),
    }
    given: dict[str, dict[str, np.ndarray[Any, Any]]] = {
        "vision": {"image": np.full((2, 1, 4, 4), 0.25, np.float32), "text_features": VECTORS[[0, 2]]},
        "text": {"input_ids": np.array([[0, 1], [2, 3]], np.int64)},
    }
    for graph, data in zip(valid.graphs, (vision(), text()), strict=True):
        names = parity_names(graph.role)
        files |= {graph.file: data, names[0]: npz(given[graph.role])}
        files[names[1]] = npz(Session(data, graph, tiny_bundles.CPU).run(given[graph.role]))
    return write(folder, valid, files, {})
