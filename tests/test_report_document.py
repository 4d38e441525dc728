"""Which document of a study is read, what its text is, and that no sentence about it holds a word of it."""

from collections.abc import Sequence

import pytest
from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage, EncapsulatedPDFStorage, EnhancedSRStorage

from dicom_node.reading.part10 import parse
from dicom_node.reading.report_document import (
    DEEPEST,
    DocumentChoice,
    ReportDocument,
    choose_document,
    documents,
    no_text,
)
from inference.inputs import TextInputs
from tests.report_documents import file_of, language, report, section, text_item
from tests.series_files import headers

CANARY = "CANARYWORD"


def found(*datasets: Dataset) -> tuple[ReportDocument, ...]:
    return documents([parse(file_of(dataset)) for dataset in datasets])


def choice(datasets: Sequence[Dataset], spoken: str = "") -> DocumentChoice:
    return choose_document(found(*datasets), TextInputs(language=spoken))


def test_text_is_what_containers_contain_in_reading_order() -> None:
    inner = section([text_item("second"), section([text_item("third")])])
    context = text_item("observer", relationship="HAS OBS CONTEXT")
    (document,) = found(report([context, section([text_item("first"), inner]), text_item("fourth")]))
    assert document.text == "first\nsecond\nthird\nfourth"
    assert document.label == "the Basic Text SR in series 5 (verified)"


@pytest.mark.parametrize("kind", [EnhancedSRStorage, ComprehensiveSRStorage, Comprehensive3DSRStorage])
def test_every_kind_of_structured_report_is_read(kind: str) -> None:
    (document,) = found(report("A mass.", kind=kind))
    assert document.text == "A mass."


def test_images_and_other_objects_are_no_reports() -> None:
    assert found(*headers()[:2], report("x", kind=EncapsulatedPDFStorage)) == ()
    reason = str(no_text(choice(headers()[:2]), 2))
    assert reason == "the study has no report text: no structured report among 2 instances"


def test_the_newest_verified_report_is_read() -> None:
    old, new = report("old", number=3, date="20260101"), report("new", number=4, date="20260103")
    draft = report("draft", number=6, verified=False, date="20260109")
    chosen = choice([new, draft, old])
    assert chosen.document is not None
    assert chosen.document.text == "new"
    assert {why for _, _, why in chosen.left} == {"fits, but the Basic Text SR in series 4 (verified) comes before it"}


def test_an_unverified_report_is_read_where_none_is_verified() -> None:
    chosen = choice([report("a", verified=False)])
    assert chosen.document is not None
    assert chosen.document.label.endswith("(not verified)")


def test_what_this_node_wrote_is_never_read() -> None:
    own = report(CANARY)
    own.Manufacturer, own.ManufacturerModelName = "dicom-node", "dicom-node"
    chosen = choice([own])
    assert chosen.document is None
    assert "made by this node" in str(no_text(chosen, 1))
    assert CANARY not in str(no_text(chosen, 1))


def test_a_report_that_another_one_replaces_is_not_read() -> None:
    first, second = report("first", number=3, date="20260105"), report("second", number=4, date="20260101")
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = first.SOPClassUID, first.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedSOPSequence = first.SeriesInstanceUID, [instance]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = first.StudyInstanceUID, [series]
    second.PredecessorDocumentsSequence = [study]
    chosen = choice([first, second])
    assert chosen.document is not None
    assert chosen.document.text == "second"
    assert [why for _, _, why in chosen.left] == ["another document replaces it"]


def test_a_report_without_text_or_in_another_language_says_so() -> None:
    german = report([language("de-AT"), text_item(CANARY)], number=8)
    chosen = choice([report([]), german], "ja")
    assert chosen.document is None
    reason = str(no_text(chosen, 2))
    assert "series 5 (verified): no text in it" in reason
    assert "series 8 (verified): in another language than ja" in reason
    assert CANARY not in reason
    assert choice([german], "de").document is not None
    assert choice([german]).document is not None


def test_text_in_another_character_set_than_named_is_not_guessed() -> None:
    broken = report(f"Gr\u00f6\u00dfe {CANARY}")
    data = file_of(broken).replace("Gr\u00f6\u00dfe".encode(), b"Gr\xf6\xdfe  ")
    chosen = choose_document(documents([parse(data)]), TextInputs())
    assert chosen.document is None
    assert "not in the character set" in str(no_text(chosen, 1))


def test_a_tree_without_end_is_no_report() -> None:
    item = text_item(CANARY)
    for _ in range(DEEPEST + 1):
        item = section([item])
    chosen = choice([report([item])])
    assert chosen.document is None
    assert "its content cannot be read" in str(no_text(chosen, 1))


def test_a_long_list_is_counted() -> None:
    empty = [report([], number=n) for n in range(1, 9)]
    assert "and 3 more" in str(no_text(choice(empty), 8))
