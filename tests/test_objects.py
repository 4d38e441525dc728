"""All objects of a reading as a destination gets them: valid, the same every time, of the patient who was sent."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import structlog
from pydicom import Dataset, config, dcmread, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.sr.coding import Code
from pydicom.tag import Tag

from dicom_node.errors import DefectError, UnsuitableError
from dicom_node.reading import part10, series, volume
from dicom_node.results import objects
from dicom_node.results.identity import Predecessor
from dicom_node.results.profiles import PROFILES
from dicom_node.results.rendering import choose
from dicom_node.results.source import Source
from dicom_node.study import Outcome, ResultObject
from inference.findings import Finding, Findings
from tests import phantoms
from tests.peers import dciodvfy, dsrdump
from tests.test_header import NAMES

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"


def _errors(results: Sequence[ResultObject], folder: Path) -> list[str]:
    errors = []
    for result in results:
        path = folder / f"{result.kind}.dcm"
        path.write_bytes(result.data)
        errors += [f"{result.kind}: {line}" for line in dciodvfy(path)]
        if result.kind != "SEG":
            assert dsrdump(path)
    return errors


@pytest.mark.parametrize("orientation", phantoms.ORIENTATIONS)
@pytest.mark.parametrize("frames", ["single", "multi"])
@pytest.mark.parametrize("findings", [phantoms.two_lesions(), phantoms.nothing()], ids=["two lesions", "nothing"])
def test_other_validators_find_no_error(orientation: str, frames: str, findings: Findings, tmp_path: Path) -> None:
    phantom = phantoms.volume(phantoms.ORIENTATIONS[orientation])
    source = phantoms.single_frame(phantom) if frames == "single" else phantoms.multi_frame(phantom)
    results = objects.write_all(findings, source, phantoms.identity())
    assert [r.kind for r in results] == (["SEG", "SR", "NARRATIVE"] if findings.findings else ["SR", "NARRATIVE"])
    assert _errors(results, tmp_path) == []


def test_ct_too(tmp_path: Path) -> None:
    source = phantoms.single_frame(phantoms.volume(), modality="CT")
    assert _errors(objects.write_all(phantoms.two_lesions(), source, phantoms.identity()), tmp_path) == []


def _sent_with(source: Source, charset: str | list[str] | None, values: dict[str, str | None]) -> Source:
    """The source as it comes off the wire, with some attributes other than a program would write them."""
    datasets = []
    for dataset in source.datasets:
        for keyword, value in values.items():
            if value is None:
                del dataset[keyword]
            else:
                vr = dataset[keyword].VR
                dataset[keyword] = DataElement(Tag(keyword), vr, value, validation_mode=config.IGNORE)
        if charset is None:
            del dataset.SpecificCharacterSet
        else:
            dataset.SpecificCharacterSet = charset
        buffer = BytesIO()
        dcmwrite(buffer, dataset, enforce_file_format=True)
        datasets.append(dcmread(BytesIO(buffer.getvalue())))
    return Source(datasets=tuple(datasets), frame_numbers=source.frame_numbers, planes=source.planes)


@pytest.mark.parametrize(("charset", "name"), NAMES, ids=[str(charset) for charset, _ in NAMES])
def test_names_of_any_script_come_back_as_sent(charset: str | list[str] | None, name: str, tmp_path: Path) -> None:
    source = _sent_with(phantoms.single_frame(phantoms.volume()), charset, {"PatientName": name})
    results = [
        *objects.write_all(phantoms.two_lesions(), source, phantoms.identity()),
        objects.write_outcome(
            Outcome.ABSTAINED, "too few slices", "brain-lesions", source.datasets, phantoms.identity()
        ),
    ]
    assert _errors(results, tmp_path) == []
    for result in results:
        read = dcmread(BytesIO(result.data))
        assert read.SpecificCharacterSet == "ISO_IR 192"
        assert str(read.PatientName) == name


BROKEN: dict[str, str | None] = {
    "PatientSex": "0000",
    "PatientBirthDate": "unknown",
    "PatientName": "Canary",
    "AccessionNumber": "12345678901234567890",
    "StudyID": None,
    "ReferringPhysicianName": None,
    "StudyTime": "25:00",
    "StudyDescription": "d" * 80,
    "PatientAge": "fifty",
    "Manufacturer": "m" * 80,
}


def test_broken_headers_give_valid_objects_and_are_reported_without_values(tmp_path: Path) -> None:
    source = _sent_with(phantoms.single_frame(phantoms.volume()), "ISO_IR 100", BROKEN)
    with structlog.testing.capture_logs() as logs:
        results = objects.write_all(phantoms.two_lesions(), source, phantoms.identity())
    assert _errors(results, tmp_path) == []
    (line,) = logs
    assert line["event"] == "source_header_repaired"
    assert {"PatientSex", "PatientBirthDate", "AccessionNumber", "StudyTime"} <= set(line["attributes"])
    assert not any(str(value) in str(line) for value in BROKEN.values() if value)


def _digests(results: Sequence[ResultObject]) -> list[str]:
    return [hashlib.sha256(result.data).hexdigest() for result in results]


PROGRAM = """
import hashlib
from tests import phantoms
from dicom_node.results import objects
from dicom_node.study import Outcome
for source in (phantoms.single_frame(phantoms.volume()), phantoms.multi_frame(phantoms.volume())):
    for result in objects.write_all(phantoms.two_lesions(), source, phantoms.identity()):
        print(hashlib.sha256(result.data).hexdigest())
