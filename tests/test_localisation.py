"""A finding's localisation in a prompt: what is marked, where, how large, and nothing that is not known."""

from dataclasses import replace

import numpy as np
import pytest
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.findings import Finding, Measurement
from inference.language.localisation import localised, located, marked
from tests import phantoms

LESION = Code("52988006", "SCT", "Lesion")


@pytest.mark.parametrize(
    ("side", "site", "long_mm", "short_mm", "words"),
    [
        ("Left", "Frontal lobe", 22.5, 17.6, "Marked: lesion, left frontal lobe, 23 mm x 18 mm."),
        ("Right", "Brain", 22.4, 18.4, "Marked: lesion, right side, 22 mm x 18 mm."),
        (None, "Brain Stem", 9.0, None, "Marked: lesion, brain stem, 9 mm."),
        (None, "Basal ganglia", None, 4.0, "Marked: lesion, basal ganglia."),
        (None, "Brain", None, None, "Marked: lesion."),
        (None, None, 0.4, 0.2, "Marked: lesion, 0 mm x 0 mm."),
    ],
)
def test_what_is_known_is_said_and_nothing_else(
    side: str | None, site: str | None, long_mm: float | None, short_mm: float | None, words: str
) -> None:
    assert marked("Lesion", side, site, long_mm, short_mm) == words


def test_a_finding_stands_before_the_text() -> None:
    finding = Finding(
        label="lesion 1",
        code=LESION,
        site=codes.SCT.FrontalLobe,
        laterality=codes.SCT.Left,
        measurements=(
            Measurement(code=codes.SCT.LongAxis, value=23.2, unit=codes.UCUM.Millimeter),
            Measurement(code=codes.SCT.ShortAxis, value=17.9, unit=codes.UCUM.Millimeter),
        ),
    )
    assert localised("What is it?", finding) == "Marked: lesion, left frontal lobe, 23 mm x 18 mm. What is it?"


def test_several_are_said_in_one_and_what_lies_nowhere_is_not_marked() -> None:
    mask = np.zeros((8, 20, 18), dtype=np.bool_)
    mask[2:4, 5:9, 5:9] = True
    one = replace(phantoms.finding(mask), code=LESION, laterality=codes.SCT.Left, site=codes.SCT.TemporalLobe)
    said = marked("Lesion", "Left", "Temporal lobe", *map(one.measured, (codes.SCT.LongAxis, codes.SCT.ShortAxis)))
    right = replace(one, laterality=codes.SCT.Right, site=None, measurements=())
    assert located([one, right]) == f"{said.removesuffix('.')}; lesion, right side."
    assert located([replace(one, laterality=None, measurements=())]) == located([]) == "Marked: nothing."
