"""Long and short axis drawn: each number inferred from its line on the plane on which the finding is outlined."""

import math
from collections.abc import Sequence

import numpy as np
from highdicom.sr import CoordinatesForMeasurement, GraphicTypeValues, Measurement, SourceImageForRegion
from pydicom.sr.codedict import codes

from dicom_node.errors import DefectError
from dicom_node.results.planes import plane_reference
from dicom_node.results.source import Source
from inference.findings import Finding
from inference.imaging.axes import Line, axes, largest_slice

_ROUNDING = 1e-6  # by which a number may differ from the length of its line, relative


def draw(measurements: Sequence[Measurement], finding: Finding, source: Source) -> None:
    """Put the line below each axis among the numbers of a finding with a region, as TID 1400 has it ("Path").

    An extension of TID 1410, whose numbers have no coordinates of their own; viewers of regions look at the outline,
    which stands in the group itself.

    Raises
    ------
    DefectError
        If a number is not the length of its line: then it was not measured where it is drawn.
    """
    numbers = {code: finding.measured(code) for code in (codes.SCT.LongAxis, codes.SCT.ShortAxis)}
    if finding.region is None or set(numbers.values()) == {None}:
        return
    key = largest_slice(finding.region.sum(axis=(1, 2)))
    found = axes(finding.region[key], source.planes[0].spacing)  # one for all planes: they were measured as one grid
    lines = {codes.SCT.LongAxis: found.long, codes.SCT.ShortAxis: found.short}
    for code, line in lines.items():
        value = numbers[code]
        if value is not None and not math.isclose(value, line.length_mm, rel_tol=_ROUNDING):
            raise DefectError(f"{code.meaning} of {value:.4f} mm, the line on the plane has {line.length_mm:.4f} mm")
    for measurement in measurements:
        if measurement.name in lines:
            measurement[0].ContentSequence = [_coordinates(lines[measurement.name], source, key)]


def _coordinates(line: Line, source: Source, key: int) -> CoordinatesForMeasurement:
    """Column before row (PS3.3 C.18.6.1.2)."""
    image = plane_reference(source, key)
    frames = None if image.frame_number is None else [image.frame_number]
    return CoordinatesForMeasurement(
        graphic_type=GraphicTypeValues.POLYLINE,
        graphic_data=np.array([line.start[::-1], line.end[::-1]]),
        source_image=SourceImageForRegion(image.sop_class_uid, image.sop_instance_uid, frames),
        purpose=codes.DCM.Path,
    )
