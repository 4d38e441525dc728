"""Who finds the brain for the readers of lesions: with a segmentation bundle, or without weights."""

from typing import Protocol

from inference.algorithms.segment import Segmenter
from inference.findings import Algorithm
from inference.image import Image
from inference.imaging.brain import LEAST_ML, Brain
from inference.imaging.brain_mask import find_brain
from inference.imaging.brain_of_mask import brain_of
from inference.imaging.components import voxel_volume_mm3


class BrainFinder(Protocol):
    """Finds brains, and says by which means."""

    @property
    def provider(self) -> str:
        """Execution provider in use, as ONNX Runtime names it; "SimpleITK" without weights."""

    def find(self, image: Image) -> Brain:
        """Find the brain.

        Raises
        ------
        UnsuitableImageError
            If nothing that a brain can be is in the volume; with the numbers.
        """


class ClassicalFinder:
    """Without weights."""

    provider = "SimpleITK"

    def find(self, image: Image) -> Brain:
        """As `find_brain`."""
        return find_brain(image)


class LearntFinder:
    """With a bundle whose first segment is the brain; a head it does not know is looked at without weights.

    Parameters
    ----------
    segmenter
        Of the bundle, ready to read.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter

    @property
    def algorithm(self) -> Algorithm:
        """Of the bundle."""
        return self._segmenter.algorithm

    @property
    def provider(self) -> str:
        """Of its session."""
        return self._segmenter.provider

    def find(self, image: Image) -> Brain:
        """As the bundle marks it; raises as `BrainFinder.find`, and what the bundle's graph may raise."""
        mask = self._segmenter.scores(image).marked
        if float(mask.sum()) * voxel_volume_mm3(image.volume.affine) < 1000.0 * LEAST_ML:
            return find_brain(image)
        return brain_of(mask, image)
