"""What the checks must let pass, other classes and other sources among it, and what they say when they cannot check."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset, config, dcmread, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.tag import Tag
from pydicom.uid import UID, Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage

from dicom_node.errors import DefectError
from dicom_node.results import envelope, objects, provenance, validation
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.identity import Predecessor
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind, Outcome, ResultObject
from tests import phantoms
from tests.defects import SEG, SR, Objects, find

LABEL_MAP_CLASS = UID("1.2.840.10008.5.1.4.1.1.66.7")


def read(results: tuple[ResultObject, ...]) -> Objects:
    return {result.kind: dcmread(BytesIO(result.data)) for result in results}


def subject(source: Source, written: Objects, **facts: object) -> Subject:
    settings = {"analysed_at": phantoms.identity().analysed_at, "research": True, **facts}
    made = tuple(Written(kind=kind, dataset=reread(dataset)) for kind, dataset in written.items())
    return Subject(objects=made, received=source.datasets, **settings)  # type: ignore[arg-type]


def reread(dataset: Dataset) -> Dataset:
    buffer = BytesIO()
    dcmwrite(buffer, dataset)
    return dcmread(BytesIO(buffer.getvalue()))


@pytest.fixture
def source() -> Source:
    return phantoms.multi_frame(phantoms.volume())


@pytest.fixture
def written(source: Source) -> Objects:
    return read(objects.write_all(phantoms.two_lesions(), source, phantoms.identity()))


@pytest.mark.parametrize("direction", [*phantoms.ORIENTATIONS.values(), phantoms.OBLIQUE])
@pytest.mark.parametrize("shared", [True, False])
def test_frames_in_an_order_of_their_own_pass(direction: np.ndarray, *, shared: bool) -> None:
    order = [3, -1, 2, 1, 0, -1, 7, 6, 5, 4]
    source = phantoms.multi_frame(phantoms.volume(direction), order=order, shared_orientation=shared)
    assert objects.write_all(phantoms.two_lesions(), source, phantoms.identity())


@pytest.mark.parametrize("moved", ["uneven", "tilted"])
def test_planes_that_are_no_even_grid_pass(moved: str) -> None:
    even = phantoms.single_frame(phantoms.volume())
    planes = []
    for k, (dataset, plane) in enumerate(zip(even.datasets, even.planes, strict=True)):
        along, down = (1.5 * (k // 3), 0.0) if moved == "uneven" else (0.0, 0.9 * k)
        x, y, z = plane.position
        dataset.ImagePositionPatient = [x, y + down, z + along]
        planes.append(replace(plane, position=(x, y + down, z + along)))
    source = replace(even, planes=tuple(planes))
    assert objects.write_all(phantoms.two_lesions(), source, phantoms.identity())


def test_a_single_slice_passes() -> None:
    shape = (1, 20, 18)
    source = phantoms.single_frame(phantoms.volume(shape=shape))
    findings = phantoms.one_lesion(phantoms.box(shape, (0, 1), (4, 9), (3, 7)))
    assert objects.write_all(findings, source, phantoms.identity())


@pytest.mark.parametrize("sop_class_uid", [ComprehensiveSRStorage, EnhancedSRStorage])
def test_findings_pass_in_the_class_that_a_destination_needs(
    sop_class_uid: UID, source: Source, written: Objects
) -> None:
    written[SR].SOPClassUID = written[SR].file_meta.MediaStorageSOPClassUID = sop_class_uid
    validation.check(subject(source, written, measurement_classes=frozenset({sop_class_uid})))
    with pytest.raises(DefectError, match="another SOP class than findings must be"):
        validation.check(subject(source, written, measurement_classes=frozenset({Comprehensive3DSRStorage})))


def as_bytes_a_pixel(segmentation: Dataset) -> np.ndarray:
    """(frame, row, column) of a BINARY segmentation."""
    shape = (segmentation.NumberOfFrames, segmentation.Rows, segmentation.Columns)
    bits = np.unpackbits(np.frombuffer(segmentation.PixelData, dtype=np.uint8), bitorder="little")
    segmentation.BitsAllocated, segmentation.BitsStored, segmentation.HighBit = 8, 8, 7
    return bits[: np.prod(shape)].reshape(shape)


def fractional(segmentation: Dataset) -> None:
    frames = as_bytes_a_pixel(segmentation)
    segmentation.SegmentationType, segmentation.SegmentationFractionalType = "FRACTIONAL", "PROBABILITY"
    segmentation.MaximumFractionalValue = 255
    segmentation.PixelData = (frames * 255).tobytes()


def label_map(segmentation: Dataset) -> None:
    """The frames of the second segment, as a map in which it is number 2; the first is not shown."""
    frames = as_bytes_a_pixel(segmentation)
    groups = segmentation.PerFrameFunctionalGroupsSequence
    kept = [i for i, g in enumerate(groups) if g.SegmentIdentificationSequence[0].ReferencedSegmentNumber == 2]
    segmentation.SOPClassUID = segmentation.file_meta.MediaStorageSOPClassUID = LABEL_MAP_CLASS
    segmentation.SegmentationType, segmentation.NumberOfFrames = "LABELMAP", len(kept)
    segmentation.PerFrameFunctionalGroupsSequence = [groups[i] for i in kept]
    for group in segmentation.PerFrameFunctionalGroupsSequence:
        del group.SegmentIdentificationSequence
    segmentation.PixelData = (frames[kept] * 2).tobytes()
    background = Dataset()
    background.update(segmentation.SegmentSequence[0])
    background.SegmentNumber = 0
    del background.TrackingID
    del background.TrackingUID
    del background.RecommendedDisplayCIELabValue
    segmentation.SegmentSequence = [background, *segmentation.SegmentSequence]


@pytest.mark.parametrize("written_as", [fractional, label_map])
def test_other_kinds_of_segmentation_pass(
    written_as: Callable[[Dataset], None], source: Source, written: Objects
) -> None:
    written_as(written[SEG])
    for item in (find(written[SR], "121191"), find(written[ObjectKind.NARRATIVE], "121191")):
        assert item.ReferencedSOPSequence[0].ReferencedSegmentNumber == 2
    only_mask = {SEG: written[SEG]}
    validation.check(subject(source, only_mask))
    written[SEG].PixelData = written[SEG].PixelData[:-2]
    with pytest.raises(DefectError, match="PixelData"):
        validation.check(subject(source, only_mask))


def test_a_fractional_segmentation_says_what_its_values_mean(source: Source, written: Objects) -> None:
    fractional(written[SEG])
    del written[SEG].MaximumFractionalValue
    with pytest.raises(DefectError, match="SEG object lacks MaximumFractionalValue"):
        validation.check(subject(source, {SEG: written[SEG]}))


def page(number: int, source: Source) -> Dataset:
    """A picture as Secondary Capture (PS3.3 A.8.1)."""
    dataset = Dataset()
    dataset.ConversionType, dataset.ImageType, dataset.PatientOrientation = "WSD", ["DERIVED", "SECONDARY"], ""
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.Rows, dataset.Columns, dataset.PixelData = 2, 2, bytes(12)
    dataset.SourceImageSequence = [Dataset()]
    dataset.SourceImageSequence[0].ReferencedSOPClassUID = source.datasets[0].SOPClassUID
    dataset.SourceImageSequence[0].ReferencedSOPInstanceUID = source.datasets[0].SOPInstanceUID
    identity = phantoms.identity(rendering=phantoms.WITH_PICTURES)
    envelope.seal(
        dataset,
        envelope.Envelope(
            kind=ObjectKind.CAPTURE,
            identity=identity,
            device=provenance.device_of(phantoms.algorithm(), identity),
            source=source.datasets[0],
            number=number,
        ),
    )
    return dcmread(BytesIO(envelope.to_file(dataset)))


def test_pictures_pass_and_may_share_a_series(source: Source, written: Objects) -> None:
    pages = [Written(kind=ObjectKind.CAPTURE, dataset=page(number, source)) for number in (1, 2)]
    others = subject(source, written)
    validation.check(replace(others, objects=(*others.objects, *pages)))
    pages[1].dataset.SourceImageSequence[0].ReferencedSOPInstanceUID = "2.25.9"
    with pytest.raises(DefectError, match="the CAPTURE object refers to an instance that was not received"):
        validation.check(replace(others, objects=(*others.objects, *pages)))


def test_a_frame_of_reference_that_is_no_uid_stays_as_it_came() -> None:
    source = phantoms.single_frame(phantoms.volume())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dataset in source.datasets:
            uid = DataElement(Tag("FrameOfReferenceUID"), "UI", "1.2.03", validation_mode=config.IGNORE)
            dataset["FrameOfReferenceUID"] = uid
        source = replace(source, planes=tuple(replace(p, frame_of_reference_uid="1.2.03") for p in source.planes))
        written = read(objects.write_all(phantoms.two_lesions(), source, phantoms.identity()))
        assert written[SEG].FrameOfReferenceUID == "1.2.03"


def test_the_start_of_the_analysis_is_told_in_the_studys_time_zone() -> None:
    source = phantoms.single_frame(phantoms.volume())
    for dataset in source.datasets:
        dataset.TimezoneOffsetFromUTC = "-0330"
    written = read(objects.write_all(phantoms.two_lesions(), source, phantoms.identity()))
    assert (written[SR].ContentDate, written[SR].ContentTime) == ("20260101", "233405")
    elsewhere = phantoms.identity().analysed_at.astimezone(timezone(timedelta(hours=9)))
    validation.check(subject(source, written, analysed_at=elsewhere))


def test_what_is_cleared_does_not_say_research(source: Source, written: Objects) -> None:
    with pytest.raises(DefectError, match="lacks ContentQualification PRODUCT"):
        validation.check(subject(source, written, research=False))


def test_a_reference_to_a_predecessor_needs_that_predecessor(source: Source) -> None:
    before = objects.write_all(phantoms.two_lesions(), source, phantoms.identity("cd"))
    previous = tuple(
        Predecessor(
            kind=r.kind,
            sop_class_uid=r.sop_class_uid,
            sop_instance_uid=r.sop_instance_uid,
            series_instance_uid=r.series_instance_uid,
        )
        for r in before
    )
    after = read(objects.write_all(phantoms.two_lesions(), source, phantoms.identity(version=2), previous))
    validation.check(subject(source, after, predecessors=previous))
    with pytest.raises(DefectError, match="not received"):
        validation.check(subject(source, after))


def test_the_report_of_an_outcome_is_checked_too(source: Source) -> None:
    made = objects.write_outcome(Outcome.FAILED, "no memory", "tiny", source.datasets, phantoms.identity())
    outcome = read((made,))
    validation.check(subject(source, outcome))
    outcome[ObjectKind.OUTCOME].VerificationFlag = "VERIFIED"
    with pytest.raises(DefectError, match="VerificationFlag of the OUTCOME object is not UNVERIFIED"):
        validation.check(subject(source, outcome))


def test_what_no_check_foresaw_is_a_defect_without_its_text(
    source: Source, written: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(_subject: Subject) -> None:
        raise ValueError("SECRET^NAME")

    unforeseen.__name__ = "check_belonging"
    monkeypatch.setattr(validation, "check_belonging", unforeseen)
    with pytest.raises(DefectError, match="the objects cannot be checked: ValueError in check_belonging") as caught:
        validation.check(subject(source, written))
    assert caught.value.__cause__ is None


def test_the_start_of_the_analysis_is_a_moment() -> None:
    with pytest.raises(ValueError, match="aware"):
        Subject(
            objects=(), received=(), analysed_at=phantoms.identity().analysed_at.replace(tzinfo=None), research=True
        )
