"""The title page: as much as there is room for, in the order of the reading, and what finds no room counted."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dicom_node.results.pages import title_page
from dicom_node.results.pages.page import BOTTOM, SIZE, Imprint
from dicom_node.results.source import TextSource
from inference.findings import Findings, Narrative, Sentence
from tests import phantoms

IMPRINT = Imprint(warning="Made by AI.", made_by="Read by tests.", pages=1)
SOURCE = phantoms.single_frame(phantoms.volume())


def _page(findings: Findings, source: TextSource | None = None, imprint: Imprint = IMPRINT) -> NDArray[np.int64]:
    image = title_page.draw(findings, source or SOURCE, imprint, ())
    assert image.size == SIZE
    return np.asarray(image, dtype=np.int64)


def _counted(page: NDArray[np.int64]) -> bool:
    """Whether the line that counts what is left out is there."""
    return bool((page[BOTTOM - 18 : BOTTOM] > 200).any())


def _said(*texts: str) -> Findings:
    return replace(phantoms.nothing(), narrative=Narrative(sentences=tuple(Sentence(text=text) for text in texts)))


def test_what_fits_is_shown_whole_and_nothing_is_counted() -> None:
    assert not _counted(_page(phantoms.two_lesions()))
    assert not _counted(_page(phantoms.nothing()))


def test_a_long_text_is_set_smaller_and_then_cut_and_counted() -> None:
    short, long = _page(_said(*["Nothing is seen."] * 14)), _page(_said(*["Nothing is seen."] * 80))
    assert not _counted(short)
    assert _counted(long)
    np.testing.assert_array_equal(long[BOTTOM + 8 :], short[BOTTOM + 8 :])  # the foot is left alone


def test_one_sentence_without_end_is_cut() -> None:
    page = _page(_said("seen and " * 3000))
    np.testing.assert_array_equal(page[BOTTOM + 8 :], _page(phantoms.nothing())[BOTTOM + 8 :])


def test_findings_keep_their_room_below_a_long_text() -> None:
    findings = phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 4), (4, 9), (3, 7)))
    long = replace(findings, narrative=Narrative(sentences=tuple(Sentence(text="A sentence.") for _ in range(80))))
    colour = np.abs(_page(long) - findings.segments[0].color).sum(axis=-1) < 5
    assert colour.sum() == 16 * 16


def test_more_findings_than_fit_are_counted() -> None:
    one = phantoms.two_lesions().findings[0]
    findings = phantoms.two_lesions()
    many = replace(
        findings,
        findings=tuple(replace(one, label=f"lesion {n}") for n in range(1, 30)),
        narrative=Narrative(sentences=()),
    )
    assert _counted(_page(many))


@pytest.mark.parametrize(
    "wrong", [{"warning": "Made by AI. RESEARCH USE ONLY"}, {"made_by": "Read by others."}, {"pages": 9}]
)
def test_every_word_of_the_imprint_is_on_the_page(wrong: dict[str, str]) -> None:
    assert (_page(phantoms.nothing()) != _page(phantoms.nothing(), imprint=replace(IMPRINT, **wrong))).any()  # type: ignore[arg-type]


def test_a_report_that_was_read_is_named_as_one() -> None:
    source = TextSource(datasets=SOURCE.datasets[:1], document=None)
    assert (_page(phantoms.nothing(), source) != _page(phantoms.nothing())).any()
