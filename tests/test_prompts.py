"""Questions with what was located before them: from codes and measurements, in one form."""

from dataclasses import replace

import numpy as np
from pydicom.sr.codedict import codes

from inference.findings import Finding
from inference.language.prompts import localised, located
from inference.measured import size_in_words
from tests import phantoms


def marked() -> Finding:
    mask = np.zeros((8, 20, 18), dtype=np.bool_)
    mask[2:4, 5:9, 5:9] = True
    return phantoms.finding(mask)


def test_a_finding_is_named_placed_and_measured() -> None:
    one = replace(marked(), code=codes.SCT.Lesion, laterality=codes.SCT.Left, site=codes.SCT.TemporalLobe)
    size = size_in_words(one)
    assert "mL" in size
    assert located([one]) == f"Marked: lesion, left temporal lobe, {size}."
    plain = replace(one, laterality=None, site=None)
    assert located([one, plain]) == f"Marked: lesion, left temporal lobe, {size}; lesion, {size}."


def test_what_has_no_region_is_not_marked() -> None:
    answered = replace(marked(), segment=None, region=None)
    assert located([answered]) == located([]) == "Marked: nothing."


def test_it_stands_before_the_question() -> None:
    assert localised("Which side?", "Marked: nothing.") == "Marked: nothing. Which side?"
