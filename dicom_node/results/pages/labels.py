"""The fixed words of a page, in each of the site's languages; findings and their numbers are said elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from dicom_node.study import Language


@dataclass(frozen=True, kw_only=True)
class Labels:
    """One language; braces are filled in by the page that says it."""

    page: str
    probability: str
    image: str
    slice: str
    frame: str
    of: str
    of_series: str
    more: str
    picture: str
    read_text: str
    read: str
    series: str
    slices: str
    apart: str
    uneven: str
    no_room: str
    sentences: str
    findings: str


LABELS: Mapping[Language, Labels] = {
    "en": Labels(
        page="page {page}",
        probability="probability",
        image="Image",
        slice="Slice",
        frame="Frame",
        of="{one} of {all}",
        of_series="{one} of series {series}",
        more="and {count} more in the report",
        picture="Not for measurement: a resampled picture. Black is {low}, white {high}.",
        read_text="Read: the text of a report.",
        read="Read: {what}.",
        series="{modality} series {series}",
        slices="{slices} slices of {rows} x {columns}, {apart}",
        apart="{spacing} mm apart",
        uneven="unevenly spaced",
        no_room="Without room here: {what}. The text report holds everything.",
        sentences="sentences: {count}",
        findings="findings: {count}",
    ),
    "de": Labels(
        page="Seite {page}",
        probability="Wahrscheinlichkeit",
        image="Bild",
        slice="Schicht",
        frame="Frame",
        of="{one} von {all}",
        of_series="{one} in Serie {series}",
        more="und {count} weitere im Befundtext",
        picture="Nicht zum Messen: umgerechnetes Bild. Schwarz ist {low}, Weiß {high}.",
        read_text="Ausgewertet: der Text eines Befundberichts.",
        read="Ausgewertet: {what}.",
        series="{modality}-Serie {series}",
        slices="{slices} Schichten zu {rows} x {columns}, {apart}",
        apart="Abstand {spacing} mm",
        uneven="ungleiche Abstände",
        no_room="Hier ohne Platz: {what}. Der Befundtext enthält alles.",
        sentences="Sätze: {count}",
        findings="Befunde: {count}",
    ),
}
"""By `[node] language`."""
