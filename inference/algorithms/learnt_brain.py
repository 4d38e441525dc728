"""Finds the brain with a segmentation bundle, and without weights where the bundle knows nothing of a head."""

from inference.algorithms.segment import Segmenter
from inference.findings import Algorithm
from inference.image import Image
from inference.imaging.brain import LEAST_ML, Brain
from inference.imaging.brain_mask import find_brain
from inference.imaging.brain_of_mask import brain_of
from inference.imaging.components import voxel_volume_mm3


class LearntFinder:
    """A `BrainFinder` with a bundle whose first segment is the brain.

    Parameters
    ----------
    segmenter
        Of the bundle, ready to read.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter

    @property
    def extractor(self) -> Algorithm:
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
