"""Letters that a page can draw, and lines that are never wider than they may be."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.results.pages.lettering import fitting, shortened, typeface, wrapped

TEXTS = st.text(st.characters(codec="utf-8"), max_size=120)


def _drawn(letter: str, *, bold: bool) -> bytes:
    return bytes(typeface(24, bold=bold).getmask(letter))


@pytest.mark.parametrize("bold", [False, True])
def test_the_letters_of_european_languages_are_drawn(bold: bool) -> None:  # noqa: FBT001
    letters = "aZ09 äöüßÄÖÜéèêçñøåæłąęśżčřšžőűğışțșþðëïµ²³°±×–—…·„“”‘’≤≥αβγλΩЖяїђ€"  # noqa: RUF001
    box = _drawn("\U000fffff", bold=bold)
    assert [c for c in letters if _drawn(c, bold=bold) == box] == []


def test_what_is_not_there_is_a_box_and_not_nothing() -> None:
    assert any(_drawn("本", bold=False))
    assert _drawn("本", bold=False) == _drawn("語", bold=False)


@given(TEXTS, st.integers(40, 400), st.integers(12, 32))
def test_no_line_is_wider_than_it_may_be(text: str, width: int, size: int) -> None:
    font = typeface(size)
    for line in [*wrapped(text, font, width), shortened(text, font, width)]:
        assert font.getlength(line) <= width
        assert "\n" not in line


def test_wrapping_keeps_every_word_in_order() -> None:
    text = "A lesion of 12.3 mL lies in the left half of the brain, near the midline, and another behind it."
    assert " ".join(wrapped(text, typeface(20), 200)) == text


def test_what_is_cut_says_so() -> None:
    assert shortened("Cavernous malformation", typeface(20), 120).endswith("…")
    assert shortened("short", typeface(20), 120) == "short"


def test_accents_are_put_together_for_a_layout_that_cannot() -> None:
    assert shortened(unicodedata.normalize("NFD", "Läsion"), typeface(20), 500) == "Läsion"


def test_a_long_line_is_set_smaller_but_not_below_half() -> None:
    text = "Made by AI, not verified by a physician."
    assert typeface(24).getlength(text) > 400
    small = fitting(text, 400, 24)
    assert 12 <= small.size < 24
    assert small.getlength(text) <= 400
    assert fitting(text * 9, 400, 24).size == 12
