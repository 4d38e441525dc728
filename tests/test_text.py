"""Text and numbers as they stand in objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.results.text import clean, fit, number, one_line, percent


@given(st.text(max_size=100), st.integers(1, 64))
def test_what_fits_is_one_valid_line(text: str, limit: int) -> None:
    fitted = fit(text, limit)
    assert len(fitted) <= limit
    assert fitted == fitted.strip()
    assert not any(c == "\\" or ord(c) < 32 or ord(c) == 127 for c in fitted)


def test_words_stay_apart() -> None:
    assert one_line(" a\tb\r\nc\\d\x00") == "a b c d"
    assert clean("山田^太郎") == "山田^太郎"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.345678, "12.35"),
        (1469.34, "1469"),
        (0.00012345, "0.0001234"),
        (50.0, "50"),
        (0.0, "0"),
        (123456.0, "123500"),
        (1e20, "1e+20"),
    ],
)
def test_numbers_have_four_digits_and_no_exponent(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e300, 1e300, allow_subnormal=False))
def test_a_number_for_reading_is_within_half_a_unit_of_its_fourth_digit(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=6e-4, abs=0)
    assert len(number(value)) <= 16


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "0 %"),
        (0.001, "below 1 %"),
        (0.9312, "93 %"),
        (0.9999, "above 99 %"),
        (0.995, "above 99 %"),
        (1.0, "100 %"),
    ],
)
def test_uncertainty_is_never_printed_as_certainty(probability: float, text: str) -> None:
    assert percent(probability) == text
