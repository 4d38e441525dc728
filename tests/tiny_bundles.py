"""Bundles of tiny graphs with known answers, for tests; made in code, nothing is learnt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export_onnx import package
from inference.algorithms import Runtime
from inference.algorithms.segment import Segmenter
from inference.bundle import Bundle, parity_names
from inference.graph import Graph
from inference.manifest import from_values
from inference.session import Session

GRAPH = "graphs/segment.onnx"
CPU = Runtime(providers=("cpu",), threads=1)
LESION = {"scheme": "SCT", "value": "52988006", "meaning": "Lesion"}
BRAIN = {"scheme": "SCT", "value": "12738006", "meaning": "Brain"}
AXIAL = {"op": "orient", "code": "HPL", "reformat": True}


def identity(rank: int = 4, channels: int = 1, pick: int = 0, batch: int | None = None) -> bytes:
    """A graph that gives back one of its channels: what goes in as probability comes out as probability."""
    free = ["row", "column"] if rank == 4 else ["slice", "row", "column"]
    taken = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch or "batch", channels, *free])
    given = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [batch or "batch", 1, *free])
    index = numpy_helper.from_array(np.array([pick], dtype=np.int64), "index")
    node = helper.make_node("Gather", ["image", "index"], ["probability"], axis=1)
    return _model([node], taken, given, [index])


def classes(weights: list[float], biases: list[float]) -> bytes:
    """Logits of several classes for each voxel of a slice: weight * value + bias."""
    taken = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, "row", "column"])
    given = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", len(weights), "row", "column"])
    shape = (1, len(weights), 1, 1)
    w = numpy_helper.from_array(np.array(weights, dtype=np.float32).reshape(shape), "w")
    b = numpy_helper.from_array(np.array(biases, dtype=np.float32).reshape(shape), "b")
    nodes = [
        helper.make_node("Mul", ["image", "w"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["probability"]),
    ]
    return _model(nodes, taken, given, [w, b])


def manifest(**changes: Any) -> dict[str, Any]:
    """A manifest as a dictionary, for an `identity` over single slices; `changes` replace its keys."""
    tensor = {"dtype": "float32", "shape": [None, 1, None, None]}
    whole: dict[str, Any] = {
        "schema_version": 1,
        "name": "tiny",
        "version": "1.0.0",
        "title": "Tiny",
        "algorithm": "segment",
        "source": "tests",
        "family": {"scheme": "DCM", "value": "123110", "meaning": "Artificial Intelligence"},
        "licence": {"name": "Apache-2.0", "clinical_use": "research"},
        "training": "synthetic-appearance",
        "source_checkpoint": {"format": "code", "architecture": "Gather", "files": [{"path": "x", "sha256": "0" * 64}]},
        "exporter": {"tool": "tests", "opset": 20, "made_at": "2026-01-01T00:00:00Z"},
        "inputs": {"modality": ["MR"]},
        "preprocess": [],
        "tiling": {"kind": "slices", "batch": 3},
        "graphs": [
            {
                "role": "segment",
                "file": GRAPH,
                "inputs": [{"name": "image", **tensor}],
                "outputs": [{"name": "probability", **tensor}],
                "activation": "none",
            }
        ],
        "segments": [
            {
                "number": 1,
                "channel": 0,
                "label": "Lesion",
                "category": {
                    "scheme": "SCT",
                    "value": "49755003",
                    "meaning": "Morphologically Abnormal Structure",
                },
                "type": LESION,
                "anatomy": BRAIN,
                "color": [255, 0, 0],
                "threshold": 0.5,
            }
        ],
        "findings": [
            {
                "segment": 1,
                "label": "lesion",
                "code": LESION,
                "site": BRAIN,
                "probability_from": "mean",
                "laterality": "none",
            }
        ],
        "limits": {"max_voxels": 10_000_000},
        "parity": {"atol": 1e-4},
    }
    return {**whole, **changes}


def graph_of(shape_in: list[int | None], shape_out: list[int | None], **changes: Any) -> list[dict[str, Any]]:
    """`graphs` of a manifest for other shapes."""
    spec = {
        "role": "segment",
        "file": GRAPH,
        "inputs": [{"name": "image", "dtype": "float32", "shape": shape_in}],
        "outputs": [{"name": "probability", "dtype": "float32", "shape": shape_out}],
        "activation": "none",
    }
    return [{**spec, **changes}]


def written(
    folder: Path, graph: bytes | None = None, notes: Mapping[str, bytes] | None = None, **changes: Any
) -> Bundle:
    """A bundle on disk whose parity arrays are what its graph computes here."""
    data = graph or identity()
    valid = from_values(manifest(**changes))
    spec = valid.graph("segment")
    files = {GRAPH: data, **parity_files(data, spec)}
    return package.write(folder, valid, files, notes or {})


def parity_files(data: bytes, spec: Graph) -> dict[str, bytes]:
    """Inputs and what the graph makes of them."""
    shape = [length or extent for length, extent in zip(spec.inputs[0].shape, (2, 1, 8, 8, 8), strict=False)]
    inputs = {spec.inputs[0].name: np.random.default_rng(0).random(shape, dtype=np.float32)}
    outputs = Session(data, spec, CPU).run(inputs)
    expected = {name: array.astype(np.float32) for name, array in outputs.items()}
    names = parity_names(spec.role)
    return {names[0]: package.npz(inputs), names[1]: package.npz(expected)}


def reader(folder: Path, graph: bytes | None = None, **changes: Any) -> Segmenter:
    """The bundle, opened."""
    return Segmenter.opened(written(folder, graph, **changes), CPU)


def _model(
    nodes: list[onnx.NodeProto],
    taken: onnx.ValueInfoProto,
    given: onnx.ValueInfoProto,
    constants: list[onnx.TensorProto],
) -> bytes:
    made = helper.make_graph(nodes, "tiny", [taken], [given], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
