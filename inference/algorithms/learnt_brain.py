"""Finds the brain with a segmentation bundle, and without weights where the bundle knows nothing of a head."""

from dataclasses import replace

from inference.algorithms.segment import Segmenter
from inference.errors import UnsuitableImageError
from inference.findings import Algorithm
from inference.image import Image
from inference.imaging.brain import LEAST_ML, Brain
from inference.imaging.brain_mask import find_brain
from inference.imaging.brain_of_mask import brain_of

_CUT_OFF = 0.02  # of the brain, from which on it is estimated how much of it the images show


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
        marked_ml = image.volume_mm3(mask.sum(axis=(1, 2))) / 1000.0
        if marked_ml < LEAST_ML:
            return find_brain(image)
        brain = brain_of(mask, image)
        if brain.whole_ml < (1.0 + _CUT_OFF) * marked_ml:
            return brain
        try:
            return replace(brain, whole_ml=marked_ml / _share_shown(image))
        except UnsuitableImageError:
            return brain


def _share_shown(image: Image) -> float:
    """Of the brain, by the surface that grows without weights: it follows the standard brain beyond the images."""
    grown = find_brain(image)
    shown_ml = image.volume_mm3(grown.mask.sum(axis=(1, 2))) / 1000.0
    return shown_ml / grown.whole_ml
