"""A page of the summary for one finding: its slice, its place enlarged, and what is known of it."""

from PIL import Image, ImageDraw

from dicom_node.results.header import text
from dicom_node.results.languages import WORDS
from dicom_node.results.narrative_report import said_of
from dicom_node.results.pages.facts import measured
from dicom_node.results.pages.lettering import fitting, shortened, typeface
from dicom_node.results.pages.orientation import edges
from dicom_node.results.pages.page import BOTTOM, MARGIN, SIZE, TOP, Column, Imprint, blank
from dicom_node.results.pages.shown_finding import ShownFinding
from dicom_node.results.pages.slice_picture import (
    AMBER,
    FAINT,
    TEXT,
    draw_brackets,
    draw_edges,
    draw_ruler,
    neighbourhood,
    panel,
)
from dicom_node.results.text import number, percent
from dicom_node.results.words import PageWords
from dicom_node.study import Language
from inference.findings import Finding

_WHOLE = (536, 536)
_ENLARGED = (408, 280)
_ENLARGED_MM = (50.0, 50.0 * 408 / 280)
_UPPER, _RIGHT = 132, 588  # of the panels
_OUTLINE = 3  # pixels
_ROW, _ROWS = 26, 2  # pixels that a fact takes, and facts that must have room for one to be written
_VALUE = 280  # pixels, the longest value beside its name


def draw(shown: ShownFinding, imprint: Imprint, page: int) -> Image.Image:
    """Draw the page."""
    image = blank(imprint, page)
    _head(image, shown.finding, imprint.language)
    image.paste(slice_panel(shown, _WHOLE, _OUTLINE), (MARGIN, _UPPER))
    facts = Column(image=image, left=_RIGHT, right=SIZE[0] - MARGIN, top=_UPPER, bottom=BOTTOM)
    if _is_small(shown):
        _enlarged(image, shown)
        facts.skip(_ENLARGED[1] + 14)
    _facts(facts, shown, imprint.language)
    _legend(image, shown, WORDS[imprint.language].page)
    return image


def _head(image: Image.Image, finding: Finding, language: Language) -> None:
    """What it is, where, and how sure."""
    words, said = WORDS[language], WORDS[language].page
    name, lies = words.name(finding.code), words.site(finding.site, finding.laterality)
    pen, right, room = ImageDraw.Draw(image), SIZE[0] - MARGIN, SIZE[0] - 2 * MARGIN
    if finding.probability is not None:
        pen.text(
            (right, TOP + 30),
            percent(finding.probability, words.below, words.above),
            font=typeface(36, bold=True),
            fill=TEXT,
            anchor="rs",
        )
        pen.text((right, TOP + 54), said.probability, font=typeface(16), fill=FAINT, anchor="rs")
        room -= 240
    font = fitting(name, room, 30, bold=True)
    pen.text((MARGIN, TOP + 30), shortened(name, font, room), font=font, fill=TEXT, anchor="ls")
    where = " · ".join(part for part in (lies, finding.label) if part)
    pen.text((MARGIN, TOP + 56), shortened(where, typeface(19), room), font=typeface(19), fill=AMBER, anchor="ls")


def _is_small(shown: ShownFinding) -> bool:
    """Whether an enlargement shows all of a finding, and shows it larger."""
    if shown.extent_mm is None:
        return False
    image_mm = shown.view(_OUTLINE).extent_mm
    return all(
        finding <= 0.9 * enlarged < image
        for finding, enlarged, image in zip(shown.extent_mm, _ENLARGED_MM, image_mm, strict=True)
    )


def slice_panel(shown: ShownFinding, size: tuple[int, int], outline: int) -> Image.Image:
    """The whole slice in `size` with its edges named and a ruler, the finding between brackets where it is small.

    Parameters
    ----------
    outline
        Thickness of the finding's own, pixels.
    """
    drawn = panel(shown.view(outline), size)
    if shown.region is not None and _is_small(shown):
        draw_brackets(drawn, shown.region, shown.plane.spacing)
    along_row, down_column, _ = shown.plane.axes
    draw_edges(drawn, edges(along_row, down_column))
    draw_ruler(drawn)
    return drawn.image


def _enlarged(image: Image.Image, shown: ShownFinding) -> None:
    if shown.region is None:
        return
    part = neighbourhood(shown.region, shown.plane.spacing, _ENLARGED_MM)
    drawn = panel(shown.view(_OUTLINE).part(*part), _ENLARGED)
    draw_ruler(drawn)
    image.paste(drawn.image, (_RIGHT, _UPPER))


def _facts(column: Column, shown: ShownFinding, language: Language) -> None:
    """Which image, what was measured, and what the report says of it, as far as there is room."""
    words, labels = WORDS[language], WORDS[language].page
    values = [(words.name(m.code), words.decimals(measured(m))) for m in shown.finding.measurements]
    facts = [*_whereabouts(shown, labels), *values]
    for index, (name, said) in enumerate(facts):
        if column.room < _ROWS * _ROW:
            column.write(labels.more.format(count=len(facts) - index), 16)
            return
        beside = column.beside(shortened(said, typeface(18, bold=True), _VALUE), 18, bold=True)
        room = column.right - column.left - beside - 16
        column.write(shortened(name, typeface(18), room), 18, fill=FAINT)
        column.skip(2)
    column.skip(8)
    for sentence in said_of(shown.finding, shown.findings, language):
        column.write(sentence.text, 16)
        column.skip(3)


def _whereabouts(shown: ShownFinding, labels: PageWords) -> list[tuple[str, str]]:
    """Where a viewer finds the slice, in its numbers and in ours."""
    header, frame = shown.source.plane(shown.key)
    series, instance = text(header, "SeriesNumber"), text(header, "InstanceNumber")
    within = labels.of_series if series else "{one}"
    counted = [(labels.slice, labels.of.format(one=shown.key + 1, all=len(shown.source.planes)))]
    if frame is not None:
        return [(labels.frame, within.format(one=frame, series=series)), *counted]
    return [(labels.image, within.format(one=instance, series=series)), *counted] if instance else counted


def _legend(image: Image.Image, shown: ShownFinding, labels: PageWords) -> None:
    """Which colour is which segment, among those on the slice; how grey values are shown."""
    pen, x, y = ImageDraw.Draw(image), MARGIN, _UPPER + _WHOLE[1] + 16
    for segment in shown.findings.segments:
        label = shortened(segment.label, typeface(15), 180)
        wide = round(typeface(15).getlength(label)) + 38
        if not segment.mask[shown.key].any() or x + wide > _RIGHT:
            continue
        pen.rectangle((x, y - 6, x + 11, y + 5), fill=segment.color)
        pen.text((x + 18, y), label, font=typeface(15), fill=TEXT, anchor="lm")
        x += wide
    unit = " HU" if shown.is_ct else ""
    low, high = (f"{number(value)}{unit}" for value in shown.window)
    pen.text((MARGIN, y + 20), labels.picture.format(low=low, high=high), font=typeface(13), fill=FAINT, anchor="lm")
