"""Finds what looks abnormal in each slice by comparing patches of a vision transformer with texts; BrainMRI-GPT's way.

Every step, text and threshold comes from its bundle.
"""

import io

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.algorithms import Runtime, Scores
from inference.algorithms.maps import Maps, calibrated, filled, marked, on_source, prepared, probabilities, told
from inference.bundle import Bundle
from inference.errors import BundleError
from inference.findings import Algorithm, Findings, Measurement, Sentence
from inference.image import Image
from inference.imaging.grid import onto
from inference.imaging.sliding_window import by_slices
from inference.inputs import Inputs
from inference.manifests.localiser import FEATURES, LocaliserManifest
from inference.parity import opened
from inference.session import Session
from inference.statements import Direction, HighestSlice, LikeliestSlice

Array = NDArray[np.float32]

_LENGTH = 1e-3  # by which that of a text's features may differ from 1
_SLICE_PROBABILITY = Code("slice-probability", "99DICOMNODE", "Highest Probability of a Slice")
_SLICE_SCORE = Code("slice-score", "99DICOMNODE", "Highest Score of a Slice, not a Probability")
_SCORE_UNIT = Code("{score}", "UCUM", "score")
_ENDS: tuple[tuple[Direction, Direction], ...] = (
    ("right", "left"),
    ("anterior", "posterior"),
    ("inferior", "superior"),
)  # of LPS axes, from - to +


class TumourLocaliser:
    """A tumour-localiser bundle, ready to read.

    Parameters
    ----------
    bundle
        Verified.
    session
        Of its vision graph.

    Raises
    ------
    BundleError
        If the bundle is of another kind, or its text features are not those the graph takes.
    """

    def __init__(self, bundle: Bundle, session: Session) -> None:
        if not isinstance(bundle.manifest, LocaliserManifest):
            raise BundleError(f"{bundle.path.name}: not a tumour-localiser bundle but {bundle.manifest.algorithm}")
        self._bundle = bundle
        self._manifest = bundle.manifest
        self._session = session
        self._texts = text_features_of(bundle, bundle.manifest)

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime) -> "TumourLocaliser":
        """Load the vision graph and let it compute the bundle's own inputs, which warms it up.

        Raises
        ------
        BundleError
            If what it computes here is not what came with the bundle.
        ProviderError
            If no allowed execution provider came up.
        """
        return cls(bundle, opened(bundle, bundle.manifest.graph("vision"), runtime))

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
            The segment on the source grid, a finding for each of its components, and the highest probability of a
            slice as the study's; the latter None where the bundle has no calibration for it.

        Raises
        ------
        UnsuitableImageError
            If the slices are cut along another axis than the bundle reads, or the volume is larger than it allows.
        BundleError
            If the graph does not take what preprocessing gives, or does not give probabilities.
        InferenceError
            If the run fails, or gives values that are not numbers.
        """
        maps, slices = self._maps(image)
        is_probability = self._manifest.image_calibration is not None
        surest = _surest(slices, is_probability=is_probability)
        return told(
            maps,
            image,
            self._manifest,
            self.algorithm,
            first=[_in_words(surest, image)],
            study_probability=float(slices.max()) if is_probability else None,
            study_code=self.sought if is_probability else None,
            measurements=(surest,),
        )

    @property
    def sought(self) -> Code:
        """What the first segment marks."""
        return self._manifest.segments[0].type.code()

    def scores(self, image: Image) -> Scores:
        """Score one volume: the map, and the graph's own score of each slice; raises as `read`."""
        maps, slices = self._maps(image)
        first = marked(maps, image, self._manifest)[0]
        return Scores(probability=first.probability, marked=first.segment.mask, slices=slices, classes={})

    def _maps(self, image: Image) -> tuple[Maps, Array]:
        """Maps, and the score of each slice, calibrated where there is a calibration, both on the source grid."""
        volume = prepared(image, self._manifest)
        scores: list[Array] = []

        def predict(batch: Array) -> Array:
            maps, of_slices = self._predict(batch)
            scores.append(of_slices)
            return maps

        values = by_slices(volume.array, self._manifest.tiling, predict)
        each = calibrated(np.concatenate(scores), self._manifest.image_calibration)
        return on_source(values, volume, image, self._manifest), _of_source_slices(each, volume, image)

    def _predict(self, batch: Array) -> tuple[Array, Array]:
        """Map (batch, 1, row, column) and score (batch,) of some slices; a short batch is filled up and cut."""
        graph = self._manifest.graph("vision")
        features = self._texts.astype(graph.inputs[1].dtype)
        outputs = self._session.run({"image": filled(batch, graph), "text_features": features})
        maps, scores = (outputs[name][: len(batch)].astype(np.float32) for name in ("anomaly_map", "abnormal_prob"))
        return probabilities(maps, graph), probabilities(scores, graph)


