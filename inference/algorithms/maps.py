"""From a series to a graph and from its maps to findings: what every reader of maps does, whatever else it gives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from inference.errors import BundleError, InferenceError, UnsuitableImageError
from inference.findings import Algorithm, Findings, Measurement, Narrative, Sentence
from inference.graph import Graph
from inference.image import Image
from inference.imaging.grid import onto
from inference.imaging.midline import midline
from inference.imaging.preprocess import prepare
from inference.manifests.marked import Marked
from inference.manifests.talk import Talk
from inference.marks import Marks, findings, marks, narrative
from inference.outputs import Calibration

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


def prepared(image: Image, manifest: Marked | Talk) -> Volume:
    """The volume as the graph takes it.

    Raises
    ------
    UnsuitableImageError
        If the slices are cut along another axis than the bundle reads, or the volume is larger than it allows.
    """
    volume = prepare(image.volume, manifest.preprocess, image.modality)
    voxels, limit = volume.array.size, manifest.limits.max_voxels
    if voxels > limit:
        raise UnsuitableImageError(f"{voxels} voxels after preprocessing, the bundle reads at most {limit}")
    return volume


def filled(batch: Array, graph: Graph) -> NDArray[np.generic]:
    """A batch (batch, channel, ...) as the graph's first input: repeated up to its fixed length, of its type.

    Raises
    ------
    BundleError
        If the graph does not take what preprocessing gives.
    """
    tensor = graph.inputs[0]
    fixed = tensor.shape[0]
    whole = batch if fixed is None else np.resize(batch, (max(fixed, len(batch)), *batch.shape[1:]))
    if len(tensor.shape) != whole.ndim or any(
        n not in (None, m) for n, m in zip(tensor.shape, whole.shape, strict=True)
    ):
        raise BundleError(f"preprocessing gives {list(whole.shape)}, {graph.file} takes {list(tensor.shape)}")
    return whole.astype(tensor.dtype)


def probabilities(values: Array, graph: Graph) -> Array:
    """What the graph gave, checked and activated: what is no number would otherwise be read as nothing found.

    Raises
    ------
    InferenceError
        If a value is not a number.
    BundleError
        If a value is no probability.
    """
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


def calibrated(probability: Array, calibration: Calibration | None) -> Array:
    """Platt scaling, where there is one; of the same shape."""
    if calibration is None:
        return probability
    inner = np.clip(probability.astype(np.float64), 1e-7, 1.0 - 1e-7)
    logit = np.log(inner / (1.0 - inner))
    scaled: Array = (1.0 / (1.0 + np.exp(-(calibration.slope * logit + calibration.intercept)))).astype(np.float32)
    return scaled


def on_source(values: Array, grid: Volume, image: Image, manifest: Marked) -> Maps:
    """Maps (class, slice, row, column) of the prepared volume `grid`, calibrated, on the grid of the image."""
    given, source = grid.get_geometry(), image.volume.get_geometry()
    kinds = sorted({kind.channel for spec in manifest.findings for kind in spec.classes})
    return Maps(
        segments=[onto(calibrated(values[s.channel], s.calibration), given, source) for s in manifest.segments],
        kinds={channel: onto(values[channel], given, source) for channel in kinds},
    )


def marked(maps: Maps, image: Image, manifest: Marked) -> list[Marks]:
    """What is marked of segment 1, 2, ... in order."""
    source = image.volume.get_geometry()
    return [marks(spec, values, source) for spec, values in zip(manifest.segments, maps.segments, strict=True)]


def told(
    maps: Maps,
    image: Image,
    manifest: Marked,
    algorithm: Algorithm,
    *,
    first: Sequence[Sentence] = (),
    study_probability: float | None = None,
    study_code: Code | None = None,
    measurements: tuple[Measurement, ...] = (),
) -> Findings:
    """One segment for each of the manifest's, and one finding for each of their components, up to `max_findings`.

    `first` are sentences that stand before those about segments and findings; the others are of the study.
    """
    drawn = marked(maps, image, manifest)
    specs = manifest.findings
    sided = [drawn[spec.segment - 1] for spec in specs if spec.laterality == "midline"]
    plane = midline(image.volume) if any(m.parts for m in sided) else None
    found = findings(specs, drawn, maps.kinds, image, plane, manifest.limits.max_findings)
    return Findings(
        algorithm=algorithm,
        segments=tuple(m.segment for m in drawn),
        findings=found,
        narrative=Narrative(sentences=(*first, *narrative(specs, drawn, found, image).sentences)),
        study_probability=study_probability,
        study_code=study_code,
        measurements=measurements,
    )
