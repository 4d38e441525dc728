"""Reads a series with any 2-D, 2.5-D or 3-D segmentation graph; every step and every name comes from its bundle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Runtime, Scores
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
from inference.manifests.segment import SegmentManifest
from inference.marks import Marks, findings, marks, narrative, overall, surest
from inference.outputs import Calibration
from inference.parity import opened
from inference.session import Session

Array = NDArray[np.float32]

_ROUNDING = 1e-3  # by which a probability may lie beyond 0 or 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Maps:
    """Probabilities on the source grid, (slice, row, column), float32.

    Attributes
    ----------
    segments
        Calibrated, of segment 1, 2, ... in order.
    kinds
        Of each kind that a finding may be of, by channel of the graph.
    """

    segments: list[Array]
    kinds: dict[int, Array]


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
        if not isinstance(bundle.manifest, SegmentManifest):
            raise BundleError(f"{bundle.path.name}: not a segment bundle but {bundle.manifest.algorithm}")
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
        return cls(bundle, opened(bundle, bundle.manifest.graph("segment"), runtime))

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
        maps = self._maps(image)
        marked = self._marked(image, maps)
        specs = self._manifest.findings
        sided = [marked[spec.segment - 1] for spec in specs if spec.laterality == "midline"]
        plane = midline(image.volume) if any(m.parts for m in sided) else None
        found = findings(specs, marked, maps.kinds, plane, self._manifest.limits.max_findings)
        return Findings(
            algorithm=self.algorithm,
            segments=tuple(m.segment for m in marked),
            findings=found,
            narrative=narrative(specs, marked, found),
        )

    def scores(self, image: Image) -> Scores:
        """Score one volume by its first segment and the kinds of that segment's findings; raises as `read`."""
        maps = self._maps(image)
        first = self._marked(image, maps)[0]
        named = [spec for spec in self._manifest.findings if spec.segment == 1 and spec.classes]
        return Scores(
            probability=first.probability,
            marked=first.segment.mask,
            slices=surest(first.probability),
            classes=overall(named[0], first.probability, maps.kinds) if named else {},
        )

    def _maps(self, image: Image) -> Maps:
        """What the graph says of every voxel, on the source grid."""
        prepared = prepare(image.volume, self._manifest.preprocess)
        voxels, limit = prepared.array.size, self._manifest.limits.max_voxels
        if voxels > limit:
            raise UnsuitableImageError(f"{voxels} voxels after preprocessing, the bundle reads at most {limit}")
        values = predict_volume(prepared.array, self._manifest.tiling, self._predict)
        grid, source = prepared.get_geometry(), image.volume.get_geometry()
        kinds = sorted({kind.channel for spec in self._manifest.findings for kind in spec.classes})
        return Maps(
            segments=[
                onto(_calibrated(values[s.channel], s.calibration), grid, source) for s in self._manifest.segments
            ],
            kinds={channel: onto(values[channel], grid, source) for channel in kinds},
        )

    def _marked(self, image: Image, maps: Maps) -> list[Marks]:
        source = image.volume.get_geometry()
        return [
            marks(spec, values, source) for spec, values in zip(self._manifest.segments, maps.segments, strict=True)
        ]

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
