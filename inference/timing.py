"""How long a bundle's graphs take on this machine, and what memory: measured on the bundle's own inputs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from inference.algorithms import Runtime
from inference.bundle import Bundle
from inference.errors import ProviderError
from inference.graph import Graph
from inference.parity import given
from inference.session import Session, available

RUNS = 10
"""At most; the time of a graph is their median."""

_WARM_UP = 2
_ENOUGH_S = 10.0
_OWN = Path("/proc/self")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One graph on one provider.

    Attributes
    ----------
    role, file
        Which graph.
    provider
        As ONNX Runtime names it; as the configuration does where it did not start.
    inputs
        Name and shape of what it was given.
    ms
        Median time of one run after warming up; None where the provider did not start.
    runs
        How many were timed.
    file_mb
        Size of the graph's file and of its weights beside it, 10^6 bytes.
    resident_mb
        By how much the process grew at most while the graph was loaded and run, 10^6 bytes; None where the system does
        not say. GPU memory is not in it.
    fault
        Why the provider did not start.
    """

    role: str
    file: str
    provider: str
    inputs: dict[str, list[int]]
    ms: float | None = None
    runs: int = 0
    file_mb: float
    resident_mb: float | None = None
    fault: str = ""


def timings(bundle: Bundle, threads: int) -> Sequence[Timing]:
    """Time every graph of a bundle on every provider that it allows and this installation has.

    Raises
    ------
    BundleError
        If a graph or its inputs cannot be loaded.
    InferenceError
        If a run fails.
    """
    return [
        _timing(bundle, spec, Runtime(providers=(provider,), threads=threads))
        for spec in bundle.manifest.graphs
        for provider in available()
        if provider in spec.providers_allowed
    ]


def _timing(bundle: Bundle, spec: Graph, runtime: Runtime) -> Timing:
    graph, arrays = bundle.graph(spec), given(bundle, spec)
    before = _memory_mb("VmRSS") if _peak_forgotten() else None
    told = Timing(
        role=spec.role,
        file=spec.file,
        provider=runtime.providers[0],
        inputs={name: list(array.shape) for name, array in arrays.items()},
        file_mb=sum((bundle.path / name).stat().st_size for name in (spec.file, spec.data) if name) / 1e6,
    )
    try:
        session = Session(graph, spec, runtime, gpu_memory_bytes=bundle.manifest.limits.gpu_memory_bytes)
    except ProviderError as error:
        return replace(told, fault=str(error))
    for _ in range(_WARM_UP):
        session.run(arrays)
    taken: list[float] = []
    while len(taken) < RUNS and sum(taken) < _ENOUGH_S:
        start = time.perf_counter()
        session.run(arrays)
        taken.append(time.perf_counter() - start)
    peak = _memory_mb("VmHWM")
    grown = max(0.0, peak - before) if peak is not None and before is not None else None
    return replace(told, provider=session.provider, ms=1000.0 * median(taken), runs=len(taken), resident_mb=grown)


def _peak_forgotten() -> bool:
    """Let the kernel forget the largest size this process had (proc_pid_clear_refs(5), 5); False where it cannot."""
    try:
        (_OWN / "clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _memory_mb(key: str) -> float | None:
    """A line of /proc/self/status, kB there, as 10^6 bytes."""
    try:
        lines = (_OWN / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    values = [line.split()[1] for line in lines if line.startswith(f"{key}:")]
    return int(values[0]) * 1024 / 1e6 if values else None
