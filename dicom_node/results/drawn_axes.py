"""Long and short axis drawn: each number inferred from its line on the plane on which the finding is outlined."""

import math
from collections.abc import Sequence

from highdicom.sr import RelationshipTypeValues
from pydicom import Dataset
from pydicom.sr.codedict import codes

from dicom_node.errors import DefectError
from dicom_node.results import content
from dicom_node.results.planes import plane_reference
from dicom_node.results.source import Source
from inference.findings import Finding
from inference.imaging.axes import Line, axes

_ROUNDING = 1e-6  # by which a number may differ from the length of its line, relative


def draw(written: Sequence[Dataset], finding: Finding, source: Source) -> None:
    """Put the line below each axis among the numbers of a finding with a region, as TID 1400 has it ("Path").

    An extension of TID 1410, whose numbers have no coordinates of their own; viewers of regions look at the outline,
    which stands in the group itself.

    Parameters
    ----------
    written
        Content items of the finding's measurements, in their order; there may be more.

    Raises
    ------
    DefectError
        If a number is not the length of its line: then it was not measured where it is drawn.
    """
    numbers = {code: finding.measured(code) for code in (codes.SCT.LongAxis, codes.SCT.ShortAxis)}
    if finding.region is None or finding.largest_slice is None or set(numbers.values()) == {None}:
        return
    _, rows, columns = finding.box
    # one spacing for all planes: they were measured as one grid
    found = axes(finding.region[finding.largest_slice, rows, columns], source.planes[0].spacing)
    lines = {codes.SCT.LongAxis: found.long, codes.SCT.ShortAxis: found.short}
    for code, line in lines.items():
        value = numbers[code]
        if value is not None and not math.isclose(value, line.length_mm, rel_tol=_ROUNDING):
            raise DefectError(f"{code.meaning} of {value:.4f} mm, the line on the plane has {line.length_mm:.4f} mm")
    for item, measured in zip(written, finding.measurements, strict=False):
        if measured.code in lines:
            content.below(item, [_coordinates(lines[measured.code], finding, source, finding.largest_slice)])


def _coordinates(line: Line, finding: Finding, source: Source, key: int) -> Dataset:
    """Column before row (PS3.3 C.18.6.1.2)."""
    _, rows, columns = finding.box
    vertices = [(columns.start + column, rows.start + row) for row, column in (line.start, line.end)]
    return content.polyline(
        codes.DCM.Path,
        [value for vertex in vertices for value in vertex],
        plane_reference(source, key),
        RelationshipTypeValues.INFERRED_FROM,
    )