outcome = objects.write_outcome(Outcome.FAILED, "no memory", "lesion-segmenter", source.datasets, phantoms.identity())
print(hashlib.sha256(outcome.data).hexdigest())
"""


def _in_another_process(zone: str, seed: str) -> list[str]:
    environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


def test_the_same_input_gives_the_same_bytes_in_any_process_at_any_time() -> None:
    first = _in_another_process("UTC", "1")
    time.sleep(1.1)  # the clock, in seconds as DICOM writes it, has moved
    assert _in_another_process("Asia/Kolkata", "2") == first
    assert len(set(first)) == 7


def test_nothing_of_today_is_in_any_object() -> None:
    today = datetime.now(UTC).strftime("%Y%m%d").encode()
    for result in objects.write_all(
        phantoms.two_lesions(), phantoms.single_frame(phantoms.volume()), phantoms.identity()
    ):
        assert today not in result.data
        assert result.data[:132] == bytes(128) + b"DICM"


def test_other_instances_provider_or_profile_are_other_objects() -> None:
    source, identity = phantoms.single_frame(phantoms.volume()), phantoms.identity()
    identities = [
        identity,
        phantoms.identity("cd"),
        replace(identity, provider="CUDAExecutionProvider"),
        replace(identity, rendering=choose(PROFILES["ohif"])),
        replace(identity, configuration_digest="d0" * 32),
        replace(identity, software_version="0.2.0"),
    ]
    results = [r for i in identities for r in objects.write_all(phantoms.two_lesions(), source, i)]
    assert len({r.sop_instance_uid for r in results}) == len({r.series_instance_uid for r in results}) == 18


def test_a_result_object_tells_what_is_in_its_bytes() -> None:
    for result in objects.write_all(
        phantoms.two_lesions(), phantoms.single_frame(phantoms.volume()), phantoms.identity()
    ):
        read = dcmread(BytesIO(result.data))
        assert str(read.SOPClassUID) == result.sop_class_uid
        assert str(read.SOPInstanceUID) == result.sop_instance_uid
        assert str(read.SeriesInstanceUID) == result.series_instance_uid
        assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID


def test_the_second_version_says_so_and_names_the_first(tmp_path: Path) -> None:
    source = phantoms.single_frame(phantoms.volume())
    first = objects.write_all(phantoms.two_lesions(), source, phantoms.identity("cd"))
    previous = tuple(
        Predecessor(
            kind=r.kind,
            sop_class_uid=r.sop_class_uid,
            sop_instance_uid=r.sop_instance_uid,
            series_instance_uid=r.series_instance_uid,
        )
        for r in first
    )
    second = objects.write_all(phantoms.two_lesions(), source, phantoms.identity(version=2), previous)
    assert _errors(second, tmp_path) == []
    for result in second:
        read = dcmread(BytesIO(result.data))
        assert read.SeriesDescription.endswith(", v2")
        if result.kind != "SEG":
            (study,) = read.PredecessorDocumentsSequence
            named = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
            assert named == next(p.sop_instance_uid for p in previous if p.kind == result.kind)


def test_masks_of_another_grid_are_a_defect() -> None:
    findings = phantoms.one_lesion(np.ones((8, 20, 17), dtype=np.bool_))
    with pytest.raises(DefectError, match=r"mask of \(8, 20, 17\) for a source of \(8, 20, 18\)"):
        objects.write_all(findings, phantoms.single_frame(phantoms.volume()), phantoms.identity())


def test_findings_of_another_algorithm_are_a_defect() -> None:
    with pytest.raises(DefectError, match="another algorithm"):
        objects.write_all(
            phantoms.two_lesions(),
            phantoms.single_frame(phantoms.volume()),
            replace(phantoms.identity(), algorithm_digest="0" * 64),
        )


def test_a_source_in_another_order_than_its_geometry_is_a_defect() -> None:
    source = phantoms.single_frame(phantoms.volume())
    turned = Source(datasets=source.datasets[::-1], frame_numbers=(), planes=source.planes)
    with pytest.raises(DefectError, match="mm from its source"):
        objects.write_all(phantoms.two_lesions(), turned, phantoms.identity())


def _without_frame_of_reference(source: Source) -> Source:
    for dataset in source.datasets:
        del dataset.FrameOfReferenceUID
    return source


def test_without_frame_of_reference_a_mask_has_no_place_but_a_negative_result_has(tmp_path: Path) -> None:
    source = _without_frame_of_reference(phantoms.single_frame(phantoms.volume()))
    with pytest.raises(UnsuitableError, match="Frame of Reference"):
        objects.write_all(phantoms.two_lesions(), source, phantoms.identity())
    assert _errors(objects.write_all(phantoms.nothing(), source, phantoms.identity()), tmp_path) == []


def test_a_code_that_no_object_can_hold_is_a_defect_without_patient_data() -> None:
    findings = phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 4), (4, 9), (3, 7)))
    segment = replace(findings.segments[0], color=(300, 0, 0))
    with pytest.raises(DefectError, match="the SEG object could not be built: ValueError"):
        objects.write_all(
            replace(findings, segments=(segment,)), phantoms.single_frame(phantoms.volume()), phantoms.identity()
        )


def test_a_slice_that_the_source_does_not_have_is_a_defect() -> None:
    findings = phantoms.nothing()
    beyond = Finding(label="haemorrhage", code=Code("50960005", "SCT", "Hemorrhage"), slice_probabilities=((99, 0.5),))
    with pytest.raises(DefectError, match="the SR object could not be built: IndexError"):
        objects.write_all(
            replace(findings, findings=(beyond,)), phantoms.single_frame(phantoms.volume()), phantoms.identity()
        )


def test_an_outcome_is_written_for_headers_alone(tmp_path: Path) -> None:
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.6.1", "2.25.31"
    header.SeriesInstanceUID, header.StudyInstanceUID, header.Modality = "2.25.32", "2.25.33", "US"
    result = objects.write_outcome(
        Outcome.NOT_APPLICABLE, "no rule wants ultrasound", "", [header], phantoms.identity()
    )
    assert _errors([result], tmp_path) == []
    assert dcmread(BytesIO(result.data)).StudyInstanceUID == "2.25.33"


REAL = [
    "mr-t1-siemens-skyra",
    "mr-t1-siemens-prisma-hfs",
    "mr-t1-siemens-prisma-hfp",
    "mr-t1-siemens-prisma-hfdr",
    "mr-t1-siemens-prisma-hfdl",
    "mr-enhanced-siemens-xa10",
    "ct-head-ge-tilted",
]


@pytest.mark.parametrize("name", REAL)
def test_real_headers_give_valid_objects(name: str, tmp_path: Path) -> None:
    folder = DATA / "dicom" / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    parts = [part10.parse(path.read_bytes()) for path in sorted(folder.rglob("*.dcm"))]
    (surveyed,) = series.survey(parts[:1] if name.startswith("mr-enhanced") else parts)  # one of four repetitions
    if surveyed.grid is None:
        reason, headers = "; ".join(surveyed.candidate.faults), [part.header for part in parts]
        outcome = objects.write_outcome(Outcome.ABSTAINED, reason, "brain-lesions", headers, phantoms.identity())
        assert _errors([outcome], tmp_path) == []
        return
    source = volume.load(surveyed).source
    slices, rows, columns = source.shape
    lesion = phantoms.box(
        (slices, rows, columns), (slices // 3, slices // 2), (rows // 4, rows // 2), (columns // 3, columns // 2)
    )
    results = objects.write_all(phantoms.one_lesion(lesion), source, phantoms.identity())
    assert _errors(results, tmp_path) == []


def test_pictures_are_written_where_the_rendering_has_them_and_pass_every_check() -> None:
    volume = phantoms.volume()
    made = objects.write_all(
        phantoms.two_lesions(),
        phantoms.single_frame(volume),
        phantoms.identity(rendering=phantoms.WITH_PICTURES),
        pixels=volume.array,
    )
    assert [o.kind for o in made] == ["SEG", "SR", "NARRATIVE", "CAPTURE", "CAPTURE", "CAPTURE", "CAPTURE"]
    assert len({o.series_instance_uid for o in made}) == 4


@pytest.mark.slow
def test_a_large_study_is_written_whole() -> None:
    shape = (300, 512, 512)
    source = phantoms.single_frame(phantoms.volume(shape=shape, spacing_mm=(0.6, 0.5, 0.5)))
    brain, lesion = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    brain[20:280, 60:450, 90:430] = True
    lesion[100:130, 200:240, 200:250] = True
    findings = Findings(
        algorithm=phantoms.algorithm(),
        segments=(phantoms.segment(brain, "Brain"), phantoms.segment(lesion)),
        findings=(phantoms.finding(lesion, index=1),),
        narrative=phantoms.one_lesion(lesion).narrative,
    )
    made = objects.write_all(findings, source, phantoms.identity())
    assert [o.kind for o in made] == ["SEG", "SR", "NARRATIVE"]
