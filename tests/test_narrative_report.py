"""The report in words, as DCMTK prints it for a reader, and each sentence's evidence."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from highdicom.sr import EnhancedSR
from pydicom import Dataset, dcmread

from dicom_node.results import narrative_report, placement
from dicom_node.results.content_tree import content_items
from dicom_node.results.envelope import to_file
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind
from inference.findings import Findings, Narrative, Sentence
from inference.statements import AsCoded, SeveralRegions
from tests import phantoms
from tests.peers import dciodvfy, dsrdump


def _source() -> Source:
    return phantoms.single_frame(phantoms.volume())


def _read(findings: Findings, source: Source | None = None) -> Dataset:
    return dcmread(BytesIO(to_file(narrative_report.write(findings, source or _source(), phantoms.identity()))))


def _sentences(dataset: Dataset) -> list[tuple[str, list[Dataset]]]:
    return [
        (str(i.TextValue), list(i.get("ContentSequence", ()))) for i in content_items(dataset) if i.ValueType == "TEXT"
    ]


def _evidence_of(dataset: Dataset, beginning: str) -> list[Dataset]:
    return next(evidence for text, evidence in _sentences(dataset) if text.startswith(beginning))


def test_it_begins_with_what_it_is() -> None:
    dataset = _read(phantoms.two_lesions())
    summary = next(i for i in content_items(dataset) if i.ValueType == "CONTAINER")
    assert summary.ConceptNameCodeSequence[0].CodeMeaning == "Summary"
    assert summary.ContentSequence[0].TextValue == (
        "Made by AI, not verified by a physician. RESEARCH USE ONLY, not for diagnosis."
    )
    assert dataset.ConceptNameCodeSequence[0].CodeValue == "18748-4"


def test_it_ends_with_who_made_it() -> None:
    text, _ = _sentences(_read(phantoms.two_lesions()))[-1]
    assert text == (
        "Read by lesion-segmenter 0.1.0 of Example Institute, sha256 5a5a5a5a5a5a, on CPUExecutionProvider. "
        "Node: dicom-node 0.1.0, 2026-01-02 03:04:05 UTC. Trained on synthetic findings only."
    )


def test_each_finding_has_a_section_and_none_is_left_out() -> None:
    dataset = _read(phantoms.two_lesions())
    labels = [t for t, _ in _sentences(dataset) if t in {"lesion 1", "lesion 2", "haemorrhage"}]
    assert labels == ["lesion 1", "lesion 2", "haemorrhage"]
    texts = [text for text, _ in _sentences(dataset)]
    assert "A lesion of 12.3 mL lies in the left half of the brain." in texts
    assert "Lesion, Left Brain, 12.3 mL, probability 93 %." in texts
    assert "Hemorrhage, Right, probability 20 %." in texts


def test_a_sentence_about_a_finding_rests_on_its_segment_and_its_slice() -> None:
    source = _source()
    segment, image = _evidence_of(_read(phantoms.two_lesions(), source), "A lesion of 12.3 mL")
    assert {i.RelationshipType for i in (segment, image)} == {"INFERRED FROM"}
    reference = segment.ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == placement.sop_instance_uid(phantoms.identity(), ObjectKind.SEG)
    assert reference.ReferencedSegmentNumber == 2
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.plane(3)[0].SOPInstanceUID


def test_a_sentence_about_the_study_rests_on_the_segmentation_or_the_series() -> None:
    source = _source()
    (whole,) = _evidence_of(_read(phantoms.two_lesions(), source), "Two lesions")
    assert "ReferencedSegmentNumber" not in whole.ReferencedSOPSequence[0]
    (series,) = _evidence_of(_read(phantoms.nothing(), source), "No lesion")
    assert (series.ValueType, series.UID) == ("UIDREF", source.datasets[0].SeriesInstanceUID)


def test_every_sentence_but_the_fixed_ones_has_evidence() -> None:
    for findings in (phantoms.two_lesions(), phantoms.nothing()):
        for text, evidence in _sentences(_read(findings))[
            4:-1
        ]:  # after the observer and the warning, before the origin
            assert evidence or text in {"lesion 1", "lesion 2", "haemorrhage"}, text


def test_the_frame_of_a_multi_frame_source_is_named() -> None:
    source = phantoms.multi_frame(phantoms.volume(), order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4])
    _, image = _evidence_of(_read(phantoms.two_lesions(), source), "A lesion of 12.3 mL")
    assert image.ReferencedSOPSequence[0].ReferencedFrameNumber == 1  # slice 3 is stored as frame 1


@pytest.mark.parametrize("findings", [phantoms.two_lesions(), phantoms.nothing()], ids=["two lesions", "nothing"])
def test_peers_accept_it(findings: Findings, tmp_path: Path) -> None:
    path = tmp_path / "narrative.dcm"
    path.write_bytes(to_file(narrative_report.write(findings, _source(), phantoms.identity())))
    assert dciodvfy(path) == []
    printed = dsrdump(path)
    assert '"Made by AI, not verified by a physician. RESEARCH USE ONLY, not for diagnosis."' in printed
    EnhancedSR.from_dataset(dcmread(path))


def test_text_over_several_lines_becomes_one() -> None:
    findings = phantoms.nothing()
    sentence = type(findings.narrative.sentences[0])(text="No lesion\r\nis\\seen.\x00")
    again = Findings(
        algorithm=findings.algorithm,
        segments=findings.segments,
        findings=(),
        narrative=type(findings.narrative)(sentences=(sentence,)),
    )
    assert "No lesion is seen." in [text for text, _ in _sentences(_read(again))]


def _in_german(findings: Findings, remarks: tuple[str, ...] = ()) -> Dataset:
    source, identity = replace(_source(), remarks=remarks), replace(phantoms.identity(), language="de")
    return dcmread(BytesIO(to_file(narrative_report.write(findings, source, identity))))


def _of_german_reader() -> Findings:
    """Two lesions, of which the reader says one thing in English alone."""
    findings = phantoms.two_lesions()
    sentences = (
        Sentence(text="Two.", says=SeveralRegions(code=findings.findings[0].code, count=2, volume_ml=24.69)),
        Sentence(text="Left.", finding="lesion 1", says=AsCoded()),
        Sentence(text="A new kind of sentence."),
    )
    return replace(findings, narrative=Narrative(sentences=sentences))


def test_the_same_in_german(tmp_path: Path) -> None:
    dataset = _in_german(_of_german_reader(), ("gantry tilt of 18.5 degrees",))
    path = tmp_path / "narrative.dcm"
    dataset.save_as(path, enforce_file_format=True)
    assert dciodvfy(path) == []
    printed = [line.strip() for line in dsrdump(path).splitlines()]
    wanted = [
        '<CONTAINER:(,,"Befundbericht Bildgebung")=SEPARATE>',
        '<has concept mod CODE:(,,"Sprache")=(de,RFC5646,"Deutsch")>',
        '<contains CONTAINER:(,,"Zusammenfassung")=SEPARATE>',
        (
            '<contains TEXT:(,,"Zusammenfassung")="Von KI erstellt, nicht ärztlich geprüft. NUR FÜR FORSCHUNGSZWECKE '
            '(RESEARCH USE ONLY), nicht zur Diagnose.">'
        ),
        '<contains TEXT:(,,"Beurteilung")="Läsion: 2 Regionen markiert, zusammen 24,7 mL.">',
        '<contains TEXT:(,,"Beurteilung")="A new kind of sentence.">',
        '<has concept mod CODE:(,,"Sprache")=(en,RFC5646,"Englisch")>',
        '<contains TEXT:(,,"Beurteilung")="Wahrscheinlichkeit für die Untersuchung insgesamt: 97 %.">',
        '<contains CONTAINER:(,,"Befunde")=SEPARATE>',
        '<has obs context TEXT:(,,"Kennung")="lesion 1">',
        '<contains CODE:(,,"Befund")=(52988006,SCT,"Läsion")>',
        '<contains TEXT:(,,"Befund")="Läsion, linke Hirnhälfte, 12,3 mL, Wahrscheinlichkeit 93 %.">',
        '<contains TEXT:(,,"Befund")="Blutung, rechts, Wahrscheinlichkeit 20 %.">',
        '<contains TEXT:(,,"Beschreibung der Durchführung")="Zu den Bildern, auf Englisch:">',
        '<contains TEXT:(,,"Beschreibung der Durchführung")="gantry tilt of 18.5 degrees.">',
        '<has concept mod CODE:(,,"Sprache")=(en,RFC5646,"Englisch")>',
    ]
    place = 0
    for line in wanted:
        place = printed.index(line, place) + 1


def test_german_changes_words_and_no_code() -> None:
    def coded(dataset: Dataset) -> list[tuple[str, ...]]:
        return [
            (str(i.ValueType), str(i.ConceptNameCodeSequence[0].CodeValue), str(i.RelationshipType))
            for i in content_items(dataset)
            if i.RelationshipType != "HAS CONCEPT MOD"
        ]

    findings = replace(_of_german_reader(), narrative=Narrative(sentences=()))
    assert coded(_in_german(findings)) == coded(_read(findings))


def test_nothing_found_in_german() -> None:
    findings = replace(phantoms.nothing(), narrative=Narrative(sentences=()))
    texts = [text for text, _ in _sentences(_in_german(findings))]
    assert "Die Auswertung ist abgeschlossen und meldet keinen Befund." in texts
    assert texts[-1] == (
        "Ausgewertet von lesion-segmenter 0.1.0 (Example Institute), SHA-256 5a5a5a5a5a5a, auf CPUExecutionProvider. "
        "Knoten: dicom-node 0.1.0, 2026-01-02 03:04:05 UTC. Nur an künstlichen Befunden trainiert."
    )
