"""Where a plane lies in the patient, as the header of its image or its frame says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from dicom_node.results.checks.functional_groups import functional_group


@dataclass(frozen=True, kw_only=True)
class Plane:
    """One plane of pixels.

    Attributes
    ----------
    position
        Of the first pixel's centre, LPS, mm.
    orientation
        Direction cosines of a row, then of a column.
    spacing
        Between rows, between columns, mm.
    size
        Rows, columns.
    """

    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing: NDArray[np.float64]
    size: tuple[int, int]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector perpendicular to the plane."""
        return np.cross(self.orientation[:3], self.orientation[3:])


def plane(header: Dataset, frame_number: int | None) -> Plane | None:
    """The plane of an image, or of a frame (1-based) of a multi-frame object; None where the header does not say."""
    if "PerFrameFunctionalGroupsSequence" in header:
        macros = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        groups = [functional_group(header, frame_number or 1, macro) for macro in macros]
    else:
        groups = [header] * 3
    values = [
        None if group is None else group.get(keyword)
        for group, keyword in zip(
            groups, ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"), strict=True
        )
    ]
    if not all(values):
        return None
    position, orientation, spacing = (np.array(value, dtype=np.float64) for value in values)
    return Plane(
        position=position, orientation=orientation, spacing=spacing, size=(int(header.Rows), int(header.Columns))
    )
