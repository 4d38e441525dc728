"""ROUGE against examples worked by hand, and what must hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.evaluation.rouge import longest_common, rouge

TEXTS = st.lists(st.sampled_from(["no", "mass", "in", "the", "left"]), max_size=8)


def test_by_hand() -> None:
    """Lin (2004), section 3.1: "police killed the gunman", "police kill the gunman" and "the gunman kill police".

    The first shares police, the, gunman (3 of 4 and 4), one pair of three, and the subsequence police the gunman (3).
    The second shares the same words and the pair "the gunman", but in order only "the gunman" (2).
    """
    reference = ["police", "killed", "the", "gunman"]
    assert rouge(["police", "kill", "the", "gunman"], reference) == pytest.approx(
        {"rouge1": 3 / 4, "rouge2": 1 / 3, "rougel": 3 / 4}
    )
    assert rouge(["the", "gunman", "kill", "police"], reference) == pytest.approx(
        {"rouge1": 3 / 4, "rouge2": 1 / 3, "rougel": 2 / 4}
    )


def test_of_unequal_lengths() -> None:
    # "left mass" in "mass in left lobe mass": words 2 of 2 and 5, no pair of 1 and 4, subsequence left mass
    told = rouge(["left", "mass"], ["mass", "in", "left", "lobe", "mass"])
    assert told == pytest.approx({"rouge1": 4 / 7, "rouge2": 0.0, "rougel": 4 / 7})


def test_texts_too_short_for_pairs() -> None:
    assert rouge(["mass"], ["mass"])["rouge2"] == 1.0
    assert rouge(["mass"], ["cyst"])["rouge2"] == 0.0
    assert set(rouge([], []).values()) == {1.0}
    assert set(rouge([], ["mass"]).values()) == {0.0}


@given(TEXTS, TEXTS)
def test_bounds_identity_and_symmetry(one: list[str], other: list[str]) -> None:
    told = rouge(one, other)
    assert all(0.0 <= value <= 1.0 for value in told.values())
    assert told == rouge(other, one)
    assert set(rouge(one, one).values()) == {1.0}
    assert told["rougel"] <= told["rouge1"]
    assert longest_common(one, one) == len(one)
