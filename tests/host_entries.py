"""What runs inside the session hosts of the tests: the product's own loop, with readers that do as they are called."""

import ctypes
import os
import time
from dataclasses import dataclass
from pathlib import Path

from dicom_node.reading import host_process
from dicom_node.reading.wire import Channel
from inference.algorithms import Runtime
from inference.errors import BundleError, InferenceError, ProviderError, UnsuitableImageError
from inference.findings import Algorithm, Findings
from inference.image import Image
from inference.inputs import Inputs
from tests.analyses import ALGORITHM, bright


def serve(channel: Channel) -> None:
    """The session host with the readers below in the place of bundles."""
    setattr(host_process, "open_reader", _open)  # noqa: B010
    host_process.serve(channel)


@dataclass
class _Reader:
    name: str
    provider: str
    reads: int = 0

    @property
    def algorithm(self) -> Algorithm:
        return ALGORITHM

    @property
    def inputs(self) -> Inputs:
        return Inputs(modality=("MR", "CT"), min_slices=3)

    def read(self, image: Image) -> Findings:
        self.reads += 1
        self.provider = f"{os.getpid()} {self.reads}"
        _misbehave(self.name)
        return bright(image, float(image.volume.array.max()) / 2)


def _open(name: str, bundles_dir: Path | None, runtime: Runtime) -> _Reader:
    if name == "broken-bundle":
        raise BundleError("SHA256SUMS: graphs/a.onnx was changed")
    if name == "wrong-provider":
        raise ProviderError(f"runs on CPU, asked for {', '.join(runtime.providers)} in {bundles_dir}")
    return _Reader(name=name, provider="numpy")


_ballast: list[bytes] = []


def _misbehave(name: str) -> None:
    if name == "declines":
        raise UnsuitableImageError("no brain found: 3 mL")
    if name == "device-lost":
        raise InferenceError("a.onnx failed on CUDAExecutionProvider")
    if name == "has-a-bug":
        raise ZeroDivisionError("CANARY")
    if name == "segfault":
        ctypes.string_at(0)
    if name == "hangs":
        time.sleep(600)
    if name == "runs-out":
        raise MemoryError
    if name == "leaks":
        _ballast.append(os.urandom(2**20) * 300)
