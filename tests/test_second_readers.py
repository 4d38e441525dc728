"""Our objects as programs of others read them: dcmqi and dcmjs the results, dcm2niix the images they lie on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from highdicom import Volume
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dicom_node.reading.part10 import parse
from dicom_node.reading.series import survey
from dicom_node.reading.synthetic_study import series_from_volume
from dicom_node.reading.volume import load
from dicom_node.results import objects, placement
from dicom_node.results.outline import outline
from dicom_node.results.source import Source, TextSource
from dicom_node.results.text import number
from dicom_node.study import ObjectKind, Outcome
from inference.findings import Findings, Mask
from inference.imaging.axes import largest_slice
from tests import peers, phantoms, report_documents

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"
NEAR_MM = 0.01

pytestmark = pytest.mark.peer

Points = NDArray[np.float64]

DIRECTIONS = {**phantoms.ORIENTATIONS, "oblique": phantoms.OBLIQUE}
SOURCES: dict[str, Callable[[Volume], Source]] = {
    "classic": phantoms.single_frame,
    "enhanced": phantoms.multi_frame,
    "enhanced, shuffled": lambda volume: phantoms.multi_frame(
        volume, order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4], shared_orientation=False
    ),
}
SHAPE = (8, 20, 18)


def with_gap() -> Findings:
    """A lesion on the second slice and on the last, nothing between."""
    return phantoms.one_lesion(
        phantoms.box(SHAPE, (1, 2), (4, 9), (3, 7)) | phantoms.box(SHAPE, (7, 8), (1, 2), (1, 2))
    )


def with_an_empty_segment() -> Findings:
    """One segment looked for and not found, and one found."""
    found = phantoms.one_lesion(phantoms.box(SHAPE, (0, 4), (0, 9), (11, 18)))
    empty = phantoms.segment(np.zeros(SHAPE, dtype=np.bool_), "Haemorrhage")
    return Findings(
        algorithm=found.algorithm,
        segments=(empty, *found.segments),
        findings=(),
        narrative=phantoms.nothing().narrative,
    )


READINGS: dict[str, Callable[[], Findings]] = {
    "two segments that overlap": phantoms.two_lesions,
    "one segment": lambda: phantoms.one_lesion(phantoms.box(SHAPE, (2, 5), (4, 9), (3, 7))),
    "slices between are empty": with_gap,
    "an empty segment": with_an_empty_segment,
}


def written(findings: Findings, source: Source | TextSource, folder: Path) -> dict[ObjectKind, Path]:
    """The objects of a reading as files."""
    made = {}
    for result in objects.write_all(findings, source, phantoms.identity()):
        made[result.kind] = folder / f"{result.kind.lower()}.dcm"
        made[result.kind].write_bytes(result.data)
    return made


def centres(mask: Mask, affine: NDArray[np.float64]) -> Points:
    """Centres of a mask's voxels in LPS, mm, (n, 3)."""
    found: Points = np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]
    return found


