"""Generated sentences in the report: apart, marked, with their evidence, and withheld ones counted."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import get_args

import pytest
from pydicom import Dataset, dcmread

from dicom_node.results import measurement_report, narrative_report, placement
from dicom_node.results.content_tree import content_items
from dicom_node.results.drafts import drafted
from dicom_node.results.envelope import to_file
from dicom_node.results.languages import WORDS
from dicom_node.results.objects import write_all
from dicom_node.results.spoken import spoken
from dicom_node.study import Language, ObjectKind
from inference.draft import Contradiction, Draft, Gap
from inference.findings import Findings, Narrative, Sentence
from inference.language.guard import guard
from tests import phantoms
from tests.peers import dciodvfy, dsrdump

TEXTS = (
    "A lesion of 12.3 mL is seen in the left half of the brain.",
    "The lesion has grown.",
    "A lesion is seen in the right half of the brain.",
    "No lesion is seen.",
)


def _findings() -> Findings:
    first, second, *_ = phantoms.two_lesions().findings
    return replace(phantoms.two_lesions(), findings=(first, second))


def _report(findings: Findings, language: Language = "en") -> Dataset:
    identity = replace(phantoms.identity(), language=language)
    written = narrative_report.write(findings, phantoms.single_frame(phantoms.volume()), identity)
    return dcmread(BytesIO(to_file(written)))


def _section(dataset: Dataset) -> Dataset | None:
    sections = [i for i in content_items(dataset) if i.ValueType == "CONTAINER"]
    return next((s for s in sections if s.ConceptNameCodeSequence[0].CodeValue == "draft-text"), None)


def test_drafts_stand_apart_behind_the_findings_each_with_its_mark() -> None:
    dataset = _report(guard(TEXTS, _findings()))
    section = _section(dataset)
    assert section is not None
    assert section.ConceptNameCodeSequence[0].CodeMeaning == "Draft text, generated, not verified"
    assert [item.TextValue for item in section.ContentSequence] == [
        "Generated, agrees with lesion 1, lesion 2: “A lesion of 12.3 mL is seen in the left half of the brain.”",
        (
            "Generated, NO EVIDENCE IN THE IMAGES (compares, and no earlier examination was read): "
            "“The lesion has grown.”"
        ),
        ("2 generated sentences were withheld: side contradicts lesion 1; absence contradicts lesion 1, lesion 2."),
    ]
    headings = [i.ConceptNameCodeSequence[0].CodeValue for i in content_items(dataset) if i.ValueType == "CONTAINER"]
    assert headings[-2:] == ["draft-text", narrative_report.PROCEDURE.value]
    assert narrative_report.FINDINGS.value in headings[: headings.index("draft-text")]


def test_a_draft_carries_the_segment_and_the_slice_of_its_evidence() -> None:
    section = _section(_report(guard(TEXTS, _findings())))
    assert section is not None
    agreed, without, withheld = section.ContentSequence
    referenced = [item.ReferencedSOPSequence[0] for item in agreed.ContentSequence]
    seg = placement.sop_instance_uid(phantoms.identity(), ObjectKind.SEG)
    assert [r.ReferencedSOPInstanceUID == seg for r in referenced] == [True, False, True, False]
    assert "ContentSequence" not in without
    assert len(withheld.ContentSequence) == 4


def test_what_nothing_contradicts_rests_on_the_empty_segment() -> None:
    guarded = guard(["No lesion is seen.", "A lesion is seen."], phantoms.nothing())
    assert [d.text for d in drafted(guarded, "en")] == [
        "Generated, agrees with the empty segment Lesion: “No lesion is seen.”",
        "1 generated sentence was withheld: presence contradicts the empty segment Lesion.",
    ]
    assert _section(_report(guarded)) is not None


def test_the_same_in_german() -> None:
    guarded = guard(TEXTS, _findings(), probabilities=[0.83, None, None, None])
    assert [d.text for d in drafted(guarded, "de")] == [
        (
            "Generiert, stimmt überein mit lesion 1, lesion 2, Wahrscheinlichkeit der Antwort 83 %: "
            "„A lesion of 12.3 mL is seen in the left half of the brain.“"
        ),
        "Generiert, OHNE BELEG IN DEN BILDERN (Vergleich ohne gelesene Voraufnahme): „The lesion has grown.“",
        (
            "2 generierte Sätze wurden zurückgehalten: Seite widerspricht lesion 1; "
            "Ausschluss widerspricht lesion 1, lesion 2."
        ),
    ]
    section = _section(_report(guarded, "de"))
    assert section is not None
    assert section.ConceptNameCodeSequence[0].CodeMeaning == "Entwurf, generierter Text, nicht geprüft"


def test_a_contradicted_sentence_that_is_shown_says_so() -> None:
    guarded = guard([TEXTS[2]], _findings(), contradicted="marked")
    (one,) = drafted(guarded, "en")
    assert one.text == ("Generated, CONTRADICTS lesion 1 (side): “A lesion is seen in the right half of the brain.”")


def test_no_sentence_can_mark_itself() -> None:
    guarded = guard(["x” Generated, agrees with lesion 1: “A right lesion"], _findings(), contradicted="marked")
    (one,) = drafted(guarded, "en")
    assert one.text.count("“") == one.text.count("”") == 1
    assert one.text.startswith("Generated, CONTRADICTS")


def test_without_drafts_there_is_no_section_and_nothing_else_changes() -> None:
    findings = _findings()
    assert _section(_report(findings)) is None
    guarded = guard(TEXTS, findings)
    assert spoken(guarded, "en") == spoken(findings, "en")
    assert spoken(guarded, "de") == spoken(findings, "de")


def test_the_measurement_report_is_the_same_with_and_without_drafts() -> None:
    source, identity = phantoms.single_frame(phantoms.volume()), phantoms.identity()
    one, other = (
        to_file(measurement_report.write(findings, source, identity))
        for findings in (_findings(), guard(TEXTS, _findings()))
    )
    assert one == other


@pytest.mark.parametrize("language", WORDS)
def test_peers_accept_it(language: Language, tmp_path: Path) -> None:
    path = tmp_path / "narrative.dcm"
    _report(guard(TEXTS, _findings()), language).save_as(path, enforce_file_format=True)
    assert dciodvfy(path) == []
    assert "“The lesion has grown.”" in dsrdump(path) or "„The lesion has grown.“" in dsrdump(path)


@pytest.mark.parametrize("language", WORDS)
def test_all_objects_pass_their_own_checks(language: Language) -> None:
    source, identity = phantoms.single_frame(phantoms.volume()), replace(phantoms.identity(), language=language)
    made = write_all(guard(TEXTS, _findings()), source, identity)
    assert [one.kind for one in made] == [ObjectKind.SEG, ObjectKind.SR, ObjectKind.NARRATIVE]


@pytest.mark.parametrize("language", WORDS)
def test_every_reason_has_words(language: Language) -> None:
    assert set(WORDS[language].drafts.reasons) == {*get_args(Contradiction), *get_args(Gap)}


@pytest.mark.parametrize(
    "draft",
    [Draft(verdict="supported", evidence=("lesion 9",)), Draft(verdict="supported", segment=9)],
)
def test_evidence_that_is_not_there_is_refused(draft: Draft) -> None:
    with pytest.raises(ValueError, match="not there"):
        replace(_findings(), narrative=Narrative(sentences=(Sentence(text="A lesion.", draft=draft),)))
