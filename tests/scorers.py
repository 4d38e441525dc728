"""Made-up cases and a scorer that says of an image what the image holds: figures whose every part is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.algorithms import Scores
from inference.errors import UnsuitableImageError
from inference.evaluation.cases import Labelled
from inference.findings import Algorithm, Mask
from inference.image import Image
from tests import phantoms

Map = NDArray[np.float32]


def volume(values: Map) -> Image:
    """(slice, row, column) as an image."""
    return Image(volume=Volume(values, np.eye(4), coordinate_system="PATIENT"), modality="MR", weighting="T1")


@dataclass(frozen=True, kw_only=True, eq=False)
class MadeUp:
    """A case held in memory; `values` is the image, and what `Echo` says of it."""

    name: str
    patient: str
    values: Map
    truth: Mask | None
    label: str | None = None
    fold: int | None = None

    def load(self) -> Labelled:
        return Labelled(image=volume(self.values), truth=self.truth)


@dataclass(frozen=True, kw_only=True, eq=False)
class Echo:
    """Takes the image for the probability; abstains where a voxel is negative."""

    threshold: float = 0.5
    classes: Mapping[str, float] = field(default_factory=dict)
    provider: str = "tests"
    sought: Code = codes.SCT.Lesion

    @property
    def algorithm(self) -> Algorithm:
        return phantoms.algorithm()

    def scores(self, image: Image) -> Scores:
        array: Map = np.asarray(image.volume.array, dtype=np.float32)
        if array.min() < 0:
            raise UnsuitableImageError("negative")
        return Scores(
            probability=array, marked=array >= self.threshold, slices=array.max(axis=(1, 2)), classes=self.classes
        )
