"""Where each kind of result object goes in the study: its own series, with number, description and UIDs.

One object a series, because viewers open only the last object of one, but for pages, which are images as others;
numbers from 9001 keep results below the images.
"""

from dataclasses import dataclass

from dicom_node.errors import DefectError
from dicom_node.results.identity import Identity
from dicom_node.results.text import fit
from dicom_node.study import ObjectKind, SeriesInstanceUID, SOPClassUID, SOPInstanceUID


@dataclass(frozen=True, kw_only=True)
class Place:
    """The series one kind of object is put into.

    Attributes
    ----------
    series_number
        Series Number (0020,0011).
    modality
        Modality (0008,0060).
    contents
        What the series holds, in the words of its description.
    """

    series_number: int
    modality: str
    contents: str


PLACES: dict[ObjectKind, Place] = {
    ObjectKind.SEG: Place(series_number=9001, modality="SEG", contents="segmentation"),
    ObjectKind.SR: Place(series_number=9002, modality="SR", contents="measurements"),
    ObjectKind.NARRATIVE: Place(series_number=9003, modality="SR", contents="report"),
    ObjectKind.OUTCOME: Place(series_number=9004, modality="SR", contents="no result"),
    ObjectKind.CAPTURE: Place(series_number=9005, modality="OT", contents="summary"),
    ObjectKind.REJECTION: Place(series_number=9006, modality="KO", contents="withdrawn"),
    ObjectKind.ANSWER: Place(series_number=9007, modality="SR", contents="answer"),
}


def sop_class_uid(identity: Identity, kind: ObjectKind) -> SOPClassUID:
    """SOP class of the object of a kind; raises DefectError where its rendering has none."""
    chosen = identity.rendering.sop_class_uid(kind)
    if chosen is None:
        raise DefectError(f"no {kind} object belongs to the rendering {identity.rendering.key!r}")
    return chosen


def sop_instance_uid(identity: Identity, kind: ObjectKind, detail: str = "", number: int = 1) -> SOPInstanceUID:
    """SOP Instance UID of the object of a kind; `detail` tells apart what `identity` does not, `number` what lies in
    one series.
    """
    numbered = f" {number}" if number > 1 else ""
    return SOPInstanceUID(identity.uid(f"{kind} instance{detail}{numbered}", sop_class_uid(identity, kind)))


def series_instance_uid(identity: Identity, kind: ObjectKind, detail: str = "") -> SeriesInstanceUID:
    """Series Instance UID of the object of a kind; `detail` as for `sop_instance_uid`."""
    return SeriesInstanceUID(identity.uid(f"{kind} series{detail}", sop_class_uid(identity, kind)))


def tracking_uid(identity: Identity, label: str) -> str:
    """Tracking Unique Identifier of a finding or a segment, the same wherever this reading speaks of it."""
    return identity.tracking_uid(fit(label, 64))


def series_description(kind: ObjectKind, model_name: str, *, research: bool, version: int) -> str:
    """Series Description (0008,103E), at most 64 characters: the one line seen in the list of series.

    What it is comes first: OHIF's list shows about 24 characters of a line.
    """
    contents = PLACES[kind].contents
    mark = "(unverified)" + (", RESEARCH USE" if research else "") + (f", v{version}" if version > 1 else "")
    room = 64 - len(f"AI {contents}:  {mark}")
    return f"AI {contents}: {fit(model_name, room)} {mark}"
