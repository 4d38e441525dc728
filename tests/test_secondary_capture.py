"""The summary as Secondary Capture: valid for others, the same every time, and nothing of the patient in its pixels."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, config, dcmread
from pydicom.dataelem import DataElement
from pydicom.tag import Tag
from pydicom.uid import SecondaryCaptureImageStorage

from dicom_node.errors import DefectError
from dicom_node.reading import part10, series, volume
from dicom_node.reading.synthetic_study import Labels
from dicom_node.results import secondary_capture
from dicom_node.results.envelope import to_file
from dicom_node.results.source import Source, TextSource
from inference.findings import Findings, Narrative
from tests import phantoms
from tests.peers import dciodvfy

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "dicom"
_BODY_PART = Tag("BodyPartExamined")
IDENTITY = phantoms.identity(rendering=phantoms.WITH_PICTURES)
PIXELS = phantoms.volume().array


def _source(labels: Labels | None = None) -> Source:
    return phantoms.single_frame(phantoms.volume(), labels)


def _written(
    findings: Findings, source: Source | TextSource | None = None, pixels: NDArray[np.float32] | None = PIXELS
) -> list[Dataset]:
    made = secondary_capture.write(findings, pixels, source or _source(), IDENTITY)
    return [dcmread(BytesIO(to_file(dataset))) for dataset in made]


def _errors(datasets: list[Dataset], folder: Path) -> list[str]:
    errors = []
    for dataset in datasets:
        path = folder / f"{dataset.InstanceNumber}.dcm"
        path.write_bytes(to_file(dataset))
        errors += dciodvfy(path)
    return errors


@pytest.mark.parametrize("orientation", phantoms.ORIENTATIONS)
@pytest.mark.parametrize("frames", ["single", "multi"])
def test_another_validator_finds_no_error(orientation: str, frames: str, tmp_path: Path) -> None:
    phantom = phantoms.volume(phantoms.ORIENTATIONS[orientation])
    source = phantoms.single_frame(phantom) if frames == "single" else phantoms.multi_frame(phantom)
    assert _errors(_written(phantoms.two_lesions(), source), tmp_path) == []


@pytest.mark.parametrize("body_part", ["", "HEAD", "KNEE", "not a code"])
def test_any_body_part_is_valid(body_part: str, tmp_path: Path) -> None:
    source = _source()
    for dataset in source.datasets:
        dataset["BodyPartExamined"] = DataElement(_BODY_PART, "CS", body_part, validation_mode=config.IGNORE)
    assert _errors(_written(phantoms.nothing(), source), tmp_path) == []


def test_a_title_page_and_one_for_each_finding_that_a_slice_shows() -> None:
    written = _written(phantoms.two_lesions())
    assert [d.InstanceNumber for d in written] == [1, 2, 3, 4]
    assert len({d.SeriesInstanceUID for d in written}) == 1
    assert len({d.SOPInstanceUID for d in written}) == 4
    for dataset in written:
        assert dataset.SOPClassUID == SecondaryCaptureImageStorage
        assert (dataset.Modality, dataset.SeriesNumber, dataset.ConversionType) == ("OT", 9005, "WSD")
        assert dataset.SeriesDescription == "AI summary: lesion-segmenter (unverified), RESEARCH USE"
        assert (dataset.ImageType, dataset.BurnedInAnnotation) == (["DERIVED", "SECONDARY"], "NO")
        assert dataset.ContributingEquipmentSequence[-1].DeviceUID
        assert dataset.pixel_array.shape == (768, 1024, 3)


def test_nobody_can_measure_on_it() -> None:
    keywords = {element.keyword for dataset in _written(phantoms.two_lesions()) for element in dataset.iterall()}
    assert not keywords & {"FrameOfReferenceUID", "PixelSpacing", "ImagerPixelSpacing", "ImagePositionPatient"}


def test_a_page_names_the_image_it_shows_and_where_its_edges_point() -> None:
    source = _source()
    title, first, _, unmasked = _written(phantoms.two_lesions(), source)
    assert "SourceImageSequence" not in title
    assert not title.PatientOrientation
    for page, plane in ((first, 3), (unmasked, 3)):
        (image,) = page.SourceImageSequence
        assert image.ReferencedSOPInstanceUID == source.plane(plane)[0].SOPInstanceUID
        assert image.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
        assert page.PatientOrientation == ["L", "P"]


def test_the_frame_of_a_multi_frame_source_is_named() -> None:
    source = phantoms.multi_frame(phantoms.volume(), order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4])
    image = _written(phantoms.two_lesions(), source)[1].SourceImageSequence[0]
    assert image.ReferencedFrameNumber == 1  # slice 3 is stored as frame 1


def test_nothing_found_and_text_alone_are_a_title_page(tmp_path: Path) -> None:
    text = TextSource(datasets=_source().datasets[:1], document=None)
    said = replace(phantoms.two_lesions(), segments=(), findings=(), narrative=Narrative(sentences=()))
    for written in (_written(phantoms.nothing()), _written(said, text, None)):
        assert [d.InstanceNumber for d in written] == [1]
        assert _errors(written, tmp_path) == []


def test_more_findings_than_pages_stay_on_the_title_page() -> None:
    findings = phantoms.two_lesions()
    many = tuple(replace(findings.findings[0], label=f"lesion {n}") for n in range(1, 20))
    written = _written(replace(findings, findings=many, narrative=Narrative(sentences=())))
    assert len(written) == 1 + secondary_capture.MOST_FINDINGS


def test_no_pixel_depends_on_who_the_patient_is() -> None:
    someone, other = _source(), _source(Labels(seed="synthetic", patient_name="Canary^Jane", patient_id="CANARY-77"))
    for dataset in other.datasets:
        dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19330101", "F", "093Y"
        dataset.AccessionNumber, dataset.StudyID, dataset.StudyDescription = "CANARY", "C", "CANARY"
        dataset.StudyDate, dataset.InstitutionName, dataset.ReferringPhysicianName = "20010101", "CANARY", "CANARY^"
    for one, another in zip(
        _written(phantoms.two_lesions(), someone), _written(phantoms.two_lesions(), other), strict=True
    ):
        assert one.PatientName != another.PatientName
        assert one.PixelData == another.PixelData


def test_every_page_says_whether_it_is_for_research() -> None:
    findings = phantoms.two_lesions()
    cleared = replace(findings, algorithm=phantoms.algorithm("cleared"))
    for one, another in zip(_written(findings), _written(cleared), strict=True):
        bands = one.pixel_array[:48], another.pixel_array[:48]
        assert (bands[0] != bands[1]).sum() > 10_000
        assert all(np.median(band.reshape(-1, 3), axis=0).tolist() == [255, 176, 32] for band in bands)


def test_lossy_sources_are_said() -> None:
    source = _source()
    for dataset in source.datasets:
        dataset.LossyImageCompression = "01"
    assert [d.LossyImageCompression for d in _written(phantoms.two_lesions(), source)] == ["00", "01", "01", "01"]


@pytest.mark.parametrize("pixels", [None, PIXELS[1:], PIXELS.swapaxes(1, 2)])
def test_pixels_of_other_planes_are_a_defect(pixels: NDArray[np.float32] | None) -> None:
    with pytest.raises(DefectError, match="pixels of"):
        _written(phantoms.nothing(), pixels=pixels)


PROGRAM = """
import hashlib
from tests import phantoms
from dicom_node.results import secondary_capture
from dicom_node.results.envelope import to_file
phantom = phantoms.volume()
for source in (phantoms.single_frame(phantom), phantoms.multi_frame(phantom)):
    identity = phantoms.identity(rendering=phantoms.WITH_PICTURES)
    for page in secondary_capture.write(phantoms.two_lesions(), phantom.array, source, identity):
        print(hashlib.sha256(to_file(page)).hexdigest())
