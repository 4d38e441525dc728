from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dicom_node.config import ClosingTable, Match, RuleTable
from dicom_node.intake.closing import Closed, Overdue, Wait, decide
from dicom_node.records.arrivals import Arrivals
from dicom_node.study import Series, SeriesInstanceUID, Study, StudyInstanceUID

START = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
CLOSING = ClosingTable(quiet_period_s=60, longest_wait_s=600, modality={"CT": 20})


def series(modality: str = "MR", description: str = "T1") -> Series:
    return Series(
        uid=SeriesInstanceUID(f"1.2.{len(modality + description)}"),
        modality=modality,
        body_part_examined="",
        description=description,
        protocol_name="",
        contrast=False,
        calling_ae="PACS",
        slices=10,
        sop_class_uids=frozenset({"1.2.840.10008.5.1.4.1.1.4"}),
    )


def arrivals(*present: Series, last_s: float = 0, instances: int = 10) -> Arrivals:
    return Arrivals(
        study=Study(uid=StudyInstanceUID("1.2.3"), version=1, series=present or (series(),)),
        first_received_at=START,
        last_received_at=START + timedelta(seconds=last_s),
        instances=instances,
    )


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_quiet_minute_closes_a_study() -> None:
    assert decide(arrivals(last_s=30), CLOSING, (), at(89)) == Wait(until=at(90))
    assert decide(arrivals(last_s=30), CLOSING, (), at(90)) == Closed(witness="nothing arrived for 60 s")


def test_the_longest_quiet_period_of_the_modalities_counts() -> None:
    assert decide(arrivals(series("CT")), CLOSING, (), at(20)) == Closed(witness="nothing arrived for 20 s")
    assert isinstance(decide(arrivals(series("CT"), series("MR")), CLOSING, (), at(20)), Wait)


def test_a_required_series_is_waited_for_until_the_longest_wait() -> None:
    rule = RuleTable(
        name="pair", algorithms=("a",), match=Match(modality="MR"), required_series=(Match(modality="CT"),)
    )
    assert decide(arrivals(), CLOSING, (rule,), at(300)) == Wait(until=at(600))
    assert decide(arrivals(), CLOSING, (rule,), at(600)) == Overdue(missing="rule 'pair' misses 1 of 1 required series")
    assert isinstance(decide(arrivals(series(), series("CT")), CLOSING, (rule,), at(60)), Closed)


def test_a_rule_that_does_not_want_the_study_requires_nothing() -> None:
    rule = RuleTable(name="ct", algorithms=("a",), match=Match(modality="CT"), required_series=(Match(modality="PT"),))
    assert isinstance(decide(arrivals(), CLOSING, (rule,), at(60)), Closed)


def test_the_expected_count_closes_at_once_and_holds_back_before() -> None:
    assert decide(arrivals(instances=10), CLOSING, (), at(0), 10) == Closed(witness="all 10 expected instances arrived")
    assert isinstance(decide(arrivals(instances=9), CLOSING, (), at(500), 10), Wait)
    assert decide(arrivals(instances=9), CLOSING, (), at(600), 10) == Overdue(
        missing="9 of 10 expected instances arrived"
    )


def test_a_sender_that_never_stops_is_cut_off() -> None:
    assert isinstance(decide(arrivals(last_s=599), CLOSING, (), at(600)), Overdue)


@given(last_s=st.floats(0, 600), now_s=st.floats(0, 2000), expected=st.none() | st.integers(1, 20))
def test_waiting_always_ends(last_s: float, now_s: float, expected: int | None) -> None:
    """A study waited for is never waited for past the date the answer named, nor past the longest wait."""
    decision = decide(arrivals(last_s=last_s), CLOSING, (), at(now_s), expected)
    if isinstance(decision, Wait):
        assert at(now_s) < decision.until <= at(600)
        assert not isinstance(decide(arrivals(last_s=last_s), CLOSING, (), at(600), expected), Wait)
