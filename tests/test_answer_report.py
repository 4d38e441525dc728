"""The exchange as an SR: the question, each answer with its marks, what it was held against; valid for every reader."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes

from dicom_node.errors import DefectError
from dicom_node.results.content_tree import concept, content_items
from dicom_node.results.objects import write_answer
from dicom_node.study import ObjectKind, ResultObject
from inference.asked import Asked, Exchange
from inference.draft import Draft
from inference.findings import Finding, Findings, Narrative, Sentence
from inference.statements import ChoseOnSlice, Posed, WroteAboutSlice, WroteAboutVolume
from tests import peers, phantoms

LESION = Finding(label="lesion 1", code=codes.SCT.Lesion, site=codes.SCT.Brain, laterality=codes.SCT.Left)
TRACKED = (("lesion 1", "2.25.777"),)
QUESTION = 'Is there a "lesion"?\\ And where?'
ASKED = Asked(text=QUESTION, found=(LESION,), earlier=(Exchange(question="a", answer="b"),))
SOURCE = phantoms.single_frame(phantoms.volume())


def sentences() -> tuple[Sentence, ...]:
    against = Draft(verdict="contradicted", reason="side", evidence=("lesion 1",), withheld=True)
    return (
        Sentence(text="Asked of the image alone.", says=Posed(mode="zero-shot")),
        Sentence(text="A language model wrote about slice 4 of 8.", says=WroteAboutSlice(number=4, count=8)),
        Sentence(text="A lesion is there.", draft=Draft(verdict="supported", evidence=("lesion 1",))),
        Sentence(text="SECRETLY on the right.", draft=against),
        Sentence(text="Asked with what was found.", says=Posed(mode="instructed")),
        Sentence(text="About the volume.", says=WroteAboutVolume()),
        Sentence(text="Unknown words.", draft=Draft(verdict="unsupported", reason="not-understood")),
    )


def answered(*narrative: Sentence, asked: Asked = ASKED) -> Findings:
    whole = Narrative(sentences=narrative or sentences())
    return replace(phantoms.nothing(), segments=(), findings=asked.found, narrative=whole)


def made(asked: Asked = ASKED, findings: Findings | None = None, language: str = "en") -> ResultObject:
    identity = replace(phantoms.identity(), inherited=TRACKED, language=language)  # type: ignore[arg-type]
    return write_answer(findings or answered(asked=asked), asked, SOURCE, identity)


def read(result: ResultObject) -> Dataset:
    return dcmread(BytesIO(result.data))


def texts(dataset: Dataset) -> list[str]:
    return [str(item.TextValue) for item in content_items(dataset) if item.ValueType == "TEXT"]


def test_it_says_what_was_asked_and_answered() -> None:
    dataset = read(made())
    assert dataset.SeriesDescription == "AI answer: lesion-segmenter (unverified), RESEARCH USE"
    said = texts(dataset)
    assert 'Is there a "lesion"? And where?' in said
    assert "It goes on from 1 earlier question." in said
    assert "Generated, agrees with lesion 1: “A lesion is there.”" in said
    assert "1 generated sentence was withheld: side contradicts lesion 1." in said
    assert "Generated, NO EVIDENCE IN THE IMAGES (not understood): “Unknown words.”" in said
    assert not any("SECRETLY" in text for text in said)


def test_answers_stand_apart_each_on_what_it_looked_at() -> None:
    dataset = read(made())
    sections = [item for item in dataset.ContentSequence if concept(item) == "draft-text"]
    assert [section.ContentSequence[0].TextValue for section in sections] == [
        "Asked of the image alone.",
        "Asked with what was found.",
    ]
    image, series = (section.ContentSequence[1].ContentSequence[0] for section in sections)
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == SOURCE.plane(3)[0].SOPInstanceUID
    assert SOURCE.datasets[0].SeriesInstanceUID == series.UID


def test_what_it_was_held_against_is_known_by_its_tracking_uid() -> None:
    dataset = read(made())
    assert [str(item.UID) for item in content_items(dataset) if concept(item) == "112040"] == ["2.25.777"]
    assert "Lesion, Left Brain." in texts(dataset)
    nothing = Asked(text=QUESTION)
    wrote = (sentences()[0], sentences()[1], sentences()[-1])
    said = texts(read(made(nothing, answered(*wrote, asked=nothing))))
    assert "No result of this study says anything in codes that the answer could be held against." in said


def test_the_same_question_is_the_same_object_and_another_one_is_not() -> None:
    first = made()
    assert made().data == first.data
    others = [replace(ASKED, text="Where?"), replace(ASKED, earlier=()), replace(ASKED, modes=("instructed",))]
    uids = {made(asked).sop_instance_uid for asked in others}
    assert len(uids | {first.sop_instance_uid}) == 4
    assert first.kind is ObjectKind.ANSWER


def test_a_choice_is_in_the_site_s_language() -> None:
    chosen = Sentence(text="x", says=ChoseOnSlice(option="Yes", probability=0.93, number=2, count=8))
    said = texts(read(made(findings=answered(sentences()[0], chosen), language="de")))
    assert any(text.startswith("Die wahrscheinlichste der möglichen Antworten ist „Yes“") for text in said)
    assert "Sie schließt an 1 frühere Frage an." in said


def test_findings_of_another_algorithm_are_refused() -> None:
    other = replace(answered().algorithm, digest="0" * 64)
    with pytest.raises(DefectError, match="another algorithm"):
        made(findings=replace(answered(), algorithm=other))


@pytest.mark.parametrize("language", ["en", "de"])
def test_peers_accept_it(language: str, tmp_path: Path) -> None:
    path = tmp_path / "answer.dcm"
    path.write_bytes(made(language=language).data)
    assert peers.dciodvfy(path) == []
    assert "A lesion is there." in peers.dsrdump(path)
