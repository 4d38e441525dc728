"""Proof that a graph computes what the network computed: torch against ONNX Runtime over the same inputs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.algorithms import Runtime
from inference.graph import Graph
from inference.session import Session

TOLERANCE_FP32 = 1e-4
"""Largest absolute difference of an fp32 output that an export may show."""


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

    inputs: Mapping[str, NDArray[np.float32]]
    expected: Mapping[str, NDArray[np.float32]]
    max_abs: float


def prove(network: nn.Module, graph: bytes, spec: Graph, inputs: NDArray[np.float32]) -> Proof:
    """Run both and compare.

    Parameters
    ----------
    network
        In evaluation mode, one input and one output.
    graph
        Its export, bytes of the ONNX file.
    spec
        Names, types and shapes of input and output.
    inputs
        The input.

    Raises
    ------
    ParityError
        If the outputs differ by more than `TOLERANCE_FP32`.
    """
    taken, given = spec.inputs[0].name, spec.outputs[0].name
    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs)).numpy()
    found = Session(graph, spec, Runtime(providers=("cpu",), threads=1)).run({taken: inputs})[given]
    max_abs = float(np.abs(found.astype(np.float64) - expected).max())
    if not max_abs <= TOLERANCE_FP32:
        raise ParityError(f"{spec.file}: torch and ONNX Runtime differ by {max_abs:.3g}, allowed {TOLERANCE_FP32:.3g}")
    return Proof(inputs={taken: inputs}, expected={given: expected}, max_abs=max_abs)
