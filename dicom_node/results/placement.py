"""Where each kind of result object goes in the study: its own series, with number, description and UIDs.

One object a series, because viewers open only the last object of one; numbers from 9001 keep results below the images.
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
}


def sop_class_uid(identity: Identity, kind: ObjectKind) -> SOPClassUID:
    """SOP class of the object of a kind; raises DefectError where its rendering has none."""
    chosen = identity.rendering.sop_class_uid(kind)
    if chosen is None:
        raise DefectError(f"no {kind} object belongs to the rendering {identity.rendering.key!r}")
    return chosen


def sop_instance_uid(identity: Identity, kind: ObjectKind, detail: str = "") -> SOPInstanceUID:
    """SOP Instance UID of the object of a kind; `detail` tells apart what `identity` does not."""
    return SOPInstanceUID(identity.uid(f"{kind} instance{detail}", sop_class_uid(identity, kind)))


def series_instance_uid(identity: Identity, kind: ObjectKind, detail: str = "") -> SeriesInstanceUID:
    """Series Instance UID of the object of a kind; `detail` as for `sop_instance_uid`."""
    return SeriesInstanceUID(identity.uid(f"{kind} series{detail}", sop_class_uid(identity, kind)))


def tracking_uid(identity: Identity, label: str) -> str:
    """Tracking Unique Identifier of a finding or a segment, the same in every rendering of this reading."""
    return identity.content_uid(f"tracking {fit(label, 64)}")


def series_description(kind: ObjectKind, model_name: str, *, research: bool, version: int) -> str:
    """Series Description (0008,103E), at most 64 characters: the one line seen in the list of series."""
    contents = PLACES[kind].contents
    mark = "(unverified)" + (", RESEARCH USE" if research else "") + (f", v{version}" if version > 1 else "")
    room = 64 - len(f"AI:  {contents} {mark}")
    return f"AI: {fit(model_name, room)} {contents} {mark}"
