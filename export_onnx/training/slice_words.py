"""What is asked about a slice and what the answers are, written from its label and mask as they are at that moment.

A slice may be turned and mirrored before it is asked about: place and size are those of the mask that went with it.
Places are those of the picture, never sides of a patient: the slices do not say how they lie in one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export_onnx.training.volume_words import Exchange

PRESENT = "Is there a tumour?"
KIND = "What kind of tumour is it?"
PLACE = "In which part of the picture is the tumour?"
SIZE = "How much of the picture does the tumour take up?"
REPORT = "Describe the picture."

KINDS = ("glioma", "meningioma", "pituitary adenoma")
NONE = "no tumour"
PLACES = ("upper left", "upper right", "lower left", "lower right")
SIZES = ("under 0.8 %", "0.8 to 1.6 %", "1.6 to 3.2 %", "3.2 % or more")
_BOUNDS = (0.008, 0.016, 0.032)
_CLEAR = 0.08  # of the picture's edge: nearer to a middle line no side of it is named


@dataclass(frozen=True, kw_only=True)
class SliceFacts:
    """A tumour on a picture.

    Attributes
    ----------
    kind
        One of `KINDS`.
    row, column
        Of its centre, as shares of the picture's edges.
    share
        Of the picture's pixels.
    """

    kind: str
    row: float
    column: float
    share: float


def slice_facts(kind: str, marked: NDArray[np.bool_]) -> SliceFacts | None:
    """Facts of a mask (row, column); None where nothing of it is left in the picture."""
    places = np.argwhere(marked)
    if not len(places):
        return None
    row, column = ((places + 0.5) / marked.shape).mean(axis=0)
    return SliceFacts(kind=kind, row=float(row), column=float(column), share=float(marked.mean()))


def closed(facts: SliceFacts | None) -> list[Exchange]:
    """Questions with options; the place only where it lies clear of both middle lines."""
    kind = facts.kind if facts else NONE
    exchanges = [
        _chosen(PRESENT, "yes" if facts else "no", ("yes", "no")),
        _chosen(KIND, kind, (*KINDS, NONE)),
        *(_chosen(is_kind(one), "yes" if one == kind else "no", ("yes", "no")) for one in KINDS),
    ]
    if facts is not None:
        exchanges.append(_chosen(SIZE, SIZES[int(np.searchsorted(_BOUNDS, facts.share, side="right"))], SIZES))
        words = _words(facts)
        if len(words) == 2:
            exchanges.append(_chosen(PLACE, " ".join(words), PLACES))
    return exchanges


def is_kind(kind: str) -> str:
    """The question whether it is of a kind."""
    return f"Is it a {kind}?"


def report(facts: SliceFacts | None) -> Exchange:
    """What is known of a slice, in sentences."""
    if facts is None:
        return Exchange(about=REPORT, question=REPORT, answer="No tumour is seen.")
    where = f"{' '.join(_words(facts))} part" if _words(facts) else "middle"
    percent = 100.0 * facts.share
    share = f"{percent:.1f}" if percent < 2.0 else f"{percent:.0f}"
    answer = f"There is a {facts.kind} in the {where} of the picture. It takes up about {share} % of the picture."
    return Exchange(about=REPORT, question=REPORT, answer=answer)


def _words(facts: SliceFacts) -> list[str]:
    """Upper or lower, left or right, where it is clear which."""
    found = []
    for place, (low, high) in ((facts.row, ("upper", "lower")), (facts.column, ("left", "right"))):
        if abs(place - 0.5) > _CLEAR:
            found.append(low if place < 0.5 else high)
    return found


def _chosen(about: str, answer: str, options: tuple[str, ...]) -> Exchange:
    return Exchange(about=about, question=about, answer=answer, options=options)
