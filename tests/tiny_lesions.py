"""A brain-lesions bundle of a tiny graph with a known answer: bright crops are of the second class."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export_onnx import package
from inference.algorithms.brain_finder import ClassicalFinder
from inference.algorithms.lesion_classifier import LesionClassifier
from inference.bundle import Bundle, parity_names
from inference.manifest import from_values
from inference.session import Session
from tests.tiny_bundles import CPU, LESION
from tests.tiny_bundles import manifest as segment_manifest

GRAPH = "graphs/classify.onnx"
SIDE = 16


def manifest(**changes: Any) -> dict[str, Any]:
    """A manifest as a dictionary; `changes` replace its keys."""
    shared = {
        key: value
        for key, value in segment_manifest().items()
        if key not in {"preprocess", "tiling", "segments", "findings", "algorithm"}
    }
    whole = {
        **shared,
        "algorithm": "brain-lesions",
        "inputs": {"modality": ["MR"], "weighting": ["T2"]},
        "graphs": [graph_spec()],
        "crop": {"side": SIDE, "neighbours": 1, "spacing_mm": [3.0, 1.0, 1.0], "upper": 2.5},
        "size": {"lower_mm": 2.0, "upper_mm": 60.0},
        "classes": [
            {"label": "ccm", "code": {"scheme": "SCT", "value": "416824008", "meaning": "Cavernous hemangioma"}},
            {"label": "aih", "code": {"scheme": "SCT", "value": "274100004", "meaning": "Cerebral hemorrhage"}},
        ],
        "least_class_probability": 0.7,
        "unnamed": LESION,
        "patient_rule": "max",
    }
    return {**whole, **changes}


def graph_spec(**changes: Any) -> dict[str, Any]:
    """`graphs` of the manifest."""
    spec = {
        "role": "classify",
        "file": GRAPH,
        "inputs": [
            {"name": "crop", "dtype": "float32", "shape": [None, 3, SIDE, SIDE]},
            {"name": "size", "dtype": "float32", "shape": [None, 1]},
        ],
        "outputs": [{"name": "logits", "dtype": "float32", "shape": [None, 2]}],
        "activation": "softmax",
    }
    return {**spec, **changes}


def brightness_graph(gain: float = 40.0, middle: float = 0.35) -> bytes:
    """Logits (0, gain * (mean of the crop - middle) + 0 * size)."""
    crop = helper.make_tensor_value_info("crop", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    size = helper.make_tensor_value_info("size", TensorProto.FLOAT, ["batch", 1])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
    constants = [
        numpy_helper.from_array(np.array([1, 2, 3], dtype=np.int64), "axes"),
        numpy_helper.from_array(np.array([0], dtype=np.int64), "first"),
        numpy_helper.from_array(np.array([[0.0, gain]], dtype=np.float32), "gain"),
        numpy_helper.from_array(np.array(middle, dtype=np.float32), "middle"),
        numpy_helper.from_array(np.array(0.0, dtype=np.float32), "nothing"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["crop", "axes"], ["mean4"], keepdims=1),
        helper.make_node("Flatten", ["mean4"], ["mean"]),
        helper.make_node("Sub", ["mean", "middle"], ["off"]),
        helper.make_node("Mul", ["size", "nothing"], ["ignored"]),
        helper.make_node("Add", ["off", "ignored"], ["sum"]),
        helper.make_node("Mul", ["sum", "gain"], ["logits"]),
    ]
    constants = [c for c in constants if c.name != "first"]
    made = helper.make_graph(nodes, "tiny", [crop, size], [logits], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def written(folder: Path, graph: bytes | None = None, **changes: Any) -> Bundle:
    """A bundle on disk whose parity arrays are what its graph computes here."""
    data = graph or brightness_graph()
    valid = from_values(manifest(**changes))
    spec = valid.graph("classify")
    rng = np.random.default_rng(0)
    inputs = {
        "crop": rng.random((2, 3, SIDE, SIDE), dtype=np.float32),
        "size": rng.random((2, 1), dtype=np.float32),
    }
    expected = {name: array.astype(np.float32) for name, array in Session(data, spec, CPU).run(inputs).items()}
    names = parity_names(spec.role)
    files = {GRAPH: data, names[0]: package.npz(inputs), names[1]: package.npz(expected)}
    return package.write(folder, valid, files, {})


def reader(folder: Path, graph: bytes | None = None, **changes: Any) -> LesionClassifier:
    """The bundle, opened."""
    return LesionClassifier.opened(written(folder, graph, **changes), CPU, ClassicalFinder())
