"""What is marked, where and how large, as it stands before a question or a request: of one finding, or of several."""

import math
from collections.abc import Sequence

from pydicom.sr.codedict import codes

from inference.findings import Finding

_ANYWHERE = frozenset({"brain", "brain structure"})
"""Sites that tell no part of the brain."""


def localised(text: str, finding: Finding) -> str:
    """What is asked of a finding: "Marked: lesion, left frontal lobe, 23 mm x 18 mm. " before the text.

    Parameters
    ----------
    finding
        As its reader coded and measured it, before a kind was asked for.
    """
    return f"Marked: {_of(finding)}. {text}"


def located(findings: Sequence[Finding]) -> str:
    """The same of several, without a text behind: "Marked: lesion, left frontal lobe, 23 mm x 18 mm; ...".

    Parameters
    ----------
    findings
        Of a reader that draws, of a mask that a person drew, or of a report; those without `is_placed` are passed over.

    Returns
    -------
    str
        Of none "Marked: nothing.".
    """
    return f"Marked: {'; '.join(_of(one) for one in findings if is_placed(one)) or 'nothing'}."


def is_placed(finding: Finding) -> bool:
    """Whether it is known where it lies or how large it is."""
    return finding.laterality is not None or finding.measured(codes.SCT.LongAxis) is not None


def marked(code_meaning: str, side: str | None, site: str | None, long_mm: float | None, short_mm: float | None) -> str:
    """The words of one that is no finding yet, from plain values; without what is not known.

    Parameters
    ----------
    code_meaning, side, site
        Meanings of the codes. A site that is only the brain is not known.
    long_mm, short_mm
        Axes of the largest slice, whole mm in the words, a half rounded up; without a long axis no size is said.
    """
    return f"Marked: {_words(code_meaning, side, site, long_mm, short_mm)}."


def _of(finding: Finding) -> str:
    return _words(
        finding.code.meaning,
        None if finding.laterality is None else finding.laterality.meaning,
        None if finding.site is None else finding.site.meaning,
        finding.measured(codes.SCT.LongAxis),
        finding.measured(codes.SCT.ShortAxis),
    )


def _words(code_meaning: str, side: str | None, site: str | None, long_mm: float | None, short_mm: float | None) -> str:
    parts = [code_meaning.lower(), _where(side, site), _size(long_mm, short_mm)]
    return ", ".join(part for part in parts if part)


def _where(side: str | None, site: str | None) -> str:
    place = "" if site is None or site.lower() in _ANYWHERE else site.lower()
    if not side:
        return place
    return f"{side.lower()} {place or 'side'}"


def _size(long_mm: float | None, short_mm: float | None) -> str:
    return " x ".join(
        f"{math.floor(mm + 0.5)} mm" for mm in (long_mm, short_mm) if long_mm is not None and mm is not None
    )
