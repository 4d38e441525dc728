"""One ONNX Runtime session: the provider asked for, or an error; knows tensors and their names, no image.

The only module that imports onnxruntime; `inference/__init__.py` has switched its telemetry off by then.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from inference.algorithms import Runtime
from inference.errors import BundleError, InferenceError, ProviderError
from inference.graph import Graph, Tensor

PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Names in the configuration and in ONNX Runtime."""

_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}
_UNREADABLE = (
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.InvalidArgument,
    state.NotImplemented,
    state.NoModel,
)
_FAILED = (
    state.Fail,
    state.RuntimeException,
    state.EPFail,
    state.EngineError,
    state.DeviceReset,
)
_ERRORS_ONLY = 3

Arrays = Mapping[str, NDArray[np.generic]]


class Session:
    """A graph on a provider, its inputs and outputs as the manifest says.

    Parameters
    ----------
    graph
        Bytes of the ONNX file, or its path where it has its weights in a file beside it.
    spec
        What the manifest says of it.
    runtime
        Providers in order of preference, and threads.
    gpu_memory_bytes
        Most memory to take on a GPU; None: no limit.

    Raises
    ------
    ProviderError
        If none of the providers that the configuration and the bundle allow came up; ONNX Runtime itself would fall
        back to the CPU without a word.
    BundleError
        If the graph cannot be loaded, or its inputs or outputs are not those of the manifest.
    """

    def __init__(
        self, graph: bytes | Path, spec: Graph, runtime: Runtime, *, gpu_memory_bytes: int | None = None
    ) -> None:
        wanted = _wanted(spec, runtime)
        self._spec = spec
        self._session = _created(graph, spec, wanted, runtime, gpu_memory_bytes)
        self.provider: str = self._session.get_providers()[0]
        """Execution provider in use, as ONNX Runtime names it."""
        if self.provider not in (PROVIDERS[name] for name in wanted):
            raise ProviderError(f"{spec.file} runs on {self.provider}; {_situation(wanted)}")
        first = next(name for name in runtime.providers if name in spec.providers_allowed)
        self.passed_over: tuple[str, ...] = () if PROVIDERS[first] == self.provider else (PROVIDERS[first],)
        """The preferred provider where another that is allowed had to do; empty where it came up."""
        _same_tensors(spec.file, "input", spec.inputs, self._session.get_inputs())
        _same_tensors(spec.file, "output", spec.outputs, self._session.get_outputs())

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Outputs by name.

        Raises
        ------
        InferenceError
            If the run fails; the message is ONNX Runtime's.
        """
        names = [tensor.name for tensor in self._spec.outputs]
        options = ort.RunOptions()
        if self.provider == PROVIDERS["cpu"]:
            # a session lives long and sees volumes of every size: give the memory of the largest back
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        try:
            outputs = self._session.run(names, dict(inputs), options)
        except (*_UNREADABLE, *_FAILED, ValueError) as error:
            raise InferenceError(f"{self._spec.file} failed on {self.provider}: {error}") from error
        return dict(zip(names, outputs, strict=True))


def available() -> tuple[str, ...]:
    """Providers that this installation of ONNX Runtime has, as the configuration names them."""
    return tuple(name for name in PROVIDERS if PROVIDERS[name] in ort.get_available_providers())


def _wanted(spec: Graph, runtime: Runtime) -> list[str]:
    """Names of the providers that configuration and bundle allow and this installation has, in order of preference."""
    unknown = sorted(set(runtime.providers) - set(PROVIDERS))
    if unknown:
        raise ProviderError(f"unknown providers {', '.join(unknown)}; known: {', '.join(PROVIDERS)}")
    allowed = [name for name in runtime.providers if name in spec.providers_allowed]
    wanted: list[str] = [name for name in allowed if PROVIDERS[name] in ort.get_available_providers()]
    if not wanted:
        raise ProviderError(f"{spec.file} has no provider to run on; {_situation(allowed)}")
    return wanted


def _situation(allowed: Sequence[str]) -> str:
    return (
        f"allowed by configuration and bundle: {', '.join(PROVIDERS[name] for name in allowed) or 'none'}; "
        f"available: {', '.join(ort.get_available_providers())}"
    )


def _created(
    graph: bytes | Path, spec: Graph, wanted: Sequence[str], runtime: Runtime, gpu_memory_bytes: int | None
) -> ort.InferenceSession:
    chain = [(PROVIDERS[name], _provider_options(name, gpu_memory_bytes)) for name in wanted]
    if {"cuda", "tensorrt"} & set(wanted):
        with redirect_stdout(sys.stderr):  # it prints, and stdout belongs to the commands
            ort.preload_dlls()  # the extra `gpu` brings CUDA as Python packages, where no linker looks
    try:
        session = ort.InferenceSession(graph, _session_options(wanted, runtime.threads), providers=chain)
    except _UNREADABLE as error:
        raise BundleError(f"{spec.file}: ONNX Runtime cannot load it: {error}") from error
    except _FAILED as error:
        raise ProviderError(f"{spec.file} cannot start: {error}; {_situation(wanted)}") from error
    session.disable_fallback()
    return session


def _session_options(wanted: Sequence[str], threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.enable_mem_pattern = False  # plans memory for one shape; volumes come in many
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores to others
    if "cpu" not in wanted:
        # without this, operators that the GPU lacks would run on the CPU while the provider reads CUDA
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return options


def _provider_options(name: str, gpu_memory_bytes: int | None) -> dict[str, str]:
    """Settings that make a provider compute the same again."""
    if name == "cpu":
        return {}
    if name == "tensorrt":
        return {"trt_fp16_enable": "0"}
    settings = {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
    if gpu_memory_bytes is not None:
        settings["gpu_mem_limit"] = str(gpu_memory_bytes)
    return settings


def _same_tensors(file: str, kind: str, declared: tuple[Tensor, ...], found: list[ort.NodeArg]) -> None:
    by_name = {node.name: node for node in found}
    if set(by_name) != {tensor.name for tensor in declared}:
        names = ", ".join(sorted(tensor.name for tensor in declared))
        raise BundleError(f"{file}: {kind}s are {', '.join(sorted(by_name))}, the manifest says {names}")
    for tensor in declared:
        node = by_name[tensor.name]
        shape = tuple(length if isinstance(length, int) else None for length in node.shape)
        if _TYPES.get(node.type) != tensor.dtype or shape != tensor.shape:
            raise BundleError(
                f"{file}: {kind} {tensor.name} is {node.type} {list(shape)}, "
                f"the manifest says {tensor.dtype} {list(tensor.shape)}"
            )
