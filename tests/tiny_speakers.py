"""Bundles that look and speak in a fixed way, without torch: each word of theirs is followed by the same next word."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from export_onnx import package
from inference.algorithms import Runtime
from inference.bundle import Bundle, parity_names
from inference.graph import Graph
from inference.manifest import from_values
from inference.manifests.talk import TABLE, TOKENIZER
from inference.session import Session
from tests import tiny_bundles

CPU = Runtime(providers=("cpu",), threads=1)
STOP, GO = "<end>", "ANSWER:"
SENTENCE = "There is a lesion in the left brain."
LONG = " ".join(f"word{number}" for number in range(60))
LESION = {"scheme": "SCT", "value": "52988006", "meaning": "Lesion"}
YES_NO = [{"text": " Yes", "present": True}, {"text": " No", "present": False}]
QUESTION = {"id": "lesion", "text": "Is there a lesion?", "options": YES_NO, "code": LESION}
_TOKENS = ("<unk>", STOP, "ASK:", GO, "Yes", "No")


def written(folder: Path, says: str = SENTENCE, *, work: int = 0, **changes: Any) -> Bundle:
    """An `image-dialogue` bundle that says the same to whatever it is asked, "Yes" rather than "No".

    Parameters
    ----------
    says
        Words, each at most once.
    work
        Rows of a matrix that is multiplied with itself before each word: what makes it slow.
    changes
        Replace keys of the manifest.
    """
    words = says.split()
    tokens = [*_TOKENS, *(word for word in words if word not in _TOKENS)]
    valid = from_values(_manifest(len(tokens), changes))
    decoder, vision = _decoder(tokens, words, work), _vision(len(tokens))
    files = {
        "graphs/vision.onnx": vision,
        "graphs/decoder.onnx": decoder,
        TABLE: _npy(np.eye(len(tokens), dtype=np.float32)),
        TOKENIZER: _tokenizer(tokens).to_str().encode(),
        **_parity(vision, valid.graph("vision"), {"pixel_values": np.ones((1, 3, 8, 8), np.float32)}),
        **_parity(decoder, valid.graph("decoder"), _read(len(tokens))),
    }
    return package.write(folder, valid, files, {})


def _manifest(count: int, changes: dict[str, Any]) -> dict[str, Any]:
    cache = [(f"0.{part}", [None, 1, None, 1]) for part in ("key", "value")]
    graphs = [
        _graph("vision", [("pixel_values", "float32", [None, 3, 8, 8])], [("image_features", [None, 1, count])]),
        _graph(
            "decoder",
            [
                ("inputs_embeds", "float32", [None, None, count]),
                ("attention_mask", "int64", [None, None]),
                ("position_ids", "int64", [None, None]),
                *((f"past.{name}", "float32", shape) for name, shape in cache),
            ],
            [("logits", [None, None, count]), *((f"present.{name}", shape) for name, shape in cache)],
        ),
    ]
    base = tiny_bundles.manifest(name="tiny-speaker", title="Tiny speaker", algorithm="image-dialogue", graphs=graphs)
    for key in ("tiling", "segments", "findings"):
        del base[key]
    return {
        **base,
        "preprocess": [
            {"op": "orient", "code": "HPL", "reformat": True},
            {"op": "resize", "shape": [None, 8, 8], "antialias": False},
        ],
        "chat": {"before": "ASK:", "after": "{question} ANSWER:", "stops": [1]},
        "questions": [QUESTION],
        "requests": [],
        "max_tokens": 400,
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "slices": 3,
        **changes,
    }


def _graph(role: str, takes: list[tuple[str, str, Any]], gives: list[tuple[str, Any]]) -> dict[str, Any]:
    return {
        "role": role,
        "file": f"graphs/{role}.onnx",
        "inputs": [{"name": name, "dtype": dtype, "shape": shape} for name, dtype, shape in takes],
        "outputs": [{"name": name, "dtype": "float32", "shape": shape} for name, shape in gives],
        "activation": "none",
    }


def _decoder(tokens: list[str], words: list[str], work: int) -> bytes:
    """Logits are a row of a table for each token; the cache is as long as what was read, and holds nothing."""
    follows = np.zeros((len(tokens), len(tokens)), np.float32)
    for one, other in zip([GO, *words], [*words, STOP], strict=True):
        follows[tokens.index(one), tokens.index(other)] = 5.0
    follows[tokens.index(GO), tokens.index("Yes")] = 2.0
    constants = {
        "follows": follows,
        "last": np.array([2], np.int64),
        "nothing": np.zeros(1, np.float32),
        "side": np.array([work, work], np.int64),
    }
    nodes = [
        helper.make_node("ReduceSum", ["inputs_embeds", "last"], ["one"], keepdims=1),
        helper.make_node("Unsqueeze", ["one", "axis"], ["new"]),
        helper.make_node("MatMul", ["inputs_embeds", "follows"], ["plain"]),
        *(
            helper.make_node("Concat", [f"past.0.{part}", "new"], [f"present.0.{part}"], axis=2)
            for part in ("key", "value")
        ),
    ]
    constants["axis"] = np.array([1], np.int64)
    if work:
        nodes += [
            helper.make_node("ReduceMean", ["inputs_embeds"], ["mean"], keepdims=0),
            helper.make_node("Expand", ["mean", "side"], ["square"]),
            helper.make_node("MatMul", ["square", "square"], ["product"]),
            helper.make_node("ReduceMax", ["product"], ["most"], keepdims=0),
            helper.make_node("Mul", ["most", "nothing"], ["idle"]),
            helper.make_node("Add", ["plain", "idle"], ["logits"]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["plain"], ["logits"]))
    count = len(tokens)
    takes = [
        ("inputs_embeds", TensorProto.FLOAT, ["batch", "token", count]),
        ("attention_mask", TensorProto.INT64, ["batch", "all"]),
        ("position_ids", TensorProto.INT64, ["batch", "token"]),
        *((f"past.0.{part}", TensorProto.FLOAT, ["batch", 1, "past", 1]) for part in ("key", "value")),
    ]
    gives = [
        ("logits", TensorProto.FLOAT, ["batch", "token", count]),
        *((f"present.0.{part}", TensorProto.FLOAT, ["batch", 1, "all", 1]) for part in ("key", "value")),
    ]
    return _model(nodes, takes, gives, constants)


def _vision(count: int) -> bytes:
    """One feature an image: its mean as the token "<unk>", of no consequence."""
    row = np.zeros((1, count), np.float32)
    row[0, 0] = 1.0
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values", "axes"], ["mean"], keepdims=1),
        helper.make_node("Squeeze", ["mean", "last"], ["flat"]),
        helper.make_node("MatMul", ["flat", "row"], ["image_features"]),
    ]
    constants = {"axes": np.array([1, 2, 3], np.int64), "last": np.array([3], np.int64), "row": row}
    takes = [("pixel_values", TensorProto.FLOAT, ["image", 3, 8, 8])]
    return _model(nodes, takes, [("image_features", TensorProto.FLOAT, ["image", 1, count])], constants)


def _model(
    nodes: list[onnx.NodeProto],
    takes: Sequence[tuple[Any, ...]],
    gives: Sequence[tuple[Any, ...]],
    constants: Mapping[str, Any],
) -> bytes:
    made = helper.make_graph(
        nodes,
        "speaker",
        [helper.make_tensor_value_info(*each) for each in takes],
        [helper.make_tensor_value_info(*each) for each in gives],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def _tokenizer(tokens: list[str]) -> Tokenizer:
    made = Tokenizer(models.WordLevel({token: number for number, token in enumerate(tokens)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens([STOP])
    return made


def _read(count: int) -> dict[str, NDArray[Any]]:
    """Two tokens after one."""
    return {
        "inputs_embeds": np.eye(count, dtype=np.float32)[np.newaxis, [2, 3]],
        "attention_mask": np.ones((1, 3), np.int64),
        "position_ids": np.array([[1, 2]], np.int64),
        "past.0.key": np.zeros((1, 1, 1, 1), np.float32),
        "past.0.value": np.zeros((1, 1, 1, 1), np.float32),
    }


def _parity(data: bytes, spec: Graph, inputs: dict[str, NDArray[Any]]) -> dict[str, bytes]:
    outputs = Session(data, spec, CPU).run(inputs)
    expected = {name: array.astype(np.float32) for name, array in outputs.items()}
    names = parity_names(spec.role)
    return {names[0]: package.npz(inputs), names[1]: package.npz(expected)}


def _npy(array: NDArray[Any]) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
