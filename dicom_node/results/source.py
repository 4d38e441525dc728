"""What was read, as the writers need it: headers in array order with the geometry masks lie on, or a document."""

from dataclasses import dataclass

from highdicom import VolumeGeometry
from pydicom import Dataset


@dataclass(frozen=True, kw_only=True)
class Source:
    """A series that was read.

    Attributes
    ----------
    datasets
        Headers without pixel data. Classic: one a slice, in the order of the array's slice axis. Multi-frame: exactly
        one.
    frame_numbers
        Multi-frame: the 1-based frame number of each plane, in the order of the slice axis. Classic: empty.
    geometry
        (slice, row, column), LPS, mm.
    """

    datasets: tuple[Dataset, ...]
    frame_numbers: tuple[int, ...]
    geometry: VolumeGeometry

    def __post_init__(self) -> None:
        planes = len(self.frame_numbers) or len(self.datasets)
        if self.frame_numbers and len(self.datasets) != 1:
            raise ValueError(f"a multi-frame source is one object, got {len(self.datasets)}")
        if planes != self.geometry.spatial_shape[0]:
            raise ValueError(f"{planes} planes for a geometry of {self.geometry.spatial_shape[0]} slices")

    def plane(self, index: int) -> tuple[Dataset, int | None]:
        """Header and frame number (None for classic images) of the plane at `index` on the slice axis."""
        if self.frame_numbers:
            return self.datasets[0], self.frame_numbers[index]
        return self.datasets[index], None


@dataclass(frozen=True, kw_only=True)
class TextSource:
    """A report that was read.

    Attributes
    ----------
    datasets
        The document alone; where the text did not come from the study, headers of the study that it belongs to.
    document
        The document; None where the text did not come from the study.
    """

    datasets: tuple[Dataset, ...]
    document: Dataset | None

    def __post_init__(self) -> None:
        if not self.datasets:
            raise ValueError("a report belongs to a study, of which at least one instance is known")
