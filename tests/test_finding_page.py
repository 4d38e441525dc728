"""The page of one finding: its slice in the right window, with outlines in their colours and the patient's sides."""

from dataclasses import replace

import numpy as np
import pytest
from highdicom import Volume
from numpy.typing import NDArray
from PIL import Image

from dicom_node.results.measurement_report import key_slice
from dicom_node.results.pages import finding_page
from dicom_node.results.pages.page import SIZE, Imprint
from dicom_node.results.pages.shown_finding import BRAIN_HU, ShownFinding
from dicom_node.results.pages.slice_picture import Panel, draw_edges
from inference.findings import Finding, Findings, Mask
from tests import phantoms

SHAPE = (8, 120, 100)
SPACING = (3.0, 1.5, 2.0)
IMPRINT = Imprint(warning="Made by AI.", made_by="Read by tests.", pages=2)
LESION = phantoms.box(SHAPE, (2, 5), (50, 60), (60, 66))


def _findings(mask: Mask = LESION, color: tuple[int, int, int] = (0, 255, 0)) -> Findings:
    brain = phantoms.segment(phantoms.box(SHAPE, (1, 7), (10, 110), (10, 90)), "Brain", (0, 0, 255))
    return Findings(
        algorithm=phantoms.algorithm(),
        segments=(brain, phantoms.segment(mask, color=color)),
        findings=(phantoms.finding(mask, index=1),),
        narrative=phantoms.one_lesion(mask).narrative,
    )


def _shown(
    findings: Findings, volume: Volume | None = None, value: float = 0.0, modality: str = "MR", finding: int = 0
) -> ShownFinding:
    of = volume or phantoms.volume(shape=SHAPE, spacing_mm=SPACING)
    source = phantoms.single_frame(of, modality="CT" if modality == "CT" else "MR")
    key = key_slice(findings.findings[finding])
    assert key is not None
    return ShownFinding(
        finding=findings.findings[finding],
        findings=findings,
        source=source,
        key=key,
        pixels=np.full(SHAPE[1:], value, np.float32),
        usual=(100.0, 900.0),
    )


def _pixels(image: Image.Image) -> NDArray[np.int64]:
    return np.asarray(image, dtype=np.int64)


def _near(image: Image.Image, color: tuple[int, int, int]) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.abs(_pixels(image) - color).sum(axis=-1) < 60
    return near


def test_the_outlines_lie_where_the_masks_are_in_their_colours() -> None:
    image = finding_page.slice_panel(_shown(_findings()), (540, 540), 3)
    scale = 540 / max(120 * 1.5, 100 * 2.0)
    for color, box_mm in (((0, 255, 0), (75, 90, 120, 132)), ((0, 0, 255), (15, 165, 20, 180))):
        found = np.argwhere(_near(image, color))
        (top, left), (bottom, right) = found.min(axis=0), found.max(axis=0) + 1
        above = (540 - 180 * scale) / 2  # the slice is 180 mm high and 200 mm wide
        drawn_mm = np.array([top - above, bottom - above, left, right]) / scale
        np.testing.assert_allclose(drawn_mm, box_mm, atol=2.0)


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [("axial", ("R", "L", "A", "P")), ("coronal", ("R", "L", "H", "F")), ("sagittal", ("A", "P", "H", "F"))],
)
def test_the_patients_sides_are_named(orientation: str, letters: tuple[str, str, str, str]) -> None:
    volume = phantoms.volume(phantoms.ORIENTATIONS[orientation], SHAPE, SPACING)
    image = _pixels(finding_page.slice_panel(_shown(_findings(), volume), (536, 536), 3))
    expected = Panel(image=Image.new("RGB", (536, 536)), box=(0, 0, 536, 536), scale=1.0)
    draw_edges(expected, letters)
    for part in (np.s_[200:330, :22], np.s_[200:330, -22:], np.s_[:27, 240:290], np.s_[-27:, 240:290]):
        assert _pixels(expected.image)[part].any()
        np.testing.assert_array_equal(image[part], _pixels(expected.image)[part])


def test_mr_is_shown_as_the_series_and_ct_in_the_brain_window() -> None:
    assert _shown(_findings(), value=40).window == (100.0, 900.0)
    assert _shown(_findings(), value=40, modality="CT").window == BRAIN_HU


@pytest.mark.parametrize("value", [-700.0, 400.0])
def test_a_finding_of_air_or_bone_is_not_shown_in_the_brain_window(value: float) -> None:
    assert _shown(_findings(), value=value, modality="CT").window == (100.0, 900.0)


def test_a_finding_without_a_mask_shows_its_most_probable_slice() -> None:
    findings = phantoms.two_lesions(SHAPE)
    shown = _shown(findings, finding=2)
    assert (shown.key, shown.region, shown.extent_mm) == (3, None, None)
    assert finding_page.draw(shown, IMPRINT, 2).size == SIZE


def test_only_what_is_small_is_enlarged() -> None:
    right = np.s_[140:400, 600:980]
    small = _pixels(finding_page.draw(_shown(_findings()), IMPRINT, 2))[right]
    large = _pixels(finding_page.draw(_shown(_findings(phantoms.box(SHAPE, (2, 5), (20, 90), (20, 80)))), IMPRINT, 2))
    green = (np.abs(small - (0, 255, 0)).sum(axis=-1) < 60).sum()
    assert green > 500
    assert not (np.abs(large[right] - (0, 255, 0)).sum(axis=-1) < 60).any()


@pytest.mark.parametrize(
    "change",
    [
        {"probability": 0.31},
        {"label": "lesion 7"},
        {"laterality": None},
        {"site": None},
        {"measurements": ()},
        {"code": phantoms.two_lesions().findings[2].code},
    ],
    ids=lambda change: next(iter(change)),
)
def test_all_that_is_known_is_on_the_page(change: dict[str, object]) -> None:
    findings = _findings()
    finding: Finding = replace(findings.findings[0], **change)  # type: ignore[arg-type]
    shown = _shown(findings)
    before = finding_page.draw(shown, IMPRINT, 2)
    assert before.tobytes() != finding_page.draw(replace(shown, finding=finding), IMPRINT, 2).tobytes()


def test_what_is_too_long_stays_on_the_page() -> None:
    findings = _findings()
    long = "x" * 64
    finding = replace(findings.findings[0], label=long, measurements=findings.findings[0].measurements * 40)
    page = _pixels(finding_page.draw(replace(_shown(findings), finding=finding), IMPRINT, 2))
    plain = _pixels(finding_page.draw(_shown(findings), IMPRINT, 2))
    np.testing.assert_array_equal(page[716:], plain[716:])
    np.testing.assert_array_equal(page[:, 1000:], plain[:, 1000:])
