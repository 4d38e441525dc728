"""Whether a series fits a rule, and why not; declared fields are compared, nothing is evaluated."""

import re

from dicom_node.config import Match, Pattern
from dicom_node.study import Series


def mismatches(match: Match, series: Series) -> tuple[str, ...]:
    """Why a series does not fit, one clause for each field; empty if it fits.

    The clauses name fields and the rule's own values, never what the header says: they may stand in a log.
    """
    checks = (
        _equal("modality", match.modality, series.modality),
        _equal("body_part", match.body_part, series.body_part_examined),
        _found("series_description", match.series_description, series.description),
        _found("protocol_name", match.protocol_name, series.protocol_name),
        _equal("calling_ae", match.calling_ae, series.calling_ae),
        _contrast(match, series),
        _at_least(match.minimum_slices, series.slices),
        _at_most(match.maximum_slices, series.slices),
    )
    return tuple(clause for clause in checks if clause is not None)


def matches(match: Match, series: Series) -> bool:
    """Whether every field given fits the series."""
    return not mismatches(match, series)


def _equal(field: str, wanted: str | None, found: str) -> str | None:
    if wanted is None or wanted.casefold() == found.casefold():
        return None
    return f"{field} is not {wanted!r}"


def _found(field: str, wanted: Pattern | None, text: str) -> str | None:
    if wanted is None or re.search(wanted.pattern, text, re.IGNORECASE):
        return None
    return f"{field} does not hold {wanted.pattern!r}"


def _contrast(match: Match, series: Series) -> str | None:
    if match.contrast is None or match.contrast == series.contrast:
        return None
    return "no contrast agent given" if match.contrast else "contrast agent given"


def _at_least(wanted: int | None, slices: int) -> str | None:
    return None if wanted is None or slices >= wanted else f"{slices} slices, minimum_slices is {wanted}"


def _at_most(wanted: int | None, slices: int) -> str | None:
    return None if wanted is None or slices <= wanted else f"{slices} slices, maximum_slices is {wanted}"
