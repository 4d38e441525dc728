"""A bundle that speaks and the one that holds it to account: findings, kinds, texts, refusals, objects."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.sr.codedict import codes

from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.operation.models import list_models
from dicom_node.reading.admission import admit
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from inference.bundle import Bundle
from inference.catalogue import describe, open_reader
from inference.draft import Draft
from inference.errors import BundleError, UnsuitableImageError
from inference.findings import Findings
from inference.image import Image
from inference.language.choice import Choice
from inference.language.conversation import Conversation, Seen
from inference.measured import probability_of
from inference.statements import KindAnswer, LiesIn, MarkedBy, WroteAboutFinding, WroteAboutFindingOnSlice
from inference.synthetic.head import synthetic_head
from tests import peers, tiny_bundles, tiny_talkers
from tests.test_process import process_json
from tests.tiny_bundles import CPU, LESION
from tests.tiny_talkers import KINDS, OF_FINDINGS

BALL = 3000.0
"""Brighter than anything in a synthetic head."""

RULE = {"?": {" Bright": 3.0, " Dark": 1.0}, ".": {"There is a lesion.": 5.0}}
BRIGHT = float(np.exp(3.0) / (np.exp(3.0) + np.exp(1.0)))


@pytest.fixture(scope="module")
def healthy() -> Image:
    return synthetic_head(5, lesions=0, spacing_mm=(3.0, 2.0, 2.0)).image


@pytest.fixture(scope="module")
def image(healthy: Image) -> Image:
    """With a bright ball in the left frontal lobe: 30 mm to the left, 45 mm in front and 15 mm above the middle."""
    volume = healthy.volume
    points = np.moveaxis(np.indices(volume.spatial_shape), 0, -1) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    inside = points[volume.array > 300.0]
    away = points - np.median(inside, axis=0) - np.array([30.0, -45.0, 15.0])
    array = np.where(np.linalg.norm(away, axis=-1) < 9.0, BALL, volume.array).astype(np.float32)
    return replace(healthy, volume=volume.with_array(array))


def marker(folder: Path, **changes: Any) -> Bundle:
    """Marks what is as bright as the ball."""
    spec = {**tiny_bundles.manifest()["findings"][0], "laterality": "midline"}
    window = [{"op": "window", "center": 2000.0, "width": 1000.0}]
    return tiny_bundles.written(folder, **{"name": "marker", "preprocess": window, "findings": [spec], **changes})


def talker(folder: Path, evidence: Bundle, rule: tiny_talkers.Rule = RULE, **changes: Any) -> Bundle:
    named = {"name": evidence.manifest.name, "version": evidence.manifest.version, "digest": evidence.digest}
    return tiny_talkers.written(folder, rule, **{"evidence": named, "locate": True, **changes})


def read(folder: Path, image: Image) -> Findings:
    reader = open_reader("talker", folder, CPU)
    found = reader.read(image)  # type: ignore[union-attr]
    assert found.algorithm == reader.algorithm == describe("talker", folder).algorithm
    return found


def drafts(found: Findings) -> dict[str, Draft]:
    return {s.text: s.draft for s in found.narrative.sentences if s.draft is not None}


def said(found: Findings, kind: type) -> list[tuple[str, str | None]]:
    return [(s.text, s.finding) for s in found.narrative.sentences if isinstance(s.says, kind)]


def test_a_finding_is_placed_called_and_kept_with_its_evidence(tmp_path: Path, image: Image) -> None:
    evidence = marker(tmp_path)
    talker(tmp_path, evidence, kinds=KINDS)
    alone, found = open_reader("marker", tmp_path, CPU).read(image), read(tmp_path, image)  # type: ignore[union-attr]
    (before,), (after,) = alone.findings, found.findings
    assert [s.label for s in found.segments] == ["Lesion"]
    assert np.array_equal(found.segments[0].mask, alone.segments[0].mask)
    assert (before.code.meaning, before.site, before.laterality) == ("Lesion", codes.SCT.Brain, codes.SCT.Left)
    assert (after.code.value, after.code.meaning) == ("hyperintense-lesion", "Hyperintense lesion")
    assert after.code.scheme_designator == "99DICOMNODE"
    assert (after.site, after.laterality) == (codes.SCT.FrontalLobe, codes.SCT.Left)
    assert after.probability == pytest.approx(BRIGHT)
    assert before.probability is not None
    assert after.measurements[:3] == before.measurements
    assert after.measurements[3] == probability_of(
        before.code, before.code.value, before.probability, before.slice_probabilities
    )
    assert [m.value for m in after.measurements[4:]] == pytest.approx([100 * BRIGHT, 100 * (1 - BRIGHT)])
    assert said(found, MarkedBy) == [(f"Marked and measured by marker 1.0.0 ({evidence.digest[:12]}).", None)]
    assert said(found, LiesIn) == [
        ("Lesion 1 lies in the left frontal lobe, by the standard head laid over the image.", "lesion 1")
    ]
    told = (
        'Asked "Which signal?" about lesion 1, the model gives Hyperintense lesion a probability of '
        f"{100 * BRIGHT:.1f} %."
    )
    assert said(found, KindAnswer) == [(told, "lesion 1")]


def test_a_kind_that_is_not_likely_enough_is_not_named(tmp_path: Path, image: Image) -> None:
    talker(tmp_path, marker(tmp_path), kinds={**KINDS, "least_probability": 0.9}, locate=False)
    (finding,) = read(tmp_path, image).findings
    assert (finding.code.meaning, finding.site, finding.probability) == ("Lesion", codes.SCT.Brain, 1.0)
    assert [m.unit.value for m in finding.measurements[3:]] == ["%", "%"]


def test_texts_about_a_finding_are_held_against_its_kind_side_site_and_size(tmp_path: Path, image: Image) -> None:
    evidence = marker(tmp_path)
    (finding,) = open_reader("marker", tmp_path, CPU).read(image).findings  # type: ignore[union-attr]
    long_mm = finding.measured(codes.SCT.LongAxis)
    assert long_mm is not None

    def sentence(kind: str = "hyperintense", side: str = "left", lobe: str = "frontal", mm: float = long_mm) -> str:
        return f"There is a {kind} lesion in the {side} {lobe} lobe with a longest diameter of {mm:.0f} mm."

    planted = {
        sentence(): None,
        sentence(kind="hypointense"): "kind",
        sentence(kind="ring"): "kind",
        sentence(side="right"): "side",
        sentence(lobe="occipital"): "anatomy",
        sentence(mm=2.0 * long_mm): "size",
        "No lesion is seen.": "absence",
        "There are two lesions.": "count",
    }
    yes_no = [{"text": " Yes", "present": True}, {"text": " No", "present": False}]
    question = {"id": "lesion", "text": "Is there a lesion?", "options": yes_no, "code": LESION}
    rule = {"?": {" Bright": 3.0, " Dark": 1.0, " Yes": 5.0, " No": 1.0}, "!": {" ".join(planted): 5.0}}
    talker(tmp_path, evidence, rule, kinds=KINDS, requests=[OF_FINDINGS], questions=[question])
    found = read(tmp_path, image)
    assert [f.label for f in found.findings] == ["lesion 1", "lesion"]
    told = drafts(found)
    assert {text: draft.reason for text, draft in told.items()} == planted
    assert all(
        draft.withheld == (reason is not None) for draft, reason in zip(told.values(), planted.values(), strict=True)
    )
    assert {draft.evidence for draft in told.values()} == {("lesion 1",)}
    announced = "A language model wrote about lesion 1; its text is a draft that nobody checked."
    assert said(found, WroteAboutFinding) == [(announced, "lesion 1")]


def test_where_the_evidence_marks_nothing_nothing_is_asked_of_findings(tmp_path: Path, healthy: Image) -> None:
    yes_no = [{"text": " Yes", "present": True}, {"text": " No", "present": False}]
    question = {"id": "lesion", "text": "Is there a lesion?", "options": yes_no, "code": LESION}
    rule = {"?": {" Yes": 5.0, " No": 1.0}, ".": {"There is a lesion. No lesion is seen.": 5.0}, "!": {"Here.": 5.0}}
    report = {"id": "report", "text": "Describe the image."}
    talker(tmp_path, marker(tmp_path), rule, kinds=KINDS, questions=[question], requests=[report, OF_FINDINGS])
    found = read(tmp_path, healthy)
    assert [f.label for f in found.findings] == ["lesion"]
    assert not said(found, KindAnswer) + said(found, WroteAboutFinding) + said(found, LiesIn)
    assert not found.segments[0].mask.any()
    assert {text: draft.reason for text, draft in drafts(found).items()} == {
        "There is a lesion.": "presence",
        "No lesion is seen.": None,
    }


def test_the_localisation_stands_before_what_is_asked(
    tmp_path: Path, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    weighed, asking = Conversation.weighed, Conversation._asked

    def spied(self: Conversation, seen: Seen, text: str, options: Sequence[str]) -> Choice:
        asked.append(text)
        return weighed(self, seen, text, options)

    def spied_too(self: Conversation, seen: Seen, text: str) -> Any:
        asked.append(text)
        return asking(self, seen, text)

    monkeypatch.setattr(Conversation, "weighed", spied)
    monkeypatch.setattr(Conversation, "_asked", spied_too)
    talker(tmp_path, marker(tmp_path), {**RULE, "!": {"It is.": 5.0}}, kinds=KINDS, requests=[OF_FINDINGS])
    found = read(tmp_path, image)
    (finding,) = found.findings
    long_mm, short_mm = (finding.measured(code) or 0.0 for code in (codes.SCT.LongAxis, codes.SCT.ShortAxis))
    marked = f"Marked: lesion, left frontal lobe, {int(long_mm + 0.5)} mm x {int(short_mm + 0.5)} mm. "
    assert set(asked) == {f"{marked}Which signal?", f"{marked}Describe it!"}


def test_a_dialogue_looks_at_the_slice_on_which_a_finding_is_largest(tmp_path: Path, image: Image) -> None:
    rule = {**RULE, "!": {"It is.": 5.0}}
    talker(tmp_path, marker(tmp_path), rule, algorithm="image-dialogue", kinds=KINDS, requests=[OF_FINDINGS])
    found = read(tmp_path, image)
    (finding,) = found.findings
    assert finding.code.meaning == "Hyperintense lesion"
    assert finding.largest_slice is not None
    number, count = finding.largest_slice + 1, image.volume.spatial_shape[0]
    assert number != count // 2 + 1
    (announced,) = said(found, WroteAboutFindingOnSlice)
    assert f"wrote about lesion 1 on slice {number} of {count};" in announced[0]


def test_what_the_evidence_cannot_read_is_not_read(tmp_path: Path, image: Image) -> None:
    talker(tmp_path, marker(tmp_path, limits={"max_voxels": 1000}))
    with pytest.raises(UnsuitableImageError, match="the bundle reads at most 1000"):
        read(tmp_path, image)


def test_another_evidence_stops_the_start(tmp_path: Path) -> None:
    evidence = marker(tmp_path)
    bundle = talker(tmp_path, evidence)
    settings = InferenceTable(bundles_dir=str(tmp_path))
    description = admit("talker", settings)
    assert description.evidence is not None
    assert description.draws == evidence.manifest
    assert next(m for m in list_models(settings)["models"] if m["name"] == "talker")["serves"]
    other = tmp_path / "other"
    other.mkdir()
    changed = marker(other, title="Another")
    bundle.path.rename(other / bundle.path.name)
    sentence = (
        f"talker-1.0.0 takes its evidence from marker-1.0.0 of digest {evidence.digest[:12]}, "
        f"the one here has {changed.digest[:12]}"
    )
    with pytest.raises(ConfigError, match=sentence):
        admit("talker", InferenceTable(bundles_dir=str(other)))
    with pytest.raises(BundleError, match=sentence):
        open_reader("talker", other, CPU)


def test_a_bundle_is_as_strict_as_its_evidence(tmp_path: Path) -> None:
    forbidden = {"name": "X", "clinical_use": "forbidden"}
    talker(tmp_path, marker(tmp_path, training="synthetic-findings", licence=forbidden), training="real")
    described = describe("talker", tmp_path)
    assert (described.algorithm.training, described.algorithm.clinical_use) == ("synthetic-findings", "forbidden")
    assert "marker 1.0.0 learnt from synthetic" in (described.refusal(allow_synthetic=False, allow_research=True) or "")
    assert "marker 1.0.0 forbids" in (described.refusal(allow_synthetic=True, allow_research=False) or "")
    assert described.refusal(allow_synthetic=True, allow_research=True) is None


def test_what_speaks_is_no_evidence(tmp_path: Path) -> None:
    first = tiny_talkers.written(tmp_path, RULE)
    talker(tmp_path, first, name="second")
    with pytest.raises(BundleError, match=r"talker-1.0.0, which itself only speaks"):
        describe("second", tmp_path)


def test_a_series_goes_through_to_a_mask_and_reports(tmp_path: Path) -> None:
    """With the segmenter that ships, on a made-up head whose lesion is known."""
    head = synthetic_head(31, lesions=1)
    (tmp_path / "in").mkdir()
    for number, dataset in enumerate(series_from_volume(head.image.volume, labels=Labels(seed="evidence"))):
        dataset.save_as(tmp_path / "in" / f"IM{number}", enforce_file_format=True)
    evidence = describe("lesion-segmenter", None).bundle
    assert evidence is not None
    (tmp_path / "bundles").mkdir()
    rule = {**RULE, "!": {"There is a bright lesion. There is a dark lesion.": 5.0}}
    report = {"id": "report", "text": "Describe the image."}
    talker(tmp_path / "bundles", evidence, rule, kinds=KINDS, requests=[report, OF_FINDINGS])
    config = tmp_path / "node.toml"
    bundles = json.dumps(str(tmp_path / "bundles"))
    config.write_text(f"[inference]\nbundles_dir = {bundles}\nallow_synthetic = true\n", encoding="utf-8")
    arguments: list[str | Path] = ["--algorithm", "talker", "--config", config]
    told = process_json(tmp_path / "in", "--out", tmp_path / "out", *arguments)
    (study,) = told["studies"]
    assert study["outcome"] == "result", study["reason"]
    (reading,) = study["algorithms"]
    assert {o["kind"] for o in reading["objects"]} == {"SEG", "SR", "NARRATIVE"}
    assert [f["code"]["value"] for f in reading["findings"]] == ["hyperintense-lesion"]
    assert f"Marked and measured by lesion-segmenter 0.1.0 ({evidence.digest[:12]})." in reading["narrative"]
    assert "A language model wrote about lesion 1;" in reading["narrative"]
    assert "Generated, agrees with lesion 1: “There is a bright lesion.”" in reading["narrative"]
    assert "There is a dark lesion." not in reading["narrative"]
    assert "1 generated sentence was withheld: kind contradicts lesion 1." in reading["narrative"]
    for told_object in reading["objects"]:
        assert peers.dciodvfy(Path(told_object["path"])) == []
