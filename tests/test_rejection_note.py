"""A rejection note refers to all that was withdrawn, under the title that was asked for, and is valid."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from highdicom.ko import KeyObjectSelectionDocument
from pydicom import Dataset, dcmread

from dicom_node.errors import DefectError
from dicom_node.results import objects, rejection_note
from dicom_node.results.identity import Identity
from dicom_node.study import Outcome, Rejection
from tests import phantoms
from tests.peers import dciodvfy, dsrdump

TITLES = {
    Rejection.QUALITY: ("113001", "Rejected for Quality Reasons"),
    Rejection.SAFETY: ("113037", "Rejected for Patient Safety Reasons"),
}


def results(name: str = "Проба^Голова") -> list[Dataset]:
    """What a reading made, as it is read back from the spool."""
    source = phantoms.single_frame(phantoms.volume())
    for dataset in source.datasets:
        dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 192", name
    made = objects.write_all(phantoms.two_lesions(), source, phantoms.identity())
    return [dcmread(BytesIO(each.data)) for each in made]


def identity(version: int = 1) -> Identity:
    return replace(phantoms.identity(version=version), algorithm_digest="0" * 64, provider="none")


def note(reason: Rejection, withdrawn: Sequence[Dataset], version: int = 1) -> Dataset:
    made = objects.write_rejection(reason, "lesion-segmenter", withdrawn, identity(version))
    read = dcmread(BytesIO(made.data))
    assert (made.kind, made.sop_instance_uid) == ("REJECTION", read.SOPInstanceUID)
    return read


def evidence(dataset: Dataset) -> set[tuple[str, str, str]]:
    (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == dataset.StudyInstanceUID
    return {
        (series.SeriesInstanceUID, instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID)
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }


@pytest.mark.parametrize("reason", Rejection)
def test_it_names_the_reason_and_every_object(reason: Rejection) -> None:
    withdrawn = results()
    read = note(reason, withdrawn, version=2)
    title = read.ConceptNameCodeSequence[0]
    assert (title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning) == (
        TITLES[reason][0],
        "DCM",
        TITLES[reason][1],
    )
    assert read.ContentTemplateSequence[0].TemplateIdentifier == "2010"
    assert evidence(read) == {(w.SeriesInstanceUID, w.SOPClassUID, w.SOPInstanceUID) for w in withdrawn}
    said = [
        (item.ValueType, item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for item in read.ContentSequence
        if "ReferencedSOPSequence" in item
    ]
    assert said == [("IMAGE" if w.Modality == "SEG" else "COMPOSITE", w.SOPInstanceUID) for w in withdrawn]
    assert (read.Modality, read.SeriesNumber) == ("KO", 9006)
    assert read.SeriesDescription == "AI withdrawn: lesion-segmenter (unverified), RESEARCH USE, v2"
    assert str(read.PatientName) == "Проба^Голова"
    assert read.SeriesInstanceUID not in {w.SeriesInstanceUID for w in withdrawn}


def test_others_find_it_valid_and_can_read_it(tmp_path: Path) -> None:
    outcome = objects.write_outcome(
        Outcome.FAILED, "killed", "", phantoms.single_frame(phantoms.volume()).datasets, phantoms.identity()
    )
    for name, withdrawn in (("result", results()), ("outcome", [dcmread(BytesIO(outcome.data))])):
        for reason in Rejection:
            made = objects.write_rejection(reason, "", withdrawn, identity())
            path = tmp_path / f"{name} {reason}.dcm"
            path.write_bytes(made.data)
            assert dciodvfy(path) == []
            assert TITLES[reason][1] in dsrdump(path)
            read = KeyObjectSelectionDocument.from_dataset(dcmread(path))
            assert len(read.content.get_references()) == len(withdrawn)


def test_it_derives_from_what_is_withdrawn_and_why() -> None:
    withdrawn = results()
    quality = objects.write_rejection(Rejection.QUALITY, "a", withdrawn, identity())
    assert objects.write_rejection(Rejection.QUALITY, "a", withdrawn, identity()) == quality
    safety = objects.write_rejection(Rejection.SAFETY, "a", withdrawn, identity())
    other = objects.write_rejection(Rejection.QUALITY, "a", withdrawn, replace(identity(), instances_digest="cd" * 32))
    assert len({quality.sop_instance_uid, safety.sop_instance_uid, other.sop_instance_uid}) == 3


def test_nothing_to_withdraw_is_no_note() -> None:
    with pytest.raises(ValueError, match="one study of one patient"):
        rejection_note.write(Rejection.QUALITY, "a", [], identity())


def test_a_note_for_two_patients_does_not_leave() -> None:
    one, *rest = results()
    (stray, *_) = results("Other^Patient")
    with pytest.raises(DefectError, match="REJECTION object could not be built"):
        objects.write_rejection(Rejection.QUALITY, "a", [one, stray, *rest], identity())
