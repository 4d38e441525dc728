"""Reads a series with any 2-D, 2.5-D or 3-D segmentation graph; every step and every name comes from its bundle."""

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Runtime
from inference.bundle import Bundle
from inference.errors import BundleError, InferenceError, UnsuitableImageError
from inference.findings import Algorithm, Findings
from inference.graph import Graph
from inference.image import Image
from inference.imaging.grid import onto
from inference.imaging.midline import midline
from inference.imaging.preprocess import prepare
from inference.imaging.sliding_window import predict_volume
from inference.inputs import Inputs
from inference.marks import findings, marks, narrative
from inference.outputs import Calibration
from inference.parity import parity
from inference.session import Session

Array = NDArray[np.float32]

_ROUNDING = 1e-3  # by which a probability may lie beyond 0 or 1


class Segmenter:
    """A segment bundle, ready to read.

    Parameters
    ----------
    bundle
        Verified.
    session
        Of its graph.
    """

    def __init__(self, bundle: Bundle, session: Session) -> None:
        self._bundle = bundle
        self._manifest = bundle.manifest
        self._session = session

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime) -> "Segmenter":
        """Load the graph and let it compute the bundle's own inputs, which warms it up.

        Raises
        ------
        BundleError
            If what it computes here is not what came with the bundle.
        ProviderError
            If no allowed execution provider came up.
        """
        spec = bundle.manifest.graph("segment")
        memory = bundle.manifest.limits.gpu_memory_bytes
        session = Session(bundle.read(spec.file), spec, runtime, gpu_memory_bytes=memory)
        report = parity(bundle, session)
        if not report.agrees:
            raise BundleError(
                f"{bundle.path.name}: outputs on {report.provider} differ by {max(report.max_abs.values()):.3g} from "
                f"those it came with; {report.atol:.3g} is allowed"
            )
        return cls(bundle, session)

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak."""
        return self._bundle.algorithm

    @property
    def inputs(self) -> Inputs:
        """Which series it reads."""
        return self._manifest.inputs

    @property
    def provider(self) -> str:
        """Execution provider in use, as ONNX Runtime names it."""
        return self._session.provider

    def read(self, image: Image) -> Findings:
        """Read one volume.

        Parameters
        ----------
        image
            In any orientation.

        Returns
        -------
        Findings
            One segment for each of the manifest's, on the source grid, and one finding for each of their components,
            largest first, up to the manifest's `max_findings`.

        Raises
        ------
        UnsuitableImageError
            If the slices are cut along another axis than the bundle reads, or the volume is larger than it allows.
        BundleError
            If the graph does not take what preprocessing gives, or does not give probabilities.
        InferenceError
            If the run fails, or gives values that are not numbers.
        """
        prepared = prepare(image.volume, self._manifest.preprocess)
        voxels, limit = prepared.array.size, self._manifest.limits.max_voxels
        if voxels > limit:
            raise UnsuitableImageError(f"{voxels} voxels after preprocessing, the bundle reads at most {limit}")
        values = predict_volume(prepared.array, self._manifest.tiling, self._predict)
        grid, source = prepared.get_geometry(), image.volume.get_geometry()
        marked = [
            marks(spec, onto(_calibrated(values[spec.channel], spec.calibration), grid, source), source)
            for spec in self._manifest.segments
        ]
        specs = self._manifest.findings
        sided = [marked[spec.segment - 1] for spec in specs if spec.laterality == "midline"]
        plane = midline(image.volume) if any(m.parts for m in sided) else None
        found = findings(specs, marked, plane, self._manifest.limits.max_findings)
        return Findings(
            algorithm=self.algorithm,
            segments=tuple(m.segment for m in marked),
            findings=found,
            narrative=narrative(specs, marked, found),
        )

    def _predict(self, batch: Array) -> Array:
        """Probabilities (batch, class, ...) of the graph; a batch shorter than its fixed one is filled up and cut."""
        graph = self._manifest.graph("segment")
        tensor, output = graph.inputs[0], graph.outputs[0]
        fixed = tensor.shape[0]
        whole = batch if fixed is None else np.resize(batch, (max(fixed, len(batch)), *batch.shape[1:]))
        if len(tensor.shape) != whole.ndim or any(
            n not in (None, m) for n, m in zip(tensor.shape, whole.shape, strict=True)
        ):
            raise BundleError(f"preprocessing gives {list(whole.shape)}, {graph.file} takes {list(tensor.shape)}")
        outputs = self._session.run({tensor.name: whole.astype(tensor.dtype)})
        return _probabilities(outputs[output.name][: len(batch)].astype(np.float32), graph)


def _probabilities(values: Array, graph: Graph) -> Array:
    """What the graph gave, checked and activated: what is no number would otherwise be read as nothing found."""
    if not np.isfinite(values).all():
        raise InferenceError(f"{graph.file} gave values that are not numbers")
    if graph.activation == "sigmoid":
        values = 0.5 + 0.5 * np.tanh(0.5 * values)
    elif graph.activation == "softmax":
        raised = np.exp(values - values.max(axis=1, keepdims=True))
        values = raised / raised.sum(axis=1, keepdims=True)
    low, high = float(values.min()), float(values.max())
    if low < -_ROUNDING or high > 1.0 + _ROUNDING:
        raise BundleError(f"{graph.file} gave values from {low:.3g} to {high:.3g}; its manifest promises probabilities")
    return np.clip(values, 0.0, 1.0)


def _calibrated(probability: Array, calibration: Calibration | None) -> Array:
    if calibration is None:
        return probability
    inner = np.clip(probability.astype(np.float64), 1e-7, 1.0 - 1e-7)
    logit = np.log(inner / (1.0 - inner))
    scaled: Array = (1.0 / (1.0 + np.exp(-(calibration.slope * logit + calibration.intercept)))).astype(np.float32)
    return scaled
