"""The brain-lesions reader: classes of candidates by their bundle, the patient by its rule, and honest words."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from highdicom import Volume
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.algorithms.brain_finder import ClassicalFinder
from inference.algorithms.lesion_classifier import LesionClassifier
from inference.catalogue import open_reader, refusal
from inference.errors import BundleError, UnsuitableImageError
from inference.findings import Findings
from inference.lesion_classes import Told
from inference.lesion_findings import named
from inference.manifest import from_values
from inference.manifests.lesions import LesionsManifest
from inference.session import Session
from inference.synthetic.bleeding_head import BleedingHead, bleeding_head
from inference.text_opinion import TextOpinion
from tests import peers, t2_series, tiny_bundles, tiny_lesions
from tests.tiny_bundles import CPU

FUSION = {"image_weight": 1.0, "text_weight": 1.0, "intercept": 0.0, "text": "made up"}


@pytest.fixture(scope="module")
def head() -> BleedingHead:
    return bleeding_head(40, ["aih", "aih"], spacing_mm=(4.0, 1.5, 1.5))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> LesionClassifier:
    return tiny_lesions.reader(tmp_path_factory.mktemp("bundles"), fusion=FUSION, training="synthetic-findings")


@pytest.fixture(scope="module")
def findings(head: BleedingHead, reader: LesionClassifier) -> Findings:
    return reader.read(head.image)


def test_lesions_are_found_classed_and_sized(head: BleedingHead, findings: Findings) -> None:
    assert [segment.label for segment in findings.segments] == ["Brain", "Candidate lesion"]
    brain, *candidates = findings.findings
    assert brain.label == "brain"
    for lesion in head.lesions:
        (one,) = [c for c in candidates if c.region is not None and (c.region & lesion.mask).any()]
        assert one.code.value in {"416824008", "274100004", "52988006"}
        axis = next(m.value for m in one.measurements if m.code == codes.SCT.LongAxis)
        assert 0.4 * lesion.diameter_mm < axis < 2.5 * lesion.diameter_mm
        told = next(m for m in one.measurements if m.code.value == "aih-probability")
        assert one.region is not None
        assert [k for k, _ in told.by_slice] == np.flatnonzero(one.region.any(axis=(1, 2))).tolist()
        assert min(p for _, p in told.by_slice) <= told.value <= max(p for _, p in told.by_slice)
        said = told.value / 100.0
        assert one.probability == (None if 0.3 < said < 0.7 else pytest.approx(max(said, 1.0 - said)))
        if one.probability is not None:
            assert [k for k, _ in one.slice_probabilities] == [k for k, _ in told.by_slice]


def test_the_patient_has_the_surest_candidate_s_probability(findings: Findings) -> None:
    each = [m.value for f in findings.findings for m in f.measurements if m.code.value == "aih-probability"]
    assert findings.study_probability == pytest.approx(max(each) / 100.0)
    assert findings.study_code == Code("274100004", "SCT", "Cerebral hemorrhage")
    assert findings.measurements == ()
    text = findings.narrative.text
    assert "Technical demonstration" in text
    assert "From the image alone" in text
    assert "in each slice, by its number" in text


def test_a_text_score_is_joined_and_said(head: BleedingHead, reader: LesionClassifier, findings: Findings) -> None:
    for score in (0.05, 0.95):
        opinion = TextOpinion(probability=score, source="the Basic Text SR in series 5, read by a bundle")
        joined = reader.read(head.image, opinion)
        assert joined.study_probability is not None
        assert findings.study_probability is not None
        assert (joined.study_probability > findings.study_probability) == (score > 0.5)
        from_image, from_text = joined.measurements
        assert from_image.value == pytest.approx(100.0 * findings.study_probability)
        assert (from_text.value, from_text.unit.value) == (100.0 * score, "%")
        assert f"Joined with the {100 * score:.0f} % of the Basic Text SR in series 5" in joined.narrative.text
        assert "the text it was fitted on was made up" in joined.narrative.text


def test_why_no_text_was_taken_is_said(head: BleedingHead, reader: LesionClassifier) -> None:
    assert "no text was taken into it (the report's text is empty)" in (
        reader.read(head.image, "the report's text is empty").narrative.text
    )
    with pytest.raises(ValueError, match="within"):
        TextOpinion(probability=1.5, source="x")


def test_a_healthy_head_gets_no_probability(reader: LesionClassifier) -> None:
    found = reader.read(bleeding_head(41, [], spacing_mm=(4.0, 1.5, 1.5)).image)
    if len(found.findings) == 1:
        assert found.study_probability is None
        assert "No dark lesion was found" in found.narrative.text


def test_a_class_is_named_only_when_it_is_probable_enough() -> None:
    manifest = from_values(tiny_lesions.manifest())
    assert isinstance(manifest, LesionsManifest)
    said = [named(Told(slices=(), probability=p), manifest) for p in (0.0, 0.29, 0.31, 0.5, 0.69, 0.71, 1.0)]
    assert said == [0, 0, None, None, None, 1, 1]


def test_what_does_not_fit_is_refused(head: BleedingHead, tmp_path: Path) -> None:
    small = tiny_lesions.reader(tmp_path, limits={"max_voxels": 1000})
    with pytest.raises(UnsuitableImageError, match="at most 1000"):
        small.read(head.image)
    nothing = Volume(np.zeros((20, 100, 100), np.float32), head.image.volume.affine, coordinate_system="PATIENT")
    with pytest.raises(UnsuitableImageError):
        tiny_lesions.reader(tmp_path).read(replace(head.image, volume=nothing))


def test_a_bundle_of_another_kind_is_refused(tmp_path: Path) -> None:
    bundle = tiny_bundles.written(tmp_path)
    spec = bundle.manifest.graph("segment")
    with pytest.raises(BundleError, match="not a brain-lesions bundle but segment"):
        LesionClassifier(bundle, Session(bundle.read(spec.file), spec, CPU), ClassicalFinder())


def test_the_catalogue_opens_it_and_refuses_synthetic_findings(tmp_path: Path) -> None:
    bundle = tiny_lesions.written(tmp_path, training="synthetic-findings")
    assert isinstance(open_reader("tiny", tmp_path, CPU), LesionClassifier)
    assert "allow_synthetic = true" in (refusal(bundle, allow_synthetic=False, allow_research=True) or "")
    assert refusal(bundle, allow_synthetic=True, allow_research=False) is None


@pytest.mark.parametrize(("age", "outcome"), [("056Y", "result"), ("006Y", "abstained")])
def test_process_writes_objects_or_abstains_outside_the_ages(
    head: BleedingHead, tmp_path: Path, age: str, outcome: str
) -> None:
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    inputs = {"modality": ["MR"], "weighting": ["T2"], "min_age_years": 18.0}
    tiny_lesions.written(bundles, training="synthetic-findings", inputs=inputs)
    folder = t2_series.written(head, tmp_path / "series", age)
    told = _processed(folder, tmp_path, bundles, allow=True)
    (study,) = told["studies"]
    assert study["outcome"] == outcome, study["reason"]
    (reading,) = study["algorithms"]
    if outcome == "abstained":
        assert "patient younger than 18 years" in reading["reason"]
        return
    assert [o["kind"] for o in reading["objects"]] == ["SEG", "SR", "NARRATIVE"]
    for written in reading["objects"]:
        assert pydicom.dcmread(written["path"]).SOPInstanceUID == written["sop_instance_uid"]
        assert peers.dciodvfy(Path(written["path"])) == []
    assert "echnical demonstration" in reading["narrative"]


def test_process_refuses_it_where_the_configuration_does_not_allow_it(head: BleedingHead, tmp_path: Path) -> None:
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    tiny_lesions.written(bundles, training="synthetic-findings")
    done = _process(t2_series.written(head, tmp_path / "series"), tmp_path, bundles, allow=False)
    assert done.returncode == 2
    assert "allow_synthetic" in done.stderr


def _process(folder: Path, tmp_path: Path, bundles: Path, *, allow: bool) -> "subprocess.CompletedProcess[str]":
    config = tmp_path / "node.toml"
    config.write_text(
        f"[inference]\nbundles_dir = {json.dumps(str(bundles))}\nallow_synthetic = {str(allow).lower()}\n"
        f'providers = ["cpu"]\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "dicom_node", "process", str(folder), "--out", str(tmp_path / "out")]
    command += ["--algorithm", "tiny", "--config", str(config), "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def _processed(folder: Path, tmp_path: Path, bundles: Path, *, allow: bool) -> dict:  # type: ignore[type-arg]
    done = _process(folder, tmp_path, bundles, allow=allow)
    assert done.returncode in (0, 1), done.stderr
    told: dict = json.loads(done.stdout)  # type: ignore[type-arg]
    return told
