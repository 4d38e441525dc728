"""Whether a bundle computes on this machine what it computed where it was made; says by how much it does not."""

import io
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Runtime
from inference.bundle import PARITY_EXPECTED, PARITY_INPUTS, Bundle
from inference.errors import BundleError
from inference.session import Session


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """How far the outputs lie from those that came with the bundle.

    Attributes
    ----------
    provider
        Execution provider they were computed on.
    max_abs
        Largest absolute difference of each output; infinite where a value is not a number.
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


def parity(bundle: Bundle, session: Session) -> ParityReport:
    """Run the bundle's own inputs and compare.

    Raises
    ------
    BundleError
        If the arrays that came with the bundle are not those of its graph.
    """
    expected = _arrays(bundle, PARITY_EXPECTED)
    found = session.run(_arrays(bundle, PARITY_INPUTS))
    if {n: a.shape for n, a in found.items()} != {n: a.shape for n, a in expected.items()}:
        raise BundleError(f"{bundle.path.name}/{PARITY_EXPECTED}: names or shapes are not those of the graph's outputs")
    return ParityReport(
        provider=session.provider,
        max_abs={name: _max_abs(found[name], expected[name]) for name in sorted(found)},
        atol=bundle.manifest.parity.atol,
    )


def measured(bundle: Bundle, runtime: Runtime) -> ParityReport:
    """Open a bundle's graph as its reader would, and compare; raises as `parity` and `Session`."""
    spec = bundle.manifest.graph("segment")
    memory = bundle.manifest.limits.gpu_memory_bytes
    return parity(bundle, Session(bundle.read(spec.file), spec, runtime, gpu_memory_bytes=memory))


def _arrays(bundle: Bundle, name: str) -> dict[str, NDArray[np.generic]]:
    data = io.BytesIO(bundle.read(name))
    try:
        with zipfile.ZipFile(data), np.load(data, allow_pickle=False) as stored:
            return dict(stored)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{bundle.path.name}/{name}: not an npz of plain arrays: {error}") from error


def _max_abs(found: NDArray[np.generic], expected: NDArray[np.generic]) -> float:
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    largest = float(difference.max(initial=0.0))
    return largest if np.isfinite(largest) else float("inf")
