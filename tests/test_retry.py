from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.delivery.retry import Park, Retry, RetryPolicy, after_failure, pause_s
from tests.ledgers import START, at

POLICY = RetryPolicy(first_delay_s=5, longest_delay_s=1800, maximum_attempts=40)


def test_the_pause_doubles_up_to_the_longest() -> None:
    pauses = [pause_s(1, attempts, POLICY) for attempts in range(1, 41)]
    for attempts, pause in enumerate(pauses, start=1):
        whole = min(5 * 2 ** (attempts - 1), 1800)
        assert 0.75 * whole <= pause <= whole


def test_the_last_attempt_parks() -> None:
    assert isinstance(after_failure(1, 39, POLICY, now=START), Retry)
    assert after_failure(1, 40, POLICY, now=START) == Park()
    assert after_failure(1, 41, POLICY, now=START) == Park()


def test_forty_attempts_outlast_half_a_day() -> None:
    total = sum(pause_s(1, attempts, POLICY) for attempts in range(1, 40))
    assert timedelta(seconds=total) > timedelta(hours=12)


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.floats(0.1, 1e5), st.floats(0.1, 1e5))
def test_the_same_history_gives_the_same_time(identity: int, attempts: int, first: float, longest: float) -> None:
    policy = RetryPolicy(first_delay_s=first, longest_delay_s=longest, maximum_attempts=10**7)
    following = after_failure(identity, attempts, policy, now=START)
    assert isinstance(following, Retry)
    assert following == after_failure(identity, attempts, policy, now=START)
    assert START < following.at <= at(longest)


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({round(pause_s(identity, 5, POLICY), 1) for identity in range(100)}) > 50


@pytest.mark.parametrize("wrong", [{"first_delay_s": 0}, {"longest_delay_s": -1}, {"maximum_attempts": 0}])
def test_a_policy_that_exists_is_valid(wrong: dict[str, float]) -> None:
    values = {"first_delay_s": 5.0, "longest_delay_s": 10.0, "maximum_attempts": 3} | wrong
    with pytest.raises(ValueError, match="must be"):
        RetryPolicy(**values)  # type: ignore[arg-type]
