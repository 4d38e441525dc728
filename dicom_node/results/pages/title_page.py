"""The first page of the summary: what was read, what is said of the study, each finding in a few lines and small."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from dicom_node.results.header import text
from dicom_node.results.languages import WORDS
from dicom_node.results.narrative_report import said_of, said_of_study
from dicom_node.results.pages.finding_page import slice_panel
from dicom_node.results.pages.lettering import shortened, typeface
from dicom_node.results.pages.page import BOTTOM, MARGIN, SIZE, TOP, Column, Imprint, blank
from dicom_node.results.pages.shown_finding import ShownFinding, color_of
from dicom_node.results.pages.slice_picture import FAINT, LINE, TEXT
from dicom_node.results.source import Source, TextSource
from dicom_node.results.text import number, percent
from dicom_node.results.words import PageWords
from dicom_node.study import Language
from inference.findings import Finding, Findings

_SAID = (24, 20, 16)  # sizes of what is said of the study
_CARD = 74  # pixels that a finding takes at least
_CARDS = 3  # findings for which room is kept below a long text
_COUNT = 26  # pixels kept for the line that counts what is left out
_SMALL = (128, 320)  # sides of the small pictures, least and most, pixels
_BETWEEN = 16


def draw(
    findings: Findings, source: Source | TextSource, imprint: Imprint, shown: Sequence[ShownFinding]
) -> Image.Image:
    """Draw the page; `shown` are the findings that have a page of their own, from the second on."""
    image = blank(imprint, 1)
    column = Column(image=image, left=MARGIN, right=SIZE[0] - MARGIN, top=TOP, bottom=BOTTOM - _COUNT)
    column.write(f"{findings.algorithm.name} {findings.algorithm.version}", 32, bold=True, lines=1)
    column.write(_read(source, WORDS[imprint.language].page), 16, fill=FAINT, lines=2)
    column.skip(14)
    sentences = _say(
        column,
        [said.text for said in said_of_study(findings, imprint.language)],
        keep=_CARD * min(_CARDS, len(findings.findings)),
    )
    pages = {one.finding.label: page for page, one in enumerate(shown, start=2)}
    cards = 0
    for finding in findings.findings:
        if column.room < _CARD:
            break
        _card(column, finding, findings, pages.get(finding.label), imprint.language)
        cards += 1
    _count(image, sentences, len(findings.findings) - cards, WORDS[imprint.language].page)
    _small(column, shown, WORDS[imprint.language].page)
    return image


def _read(source: Source | TextSource, labels: PageWords) -> str:
    """What was read, without anything of the patient's."""
    if isinstance(source, TextSource):
        return labels.read_text
    planes, rows, columns = source.shape
    first, spacing = source.datasets[0], source.spacing_mm
    name, modality = text(first, "SeriesNumber"), text(first, "Modality")
    series = labels.series.format(modality=modality, series=name) if name else modality
    apart = labels.apart.format(spacing=number(spacing)) if spacing else labels.uneven
    counted = labels.slices.format(slices=planes, rows=rows, columns=columns, apart=apart)
    return labels.read.format(what="; ".join((f"{series}, {counted}", *source.remarks)))


def _say(column: Column, said: Sequence[str], keep: int) -> int:
    """Write the sentences as large as they all fit above `keep` pixels; how many find no room."""
    fit = (s for s in _SAID if sum(column.height(told, s) + 6 for told in said) <= column.room - keep)
    size = next(fit, _SAID[-1])
    for index, sentence in enumerate(said):
        if column.room - keep < column.height(sentence, size) and index:
            return len(said) - index
        column.write(sentence, size, lines=max(1, (column.room - keep) // size))
        column.skip(6)
    return 0


def _card(column: Column, finding: Finding, findings: Findings, page: int | None, language: Language) -> None:
    """A finding: its colour, name, place, certainty and page; below what is said of it."""
    pen = ImageDraw.Draw(column.image)
    column.skip(4)
    pen.line((column.left, column.y, column.right, column.y), fill=LINE)
    column.skip(8)
    pen.rectangle((column.left, column.y + 4, column.left + 15, column.y + 19), fill=color_of(finding, findings))
    inner = Column(image=column.image, left=column.left + 28, right=column.right, top=column.y, bottom=column.bottom)
    words, labels = WORDS[language], WORDS[language].page
    sure = "" if finding.probability is None else percent(finding.probability, words.below, words.above)
    beside = inner.beside(
        "   ".join(part for part in (sure, labels.page.format(page=page) if page else "") if part), 20, bold=True
    )
    where = "".join(f", {part}" for part in (words.site(finding.site, finding.laterality),) if part)
    heading = f"{words.name(finding.code)}{where} ({finding.label})"
    inner.write(shortened(heading, typeface(20, bold=True), inner.right - inner.left - beside - 16), 20, bold=True)
    inner.write(" ".join(said.text for said in said_of(finding, findings, language)), 17, lines=2)
    column.y = inner.y + 2


def _count(image: Image.Image, sentences: int, findings: int, labels: PageWords) -> None:
    left = ((labels.sentences, sentences), (labels.findings, findings))
    counted = [what.format(count=count) for what, count in left if count]
    if counted:
        line = labels.no_room.format(what=", ".join(counted))
        ImageDraw.Draw(image).text((MARGIN, BOTTOM - 4), line, font=typeface(16, bold=True), fill=TEXT, anchor="ls")


def _small(column: Column, shown: Sequence[ShownFinding], labels: PageWords) -> None:
    """As many slices beside each other as there is room for, each with its page."""
    width = column.right - column.left + _BETWEEN
    side = min(column.room - 40, max(_SMALL[0], min(_SMALL[1], width // max(1, len(shown)) - _BETWEEN)))
    if side < _SMALL[0]:
        return
    pen, top = ImageDraw.Draw(column.image), column.y + 14
    for index, one in enumerate(shown[: width // (side + _BETWEEN)]):
        left = column.left + index * (side + _BETWEEN)
        column.image.paste(slice_panel(one, (side, side), 2), (left, top))
        caption = shortened(f"{labels.page.format(page=index + 2)}: {one.finding.label}", typeface(15), side)
        pen.text((left, top + side + 20), caption, font=typeface(15), fill=FAINT, anchor="ls")
