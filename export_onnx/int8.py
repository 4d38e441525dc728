"""What 8-bit integers would cost and save a segment bundle: Dice against its own fp32 masks, and speed, side by side.

Static quantisation of convolutions and matrix products (QDQ, a scale for each channel of the weights), calibrated on
labelled slices. It reports; nothing is written into the bundle.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from inference.algorithms import Runtime
from inference.bundle import Bundle
from inference.evaluation.cases import Case
from inference.imaging.preprocess import prepare
from inference.manifests.segment import SegmentManifest
from inference.session import Session

Array = NDArray[np.float32]

CALIBRATION, BATCH, TURNS = 64, 8, 15


def trial(bundle: Bundle, calibration: Sequence[Case], judged: Sequence[Case], threads: int) -> dict[str, Any]:
    """Quantise a bundle's graph and compare.

    Parameters
    ----------
    bundle
        Of kind `segment`, with one input of single slices.
    calibration
        Cases of one slice each, from training: their ranges become the scales.
    judged
        Cases whose fp32 and int8 masks are compared, at the bundle's threshold on the network's grid.
    threads
        Of both.

    Returns
    -------
    dict
        {"dice", "n_cases", "fp32_ms", "int8_ms", "ratio", "fp32_mb", "int8_mb"}; ratio is how many times as fast int8
        is, the median over turns.
    """
    if not isinstance(bundle.manifest, SegmentManifest):
        raise TypeError(f"{bundle.path.name} is no segment bundle")
    manifest, spec = bundle.manifest, bundle.manifest.graph("segment")
    graph = bundle.read(spec.file)
    small = _quantised(graph, spec.inputs[0].name, _slices(calibration, manifest))
    runtime = Runtime(providers=("cpu",), threads=threads)
    sessions = [Session(data, spec, runtime) for data in (graph, small)]
    common = drawn = 0
    threshold, channel = manifest.segments[0].threshold, manifest.segments[0].channel
    batches = [np.concatenate(part) for part in _grouped(_slices(judged, manifest))]
    for batch in batches:
        first, second = (
            session.run({spec.inputs[0].name: batch})[spec.outputs[0].name].astype(np.float32)[:, channel] >= threshold
            for session in sessions
        )
        common += int((first & second).sum())
        drawn += int(first.sum()) + int(second.sum())
    times = [_turn(sessions, spec.inputs[0].name, batches[0]) for _ in range(TURNS + 2)][2:]
    return {
        "dice": 2.0 * common / drawn if drawn else 1.0,
        "n_cases": len(judged),
        "fp32_ms": 1000.0 * median(one for one, _ in times),
        "int8_ms": 1000.0 * median(other for _, other in times),
        "ratio": median(one / other for one, other in times),
        "fp32_mb": len(graph) / 1e6,
        "int8_mb": len(small) / 1e6,
    }


class _Given(CalibrationDataReader):  # type: ignore[misc]  # the library has no types
    def __init__(self, name: str, slices: Iterator[Array]) -> None:
        self._name, self._slices = name, slices

    def get_next(self) -> dict[str, Array] | None:
        one = next(self._slices, None)
        return None if one is None else {self._name: one}


def _slices(cases: Sequence[Case], manifest: SegmentManifest) -> Iterator[Array]:
    """(1, 1, row, column) of each case, as the graph takes it."""
    for case in cases:
        yield prepare(case.load().image.volume, manifest.preprocess).array[:1, None]


def _grouped(slices: Iterator[Array]) -> Iterator[list[Array]]:
    group: list[Array] = []
    for one in slices:
        group.append(one)
        if len(group) == BATCH:
            yield group
            group = []
    if group:
        yield group


def _quantised(graph: bytes, name: str, slices: Iterator[Array]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        whole, ready, small = (Path(folder) / file for file in ("fp32.onnx", "ready.onnx", "int8.onnx"))
        onnx.save_model(onnx.load_from_string(graph), str(whole))
        # the first and the last convolution see and give pixels: rounding them moves borders
        quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
        quantize_static(
            str(ready),
            str(small),
            _Given(name, slices),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "MatMul"],
            nodes_to_exclude=_ends(ready),
        )
        return small.read_bytes()


def _ends(graph: Path) -> list[str]:
    """Names of the convolutions that take the image, and of those that no convolution follows."""
    nodes = list(onnx.load(str(graph)).graph.node)
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    depth = {id(node): _followed(node, readers) for node in convolutions}
    made = {name for node in nodes for name in node.output}
    return [node.name for node in convolutions if not depth[id(node)] or not _comes_from_convolution(node, nodes, made)]


def _followed(node: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]]) -> bool:
    """Whether any convolution reads, directly or not, what this one gives."""
    waiting, seen = list(node.output), set()
    while waiting:
        for reader in readers.get(waiting.pop(), []):
            if reader.op_type == "Conv":
                return True
            new = [name for name in reader.output if name not in seen]
            seen.update(new)
            waiting += new
    return False


def _comes_from_convolution(node: onnx.NodeProto, nodes: Sequence[onnx.NodeProto], made: set[str]) -> bool:
    maker = {name: one for one in nodes for name in one.output}
    waiting = [name for name in node.input if name in made]
    seen = set(waiting)
    while waiting:
        one = maker[waiting.pop()]
        if one.op_type == "Conv":
            return True
        new = [name for name in one.input if name in made and name not in seen]
        seen.update(new)
        waiting += new
    return False


def _turn(sessions: Sequence[Session], name: str, batch: Array) -> tuple[float, float]:
    taken = []
    for session in sessions:
        start = time.perf_counter()
        session.run({name: batch})
        taken.append(time.perf_counter() - start)
    return taken[0], taken[1]
