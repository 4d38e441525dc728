"""A labelled case: who it is, where it belongs, and how to load image and truth; knows no metric."""

from dataclasses import dataclass
from typing import Protocol

from inference.findings import Mask
from inference.image import Image


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """An image and what is known to be in it.

    Attributes
    ----------
    image
        As a reader gets it.
    truth
        (slice, row, column), bool, on the grid of the image: voxels of what is sought. All False where the case is
        known to show none; None where nobody drew one.
    """

    image: Image
    truth: Mask | None


class Case(Protocol):
    """One image that can be loaded; cases of one patient are resampled together."""

    @property
    def name(self) -> str:
        """Unique within its subset."""

    @property
    def patient(self) -> str:
        """Whose image it is."""

    @property
    def label(self) -> str | None:
        """Class of what it shows, for example "glioma"; "" where it shows nothing; None where unknown."""

    @property
    def fold(self) -> int | None:
        """Part of a division by patients that it belongs to; None where the data have none."""

    def load(self) -> Labelled:
        """Read the files.

        Raises
        ------
        DataError
            If a file cannot be read, or a mask is not of its image's size.
        """
