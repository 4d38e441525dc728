"""Reads a series with any 2-D, 2.5-D or 3-D segmentation graph; every step and every name comes from its bundle."""

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from inference.algorithms import Runtime, Scores
from inference.algorithms.maps import Maps, filled, marked, on_source, prepared, probabilities, told
from inference.bundle import Bundle
from inference.errors import BundleError
from inference.findings import Algorithm, Findings
from inference.image import Image
from inference.imaging.sliding_window import predict_volume
from inference.inputs import Inputs
from inference.manifests.segment import SegmentManifest
from inference.marks import overall, surest
from inference.parity import opened
from inference.session import Session

Array = NDArray[np.float32]


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
        return told(self._maps(image), image, self._manifest, self.algorithm)

    @property
    def sought(self) -> Code:
        """What the first segment marks."""
        return self._manifest.segments[0].type.code()

    def scores(self, image: Image) -> Scores:
        """Score one volume by its first segment and the kinds of that segment's findings; raises as `read`."""
        maps = self._maps(image)
        first = marked(maps, image, self._manifest)[0]
        named = [spec for spec in self._manifest.findings if spec.segment == 1 and spec.classes]
        return Scores(
            probability=first.probability,
            marked=first.segment.mask,
            slices=surest(first.probability),
            classes=overall(named[0], first.probability, maps.kinds) if named else {},
        )

    def _maps(self, image: Image) -> Maps:
        """What the graph says of every voxel, on the source grid."""
        volume = prepared(image, self._manifest)
        return on_source(
            predict_volume(volume.array, self._manifest.tiling, self._predict), volume, image, self._manifest
        )

    def _predict(self, batch: Array) -> Array:
        """Probabilities (batch, class, ...) of the graph; a batch shorter than its fixed one is filled up and cut."""
        graph = self._manifest.graph("segment")
        outputs = self._session.run({graph.inputs[0].name: filled(batch, graph)})
        return probabilities(outputs[graph.outputs[0].name][: len(batch)].astype(np.float32), graph)
