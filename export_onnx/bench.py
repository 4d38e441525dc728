"""The networks that ship, timed in torch and in ONNX Runtime side by side: the same inputs, turn by turn."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from export_onnx import graphs
from export_onnx.bench_subjects import Subject, subjects
from inference.algorithms import Runtime
from inference.session import Session

_WARM_UP = 2


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One network in both.

    Attributes
    ----------
    name
        Bundle and role.
    torch_ms, onnx_ms
        Median time of one run.
    ratio
        How many times as fast ONNX Runtime is: the median over the turns.
    low, high
        Second least and second greatest ratio of a turn.
    turns
        How many there were.
    """

    name: str
    torch_ms: float
    onnx_ms: float
    ratio: float
    low: float
    high: float
    turns: int


def bench(threads: int, turns: int) -> list[dict[str, Any]]:
    """Time every network of the shipped bundles, both with the same number of threads."""
    torch.set_num_threads(threads)
    return [asdict(compared(subject, threads, turns)) for subject in subjects()]


def compared(subject: Subject, threads: int, turns: int) -> Compared:
    """Export one network and time both, turn by turn, so that whatever else the machine does falls on both alike."""
    inputs = [tensor.name for tensor in subject.spec.inputs]
    data = graphs.exported(
        subject.network,
        subject.given,
        names=(inputs, [tensor.name for tensor in subject.spec.outputs]),
        free_axes=subject.free_axes,
    )
    session = Session(data, subject.spec, Runtime(providers=("cpu",), threads=threads))
    arrays: dict[str, NDArray[np.generic]] = {
        name: tensor.numpy() for name, tensor in zip(inputs, subject.given, strict=True)
    }

    def in_torch() -> None:
        with torch.inference_mode():
            subject.network(*subject.given)

    pairs = [(_seconds(in_torch), _seconds(lambda: session.run(arrays))) for _ in range(_WARM_UP + turns)][_WARM_UP:]
    return _summed_up(subject.name, pairs)


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _summed_up(name: str, pairs: Sequence[tuple[float, float]]) -> Compared:
    ratios = sorted(one / other for one, other in pairs)
    edge = 1 if len(ratios) > 2 else 0
    return Compared(
        name=name,
        torch_ms=1000.0 * median(one for one, _ in pairs),
        onnx_ms=1000.0 * median(other for _, other in pairs),
        ratio=median(ratios),
        low=ratios[edge],
        high=ratios[-1 - edge],
        turns=len(pairs),
    )
