"""When to try a failed delivery again, as a value; sends nothing and reads no clock."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

_SPREAD = 0.25  # a pause is shortened by up to this part, so that what failed together does not come back together
_MOST_DOUBLINGS = 40


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How a destination's deliveries are tried: the pause doubles from the first to the longest."""

    first_delay_s: float
    longest_delay_s: float
    maximum_attempts: int

    def __post_init__(self) -> None:
        if self.first_delay_s <= 0 or self.longest_delay_s <= 0:
            raise ValueError(f"delays must be positive, got {self.first_delay_s} and {self.longest_delay_s}")
        if self.maximum_attempts < 1:
            raise ValueError(f"maximum_attempts must be at least 1, got {self.maximum_attempts}")


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Try again, not before `at`."""

    at: datetime


@dataclass(frozen=True, kw_only=True)
class Park:
    """Enough: a person has to look."""


def after_failure(delivery_id: int, attempts: int, policy: RetryPolicy, *, now: datetime) -> Retry | Park:
    """What follows on a failure.

    Parameters
    ----------
    delivery_id
        Which delivery: with `attempts` the only source of the spread, so that the same history gives the same times.
    attempts
        Tries so far, this one included.
    policy
        Of its destination.
    now
        Aware.
    """
    if attempts >= policy.maximum_attempts:
        return Park()
    return Retry(at=now + timedelta(seconds=pause_s(delivery_id, attempts, policy)))


def pause_s(delivery_id: int, attempts: int, policy: RetryPolicy) -> float:
    """Pause after the given number of failures, s: at least three quarters of the doubled delay, never above it."""
    doubled = policy.first_delay_s * 2.0 ** min(attempts - 1, _MOST_DOUBLINGS)
    digest = hashlib.sha256(f"{delivery_id}/{attempts}".encode()).digest()
    return min(doubled, policy.longest_delay_s) * (1 - _SPREAD * int.from_bytes(digest[:4]) / 2**32)
