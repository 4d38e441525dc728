"""Texts as words for comparison: normalised as visual question answering does, exact match and token F1."""

import re
from collections import Counter
from collections.abc import Sequence

ARTICLES = frozenset({"a", "an", "the"})
"""Left out of an answer."""

_SPOKEN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"none": "0", **{word: str(number) for number, word in enumerate(_SPOKEN)}}
"""Words for which an answer's digits stand."""

_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W_]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?=\w)")


def words(text: str) -> list[str]:
    """Words and numbers of a text, lower case; punctuation separates, but for a number's point and an apostrophe.

    A comma before three digits is dropped with it: "1,200" is "1200"; "patient's" is "patients".
    """
    return _WORD.findall(_APOSTROPHE.sub("", _THOUSANDS.sub("", text.lower())))


def answer_words(text: str) -> list[str]:
    """Words of an answer, normalised: `words` without articles, small numbers as digits.

    Antol et al., VQA (ICCV 2015), the evaluation's processing of answers.
    """
    return [NUMBERS.get(word, word) for word in words(text) if word not in ARTICLES]


def same(one: str, other: str) -> bool:
    """Whether two answers are the same after normalisation; never whether one is part of the other."""
    return answer_words(one) == answer_words(other)


def token_f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over words, each as often as it occurs; of two empty texts 1.

    2 x common / (words of one + words of the other); Rajpurkar et al., SQuAD (EMNLP 2016), section 6.1.
    """
    if not answer and not reference:
        return 1.0
    common = (Counter(answer) & Counter(reference)).total()
    return 2.0 * common / (len(answer) + len(reference))
