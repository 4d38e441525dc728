"""Many values at once: results in order, the first error of several, and no thread where one core is at hand."""

import os
import threading

import pytest

from dicom_node.reading.side_by_side import side_by_side


@pytest.mark.parametrize("cores", [{0}, {0, 1}, set(range(40))])
@pytest.mark.parametrize("count", [0, 1, 2, 17, 300])
def test_results_come_in_the_order_of_the_values(cores: set[int], count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    assert side_by_side(lambda value: value * value, range(count)) == [value * value for value in range(count)]


def test_the_first_error_in_order_is_raised_whichever_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    later = threading.Event()

    def fails(value: int) -> int:
        if value == 3:
            assert later.wait(10)
            raise ValueError("of the third")
        if value >= 200:
            later.set()
            raise ValueError("of a later one")
        return value

    with pytest.raises(ValueError, match="of the third"):
        side_by_side(fails, range(300))


def test_several_values_are_worked_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    both = threading.Barrier(2, timeout=10)
    side_by_side(lambda _: both.wait(), range(2))


def test_one_core_is_no_reason_for_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert set(side_by_side(lambda _: threading.current_thread(), range(5))) == {threading.current_thread()}