def itk_affine(image: sitk.Image) -> NDArray[np.float64]:
    """From (slice, row, column) of the image's array to LPS, mm."""
    affine = np.eye(4)
    affine[:3, :3] = (np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing())[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return affine


def assert_same_places(found: Points, drawn: Points) -> None:
    """Two sets of points are the same, whatever their order."""
    assert len(found) == len(drawn)
    for one, other in ((found, drawn), (drawn, found)):
        assert cKDTree(one).query(other)[0].max() < NEAR_MM


def assert_read_as_drawn(path: Path, findings: Findings, volume: Volume, folder: Path) -> None:
    """dcmqi finds every voxel of every segment where it was drawn, and nothing else; it warns of nothing."""
    files, warnings = peers.segimage2itkimage(path, folder)
    assert warnings == []
    for index, segment in enumerate(findings.segments, start=1):
        if not segment.mask.any() and index not in files:
            continue
        image = sitk.ReadImage(str(files.pop(index)))
        found = centres(sitk.GetArrayFromImage(image) > 0, itk_affine(image))
        if not segment.mask.any():
            assert len(found) == 0
        else:
            assert_same_places(found, centres(segment.mask, volume.affine))
    assert files == {}


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_dcmqi_finds_every_voxel_where_it_was_drawn(
    direction: NDArray[np.float64], source: Callable[[Volume], Source], tmp_path: Path
) -> None:
    volume, findings = phantoms.volume(direction), phantoms.two_lesions()
    path = written(findings, source(volume), tmp_path)[ObjectKind.SEG]
    assert_read_as_drawn(path, findings, volume, tmp_path / "dcmqi")


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_dcmqi_reads_every_kind_of_segmentation(reading: Callable[[], Findings], tmp_path: Path) -> None:
    volume, findings = phantoms.volume(phantoms.OBLIQUE), reading()
    path = written(findings, phantoms.single_frame(volume), tmp_path)[ObjectKind.SEG]
    assert_read_as_drawn(path, findings, volume, tmp_path / "dcmqi")


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_dcmqi_reads_the_measurements(source: Callable[[Volume], Source], tmp_path: Path) -> None:
    findings = phantoms.two_lesions()
    path = written(findings, source(phantoms.volume()), tmp_path)[ObjectKind.SR]
    report = peers.tid1500reader(path, tmp_path / "dcmqi")
    assert (report["CompletionFlag"], report["VerificationFlag"]) == ("COMPLETE", "UNVERIFIED")
    *groups, study = report["Measurements"]
    for group, finding in zip(groups, findings.findings, strict=True):
        assert group["TrackingIdentifier"] == finding.label
        assert group["TrackingUniqueIdentifier"] == placement.tracking_uid(phantoms.identity(), finding.label)
        assert group["Finding"]["CodeValue"] == finding.code.value
        measured = [(m.code.value, m.unit.value, number(m.value)) for m in finding.measurements]
        assert finding.probability is not None
        certainty = ("111012", "%", number(100 * finding.probability))
        assert in_codes(group) == [*measured, certainty]
        if finding.segment is not None:
            segmentation = placement.sop_instance_uid(phantoms.identity(), ObjectKind.SEG)
            assert (group["ReferencedSegment"], group["segmentationSOPInstanceUID"]) == (2, segmentation)
            assert (group["FindingSite"]["CodeMeaning"], group["Laterality"]["CodeMeaning"]) == ("Brain", "Left")
    assert (study["TrackingIdentifier"], in_codes(study)) == ("whole study", [("111013", "%", "97")])


def in_codes(group: dict[str, list[dict[str, dict[str, str]]]]) -> list[tuple[str, str, object]]:
    """Code, unit and value of each number that dcmqi read in a group."""
    return [(m["quantity"]["CodeValue"], m["units"]["CodeValue"], m["value"]) for m in group["measurementItems"]]


def test_dcmqi_reads_a_report_of_no_finding(tmp_path: Path) -> None:
    made = written(phantoms.nothing(), phantoms.single_frame(phantoms.volume()), tmp_path)
    assert ObjectKind.SEG not in made
    (group,) = peers.tid1500reader(made[ObjectKind.SR], tmp_path / "dcmqi")["Measurements"]
    assert group["TrackingIdentifier"] == "whole study"
    (said,) = group["qualitativeEvaluations"]
    assert said["conceptValue"]["CodeMeaning"] == "Succeeded"


def test_what_was_read_in_a_report_is_read_by_both(tmp_path: Path) -> None:
    document = report_documents.report("A lesion in the left hemisphere.")
    findings = Findings(
        algorithm=phantoms.algorithm(),
        segments=(),
        findings=(phantoms.finding(None),),
        narrative=phantoms.one_lesion(phantoms.box(SHAPE, (0, 1), (0, 1), (0, 1))).narrative,
    )
    made = written(findings, TextSource(datasets=(document,), document=document), tmp_path)
    (group,) = peers.tid1500reader(made[ObjectKind.SR], tmp_path / "dcmqi")["Measurements"]
    assert in_codes(group) == [("118565006", "mL", "12.35"), ("111012", "%", "93.12")]
    report, narrative = peers.dcmjs(*made.values())
    assert [told["numbers"] for told in report["groups"]] == [
        [["Volume", 12.35, "mL"], ["Certainty of Finding", 93.12, "%"]]
    ]
    assert "A lesion is seen." in narrative["texts"]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_dcmjs_reads_segments_groups_and_sentences(source: Callable[[Volume], Source], tmp_path: Path) -> None:
    images, findings = source(phantoms.volume()), phantoms.two_lesions()
    made = written(findings, images, tmp_path)
    segmentation, report, narrative = peers.dcmjs(*made.values())
    assert list(made) == [ObjectKind.SEG, ObjectKind.SR, ObjectKind.NARRATIVE]
    for index, (told, segment) in enumerate(zip(segmentation["segments"], findings.segments, strict=True), start=1):
        tracked = f"segment {index}: {segment.label}"
        uid = placement.tracking_uid(phantoms.identity(), tracked)
        assert told == {"number": index, "label": segment.label, "tracking_id": tracked, "tracking_uid": uid}
    *groups, study = report["groups"]
    for group, finding in zip(groups, findings.findings, strict=True):
        uid = placement.tracking_uid(phantoms.identity(), finding.label)
        assert (group["tracking_id"], group["tracking_uid"]) == (finding.label, uid)
        assert group["finding"] == finding.code.meaning
        assert group["segments"] == ([] if finding.segment is None else [finding.segment + 1])
        assert group["regions"] == ([] if finding.region is None else [region(finding.region, images)])
    assert groups[0]["numbers"] == [["Volume", 12.35, "mL"], ["Certainty of Finding", 93.12, "%"]]
    assert (study["tracking_id"], study["numbers"]) == ("whole study", [["Certainty of Impression", 97, "%"]])
    sentences = [sentence.text for sentence in findings.narrative.sentences]
    assert [text for text in sentences if text not in narrative["texts"]] == []


def region(mask: Mask, images: Source) -> dict[str, object]:
    """The region of a finding as dcmjs is to read it."""
    key = largest_slice(mask.sum(axis=(1, 2)))
    header, frame = images.plane(key)
    points = outline(mask[key]).ravel().tolist()
    return {"image": str(header.SOPInstanceUID), "frame": frame, "points": points}


def test_dcmjs_reads_why_there_is_no_result(tmp_path: Path) -> None:
    headers = phantoms.single_frame(phantoms.volume()).datasets
    made = objects.write_outcome(
        Outcome.ABSTAINED, "matrix 64 x 64, at least 96 needed", "lesion-segmenter", headers, phantoms.identity()
    )
    path = tmp_path / "outcome.dcm"
    path.write_bytes(made.data)
    (told,) = peers.dcmjs(path)
    assert any("matrix 64 x 64" in text for text in told["texts"])


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_dcm2niix_places_the_images_as_we_do(direction: NDArray[np.float64], tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for dataset in series_from_volume(phantoms.volume(direction)):
        dataset.save_as(images / f"{dataset.InstanceNumber:02}.dcm", enforce_file_format=True)
    assert_same_image(images, tmp_path)


@pytest.mark.parametrize(
    "name", ["mr-t1-siemens-skyra", "mr-t1-siemens-prisma-hfs", "mr-t1-siemens-prisma-hfdl", "mr-enhanced-siemens-xa10"]
)
def test_dcm2niix_places_real_images_as_we_do(name: str, tmp_path: Path) -> None:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"shared/data/dicom/{name} is not here")
    enhanced = "enhanced" in name
    assert_same_image(sorted(folder.iterdir())[0] if enhanced else folder, tmp_path)


def assert_same_image(source: Path, folder: Path) -> None:
    """The node's loader and dcm2niix put the same values at the same millimetres; of many, a million are asked."""
    paths = sorted(source.iterdir()) if source.is_dir() else [source]
    (series,) = survey([parse(path.read_bytes()) for path in paths])
    ours = load(series).image.volume
    theirs = sitk.ReadImage(str(peers.dcm2niix(source, folder / "dcm2niix")))
    array, affine = sitk.GetArrayFromImage(theirs), itk_affine(theirs)
    assert sorted(array.shape) == sorted(ours.spatial_shape)
    from_theirs = np.linalg.inv(ours.affine) @ affine
    asked = np.arange(0, array.size, 1 + array.size // 1_000_000)
    indices = np.stack(np.unravel_index(asked, array.shape), axis=1)
    there = indices @ from_theirs[:3, :3].T + from_theirs[:3, 3]
    assert np.abs(there - np.rint(there)).max() < NEAR_MM
    np.testing.assert_array_equal(ours.array[tuple(np.rint(there).astype(int).T)], array.ravel()[asked])
