"""The networks that ship, timed in torch and in ONNX Runtime side by side: the same inputs, turn by turn."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export_onnx import graphs
from export_onnx.localiser_bundle import specs
from export_onnx.models.localiser import LocaliserMaps, Towers
from export_onnx.models.tumour_net import TumourMaps, TumourNet
from export_onnx.models.unet import Probabilities, UNet
from export_onnx.training import lesion_segmenter, localiser_bundle, tumour_localiser, tumour_manifest, tumour_segmenter
from export_onnx.training.lesion_manifest import graph as lesion_graph
from inference.algorithms import Runtime
from inference.graph import Graph
from inference.session import Session

SLICES = 8
"""In one run."""

_WARM_UP = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A network, its graph as a manifest describes it, and what both are given.

    Attributes
    ----------
    name
        Bundle and role.
    network
        As it is exported, with weights by chance: they do not change the time.
    spec
        Names, types and shapes.
    given
        Inputs in the order of `forward`.
    free_axes
        As `graphs.exported` takes them.
    """

    name: str
    network: nn.Module
    spec: Graph
    given: tuple[Tensor, ...]
    free_axes: dict[str, tuple[int, ...]]


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


def subjects() -> list[Subject]:
    """The networks that ship, in the sizes they were trained in."""
    torch.manual_seed(0)
    lesions, tumours, staged = lesion_segmenter.REAL, tumour_segmenter.REAL, tumour_localiser.REAL
    unet = Probabilities(UNet(2 * lesions.plan.neighbours + 1, 1, lesions.widths)).eval()
    net = TumourMaps(TumourNet(len(tumour_manifest.KINDS), tumours.widths, tumours.depths), mirrored=False).eval()
    towers = Towers(staged.sizes).eval()
    size = staged.trunk.size
    maps = LocaliserMaps(towers.localiser).eval()
    vision, text = specs(localiser_bundle.parts(towers, maps, tumour_localiser.TOKENIZER, size))
    texts = torch.nn.functional.normalize(torch.randn(2, staged.joint), dim=1)
    ids = torch.randint(0, tumour_localiser.TOKENIZER.get_vocab_size(), (2, 16))
    return [
        Subject(
            name="lesion-segmenter segment",
            network=unet,
            spec=lesion_graph(lesions),
            given=(torch.rand(SLICES, 2 * lesions.plan.neighbours + 1, 96, 112),),
            free_axes={"image": (0, 2, 3)},
        ),
        Subject(
            name="tumour-segmenter segment",
            network=net,
            spec=tumour_manifest.graph(),
            given=(torch.rand(SLICES, 1, tumours.size, tumours.size),),
            free_axes={"image": (0, 2, 3)},
        ),
        Subject(
            name="tumour-localiser vision",
            network=maps,
            spec=vision,
            given=(torch.rand(SLICES, 1, size, size), texts),
            free_axes={"image": (0,), "text_features": ()},
        ),
        Subject(
            name="tumour-localiser text",
            network=towers.text,
            spec=text,
            given=(ids, torch.ones_like(ids)),
            free_axes={"input_ids": (0, 1), "attention_mask": (0, 1)},
        ),
    ]


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
