"""When the newest instance was made: the time of analysis where none is given, so that same files give same bytes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from pydicom import Dataset

from dicom_node.reading.header_values import text

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for instances that carry no date at all."""

_PAIRS = (
    ("InstanceCreationDate", "InstanceCreationTime"),  # PS3.3 C.12.1
    ("ContentDate", "ContentTime"),
    ("AcquisitionDate", "AcquisitionTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "StudyTime"),
)


def newest(headers: Sequence[Dataset]) -> datetime:
    """The latest time at which an instance says it was made, aware, whole seconds; EARLIEST where none says so."""
    return max((made for header in headers if (made := _made(header)) is not None), default=EARLIEST)


def _made(header: Dataset) -> datetime | None:
    for date, time in _PAIRS:
        try:
            moment = datetime.strptime(text(header, date) + (text(header, time)[:6] or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007
        except ValueError:
            continue
        return moment.replace(tzinfo=_zone(text(header, "TimezoneOffsetFromUTC")))
    return None


def _zone(offset: str) -> timezone:
    """Timezone Offset From UTC (0008,0201), "+HHMM" or "-HHMM"; UTC where it is absent or not one."""
    if len(offset) != 5 or offset[0] not in "+-" or not offset[1:].isdigit():
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return timezone((1 if offset[0] == "+" else -1) * timedelta(minutes=minutes)) if minutes < 24 * 60 else UTC
