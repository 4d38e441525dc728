"""ROUGE-1, ROUGE-2 and ROUGE-L F1 of a text against one reference: common words, pairs of words, common subsequence.

Lin, ROUGE (ACL workshop 2004), with precision and recall weighted alike and without stemming or stop words.
"""

from collections.abc import Sequence

from inference.evaluation.bleu import n_grams


def rouge(candidate: Sequence[str], reference: Sequence[str]) -> dict[str, float]:
    """F1 by name: "rouge1", "rouge2", "rougel", each within [0, 1].

    Two texts without an n-gram of the order are 1 where they are the same, else 0.
    """
    return {
        "rouge1": _common(candidate, reference, 1),
        "rouge2": _common(candidate, reference, 2),
        "rougel": _f1(
            longest_common(candidate, reference), len(candidate), len(reference), same=candidate == reference
        ),
    }


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Words of the longest subsequence of both, gaps allowed."""
    row = [0] * (len(other) + 1)
    for word in one:
        above = row
        row = [0]
        for column, against in enumerate(other):
            row.append(above[column] + 1 if word == against else max(above[column + 1], row[column]))
    return row[-1]


def _common(candidate: Sequence[str], reference: Sequence[str], order: int) -> float:
    found, wanted = n_grams(candidate, order), n_grams(reference, order)
    return _f1((found & wanted).total(), found.total(), wanted.total(), same=candidate == reference)


def _f1(shared: int, found: int, wanted: int, *, same: bool) -> float:
    return 2.0 * shared / (found + wanted) if found + wanted else float(same)
