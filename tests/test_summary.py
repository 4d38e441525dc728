"""What results found, from the ledger's JSON back to findings; one label for one thing."""

import json
from dataclasses import replace

from pydicom.sr.codedict import codes

from dicom_node.reading.summary import answered, found, summarised
from inference.draft import Draft
from inference.findings import Narrative, Sentence
from inference.statements import ChoseOnSlice, Posed
from tests import phantoms


def test_findings_come_back_without_their_regions() -> None:
    findings, identity = phantoms.two_lesions(), phantoms.identity()
    values = json.loads(json.dumps(summarised(findings, identity)))
    back = found([("lesion-segmenter", values)])
    assert [uid for _, uid in back] == [value["tracking_uid"] for value in values]
    for (finding, _), given in zip(back, findings.findings, strict=True):
        assert finding.region is None
        assert (finding.label, finding.code, finding.site, finding.laterality, finding.probability) == (
            given.label,
            given.code,
            given.site,
            given.laterality,
            given.probability,
        )
        assert finding.measured(codes.SCT.Volume) == given.measured(codes.SCT.Volume)


def test_two_algorithms_with_one_label_are_told_apart() -> None:
    values = summarised(phantoms.two_lesions(), phantoms.identity())
    labels = [finding.label for finding, _ in found([("a", values), ("b", values[:1])])]
    assert labels == ["lesion 1", "lesion 2", "haemorrhage", "lesion 1 of b"]


def test_results_of_an_earlier_version_that_tell_no_label_are_counted() -> None:
    values = [
        {k: v for k, v in each.items() if k != "label"}
        for each in summarised(phantoms.two_lesions(), phantoms.identity())
    ]
    assert [finding.label for finding, _ in found([("a", values)])] == ["finding 1", "finding 2", "finding 3"]


def test_answers_are_told_with_their_marks_and_none_is_withheld_from_who_asked() -> None:
    against = Draft(verdict="contradicted", reason="side", evidence=("lesion 1",), withheld=True)
    sentences = (
        Sentence(text="Asked.", says=Posed(mode="zero-shot")),
        Sentence(text="On the right.", draft=against),
        Sentence(text="Asked.", says=Posed(mode="instructed")),
        Sentence(text="Chose.", says=ChoseOnSlice(option="Yes", probability=0.9, number=2, count=8)),
    )
    told = answered(replace(phantoms.two_lesions(), narrative=Narrative(sentences=sentences)), "de")
    first, second = json.loads(json.dumps(told))
    assert first["marked"] == ["Generiert, WIDERSPRICHT lesion 1 (Seite): „On the right.“"]
    assert first["sentences"][0]["withheld"]
    assert (second["option"], second["probability"], second["slice"], second["text"]) == ("Yes", 0.9, 2, "Yes")
    assert second["notes"][0] == "Art der Frage: instructed."
