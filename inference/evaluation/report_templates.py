"""Reports that know nothing of the image: everything normal, and what most reports say; a reader must beat both."""

from collections import Counter
from collections.abc import Sequence

from inference.errors import DataError
from inference.evaluation.report_facts import facts_of
from inference.evaluation.report_words import FINDINGS


def all_normal() -> str:
    """Denies every finding of the vocabulary: each that a reference denies as well counts as matched."""
    return " ".join(f"No {name}." for name in FINDINGS)


def most_frequent(training: Sequence[str]) -> str:
    """Of the reports that name and deny the most frequent set of findings, the most frequent text; ties by text.

    Raises
    ------
    DataError
        If there is no report.
    """
    if not training:
        raise DataError("the most frequent report needs a training part, and there is no report in it")
    sets = Counter(facts_of(report).findings for report in training)
    texts = Counter(training)
    return min(texts, key=lambda text: (-sets[facts_of(text).findings], -texts[text], text))
