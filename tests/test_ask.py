"""`dicom-node ask` as a person types it: what is wrong use, what nobody answers, what is shown and what is not."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from dicom_node.__main__ import app
from dicom_node.config import Config
from dicom_node.operation.ask import speaker
from dicom_node.reading.answer_line import Caller
from dicom_node.records.arrivals import Plan
from dicom_node.records.claimed_questions import AnswerEnding
from dicom_node.records.ledger import Ledger
from dicom_node.records.work import Ending
from dicom_node.study import Outcome, SeriesInstanceUID
from tests import tiny_bundles, tiny_speakers
from tests.ledgers import at, instance, ledger, result

ANSWER = {
    "mode": "zero-shot",
    "text": "A lesion.",
    "option": None,
    "probability": None,
    "slice": 4,
    "notes": ["A language model wrote about slice 4 of 7."],
    "sentences": [],
    "marked": ["Generated, agrees with lesion 1: “A lesion.”"],
}


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node with a study that was read, and a worker that the test plays."""

    config: Path
    state: Path
    ledger: Ledger

    def ask(self, typed: str | bytes, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["ask", "1.2.3", "--config", str(self.config), *arguments], input=typed)

    def asked(self) -> list[dict[str, Any]]:
        return self.ledger.questions("1.2.3")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    state = tmp_path / "state"
    book = ledger(state)
    book.record_instance(instance(1), now=at(0))
    plan = Plan(algorithm="tiny", rule="r", destinations=("pacs",), series=(SeriesInstanceUID("1.2.3.1"),))
    assert book.close_study(book.open_studies()[0], "quiet", [plan], now=at(60))
    work = book.claim_workitem("w", now=at(60), lease_s=60)
    assert work is not None
    book.end_workitem(work, "w", Ending(outcome=Outcome.RESULT, reason="", results=(result(1),)), now=at(61))
    tiny_speakers.written(tmp_path / "bundles")
    config = tmp_path / "config.toml"
    text = f'[node]\nstate_dir = "{state}"\n[inference]\nbundles_dir = "{tmp_path / "bundles"}"\n'
    config.write_text(text, encoding="utf-8")
    yield Node(config=config, state=state, ledger=book)
    book.close()


@contextmanager
def working(node: Node, *answers: Callable[[Caller], AnswerEnding | None]) -> Iterator[None]:
    """Workers that take the next question, one after the other; None: one dies without an ending."""
    done, book = threading.Event(), ledger(node.state, "w")

    def work() -> None:
        for answer in answers:
            claimed = None
            while claimed is None and not done.wait(0.02):
                claimed = book.claim_question("w", now=at(10**9), lease_s=60)
            if claimed is None:
                break
            caller = Caller(node.state, claimed.line)
            ending = answer(caller)
            if ending is not None:
                book.end_question(claimed, "w", ending, now=at(10**9))
            caller.hang_up()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        book.close()


def well(caller: Caller) -> AnswerEnding:
    caller.hear("zero-shot", "A ")
    caller.hear("zero-shot", "les\x1b[31mion.")
    return AnswerEnding(
        outcome=Outcome.RESULT, reason="", objects=("2.25.7",), answers=(ANSWER,), bundle="tiny-speaker-1.0.0"
    )


def test_the_answer_comes_as_it_is_written_and_then_with_its_marks(node: Node) -> None:
    with working(node, well):
        done = node.ask("  What\nis it? ")
    assert done.exit_code == 0, done.output
    assert "[zero-shot, not checked yet]\nA les [31mion." in done.stdout  # no escape reaches the terminal
    assert "Generated, agrees with lesion 1: “A lesion.”" in done.stdout
    assert "kept as 2.25.7, for pacs" in done.stdout
    (question,) = node.asked()
    assert question["question"] == "What is it?"
    assert "What is it?" in CliRunner().invoke(app, ["show", "1.2.3", "--config", str(node.config)]).stdout


def test_for_scripts_it_is_one_object(node: Node) -> None:
    with working(node, well):
        done = node.ask("What is it?", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["outcome"], told["bundle"], told["answers"]) == ("result", "tiny-speaker-1.0.0", [ANSWER])
    assert (told["objects"], told["destinations"], told["question"]) == (["2.25.7"], ["pacs"], 1)


def test_no_answer_is_a_no_with_the_reason(node: Node) -> None:
    with working(node, lambda _: AnswerEnding(outcome=Outcome.ABSTAINED, reason="2 slices, 3 needed")):
        done = node.ask("What is it?")
    assert done.exit_code == 1
    assert "2 slices, 3 needed" in done.stdout


def test_where_a_worker_dies_the_next_one_answers(node: Node) -> None:
    def dies(caller: Caller) -> None:
        caller.hear("zero-shot", "A ")

    with working(node, dies, well):
        done = node.ask("What is it?")
    assert done.exit_code == 0, done.output
    assert "the worker hung up; another one begins anew" in done.stderr


def test_without_a_worker_it_says_so_and_nothing_is_left(node: Node) -> None:
    done = node.ask("What is it?", "--wait", "1")
    assert done.exit_code == 1
    assert "no worker took the question within 1 s" in str(done.exception)
    (question,) = node.asked()
    assert (question["state"], question["outcome"]) == ("CANCELED", "failed")
    assert list((node.state / "asks").iterdir()) == []


def test_ctrl_c_gives_it_up(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dicom_node.operation.waiting.Ear.heard", interrupted)
    done = node.ask("What is it?")
    assert done.exit_code == 1
    assert "given up; nothing was kept" in done.stderr
    (question,) = node.asked()
    assert (question["state"], question["reason"]) == ("CANCELED", "given up by who asked")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (" \n ", "no question"),
        ("word " * 10_000, "too long: 2000 characters"),
        ("a" * 2001, "too long: 2000 characters"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_wrong_use(node: Node, typed: str | bytes, said: str) -> None:
    done = node.ask(typed)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert node.asked() == []


def test_nothing_to_go_on_from(node: Node) -> None:
    done = node.ask("And where?", "--continue")
    assert done.exit_code == 1
    assert "has not answered a question about this study yet" in str(done.exception)


def test_which_bundle_answers(node: Node, tmp_path: Path) -> None:
    def settings(*ruled: str) -> Config:
        rules = [{"name": "r", "algorithms": ruled}] if ruled else []
        return Config.model_validate({"inference": {"bundles_dir": str(tmp_path / "bundles")}, "rule": rules})

    bundles = tmp_path / "bundles"
    assert speaker(settings(), "tiny-speaker") == "tiny-speaker"
    assert speaker(settings(), "tiny-speaker-1.0.0") == "tiny-speaker-1.0.0"
    tiny_bundles.written(bundles)
    tiny_speakers.written(bundles, name="another")
    assert speaker(settings("tiny", "another"), None) == "another"
    with pytest.raises(typer.BadParameter, match="name one: "):
        speaker(settings("tiny"), None)
    with pytest.raises(typer.BadParameter, match="no bundle called 'tiny' speaks"):
        speaker(settings(), "tiny")
