"""What `check` asks of destinations and what people are told of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from dicom_node.config import Config
from dicom_node.delivery.acceptance import ask
from dicom_node.delivery.link import Link, UnreachableError
from dicom_node.operation import destinations
from dicom_node.operation.report import as_json
from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.result_classes import ENHANCED, WRITTEN, Accepted
from tests.ledgers import at, ledger
from tests.loopback import free_port


def configured(port: int, **table: Any) -> Config:
    return Config.model_validate(
        {"destination": [{"name": "a", "ae_title": "PACS", "host": "127.0.0.1", "port": port, **table}]}
    )


@pytest.fixture
def enhanced_only() -> Any:
    there = SmallPacs("PACS", takes={ENHANCED: WRITTEN[ENHANCED]})
    there.start()
    yield there
    there.stop()


def test_it_is_asked_once_and_told(tmp_path: Path, enhanced_only: SmallPacs, monkeypatch: pytest.MonkeyPatch) -> None:
    config, book = configured(enhanced_only.port), ledger(tmp_path)
    (told,) = destinations.destinations_told(config, book)
    assert (told["asked_at"], told["takes"]) == (None, None)
    assert told["gets"] == "BINARY SEG, Comprehensive 3D SR, text as Enhanced SR"

    asked: list[Link] = []

    def counted(link: Link) -> Accepted:
        asked.append(link)
        return ask(link)

    monkeypatch.setattr(destinations, "ask", counted)
    for seconds, again in ((1, False), (2, False), (3, True)):
        destinations.ask_and_record(config.destination[0], "DICOMNODE", book, now=at(seconds), again=again)
    assert len(asked) == 2
    (told,) = json.loads(as_json({"destinations": destinations.destinations_told(config, book)}))["destinations"]
    assert told == {
        "name": "a",
        "profile": "auto",
        "asked_at": at(3).isoformat(),
        "takes": {"Enhanced SR": list(WRITTEN[ENHANCED])},
        "gets": "Enhanced SR, text as Enhanced SR",
    }


def test_a_generic_one_is_never_asked(tmp_path: Path) -> None:
    config, book = configured(free_port(), profile="generic"), ledger(tmp_path)
    destinations.ask_and_record(config.destination[0], "DICOMNODE", book, now=at(1), again=True)
    assert book.answer_of(config.destination[0], "DICOMNODE") is None


def test_of_one_that_is_away_nothing_is_recorded(tmp_path: Path) -> None:
    config, book = configured(free_port()), ledger(tmp_path)
    with pytest.raises(UnreachableError):
        destinations.ask_and_record(config.destination[0], "DICOMNODE", book, now=at(1), again=False)
    assert book.answer_of(config.destination[0], "DICOMNODE") is None
