"""Is the study complete? A pure function of arrivals, settings and `now`; C-STORE itself never says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dicom_node.config import ClosingTable, RuleTable
from dicom_node.matching import matches
from dicom_node.records.arrivals import Arrivals
from dicom_node.study import Study


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Not yet: look again at `until` unless something arrives before."""

    until: datetime


@dataclass(frozen=True, kw_only=True)
class Closed:
    """Complete as far as anyone can tell; `witness` says what tells so."""

    witness: str


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """The longest wait is over and something is still missing: the study is read with what there is, and says so."""

    missing: str


def decide(
    arrivals: Arrivals,
    closing: ClosingTable,
    rules: Sequence[RuleTable],
    now: datetime,
    expected_instances: int | None = None,
) -> Wait | Closed | Overdue:
    """Whether a study is to be closed.

    It closes when every expected instance is there, or when nothing arrived for the quiet period and no rule that
    wants the study misses a required series; and in any case after the longest wait.

    Parameters
    ----------
    expected_instances
        How many instances the sender says the study has, where that is known.
    """
    if expected_instances is not None and arrivals.instances >= expected_instances:
        return Closed(witness=f"all {expected_instances} expected instances arrived")
    quiet_s = quiet_period_s(arrivals.study, closing)
    quiet_at = arrivals.last_received_at + timedelta(seconds=quiet_s)
    overdue_at = arrivals.first_received_at + timedelta(seconds=closing.longest_wait_s)
    missing = _missing(arrivals, rules, expected_instances)
    if now >= quiet_at and not missing:
        return Closed(witness=f"nothing arrived for {quiet_s:g} s")
    if now >= overdue_at:
        return Overdue(missing=missing or "instances kept arriving until the longest wait was over")
    return Wait(until=overdue_at if missing else min(quiet_at, overdue_at))


def quiet_period_s(study: Study, closing: ClosingTable) -> float:
    """The longest quiet period among the study's modalities, s."""
    modalities = {s.modality for s in study.series}
    return max((closing.modality.get(m, closing.quiet_period_s) for m in modalities), default=closing.quiet_period_s)


def _missing(arrivals: Arrivals, rules: Sequence[RuleTable], expected_instances: int | None) -> str:
    clauses = []
    if expected_instances is not None:
        clauses.append(f"{arrivals.instances} of {expected_instances} expected instances arrived")
    series = arrivals.study.series
    for rule in rules:
        if not any(matches(rule.match, s) for s in series):
            continue
        lacking = sum(1 for required in rule.required_series if not any(matches(required, s) for s in series))
        if lacking:
            clauses.append(f"rule {rule.name!r} misses {lacking} of {len(rule.required_series)} required series")
    return "; ".join(clauses)
