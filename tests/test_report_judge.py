"""A judge of text alone: it reads the prompt that came with it, both reports in their places, and answers greedily."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from export_onnx.recipes import m3d
from inference.algorithms import Runtime
from inference.algorithms.report_judge import ReportJudge
from inference.bundle import Bundle
from inference.catalogue import describe, open_reader
from inference.errors import BundleError, UnsuitableTextError
from inference.evaluation.judge import judged
from inference.language.decoder import Decoder, Tokens
from inference.language.tokenizer import read_tokenizer
from inference.manifests.judge import JudgeManifest
from tests import tiny_judges, tiny_lameds
from tests.tiny_llavas import BEGIN, DECLARATION, END, asked

CPU = Runtime(providers=("cpu",), threads=1)


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("judge")
    checkpoint = tiny_lameds.checkpoint(folder / "lamed", *tiny_lameds.models())
    return m3d.export(checkpoint, folder / "out", DECLARATION, asked())


@pytest.fixture(scope="module")
def bundle(talker: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return tiny_judges.written(tmp_path_factory.mktemp("bundles"), talker)


def test_it_reads_its_prompt_and_both_reports(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = ReportJudge.opened(bundle, CPU)
    read: list[Tokens] = []
    embedded = Decoder.embedded

    def heard(self: Decoder, tokens: Tokens) -> object:
        read.append(tokens)
        return embedded(self, tokens)

    monkeypatch.setattr(Decoder, "embedded", heard)
    answer = judge.compare("No {candidate} cyst.", f"A cyst.{END}")
    tokenizer = read_tokenizer(bundle.read("tokenizer/tokenizer.json"), "t")
    told = tokenizer.decode(list(read[0]), skip_special_tokens=False).removeprefix(BEGIN)
    assert told.strip() == "Compare.\nReference: No {candidate} cyst.\nCandidate: A cyst. \nAnswer:"
    assert len(read) <= 16
    assert judge.compare("No {candidate} cyst.", f"A cyst.{END}") == answer
    assert judge.compare("A cyst.", "A cyst.") != answer


def test_what_is_too_long_has_no_score(bundle: Bundle) -> None:
    judge = ReportJudge.opened(bundle, CPU)
    with pytest.raises(UnsuitableTextError, match="too many for the judge"):
        judge.compare("word " * 200, "No cyst.")
    assert judged(judge, [("word " * 200, "No cyst."), ("A cyst.", "No cyst.")]) == [None, None]


def test_it_reads_no_study(bundle: Bundle, talker: Bundle) -> None:
    assert describe("tiny-judge", bundle.path.parent).inputs.words == "report text"
    with pytest.raises(BundleError, match="reads no study"):
        open_reader("tiny-judge", bundle.path.parent, CPU)
    with pytest.raises(BundleError, match="not a report-judge bundle but volume-report"):
        ReportJudge.opened(talker, CPU)


@pytest.mark.parametrize("prompt", ["{reference}", "{reference} {candidate} {candidate}"])
def test_a_prompt_has_both_reports_once(talker: Bundle, tmp_path: Path, prompt: str) -> None:
    with pytest.raises(ValueError, match=r"\{reference\} and \{candidate\} once each"):
        tiny_judges.written(tmp_path, talker, prompt)


def test_a_judge_has_no_eyes(bundle: Bundle, talker: Bundle) -> None:
    values = {**bundle.manifest.model_dump(), "graphs": talker.manifest.graphs}
    with pytest.raises(ValueError, match="one graph, of role 'decoder'"):
        JudgeManifest.model_validate(values)
