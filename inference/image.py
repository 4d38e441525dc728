"""One series as an algorithm sees it: a volume with its geometry, and what the header said about the contrast."""

from dataclasses import dataclass
from typing import Literal

from highdicom import Volume

Weighting = Literal["T1", "T2", "FLAIR", "T2*", "CT", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Image:
    """A series in patient geometry.

    Attributes
    ----------
    volume
        (slice, row, column), float32, rescaled (HU for CT), LPS, mm. The slice axis runs in the order of the source
        instances that the caller keeps, so that a mask plane k belongs to source plane k.
    modality
        Modality (0008,0060).
    weighting
        Contrast of the image as the header tells it.
    """

    volume: Volume
    modality: Literal["CT", "MR"]
    weighting: Weighting

    def __post_init__(self) -> None:
        if self.volume.array.ndim != 3:
            raise ValueError(f"an image is (slice, row, column), got {self.volume.array.ndim} axes")
        if self.volume.array.dtype != "float32":
            raise ValueError(f"an image is float32, got {self.volume.array.dtype}")
