"""Proof that a graph computes what the network computed: torch against ONNX Runtime over the same inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.algorithms import Runtime
from inference.graph import Graph
from inference.parity import difference
from inference.session import Session

Array = NDArray[np.generic]

TOLERANCE_FP32 = 1e-4
"""Largest `inference.parity.difference` of an fp32 output that an export may show."""


class ParityError(Exception):
    """An exported graph does not compute what the network computes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Proof:
    """Inputs, and what torch made of them, as the bundle carries them.

    Attributes
    ----------
    inputs, expected
        Arrays by the graph's names.
    max_abs
        Largest absolute difference between torch and ONNX Runtime.
    """

    inputs: Mapping[str, Array]
    expected: Mapping[str, Array]
    max_abs: float


def prove(network: Callable[..., Any], graph: bytes | Path, spec: Graph, inputs: Array | Mapping[str, Array]) -> Proof:
    """Run both and compare.

    Parameters
    ----------
    network
        In evaluation mode, or what computes the same; gives a tensor, or as many as `spec` names outputs.
    graph
        Its export, bytes of the ONNX file, or its path.
    spec
        Names, types and shapes of inputs and outputs, the inputs in the order of `forward`.
    inputs
        The one input, or each input by its name.

    Raises
    ------
    ParityError
        If the outputs differ by more than `TOLERANCE_FP32`.
    """
    named = inputs if isinstance(inputs, Mapping) else {spec.inputs[0].name: inputs}
    with torch.inference_mode():
        made = network(*(torch.from_numpy(named[tensor.name]) for tensor in spec.inputs))
    outputs = (made,) if isinstance(made, Tensor) else tuple(made)
    expected = {tensor.name: output.numpy() for tensor, output in zip(spec.outputs, outputs, strict=True)}
    runtime = Runtime(providers=("cpu",), threads=1)
    found = Session(graph, spec, runtime, mapped=isinstance(graph, Path)).run(named)
    max_abs = max(difference(found[name], array) for name, array in expected.items())
    if not max_abs <= TOLERANCE_FP32:
        raise ParityError(f"{spec.file}: torch and ONNX Runtime differ by {max_abs:.3g}, allowed {TOLERANCE_FP32:.3g}")
    return Proof(inputs=named, expected=expected, max_abs=max_abs)
