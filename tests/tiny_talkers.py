"""Bundles that look and speak with known answers: what is written follows from the last sign of what is asked."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from export_onnx import package
from inference.bundle import Bundle, parity_names
from inference.graph import Graph
from inference.manifest import from_values
from inference.manifests.talk import TABLE, TOKENIZER
from inference.session import Session
from tests import tiny_bundles
from tests.tiny_bundles import CPU

BEGIN, END = "<s>", "</s>"
VISION, DECODER = "graphs/vision.onnx", "graphs/decoder.onnx"
HYPERINTENSE, HYPOINTENSE = (
    {"scheme": "99DICOMNODE", "value": f"{signal.lower()}-lesion", "meaning": f"{signal} lesion"}
    for signal in ("Hyperintense", "Hypointense")
)
KINDS = {
    "id": "kind",
    "text": "Which signal?",
    "options": [{"text": " Bright", "code": HYPERINTENSE}, {"text": " Dark", "code": HYPOINTENSE}],
}
"""A question about each finding."""

OF_FINDINGS = {"id": "finding", "text": "Describe it!", "about": "finding"}
"""A text about each finding."""

Rule = Mapping[str, Mapping[str, float]]
"""Logits of answers, by the last sign of what is asked."""


def written(folder: Path, rule: Rule, algorithm: str = "volume-report", **changes: Any) -> Bundle:
    """A bundle on disk; `changes` replace keys of its manifest, which asks for a text alone, "Describe the image."."""
    made = _tokenizer(sorted({answer for answers in rule.values() for answer in answers}))
    size = made.get_vocab_size()
    shape = [None, 1, 4, 8, 8] if algorithm == "volume-report" else [None, 3, 8, 8]
    taken = "volume" if algorithm == "volume-report" else "pixel_values"
    graphs = {VISION: _vision(taken, shape, size), DECODER: _decoder(_weights(rule, made))}
    specs = [_vision_spec(taken, shape, size), _decoder_spec(size)]
    kept = {key: value for key, value in tiny_bundles.manifest().items() if key not in _OF_SEGMENTS}
    valid = from_values(
        {
            **kept,
            "name": "talker",
            "algorithm": algorithm,
            "graphs": specs,
            "preprocess": [{"op": "resize", "shape": [4 if taken == "volume" else None, 8, 8], "antialias": False}],
            "chat": {"before": "", "after": "{question}", "stops": [made.token_to_id(END)]},
            "requests": [{"id": "report", "text": "Describe the image."}],
            "max_tokens": 200,
            **({} if taken == "volume" else {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}),
            **changes,
        }
    )
    files = {TABLE: _table(size), TOKENIZER: made.to_str().encode(), **graphs}
    for spec in valid.graphs:
        files |= _parity(graphs[spec.file], spec)
    return package.write(folder, valid, files, {})


_OF_SEGMENTS = frozenset({"name", "algorithm", "graphs", "preprocess", "tiling", "segments", "findings"})


def _tokenizer(answers: list[str]) -> Tokenizer:
    """Bytes, marks of beginning and end, and each answer as one token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([BEGIN, END, *alphabet])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([BEGIN, END])
    made.add_tokens([AddedToken(answer, normalized=False) for answer in answers])
    made.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, 0)])
    return made


