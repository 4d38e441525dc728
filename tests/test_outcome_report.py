"""Reports of studies without result, from headers of any class."""

from copy import copy
from dataclasses import replace
from datetime import timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import BasicTextSRStorage, EncapsulatedPDFStorage, UltrasoundImageStorage

from dicom_node.results import outcome_report
from dicom_node.results.content_tree import content_items
from dicom_node.results.envelope import to_file
from dicom_node.study import Outcome
from tests import phantoms
from tests.peers import dciodvfy, dsrdump

REASON = "gantry tilt of 18.5 degrees: the slices form no rectangular grid"


def _header(sop_class_uid: str, modality: str) -> Dataset:
    """As little as an archive can hold of an instance."""
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID, header.SeriesInstanceUID = sop_class_uid, "2.25.31", "2.25.32"
    header.StudyInstanceUID, header.Modality = "2.25.33", modality
    return header


HEADERS = [
    _header(UltrasoundImageStorage, "US"),
    _header(BasicTextSRStorage, "SR"),
    _header(EncapsulatedPDFStorage, "DOC"),
    _header("1.3.12.2.1107.5.9.1", "OT"),  # private
    phantoms.single_frame(phantoms.volume()).datasets[0],
]


@pytest.mark.parametrize("header", HEADERS, ids=[str(h.Modality) for h in HEADERS])
@pytest.mark.parametrize("outcome", [Outcome.ABSTAINED, Outcome.FAILED, Outcome.NOT_APPLICABLE])
def test_any_header_will_do(header: Dataset, outcome: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "outcome.dcm"
    path.write_bytes(to_file(outcome_report.write(outcome, REASON, "brain-lesions", [header], phantoms.identity())))
    assert dciodvfy(path) == []
    printed = dsrdump(path)
    assert "No AI result" in printed
    assert f"Reason: {REASON}." in printed


@pytest.mark.parametrize(
    ("outcome", "sentence", "status"),
    [
        (Outcome.ABSTAINED, "it was not read", "Not Attempted"),
        (Outcome.FAILED, "says nothing about the images", "Failed"),
        (Outcome.NOT_APPLICABLE, "no algorithm is configured", "Not Attempted"),
    ],
)
def test_it_says_in_words_and_in_code_what_happened(outcome: Outcome, sentence: str, status: str) -> None:
    items = list(content_items(outcome_report.write(outcome, REASON, "", HEADERS, phantoms.identity())))
    assert any(sentence in i.get("TextValue", "") for i in items)
    assert [
        i.ConceptCodeSequence[0].CodeMeaning for i in items if i.ConceptNameCodeSequence[0].CodeValue == "111065"
    ] == [status]


def test_the_series_panel_says_it_too() -> None:
    with_name = outcome_report.write(Outcome.FAILED, REASON, "brain-lesions", HEADERS, phantoms.identity(version=2))
    assert with_name.SeriesDescription == "AI no result: brain-lesions (unverified), RESEARCH USE, v2"
    without = outcome_report.write(Outcome.NOT_APPLICABLE, REASON, "", HEADERS, phantoms.identity())
    assert without.SeriesDescription == "AI no result: dicom-node (unverified), RESEARCH USE"
    assert (with_name.SeriesNumber, with_name.Modality) == (9004, "SR")


def test_another_outcome_or_reason_is_another_object() -> None:
    def uids(outcome: Outcome, reason: str) -> tuple[str, str]:
        written = outcome_report.write(outcome, reason, "brain-lesions", HEADERS, phantoms.identity())
        return written.SOPInstanceUID, written.SeriesInstanceUID

    assert uids(Outcome.FAILED, REASON) == uids(Outcome.FAILED, REASON)
    assert len({uids(Outcome.FAILED, REASON), uids(Outcome.FAILED, "other"), uids(Outcome.ABSTAINED, REASON)}) == 3


def test_a_result_has_no_outcome_report() -> None:
    with pytest.raises(ValueError, match="without result"):
        outcome_report.write(Outcome.RESULT, "", "brain-lesions", HEADERS, phantoms.identity())
    with pytest.raises(ValueError, match="an instance of the study"):
        outcome_report.write(Outcome.FAILED, REASON, "brain-lesions", [], phantoms.identity())


def test_the_time_is_in_the_zone_of_the_study() -> None:
    header = copy(HEADERS[0])
    assert _failed(header).ContentTime == "030405"
    header.TimezoneOffsetFromUTC = "-0430"
    written = _failed(header)
    assert (written.ContentDate, written.ContentTime, written.TimezoneOffsetFromUTC) == ("20260101", "223405", "-0430")


def _failed(header: Dataset) -> Dataset:
    written = outcome_report.write(Outcome.FAILED, REASON, "brain-lesions", [header], phantoms.identity())
    return dcmread(BytesIO(to_file(written)))


def test_the_clock_of_another_zone_gives_the_same_bytes() -> None:
    identity = phantoms.identity()
    elsewhere = replace(identity, analysed_at=identity.analysed_at.astimezone(timezone(timedelta(hours=5))))
    files = [to_file(outcome_report.write(Outcome.FAILED, REASON, "x", HEADERS, i)) for i in (identity, elsewhere)]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (Outcome.ABSTAINED, "sie wurde nicht ausgewertet. Grund, auf Englisch:"),
        (Outcome.FAILED, "Über die Bilder sagt das nichts. Grund, auf Englisch:"),
        (Outcome.NOT_APPLICABLE, "kein Algorithmus eingerichtet. Grund, auf Englisch:"),
    ],
)
def test_it_says_so_in_german_and_gives_the_reason_as_it_is(outcome: Outcome, sentence: str, tmp_path: Path) -> None:
    identity = replace(phantoms.identity(), language="de")
    written = outcome_report.write(outcome, REASON, "brain-lesions", HEADERS, identity)
    path = tmp_path / "outcome.dcm"
    path.write_bytes(to_file(written))
    assert dciodvfy(path) == []
    assert "Von KI erstellt, nicht ärztlich geprüft." in dsrdump(path)
    items = [i for i in content_items(written) if i.ValueType == "TEXT"]
    first = next(n for n, i in enumerate(items) if i.TextValue.endswith(sentence))
    assert items[first + 1].TextValue == f"{REASON}."
    assert items[first + 1].ContentSequence[0].ConceptCodeSequence[0].CodeValue == "en"
    assert "ContentSequence" not in items[first]
