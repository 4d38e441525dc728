"""Answers are compared as visual question answering does: by whole words, normalised, never by a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.evaluation.words import answer_words, same, token_f1, words

TEXTS = st.lists(st.sampled_from(["left", "right", "mass", "no", "2"]), max_size=6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Right-sided, LARGE mass.", ["right", "sided", "large", "mass"]),
        ("2.5 cm", ["2.5", "cm"]),
        ("1,200 mL", ["1200", "ml"]),
        ("None", ["0"]),
        ("two nodules", ["2", "nodules"]),
        ("the patient's skin", ["patients", "skin"]),
        ("an", []),
        ("\u00d6dem, rechts!", ["\u00f6dem", "rechts"]),
    ],
)
def test_an_answer_is_normalised(text: str, expected: list[str]) -> None:
    assert answer_words(text) == expected


def test_words_keep_articles_and_numbers_as_written() -> None:
    assert words("A mass, two cysts") == ["a", "mass", "two", "cysts"]


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = answer_words(text)
    assert answer_words(" ".join(once)) == once


def test_the_same_is_never_a_part() -> None:
    assert same("Yes.", "yes")
    assert same("One", "1")
    assert not same("B. yes", "yes")
    assert not same("no abnormality", "no")


def test_token_f1_by_hand() -> None:
    # "right upper lobe" against "right lobe right side": right and lobe are common, 2 x 2 / (3 + 4)
    assert token_f1(["right", "upper", "lobe"], ["right", "lobe", "right", "side"]) == pytest.approx(4 / 7)
    assert token_f1([], ["right"]) == 0.0
    assert token_f1([], []) == 1.0


@given(TEXTS, TEXTS)
def test_token_f1_has_bounds_and_is_symmetric(one: list[str], other: list[str]) -> None:
    assert 0.0 <= token_f1(one, other) <= 1.0
    assert token_f1(one, other) == token_f1(other, one)
    assert token_f1(one, one) == 1.0
    assert (token_f1(one, other) == 1.0) == (sorted(one) == sorted(other))