def _weights(rule: Rule, made: Tokenizer) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits of each token by the one before it; an answer ends the text."""
    size = made.get_vocab_size()
    weights = np.zeros((size, size), np.float32)
    for sign, answers in rule.items():
        for answer, logit in answers.items():
            weights[made.token_to_id(sign), made.token_to_id(answer)] = logit
            weights[made.token_to_id(answer), made.token_to_id(END)] = 9.0
    return weights


def _table(size: int) -> bytes:
    """Each token is itself to the decoder."""
    stream = BytesIO()
    np.save(stream, np.eye(size, dtype=np.float32))
    return stream.getvalue()


def _vision(taken: str, shape: list[int | None], size: int) -> bytes:
    """One feature that says nothing."""
    axes = numpy_helper.from_array(np.arange(1, len(shape), dtype=np.int64), "axes")
    flat = numpy_helper.from_array(np.array([-1, 1, 1], dtype=np.int64), "flat")
    nothing = numpy_helper.from_array(np.zeros((1, 1, size), np.float32), "nothing")
    nodes = [
        helper.make_node("ReduceMean", [taken, "axes"], ["mean"], keepdims=1),
        helper.make_node("Reshape", ["mean", "flat"], ["one"]),
        helper.make_node("Mul", ["one", "nothing"], ["image_features"]),
    ]
    given = _value(taken, ["image", *shape[1:]]), _value("image_features", ["image", 1, size])
    return _model(nodes, [given[0]], [given[1]], [axes, flat, nothing])


def _decoder(weights: np.ndarray[Any, np.dtype[np.float32]]) -> bytes:
    size = len(weights)
    one = numpy_helper.from_array(np.array([1], dtype=np.int64), "one")
    two = numpy_helper.from_array(np.array([2], dtype=np.int64), "two")
    nodes = [
        helper.make_node("MatMul", ["inputs_embeds", "weights"], ["logits"]),
        helper.make_node("ReduceSum", ["inputs_embeds", "two"], ["sum"], keepdims=1),
        helper.make_node("Unsqueeze", ["sum", "one"], ["new"]),
        *(
            helper.make_node("Concat", [f"past.0.{part}", "new"], [f"present.0.{part}"], axis=2)
            for part in ("key", "value")
        ),
    ]
    whole = [
        _value("inputs_embeds", ["b", "t", size]),
        helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["b", "all"]),
        helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["b", "t"]),
        *(_value(f"past.0.{part}", ["b", 1, "old", 1]) for part in ("key", "value")),
    ]
    out = [
        _value("logits", ["b", "t", size]),
        *(_value(f"present.0.{p}", ["b", 1, "all", 1]) for p in ("key", "value")),
    ]
    return _model(nodes, whole, out, [numpy_helper.from_array(weights, "weights"), one, two])


def _vision_spec(taken: str, shape: list[int | None], size: int) -> dict[str, Any]:
    return {
        "role": "vision",
        "file": VISION,
        "inputs": [{"name": taken, "dtype": "float32", "shape": shape}],
        "outputs": [{"name": "image_features", "dtype": "float32", "shape": [None, 1, size]}],
        "activation": "none",
    }


def _decoder_spec(size: int) -> dict[str, Any]:
    def cache(when: str) -> list[dict[str, Any]]:
        names = (f"{when}.0.{part}" for part in ("key", "value"))
        return [{"name": name, "dtype": "float32", "shape": [None, 1, None, 1]} for name in names]

    return {
        "role": "decoder",
        "file": DECODER,
        "inputs": [
            {"name": "inputs_embeds", "dtype": "float32", "shape": [None, None, size]},
            {"name": "attention_mask", "dtype": "int64", "shape": [None, None]},
            {"name": "position_ids", "dtype": "int64", "shape": [None, None]},
            *cache("past"),
        ],
        "outputs": [{"name": "logits", "dtype": "float32", "shape": [None, None, size]}, *cache("present")],
        "activation": "none",
    }


def _parity(data: bytes, spec: Graph) -> dict[str, bytes]:
    """Two tokens after three in the cache, or an image, and what the graph makes of them."""
    rng, free = np.random.default_rng(0), {"past": 3, "attention_mask": 5}
    inputs = {}
    for tensor in spec.inputs:
        length = free.get(tensor.name.partition(".")[0], 2)
        shape = [1 if axis == 0 else (extent or length) for axis, extent in enumerate(tensor.shape)]
        inputs[tensor.name] = rng.random(shape).astype(tensor.dtype)
    expected = {name: array.astype(np.float32) for name, array in Session(data, spec, CPU).run(inputs).items()}
    names = parity_names(spec.role)
    return {names[0]: package.npz(inputs), names[1]: package.npz(expected)}


def _value(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(
    nodes: list[onnx.NodeProto],
    taken: list[onnx.ValueInfoProto],
    given: list[onnx.ValueInfoProto],
    constants: list[onnx.TensorProto],
) -> bytes:
    made = helper.make_graph(nodes, "talker", taken, given, constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
