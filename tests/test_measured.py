"""Findings measured where they are drawn, on plain, uneven and tilted stacks, and put into words."""

from dataclasses import replace

import numpy as np
import pytest
from highdicom import Volume
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydicom.sr.codedict import codes

from inference.findings import Finding, Measurement
from inference.image import Image
from inference.imaging.axes import axes, largest_slice
from inference.imaging.components import Component
from inference.imaging.laying import Laying
from inference.measured import measured, millilitres, size_in_words, volume_mm3
from tests import phantoms
from tests.test_laying import LAID, layings


def image(shape: tuple[int, int, int], laying: Laying | None = None) -> Image:
    grid = phantoms.volume(phantoms.OBLIQUE, shape, (3.0, 0.9, 1.1))
    return Image(volume=grid, modality="MR", weighting="T1", laying=laying)


def part(mask: np.ndarray, of: Image) -> Component:
    slices, rows, columns = mask.shape
    return Component(indices=np.argwhere(mask), affine=of.volume.affine, shape=(slices, rows, columns))


def values(found: tuple[Measurement, ...]) -> dict[str, float]:
    return {m.code.meaning: m.value for m in found}


def test_a_box_has_volume_and_axes_of_its_slice() -> None:
    plain = image((8, 20, 18))
    found = measured(part(phantoms.box((8, 20, 18), (2, 5), (4, 9), (3, 7)), plain), plain)
    assert [(m.code, m.unit) for m in found] == [
        (codes.SCT.Volume, codes.UCUM.CubicMillimeter),
        (codes.SCT.LongAxis, codes.UCUM.Millimeter),
        (codes.SCT.ShortAxis, codes.UCUM.Millimeter),
    ]
    diagonal = np.hypot(5 * 0.9, 4 * 1.1)
    expected = {"Volume": 60 * 2.97, "Long axis": diagonal, "Short axis": 4 * 1.1 * diagonal / (5 * 0.9)}
    assert values(found) == pytest.approx(expected)


def test_the_largest_slice_is_measured_however_long_another_is() -> None:
    plain = image((4, 20, 18))
    mask = phantoms.box((4, 20, 18), (1, 2), (4, 10), (3, 9)) | phantoms.box((4, 20, 18), (2, 3), (5, 6), (0, 18))
    found = values(measured(part(mask, plain), plain))
    assert found["Long axis"] == pytest.approx(6 * np.hypot(0.9, 1.1))


def test_slices_count_with_what_they_stand_for() -> None:
    uneven = replace(image((3, 5, 5)), slice_mm=(3.0, 1.5, 1.5))
    one = part(phantoms.box((3, 5, 5), (0, 2), (1, 3), (1, 3)), uneven)
    assert volume_mm3(one, uneven) == pytest.approx(4 * (3.0 + 1.5) * 0.9 * 1.1)
    assert values(measured(one, uneven))["Volume"] == volume_mm3(one, uneven)


@settings(deadline=None)
@given(layings(), st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.4]))
def test_axes_are_those_of_the_region_drawn_on_the_planes(laying: Laying, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random(laying.shape) < share
    assume(mask.any())
    laid = image(laying.shape, laying)
    found = values(measured(part(mask, laid), laid))
    region = laying.on_planes(mask)
    if not region.any():
        assert set(found) == {"Volume"}
        return
    drawn = axes(region[largest_slice(region.sum(axis=(1, 2)))], (0.9, 1.1))
    assert (found["Long axis"], found["Short axis"]) == pytest.approx((drawn.long.length_mm, drawn.short.length_mm))


def test_an_image_has_the_grid_its_planes_are_laid_on() -> None:
    with pytest.raises(ValueError, match="planes laid on"):
        image((3, 4, 5), LAID)


def test_words_quote_the_measurements_and_nothing_else() -> None:
    mask = np.ones((1, 2, 2), dtype=np.bool_)
    found = Finding(
        label="lesion 1",
        code=codes.SCT.Lesion,
        segment=0,
        region=mask,
        measurements=(
            Measurement(code=codes.SCT.ShortAxis, value=14.6, unit=codes.UCUM.Millimeter),
            Measurement(code=codes.SCT.LongAxis, value=21.4, unit=codes.UCUM.Millimeter),
            Measurement(code=codes.SCT.Volume, value=1234.0, unit=codes.UCUM.CubicMillimeter),
        ),
    )
    assert size_in_words(found) == "1.23 mL, longest axis 21 mm, perpendicular to it 15 mm"
    assert size_in_words(replace(found, measurements=found.measurements[2:])) == "1.23 mL"
    assert size_in_words(replace(found, measurements=())) == ""


@pytest.mark.parametrize(
    ("mm3", "said"), [(0.0, "0.00 mL"), (9994.9, "9.99 mL"), (9995.0, "10.0 mL"), (1.23e6, "1230.0 mL")]
)
def test_volumes_are_said_with_as_many_digits_as_they_deserve(mm3: float, said: str) -> None:
    assert millilitres(mm3) == said


def test_a_slice_across_a_volume_of_one_voxel() -> None:
    lone = Image(
        volume=Volume(np.zeros((1, 1, 1), np.float32), np.diag([2.0, 3.0, 4.0, 1.0]), coordinate_system="PATIENT"),
        modality="CT",
        weighting="CT",
    )
    found = values(measured(part(np.ones((1, 1, 1), dtype=np.bool_), lone), lone))
    assert found == pytest.approx({"Volume": 24.0, "Long axis": 5.0, "Short axis": 15.0 / 4.0})
