"""BLEU against examples worked by hand, and what must hold for any text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.evaluation.bleu import corpus, counts, sentence

TEXTS = st.lists(st.sampled_from(["no", "mass", "in", "the", "left"]), max_size=8)
CAT = (["the", "cat", "is", "on", "the", "mat"], ["the", "cat", "the", "cat", "on", "the", "mat"])


def test_clipping_as_in_the_publication() -> None:
    """Papineni et al., section 2.1: "the" seven times against "the cat is on the mat" has precision 2 / 7."""
    told = counts(["the"] * 7, ["the", "cat", "is", "on", "the", "mat"])
    np.testing.assert_array_equal(told, [7, 6, 2, 0, 0, 0, 7, 6, 5, 4])
    np.testing.assert_allclose(corpus(told[None])[0], [2 / 7, 0, 0, 0])


def test_a_corpus_by_hand() -> None:
    """Counts add up over texts before anything is divided.

    "a b c d" against "a b c e": 1-grams 3 of 4, 2-grams 2 of 3, 3-grams 1 of 2, 4-grams 0 of 1.
    "a b" against "a b c d e": 1-grams 2 of 2, 2-grams 1 of 1, no longer ones.
    Together 5 of 6, 3 of 4, 1 of 2, 0 of 1; 6 words against 9: penalty exp(1 - 9 / 6) = 0.60653.
    """
    sums = counts(list("abcd"), list("abce")) + counts(list("ab"), list("abcde"))
    penalty = np.exp(-0.5)
    expected = [5 / 6, (5 / 6 * 3 / 4) ** (1 / 2), (5 / 6 * 3 / 4 * 1 / 2) ** (1 / 3), 0.0]
    np.testing.assert_allclose(corpus(sums[None])[0], np.array(expected) * penalty)


def test_a_sentence_by_hand() -> None:
    """ "the cat the cat on the mat" (7) against "the cat is on the mat" (6), no penalty.

    1-grams 5 of 7 (the 2, cat 1, on 1, mat 1); 2-grams "the cat", "on the", "the mat": 3 of 6, smoothed 4 / 7; 3-grams
    "on the mat": 1 of 5, smoothed 2 / 6; 4-grams 0 of 4, smoothed 1 / 5.
    """
    reference, candidate = CAT
    precisions = [5 / 7, 4 / 7, 2 / 6, 1 / 5]
    expected = [np.prod(precisions[:n]) ** (1 / n) for n in range(1, 5)]
    np.testing.assert_allclose(sentence(candidate, reference), expected)


def test_without_words_there_is_no_bleu() -> None:
    assert np.isnan(sentence([], [])).all()
    assert (sentence([], ["a"]) == 0).all()
    assert (sentence(["a"], []) == 0).all()
    assert np.isnan(corpus(np.zeros((1, 10)))).all()


@given(TEXTS, TEXTS)
def test_bounds_and_identity(one: list[str], other: list[str]) -> None:
    for scores in (corpus(counts(one, other)[None])[0], sentence(one, other)):
        known = scores[np.isfinite(scores)]
        assert ((known >= 0) & (known <= 1 + 1e-12)).all()
    if one:
        assert sentence(one, one) == pytest.approx(1.0)
    if len(one) >= 4:
        assert corpus(counts(one, one)[None])[0] == pytest.approx(1.0)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_a_corpus_does_not_care_for_order(texts: list[tuple[list[str], list[str]]]) -> None:
    forth = np.sum([counts(*pair) for pair in texts], axis=0)
    back = np.sum([counts(*pair) for pair in reversed(texts)], axis=0)
    np.testing.assert_array_equal(corpus(forth[None]), corpus(back[None]))
