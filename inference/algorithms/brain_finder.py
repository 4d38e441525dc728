"""Who finds the brain for the readers of lesions; this one does it without weights, and runs no graph."""

from typing import Protocol

from inference.findings import Algorithm
from inference.image import Image
from inference.imaging.brain import Brain
from inference.imaging.brain_mask import find_brain


class BrainFinder(Protocol):
    """Finds brains, and says by which means."""

    @property
    def extractor(self) -> Algorithm | None:
        """The bundle that finds it; None without weights."""

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

    extractor = None
    provider = "SimpleITK"

    def find(self, image: Image) -> Brain:
        """As `find_brain`."""
        return find_brain(image)