"""


def test_the_same_input_gives_the_same_bytes_in_any_process() -> None:
    told = []
    for zone, seed in (("UTC", "1"), ("Asia/Kolkata", "2")):
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", PROGRAM]
        told.append(
            subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        )
    here = [hashlib.sha256(to_file(d)).hexdigest() for d in _written(phantoms.two_lesions())]
    assert told[0] == told[1]
    assert told[0].split()[:4] == here
    assert len(set(told[0].split())) == 7  # the title pages are alike, the others name an image or its frame


@pytest.mark.parametrize("name", ["ct-head-ge-tilted", "mr-enhanced-siemens-xa10", "mr-t1-siemens-prisma-hfdr"])
def test_real_headers_give_valid_pages(name: str, tmp_path: Path) -> None:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    parts = [part10.parse(path.read_bytes()) for path in sorted(folder.rglob("*.dcm"))]
    (surveyed,) = series.survey(parts[:1] if name.startswith("mr-enhanced") else parts)  # one of four repetitions
    loaded = volume.load(surveyed)
    planes, rows, columns = loaded.source.shape
    lesion = phantoms.box(
        loaded.source.shape, (planes // 3, planes // 2), (rows // 4, rows // 2), (columns // 3, columns // 2)
    )
    pixels = loaded.laying.shown(loaded.image.volume.array)
    written = _written(phantoms.one_lesion(lesion), loaded.source, pixels)
    assert len(written) == 2
    assert _errors(written, tmp_path) == []
