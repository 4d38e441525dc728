"""What a measurement report tracks: identifier, code and outline of each of its findings, read back from its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from dicom_node.results.content_tree import content_items

_GROUP = "125007"  # Measurement Group
_IDENTIFIER = "112039"  # Tracking Identifier
_UID = "112040"  # Tracking Unique Identifier
_FINDING = "121071"
_REGION = "111030"  # Image Region


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """A closed line on one image.

    Attributes
    ----------
    sop_instance_uid, frame_number
        Of the image; no frame number for a whole instance.
    line
        (vertex, 2), column and row as SCOORD counts them (PS3.3 C.18.6.1.2).
    """

    sop_instance_uid: str
    frame_number: int | None
    line: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracked:
    """One finding of a report.

    Attributes
    ----------
    identifier, uid
        Tracking Identifier and Tracking Unique Identifier.
    code
        Coding scheme and code value of the finding; None where the group has none.
    outline
        Where it was drawn; None for a finding without a region.
    """

    identifier: str
    uid: str
    code: tuple[str, str] | None
    outline: Outline | None


def tracked(report: bytes) -> tuple[Tracked, ...]:
    """The measurement groups of a report (TID 1410 and 1501) in their order.

    Parameters
    ----------
    report
        A DICOM file that `measurement_report` made.
    """
    groups = [item for item in content_items(dcmread(BytesIO(report))) if _name(item) == _GROUP]
    return tuple(one for group in groups if (one := _tracked(group)) is not None)


def _tracked(group: Dataset) -> Tracked | None:
    said = {name: item for item in reversed(group.get("ContentSequence", ())) if (name := _name(item))}
    if _IDENTIFIER not in said or _UID not in said:
        return None
    return Tracked(
        identifier=str(said[_IDENTIFIER].TextValue),
        uid=str(said[_UID].UID),
        code=next((_code(item) for name, item in said.items() if name == _FINDING and item.ValueType == "CODE"), None),
        outline=next(_outlines(group), None),
    )


def _outlines(group: Dataset) -> Iterator[Outline]:
    """The regions of the group itself; lines below a measurement show how it was taken."""
    for item in group.ContentSequence:
        if _name(item) != _REGION or item.ValueType != "SCOORD" or item.GraphicType != "POLYLINE":
            continue
        image = item.ContentSequence[0].ReferencedSOPSequence[0]
        frame = image.get("ReferencedFrameNumber")
        yield Outline(
            sop_instance_uid=str(image.ReferencedSOPInstanceUID),
            frame_number=None if frame is None else int(frame),
            line=np.array(item.GraphicData, dtype=np.float64).reshape(-1, 2),
        )


def _name(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence", ())
    return str(names[0].get("CodeValue", "")) if names else ""


def _code(item: Dataset) -> tuple[str, str]:
    code = item.ConceptCodeSequence[0]
    return str(code.CodingSchemeDesignator), str(code.get("CodeValue") or code.LongCodeValue)
