"""From a Hugging Face folder to a class in the PACS: export, reading, objects, and what torch says of the same text."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from dicom_node.results.content_tree import content_items, texts
from export_onnx.__main__ import app
from inference.algorithms.report_classifier import ReportClassifier
from inference.bundle import Bundle, load
from inference.errors import BundleError, InferenceError, UnsuitableTextError
from inference.manifest import from_values
from inference.manifests.report import ReportManifest
from inference.parity import measured
from inference.report_text import ReportText
from tests import peers, tiny_berts
from tests.report_documents import file_of, report
from tests.series_files import headers
from tests.tiny_bundles import CPU, reader

CODES = {
    "glioma": {"scheme": "SCT", "value": "393564001", "meaning": "Glioma"},
    "meningioma": {"scheme": "SCT", "value": "302820008", "meaning": "Intracranial meningioma"},
    "no tumour": {"scheme": "99HOSPITAL", "value": "none", "meaning": "No tumour"},
}
TERMS = ["--name", "report-bert", "--source", "tests", "--licence", "Apache-2.0", "--training", "real"]
DATED = ["--made-at", "2026-01-01", "--least-probability", "0.0"]


def export(checkpoint: Path, out: Path, *options: str | Path) -> Any:
    return CliRunner().invoke(app, ["bert", str(checkpoint), str(out), *TERMS, *DATED, *map(str, options)])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_berts.checkpoint(tmp_path_factory.mktemp("hf") / "bert")


@pytest.fixture(scope="module")
def bundle(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundles")
    codes = folder / "codes.json"
    codes.write_text(json.dumps(CODES))
    done = export(checkpoint, folder / "bundles", "--codes", codes)
    assert done.exit_code == 0, done.output
    return load(folder / "bundles" / "report-bert-1.0.0")


@pytest.fixture(scope="module")
def classifier(bundle: Bundle) -> ReportClassifier:
    return ReportClassifier.opened(bundle, CPU)


def manifest_of(bundle: Bundle) -> ReportManifest:
    assert isinstance(bundle.manifest, ReportManifest)
    return bundle.manifest


def test_the_bundle_says_what_it_is_and_computes_the_same_here(bundle: Bundle) -> None:
    manifest = manifest_of(bundle)
    assert [kind.label for kind in manifest.classes] == list(tiny_berts.LABELS)
    assert [kind.code.model_dump() for kind in manifest.classes] == list(CODES.values())
    assert manifest.max_length == 64
    assert {file.path for file in manifest.source_checkpoint.files} == {
        *("config.json", "model.safetensors", "tokenizer.json")
    }
    assert measured(bundle, CPU).agrees


def test_the_same_checkpoint_gives_the_same_bytes(checkpoint: Path, bundle: Bundle, tmp_path: Path) -> None:
    codes = tmp_path / "codes.json"
    codes.write_text(json.dumps(CODES))
    assert export(checkpoint, tmp_path, "--codes", codes).exit_code == 0
    assert load(tmp_path / "report-bert-1.0.0").digest == bundle.digest


@pytest.mark.parametrize("text", [tiny_berts.REPORT, "No mass.", "Gr\u00f6\u00dfe unver\u00e4ndert \u8133", "x " * 500])
def test_probabilities_are_those_of_transformers(classifier: ReportClassifier, checkpoint: Path, text: str) -> None:
    expected = dict(zip(tiny_berts.LABELS, tiny_berts.probabilities(checkpoint, text), strict=True))
    assert classifier.scores(text) == pytest.approx(expected, abs=1e-4)


def test_the_network_tells_texts_apart(classifier: ReportClassifier) -> None:
    assert classifier.scores(tiny_berts.REPORT) != pytest.approx(classifier.scores("No mass."), abs=1e-3)


def test_a_checkpoint_with_vocab_txt_reads_the_same_tokens(tmp_path: Path) -> None:
    folder = tiny_berts.checkpoint(tmp_path / "bert", vocabulary_only=True)
    done = export(folder, tmp_path)
    assert done.exit_code == 0, done.output
    made = load(tmp_path / "report-bert-1.0.0")
    assert manifest_of(made).classes[2].code.model_dump() == {
        "scheme": "99DICOMNODE",
        "value": "no-tumour",
        "meaning": "no tumour",
    }
    expected = dict(zip(tiny_berts.LABELS, tiny_berts.probabilities(folder, tiny_berts.REPORT), strict=True))
    assert ReportClassifier.opened(made, CPU).scores(tiny_berts.REPORT) == pytest.approx(expected, abs=1e-4)


def test_the_finding_and_the_narrative(classifier: ReportClassifier) -> None:
    told = classifier.read_text(ReportText(text="No mass.", origin="a report given with the task"))
    scores = classifier.scores("No mass.")
    best = max(scores, key=lambda label: scores[label])
    (finding,) = told.findings
    assert finding.code.value == CODES[best]["value"]
    assert finding.probability == pytest.approx(scores[best], abs=1e-9)
    assert {m.code.value: m.value for m in told.measurements} == pytest.approx(
        {f"{label}-probability": 100 * value for label, value in scores.items()}
    )
    said = told.narrative.text
    assert f"a report given with the task is classified as {CODES[best]['meaning']}" in said
    for label, value in scores.items():
        assert f"{CODES[label]['meaning']} {100 * value:.1f} %" in said
    assert "draft" in said
    assert "tokens" not in said
    assert "mass" not in said


def test_what_was_cut_off_is_said(classifier: ReportClassifier) -> None:
    told = classifier.read_text(ReportText(text=tiny_berts.REPORT * 3, origin="a report"))
    assert re.search(r"Only the first 64 of the report's 1\d\d tokens were read\.", told.narrative.text)


def test_below_the_least_probability_no_class_is_named(bundle: Bundle, classifier: ReportClassifier) -> None:
    strict = Bundle(
        path=bundle.path,
        manifest=manifest_of(bundle).model_copy(update={"least_probability": 0.999}),
        digest=bundle.digest,
        hashes=bundle.hashes,
    )
    told = ReportClassifier.opened(strict, CPU).read_text(ReportText(text="No mass.", origin="a report"))
    assert told.findings == ()
    assert len(told.measurements) == len(tiny_berts.LABELS)
    assert "is given no class: the most probable one" in told.narrative.text
    warm = strict.manifest.model_copy(update={"temperature": 1e6})
    flat = ReportClassifier.opened(
        Bundle(path=bundle.path, manifest=warm, digest=bundle.digest, hashes=bundle.hashes), CPU
    )
    assert flat.scores("No mass.") == pytest.approx(dict.fromkeys(tiny_berts.LABELS, 1 / 3), abs=1e-4)


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b\u0000"])
def test_a_text_without_a_word_is_unsuitable(classifier: ReportClassifier, text: str) -> None:
    with pytest.raises(UnsuitableTextError, match=r"empty|no word"):
        classifier.read_text(ReportText(text=text, origin="a report"))


def test_a_text_too_long_for_a_report_is_unsuitable(classifier: ReportClassifier) -> None:
    with pytest.raises(UnsuitableTextError, match="100001 characters, the bundle reads at most 100000"):
        classifier.read_text(ReportText(text="a" * 100_001, origin="a report"))


def test_marks_of_the_tokenizer_in_a_text_are_words(classifier: ReportClassifier) -> None:
    assert classifier.scores("No mass [SEP] no bleeding") != classifier.scores("No mass no bleeding")


def test_a_segment_bundle_reads_no_text_and_a_tokenizer_must_be_one(tmp_path: Path, bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="not a report-classifier bundle but segment"):
        ReportClassifier(reader(tmp_path)._bundle, None)  # type: ignore[arg-type]
    wrong = manifest_of(bundle).model_copy(update={"tokenizer": "graphs/text.onnx"})
    with pytest.raises(BundleError, match="not a tokenizer"):
        ReportClassifier.opened(
            Bundle(path=bundle.path, manifest=wrong, digest=bundle.digest, hashes=bundle.hashes), CPU
        )


def test_a_report_text_does_not_show_itself() -> None:
    assert "secret" not in repr(ReportText(text="secret", origin="a report"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"classes": []}, "classes"),
        ({"max_length": 2}, "max_length"),
        ({"tokenizer": "../tokenizer.json"}, "not a plain file name"),
        ({"least_probability": 1.5}, "least_probability"),
        ({"inputs": {"reads": "text", "language": "Japanese"}}, "language"),
    ],
)
def test_a_manifest_that_does_not_hold_together(bundle: Bundle, change: dict[str, Any], complaint: str) -> None:
    values = json.loads(bundle.manifest.model_dump_json())
    with pytest.raises(ValueError, match=complaint):
        from_values({**values, **change})


def test_classes_and_graph_agree(bundle: Bundle) -> None:
    values = json.loads(bundle.manifest.model_dump_json())
    with pytest.raises(ValueError, match="with 2 classes"):
        from_values({**values, "classes": values["classes"][:2]})
    with pytest.raises(ValueError, match="a code of its own"):
        from_values({**values, "classes": [{**kind, "code": CODES["glioma"]} for kind in values["classes"]]})
    graph = values["graphs"][0]
    inputs = [{**graph["inputs"][0], "dtype": "int32"}, graph["inputs"][1]]
    with pytest.raises(ValueError, match="int64"):
        from_values({**values, "graphs": [{**graph, "inputs": inputs}]})
    with pytest.raises(ValueError, match="'softmax'"):
        from_values({**values, "graphs": [{**graph, "activation": "none"}]})


# -- through the node ------------------------------------------------------------------------------------------------


def study(folder: Path, *documents: Dataset) -> Path:
    folder.mkdir()
    for number, dataset in enumerate([*headers(), *documents]):
        (folder / f"{number:04}.dcm").write_bytes(file_of(dataset))
    return folder


def process(bundle: Bundle, out: Path, paths: Sequence[Path], *options: str | Path) -> subprocess.CompletedProcess[str]:
    config = out.parent / f"{out.name}.toml"
    config.write_text(f'[inference]\nbundles_dir = "{bundle.path.parent}"\nthreads = 1\n')
    command = [sys.executable, "-m", "dicom_node", "process", *paths, "--out", out, "--algorithm", "report-bert"]
    return subprocess.run(
        [str(part) for part in [*command, "--config", config, "--json", *options]],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def reading(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)["studies"]
    (told,) = one["algorithms"]
    return dict(told)


def references(dataset: Dataset) -> set[str]:
    return {
        str(instance.ReferencedSOPInstanceUID)
        for one in dataset.CurrentRequestedProcedureEvidenceSequence
        for series in one.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }


def certainty(dataset: Dataset) -> float:
    """Certainty of Finding (111012), as a share."""
    (item,) = [
        i
        for i in content_items(dataset)
        if i.ValueType == "NUM" and i.ConceptNameCodeSequence[0].get("CodeValue") == "111012"
    ]
    return float(item.MeasuredValueSequence[0].FloatingPointValue) / 100


@pytest.mark.peer
def test_a_report_in_the_study_becomes_a_class_in_the_objects(bundle: Bundle, checkpoint: Path, tmp_path: Path) -> None:
    document, draft = report(tiny_berts.REPORT), report("Draft.", number=6, verified=False)
    done = process(bundle, tmp_path / "out", [study(tmp_path / "in", document, draft)])
    told = reading(done)
    assert told["outcome"] == "result"
    assert [made["kind"] for made in told["objects"]] == ["SR", "NARRATIVE"]
    assert told["series"]["read"] == document.SeriesInstanceUID
    assert [left["series"] for left in told["series"]["left"]] == [draft.SeriesInstanceUID]
    assert told["notes"] == ["read: the Basic Text SR in series 5 (verified)"]
    measurements, narrative = (pydicom.dcmread(made["path"]) for made in told["objects"])
    expected = max(tiny_berts.probabilities(checkpoint, tiny_berts.REPORT))
    assert certainty(measurements) == pytest.approx(expected, abs=1e-4)
    for made in (measurements, narrative):
        assert references(made) == {document.SOPInstanceUID}
        assert any(item.ValueType == "COMPOSITE" for item in content_items(made))
        assert texts(made, "111001") <= {"report-bert"}
        assert [i.PurposeOfReferenceCodeSequence[0].CodeValue for i in made.ContributingEquipmentSequence] == ["109102"]
    assert "ring enhancement" not in str(measurements) + str(narrative) + done.stdout + done.stderr
    for made in told["objects"]:
        assert peers.dciodvfy(Path(made["path"])) == []
        assert "report" in peers.dsrdump(Path(made["path"]))


@pytest.mark.peer
def test_a_report_given_with_the_task_is_read_instead(bundle: Bundle, checkpoint: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text("No mass, no bleeding.", encoding="utf-8")
    folder = study(tmp_path / "in", report(tiny_berts.REPORT))
    told = reading(process(bundle, tmp_path / "out", [folder], "--report", file))
    (finding,) = told["findings"]
    expected = tiny_berts.probabilities(checkpoint, "No mass, no bleeding.")
    assert finding["probability"] == pytest.approx(max(expected), abs=1e-4)
    measurements = pydicom.dcmread(told["objects"][0]["path"])
    assert len(references(measurements)) == len(headers()) + 1
    assert "a report given with the task" in told["narrative"]
    for made in told["objects"]:
        assert peers.dciodvfy(Path(made["path"])) == []
    file.write_text("A mass.", encoding="utf-8")
    again = reading(process(bundle, tmp_path / "again", [folder], "--report", file))
    uids = {made["sop_instance_uid"] for made in told["objects"]}
    assert not uids & {made["sop_instance_uid"] for made in again["objects"]}


def test_a_study_without_report_abstains(bundle: Bundle, tmp_path: Path) -> None:
    told = reading(process(bundle, tmp_path / "out", [study(tmp_path / "in")]))
    assert (told["outcome"], [made["kind"] for made in told["objects"]]) == ("abstained", ["OUTCOME"])
    assert told["reason"] == "the study has no report text: no structured report among 6 instances"


def test_an_empty_report_given_with_the_task_abstains(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text(" \n", encoding="utf-8")
    told = reading(process(bundle, tmp_path / "out", [study(tmp_path / "in")], "--report", file))
    assert (told["outcome"], told["reason"]) == ("abstained", "the report's text is empty")


def test_a_report_file_that_is_not_utf_8_is_wrong_use(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "DOE^JANE.txt"
    file.write_bytes("Gr\u00f6\u00dfe CANARY".encode("latin-1"))
    done = process(bundle, tmp_path / "out", [study(tmp_path / "in")], "--report", file)
    assert done.returncode == 2
    assert "--report: not UTF-8 text" in done.stderr
    assert "CANARY" not in done.stderr
    assert "DOE" not in done.stderr
    file.write_bytes(b"a" * (2**20 + 1))
    done = process(bundle, tmp_path / "out", [tmp_path / "in"], "--report", file)
    assert "larger than 1048576 bytes" in done.stderr


def test_a_report_belongs_to_an_algorithm_that_reads_one(bundle: Bundle, tmp_path: Path) -> None:
    from rich.console import Console

    from dicom_node.config import Config
    from dicom_node.errors import ConfigError
    from dicom_node.operation.process import process_paths

    with pytest.raises(ConfigError, match="none of brain-lesions reads text"):
        process_paths([tmp_path], tmp_path / "out", ("brain-lesions",), Config(), Console(), "text")
    settings = Config.model_validate({"inference": {"bundles_dir": str(bundle.path.parent)}})
    with pytest.raises(ConfigError, match="the text of one study, 0 studies found"):
        process_paths([tmp_path], tmp_path / "out", ("report-bert",), settings, Console(), "text")


def test_a_run_that_fails_says_nothing_of_the_text(bundle: Bundle) -> None:
    class Broken:
        provider = "CPUExecutionProvider"

        def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
            return {"logits": inputs["input_ids"][:, :3] * float("nan")}

    broken = ReportClassifier(bundle, Broken())  # type: ignore[arg-type]
    with pytest.raises(InferenceError, match="not numbers") as caught:
        broken.read_text(ReportText(text="CANARY", origin="a report"))
    assert "CANARY" not in str(caught.value)