def text_features_of(bundle: Bundle, manifest: LocaliserManifest) -> Array:
    """The cached text features, (2, joint), float32, of length 1.

    Raises
    ------
    BundleError
        If they are of another shape or type, or of another length.
    """
    name = f"{bundle.path.name}/{FEATURES}"
    try:
        features = np.load(io.BytesIO(bundle.read(FEATURES)), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise BundleError(f"{name}: not a plain array: {error}") from error
    if features.dtype != np.float32 or features.shape != (2, manifest.joint):
        raise BundleError(f"{name}: float32 (2, {manifest.joint}) is needed, got {features.dtype} {features.shape}")
    if not (np.abs(np.linalg.norm(features.astype(np.float64), axis=1) - 1.0) <= _LENGTH).all():
        raise BundleError(f"{name}: text features have the length 1")
    found: Array = features
    return found


def _of_source_slices(scores: Array, grid: Volume, image: Image) -> Array:
    """(slice,) of the source: the highest score of the prepared slices that lie in it."""
    whole = np.broadcast_to(scores[:, None, None], grid.spatial_shape).astype(np.float32)
    placed = onto(whole, grid.get_geometry(), image.volume.get_geometry())
    highest: Array = placed.reshape(len(placed), -1).max(axis=1)
    return highest


def _surest(slices: Array, *, is_probability: bool) -> Measurement:
    """The likeliest slice to show something abnormal."""
    best, scale = int(slices.argmax()), 100.0 if is_probability else 1.0
    code, unit = (_SLICE_PROBABILITY, codes.UCUM.Percent) if is_probability else (_SLICE_SCORE, _SCORE_UNIT)
    value = scale * float(slices[best])
    return Measurement(code=code, value=value, unit=unit, by_slice=((best, value),))


def _in_words(surest: Measurement, image: Image) -> Sentence:
    """Which slice that is, as it was acquired, where it lies, and how sure the bundle is."""
    volume, ((best, value),), ((plane, _),) = image.volume, surest.by_slice, image.by_plane(surest.by_slice)
    middle = [best, *((n - 1) / 2.0 for n in volume.spatial_shape[1:])]
    at = volume.affine[:3, :3] @ middle + volume.affine[:3, 3]
    axis = int(np.abs(volume.affine[:3, 0]).argmax())
    offset, end = abs(float(at[axis])), _ENDS[axis][int(at[axis] >= 0)]
    count = volume.spatial_shape[0] if image.laying is None else len(image.laying.corners)
    told = f"Slice {plane + 1} of {count}, {offset:.0f} mm {end} of the scanner's centre"
    told += ", is the likeliest to show abnormal tissue: "
    if surest.code == _SLICE_PROBABILITY:
        return Sentence(
            text=f"{told}probability {value:.0f} %.",
            says=LikeliestSlice(
                number=plane + 1, count=count, offset_mm=offset, direction=end, probability=value / 100.0
            ),
        )
    return Sentence(
        text=f"{told}score {value:.2f}, which is an order among slices and no probability.",
        says=HighestSlice(number=plane + 1, count=count, offset_mm=offset, direction=end, score=value),
    )
