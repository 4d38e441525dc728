"""Axes drawn in the measurement report: each number inferred from its line, on the plane of the outline."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes

from dicom_node.errors import DefectError
from dicom_node.reading.analysis import read_study
from dicom_node.reading.task import Analysis, Given
from dicom_node.results import measurement_report
from dicom_node.results.content_tree import content_items
from dicom_node.results.envelope import to_file
from dicom_node.results.source import Source
from dicom_node.results.text import number as number_text
from dicom_node.study import ObjectKind, Outcome
from inference.findings import Findings, Mask, Measurement
from inference.image import Image
from inference.imaging.components import components
from inference.measured import measured
from tests import phantoms
from tests.analyses import bright, task
from tests.peers import dciodvfy, dcmjs, dsrdump, tid1500reader
from tests.series_files import changed, headers, phantom

SHAPE = (8, 20, 18)
SOURCES: dict[str, Callable[[], Source]] = {
    "single": lambda: phantoms.single_frame(phantoms.volume()),
    "multi": lambda: phantoms.multi_frame(phantoms.volume(), order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4]),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]()


def wedge() -> Mask:
    """Largest on slice 4: rows 4 to 8, each a column shorter than the one before it, from column 3 on."""
    mask = np.zeros(SHAPE, dtype=np.bool_)
    for k, most in ((3, 4), (4, 5), (5, 3)):
        for row in range(most):
            mask[k, 4 + row, 3 : 3 + most - row] = True
    return mask


def findings(mask: Mask) -> Findings:
    """A finding measured as the algorithms measure."""
    image = Image(volume=phantoms.volume(), modality="MR", weighting="T1")
    (part,) = components(mask, image.volume.affine)
    made = phantoms.one_lesion(mask)
    return replace(made, findings=(replace(made.findings[0], measurements=measured(part, image)),))


def written(made: Findings, source: Source) -> Dataset:
    return dcmread(BytesIO(to_file(measurement_report.write(made, source, phantoms.identity()))))


def group(dataset: Dataset) -> list[Dataset]:
    (first, *_) = [i for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeValue == "125007"]
    return list(first.ContentSequence)


def number(dataset: Dataset, code: str) -> Dataset:
    (found,) = [i for i in group(dataset) if i.ValueType == "NUM" and i.ConceptNameCodeSequence[0].CodeValue == code]
    return found


LONG, SHORT = codes.SCT.LongAxis.value, codes.SCT.ShortAxis.value


def test_each_axis_is_inferred_from_its_line_on_the_plane_of_the_outline(source: Source) -> None:
    dataset = written(findings(wedge()), source)
    header, frame = source.plane(4)
    for code in (LONG, SHORT):
        (line,) = number(dataset, code).ContentSequence
        assert (line.RelationshipType, line.ValueType, line.GraphicType) == ("INFERRED FROM", "SCOORD", "POLYLINE")
        assert line.ConceptNameCodeSequence[0].CodeMeaning == "Path"
        (image,) = line.ContentSequence
        assert (image.RelationshipType, image.ValueType) == ("SELECTED FROM", "IMAGE")
        assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID
        assert image.ReferencedSOPSequence[0].get("ReferencedFrameNumber") == frame
        (outline,) = [item for item in group(dataset) if item.ValueType == "SCOORD"]
        assert outline.ContentSequence[0].ReferencedSOPSequence[0] == image.ReferencedSOPSequence[0]


def test_a_line_is_as_long_as_its_number_and_column_comes_first(source: Source) -> None:
    dataset = written(findings(wedge()), source)
    for code in (LONG, SHORT):
        item = number(dataset, code)
        column0, row0, column1, row1 = item.ContentSequence[0].GraphicData
        length = np.hypot((row1 - row0) * 0.9, (column1 - column0) * 1.1)
        assert item.MeasuredValueSequence[0].FloatingPointValue == pytest.approx(length, rel=1e-6)
        assert item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "mm"
    # from the last column of the first row to the last row
    ends = np.array(number(dataset, LONG).ContentSequence[0].GraphicData).reshape(2, 2)
    assert sorted(ends.tolist()) == [[3, 9], [8, 4]]


def test_the_outline_stays_the_first_thing_a_viewer_of_regions_finds(source: Source) -> None:
    items = group(written(findings(wedge()), source))
    first = next(item for item in items if item.ValueType == "SCOORD")
    assert first.ConceptNameCodeSequence[0].CodeValue == "111030"
    assert next(item for item in items if item.ValueType == "UIDREF").ConceptNameCodeSequence[0].CodeValue == "112040"
    assert [i.ConceptNameCodeSequence[0].CodeMeaning for i in items if i.ValueType == "NUM"] == [
        "Volume",
        "Long axis",
        "Short axis",
        "Certainty of Finding",
    ]


def test_a_number_that_is_not_the_length_of_its_line_is_a_defect(source: Source) -> None:
    made = findings(wedge())
    (finding,) = made.findings
    for code in (codes.SCT.LongAxis, codes.SCT.ShortAxis):
        wrong = tuple(replace(m, value=1.01 * m.value) if m.code == code else m for m in finding.measurements)
        with pytest.raises(DefectError, match=f"{code.meaning} of"):
            written(replace(made, findings=(replace(finding, measurements=wrong),)), source)


def test_what_has_no_axes_has_no_lines(source: Source) -> None:
    dataset = written(phantoms.one_lesion(wedge()), source)
    assert sum(item.ValueType == "SCOORD" for item in content_items(dataset)) == 1


def test_peers_accept_it(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    path.write_bytes(to_file(measurement_report.write(findings(wedge()), source, phantoms.identity())))
    assert dciodvfy(path) == []
    assert "Path" in dsrdump(path)


@pytest.mark.peer
def test_other_readers_find_the_numbers_and_the_lines(source: Source, tmp_path: Path) -> None:
    made, path = findings(wedge()), tmp_path / "sr.dcm"
    dataset = measurement_report.write(made, source, phantoms.identity())
    path.write_bytes(to_file(dataset))
    measurements = made.findings[0].measurements
    told = [(m.code.value, number_text(m.value), m.unit.value) for m in measurements]
    (first, *_) = tid1500reader(path, tmp_path / "dcmqi")["Measurements"]
    items = [(i["quantity"]["CodeValue"], i["value"], i["units"]["CodeValue"]) for i in first["measurementItems"]]
    assert items[:3] == told
    (report,) = dcmjs(path)
    long, short, outline = report["groups"][0]["regions"]
    drawn = [number(dataset, code).ContentSequence[0].GraphicData for code in (LONG, SHORT)]
    assert [sorted(line["points"]) for line in (long, short)] == [pytest.approx(sorted(points)) for points in drawn]
    assert outline["image"] == long["image"] == short["image"]


def series(tilt: float, distances: list[float]) -> list[Dataset]:
    """Slices of 0.7 x 0.8 mm with a bright block that changes from slice to slice."""
    volume = phantom(shape=(len(distances), 24, 20))
    volume.array[...] %= 100
    for k in range(2, 6):
        volume.array[k, 3 + k : 9 + k, 12 - k : 17] = 1000

    def move(index: int, ds: Dataset) -> None:
        ds.ImagePositionPatient = [-20, -30 + tilt * distances[index], distances[index]]

    return changed(headers(volume, "CT"), move)


EVEN = [5.0 * k for k in range(9)]
UNEVEN = [0.0, 3.0, 6.0, 9.0, 14.0, 19.0, 24.0, 29.0, 34.0]


@pytest.mark.parametrize("tilt", [0.0, 0.25])
@pytest.mark.parametrize("distances", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_number_and_line_agree_however_the_planes_lie_on_the_grid(tilt: float, distances: list[float]) -> None:
    def analyse(_: str, given: Given) -> Analysis:
        """On the grid the mask reaches a little further on every second slice, as a model's may."""
        assert isinstance(given, Image)
        found = bright(given, 500.0)
        mask = found.segments[0].mask.copy()
        mask[::2, :, 1:] |= mask[::2, :, :-1]
        (part,) = components(mask, given.volume.affine)
        numbers: tuple[Measurement, ...] = measured(part, given)
        finding = replace(found.findings[0], region=mask, measurements=numbers)
        segments = (replace(found.segments[0], mask=mask),)
        return Analysis(findings=replace(found, segments=segments, findings=(finding,)), provider="numpy", seconds=0.25)

    result = read_study(task(series(tilt, distances)), analyse)
    assert (result.outcome, result.reason) == (Outcome.RESULT, "")
    (report,) = [dcmread(BytesIO(o.data)) for o in result.objects if o.kind is ObjectKind.SR]
    for code in (LONG, SHORT):
        item = number(report, code)
        column0, row0, column1, row1 = item.ContentSequence[0].GraphicData
        length = np.hypot((row1 - row0) * 0.7, (column1 - column0) * 0.8)
        assert item.MeasuredValueSequence[0].FloatingPointValue == pytest.approx(length, rel=1e-5)
