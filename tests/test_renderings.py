"""Which destinations share what: by profile, by what each answered, by what is configured."""

from pathlib import Path
from typing import Any

import pytest

from dicom_node.config import Config
from dicom_node.errors import ConfigError
from dicom_node.reading.renderings import check_forms, rendering_of, shared_renderings
from dicom_node.records.answers import Answer
from dicom_node.result_classes import ENHANCED, LABEL_MAP, SEGMENTATION, WRITTEN, Accepted
from dicom_node.results.rendering import GENERIC_RENDERING
from tests.ledgers import at, ledger

ENHANCED_ONLY: Accepted = {ENHANCED: WRITTEN[ENHANCED]}


def configured(**tables: dict[str, Any]) -> Config:
    """Destinations by name, each at a port of its own."""
    peers = [
        {"name": name, "ae_title": "PACS", "host": "127.0.0.1", "port": 104 + number, **table}
        for number, (name, table) in enumerate(tables.items())
    ]
    return Config.model_validate({"destination": peers})


def words(config: Config, folder: Path, answers: dict[str, Accepted]) -> dict[str, tuple[str, ...]]:
    """Key of each rendering, with the destinations that share it."""
    book = ledger(folder)
    for destination in config.destination:
        if destination.name in answers:
            book.record_answer(destination, config.node.ae_title, answers[destination.name], now=at(1))
    names = [destination.name for destination in config.destination]
    return {rendering.key: who for rendering, who in shared_renderings(names, config, book).items()}


TOP = "generic: BINARY SEG, Comprehensive 3D SR, text as Enhanced SR"


def test_destinations_that_want_the_same_share_it(tmp_path: Path) -> None:
    config = configured(a={}, b={"profile": "stone"}, c={"profile": "auto"}, d={"profile": "generic"})
    assert words(config, tmp_path, {"c": WRITTEN}) == {
        TOP: ("a", "c", "d"),
        "stone: BINARY SEG, Comprehensive SR, text as Enhanced SR; original source": ("b",),
    }


def test_one_that_takes_less_gets_less_and_the_others_all(tmp_path: Path) -> None:
    config = configured(a={}, b={}, c={"profile": "ohif"})
    answers = {"b": ENHANCED_ONLY, "c": ENHANCED_ONLY}
    assert words(config, tmp_path, answers) == {
        TOP: ("a",),
        "generic: Enhanced SR, text as Enhanced SR": ("b",),
        "ohif: Enhanced SR, text as Enhanced SR": ("c",),
    }


def test_generic_is_not_narrowed_by_an_answer_from_before(tmp_path: Path) -> None:
    assert words(configured(a={"profile": "generic"}), tmp_path, {"a": ENHANCED_ONLY}) == {TOP: ("a",)}


def test_without_destinations_results_are_made_all_the_same(tmp_path: Path) -> None:
    assert shared_renderings((), Config(), ledger(tmp_path)) == {GENERIC_RENDERING: ()}
    assert shared_renderings(("gone",), Config(), ledger(tmp_path)) == {GENERIC_RENDERING: ("gone",)}


def test_a_form_that_is_wanted_goes_first_where_it_is_taken() -> None:
    (wanting,) = configured(a={"segmentation": "LABELMAP"}).destination
    assert rendering_of(wanting, None).seg_form == "LABELMAP"
    for takes, form in (((SEGMENTATION,), "BINARY"), ((LABEL_MAP, SEGMENTATION), "LABELMAP"), ((ENHANCED,), None)):
        answer = Answer(accepted={each: WRITTEN[each] for each in takes}, asked_at=at(1))
        assert rendering_of(wanting, answer).seg_form == form


def test_a_form_that_the_viewer_does_not_show_stops_the_start() -> None:
    check_forms(configured(a={"segmentation": "FRACTIONAL", "profile": "weasis"}, b={"segmentation": "LABELMAP"}))
    with pytest.raises(ConfigError, match=r"'b' segmentation = 'FRACTIONAL': ohif does not show it; .* BINARY, LABEL"):
        check_forms(configured(a={}, b={"segmentation": "FRACTIONAL", "profile": "ohif"}))


def test_pictures_are_added_where_asked() -> None:
    (wanting,) = configured(a={"secondary_capture": True}).destination
    assert rendering_of(wanting, None).words.endswith("text as Enhanced SR, Secondary Capture")
