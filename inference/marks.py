"""What a map of probabilities says: a segment, coded findings with measurements, and sentences; knows no graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from highdicom import VolumeGeometry
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from scipy import ndimage

from inference.findings import Finding, Mask, Narrative, Segment, Sentence
from inference.image import Image
from inference.imaging.components import Component, components
from inference.imaging.midline import Midline, side
from inference.measured import measured, millilitres, size_in_words, volume_mm3
from inference.outputs import FindingSpec, SegmentSpec
from inference.statements import AsCoded, CodedOfNoKind, NoRegion, NotListed, OneRegion, SeveralRegions

Kinds = Mapping[int, NDArray[np.float32]]
"""Maps (slice, row, column) by channel of the graph."""

_MARGIN = 2  # voxels around a part whose probability is told
_SUREST = 20  # voxels that speak for a slice
_LEAST = 1e-6  # of a probability whose logarithm is taken
_SIDES = {"left": codes.SCT.Left, "right": codes.SCT.Right}


@dataclass(frozen=True, kw_only=True, eq=False)
class Marks:
    """One class of voxels on the source grid.

    Attributes
    ----------
    spec
        What the manifest says of it.
    parts
        Components that are large and sure enough, largest first.
    probability
        (slice, row, column), float32: of every voxel.
    """

    spec: SegmentSpec
    parts: tuple[Component, ...]
    probability: NDArray[np.float32]

    @property
    def segment(self) -> Segment:
        """The class as a segment; its mask holds the parts and nothing else.

        Its probability goes a little beyond; of an organ, whose edge is no finding, it is left out.
        """
        mask: Mask = np.zeros(self.probability.shape, dtype=np.bool_)
        for part in self.parts:
            mask[tuple(part.indices.T)] = True
        return Segment(
            label=self.spec.label,
            category=self.spec.category.code(),
            type=self.spec.type.code(),
            anatomy=self.spec.anatomy.code() if self.spec.anatomy else None,
            mask=mask,
            color=self.spec.color,
            probability=None if self.spec.only_largest else self._around(),
        )

    def _around(self) -> NDArray[np.uint8]:
        """Probability in 255ths of the parts and of the few voxels around them, in which it falls off; 0 beyond."""
        around = np.zeros(self.probability.shape, dtype=np.uint8)
        for part in self.parts:
            low = np.maximum(part.indices.min(axis=0) - _MARGIN, 0)
            high = part.indices.max(axis=0) + _MARGIN + 1
            window = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
            inside = np.zeros(around[window].shape, dtype=np.bool_)
            inside[tuple((part.indices - low).T)] = True
            near = ndimage.binary_dilation(inside, iterations=_MARGIN)
            around[window][near] = np.rint(255.0 * self.probability[window][near]).astype(np.uint8)
        return around


def marks(spec: SegmentSpec, probability: NDArray[np.float32], grid: VolumeGeometry) -> Marks:
    """What the spec keeps of (slice, row, column) probabilities on the source grid."""
    parts = components(probability >= spec.threshold, grid.affine)
    kept = tuple(
        part
        for part in parts
        if part.volume_mm3 >= spec.min_volume_mm3 and probability[tuple(part.indices.T)].max() >= spec.min_peak
    )
    return Marks(spec=spec, parts=kept[:1] if spec.only_largest else kept, probability=probability)


def surest(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """How sure a slice is to show anything, (slice,) float32: mean of its surest 20 voxels of (slice, row, column)."""
    flat = probability.reshape(len(probability), -1)
    few = min(_SUREST, flat.shape[1])
    means: NDArray[np.float32] = np.partition(flat, -few, axis=1)[:, -few:].mean(axis=1)
    return means


def overall(spec: FindingSpec, weight: NDArray[np.float32], kinds: Kinds) -> dict[str, float]:
    """Probability of each kind over all voxels, each with its weight (slice, row, column); by label."""
    total = max(float(weight.sum(dtype=np.float64)), 1e-12)
    logs = [
        float((np.log(np.maximum(kinds[kind.channel], _LEAST)) * weight).sum(dtype=np.float64)) / total
        for kind in spec.classes
    ]
    return _shares(spec, logs)


def findings(
    specs: Sequence[FindingSpec],
    marked: Sequence[Marks],
    kinds: Kinds,
    image: Image,
    plane: Midline | None,
    most: int,
) -> tuple[Finding, ...]:
    """A finding for each part of each class that the manifest names, largest first.

    Parameters
    ----------
    specs
        What the parts are called.
    marked
        Of segment 1, 2, ... in order.
    kinds
        Maps of the kinds that findings may be of, by channel.
    image
        What was read.
    plane
        Mid-sagittal plane, where known.
    most
        Parts of a class that are listed.
    """
    found = []
    for spec in specs:
        m = marked[spec.segment - 1]
        found += [
            _finding(spec, number, m, part, kinds, image, plane) for number, part in enumerate(m.parts[:most], start=1)
        ]
    return tuple(found)


def narrative(
    specs: Sequence[FindingSpec], marked: Sequence[Marks], found: Sequence[Finding], image: Image
) -> Narrative:
    """The same in words: how many, how large in all, then each by itself."""
    sentences: list[Sentence] = []
    for spec in specs:
        parts = marked[spec.segment - 1].parts
        listed = [f for f in found if f.segment == spec.segment - 1]
        sentences.append(_summary(spec, parts, image))
        sentences += [_described(spec, f) for f in listed]
        if len(parts) > len(listed):
            rest = len(parts) - len(listed)
            which = "The smallest one is" if rest == 1 else f"The {rest} smallest are"
            sentences.append(Sentence(text=f"{which} in the segment and not listed.", says=NotListed(count=rest)))
    return Narrative(sentences=tuple(sentences))


def _finding(
    spec: FindingSpec,
    number: int,
    marked: Marks,
    part: Component,
    kinds: Kinds,
    image: Image,
    plane: Midline | None,
) -> Finding:
    combined = np.max if spec.probability_from == "max" else np.mean
    voxels = marked.probability[tuple(part.indices.T)]
    by_slice = [(k, float(combined(voxels[part.indices[:, 0] == k]))) for k in part.slices]
    points = part.indices @ part.affine[:3, :3].T + part.affine[:3, 3]
    lies = side(points, plane) if plane and spec.laterality == "midline" else None
    code, probability = spec.code.code(), float(combined(voxels))
    if spec.classes:
        code, probability = _named(spec, part, kinds, probability)
    return Finding(
        label=f"{spec.label} {number}",
        code=code,
        site=spec.site.code() if spec.site else None,
        laterality=_SIDES[lies] if lies else None,
        probability=probability,
        segment=spec.segment - 1,
        region=part.region,
        slice_probabilities=tuple(by_slice),
        measurements=measured(part, image),
    )


def _named(spec: FindingSpec, part: Component, kinds: Kinds, unnamed: float) -> tuple[Code, float]:
    """The likeliest kind of a component and its probability; without one that is likely enough, the code for all."""
    logs = [float(np.log(np.maximum(kinds[k.channel][tuple(part.indices.T)], _LEAST)).mean()) for k in spec.classes]
    shares = _shares(spec, logs)
    best = max(spec.classes, key=lambda kind: shares[kind.label])
    if shares[best.label] < spec.least_class_probability:
        return spec.code.code(), unnamed
    return best.code.code(), shares[best.label]


def _shares(spec: FindingSpec, logs: Sequence[float]) -> dict[str, float]:
    """Mean logarithms as probabilities that sum to 1, softened by the temperature."""
    scaled = (np.array(logs) - max(logs)) / spec.temperature
    raised = np.exp(scaled)
    return {kind.label: float(share) for kind, share in zip(spec.classes, raised / raised.sum(), strict=True)}


def _summary(spec: FindingSpec, parts: Sequence[Component], image: Image) -> Sentence:
    code, many = spec.code.code(), len(parts)
    mm3 = sum(volume_mm3(part, image) for part in parts)
    if not parts:
        return Sentence(text=f"The algorithm marked no {spec.label}.", says=NoRegion(code=code))
    if many == 1:
        text = f"The algorithm marked one {spec.label}, {millilitres(mm3)}."
        return Sentence(text=text, says=OneRegion(code=code, volume_ml=mm3 / 1000.0))
    text = f"The algorithm marked {many} regions as {spec.label}, {millilitres(mm3)} in all."
    return Sentence(text=text, says=SeveralRegions(code=code, count=many, volume_ml=mm3 / 1000.0))


def _described(spec: FindingSpec, finding: Finding) -> Sentence:
    says = CodedOfNoKind() if spec.classes and finding.code == spec.code.code() else AsCoded()
    return Sentence(text=_description(spec, finding), finding=finding.label, says=says)


def _description(spec: FindingSpec, finding: Finding) -> str:
    where = " ".join(code.meaning.lower() for code in (finding.laterality, finding.site) if code)
    sure = [] if finding.probability is None else [f"probability {100.0 * finding.probability:.0f} %"]
    if spec.classes:
        unnamed = finding.code == spec.code.code()
        sure = ["of no kind with enough probability"] if unnamed else [f"{finding.code.meaning.lower()} with {sure[0]}"]
    return (
        f"{finding.label.capitalize()}: {', '.join(part for part in (where, size_in_words(finding), *sure) if part)}."
    )
