from datetime import UTC, datetime

from pydicom import Dataset

from dicom_node.reading.moment import EARLIEST, newest


def header(**values: str) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def test_the_newest_instance_counts() -> None:
    older = header(InstanceCreationDate="20250101", InstanceCreationTime="101010.25")
    newer = header(ContentDate="20250102", ContentTime="093000", StudyDate="20240101")
    assert newest([older]) == datetime(2025, 1, 1, 10, 10, 10, tzinfo=UTC)
    assert newest([newer, older]) == datetime(2025, 1, 2, 9, 30, tzinfo=UTC)
    assert newest([header(StudyDate="20250103"), older]) == datetime(2025, 1, 3, tzinfo=UTC)


def test_the_time_zone_of_the_header_is_used() -> None:
    east = header(ContentDate="20250101", ContentTime="120000", TimezoneOffsetFromUTC="+0200")
    assert newest([east]) == datetime(2025, 1, 1, 10, tzinfo=UTC)
    odd = header(ContentDate="20250101", ContentTime="120000", TimezoneOffsetFromUTC="+9999")
    assert newest([odd]) == datetime(2025, 1, 1, 12, tzinfo=UTC)


def test_dates_that_are_none_are_passed_over() -> None:
    assert newest([header(ContentDate="", StudyDate="20250101")]) == datetime(2025, 1, 1, tzinfo=UTC)
    assert newest([header(PatientID="1")]) == EARLIEST
    assert newest([]) == EARLIEST
