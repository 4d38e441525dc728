"""Whether a bundle computes on this machine what it computed where it was made; says by how much it does not."""

import io
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Runtime
from inference.bundle import Bundle, parity_names
from inference.errors import BundleError
from inference.graph import Graph
from inference.session import Session


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """How far the outputs lie from those that came with the bundle.

    Attributes
    ----------
    provider
        Execution provider they were computed on.
    max_abs
        `difference` of each output.
    atol
        What the manifest allows.
    """

    provider: str
    max_abs: dict[str, float]
    atol: float

    @property
    def agrees(self) -> bool:
        """Whether every output lies within the tolerance."""
        return all(difference <= self.atol for difference in self.max_abs.values())


def opened(bundle: Bundle, spec: Graph, runtime: Runtime) -> Session:
    """Load one graph of a bundle and let it compute the bundle's own inputs, which warms it up.

    Raises
    ------
    BundleError
        If what it computes here is not what came with the bundle.
    ProviderError
        If no allowed execution provider came up.
    """
    memory = bundle.manifest.limits.gpu_memory_bytes
    session = Session(bundle.graph(spec), spec, runtime, gpu_memory_bytes=memory)
    report = parity(bundle, spec, session)
    if not report.agrees:
        raise BundleError(
            f"{bundle.path.name}: outputs on {report.provider} differ by {max(report.max_abs.values()):.3g} from "
            f"those it came with; {report.atol:.3g} is allowed"
        )
    return session


def parity(bundle: Bundle, spec: Graph, session: Session) -> ParityReport:
    """Run the bundle's own inputs of one graph and compare.

    Raises
    ------
    BundleError
        If the arrays that came with the bundle are not those of its graph.
    """
    expected_file = parity_names(spec.role)[1]
    expected = _arrays(bundle, expected_file)
    found = session.run(given(bundle, spec))
    if {n: a.shape for n, a in found.items()} != {n: a.shape for n, a in expected.items()}:
        raise BundleError(f"{bundle.path.name}/{expected_file}: names or shapes are not those of the graph's outputs")
    return ParityReport(
        provider=session.provider,
        max_abs={name: difference(found[name], expected[name]) for name in sorted(found)},
        atol=bundle.manifest.parity.atol,
    )


def given(bundle: Bundle, spec: Graph) -> dict[str, NDArray[np.generic]]:
    """The bundle's own inputs of one graph, by name; raises BundleError if they are no arrays."""
    return _arrays(bundle, parity_names(spec.role)[0])


def measured(bundle: Bundle, runtime: Runtime) -> ParityReport:
    """Open every graph of a bundle as its reader would, and compare; raises as `parity` and `Session`."""
    memory = bundle.manifest.limits.gpu_memory_bytes
    reports = [
        parity(bundle, spec, Session(bundle.graph(spec), spec, runtime, gpu_memory_bytes=memory))
        for spec in bundle.manifest.graphs
    ]
    return ParityReport(
        provider=reports[0].provider,
        max_abs={name: value for report in reports for name, value in report.max_abs.items()},
        atol=bundle.manifest.parity.atol,
    )


def _arrays(bundle: Bundle, name: str) -> dict[str, NDArray[np.generic]]:
    data = io.BytesIO(bundle.read(name))
    try:
        with zipfile.ZipFile(data), np.load(data, allow_pickle=False) as stored:
            return dict(stored)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{bundle.path.name}/{name}: not an npz of plain arrays: {error}") from error


def difference(found: NDArray[np.generic], expected: NDArray[np.generic]) -> float:
    """Largest absolute difference, as a share of the largest value where that is above 1.

    Infinite where a value is not a number: float32 has seven digits, whatever the size of what they count.
    """
    apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    largest = float(apart.max(initial=0.0)) / max(1.0, float(np.abs(expected.astype(np.float64)).max(initial=0.0)))
    return largest if np.isfinite(largest) else float("inf")
