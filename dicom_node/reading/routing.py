"""Which algorithms a closed study gets: rules against series, a pure function; knows no bundle and no ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_node.config import RuleTable
from dicom_node.matching import matches, mismatches
from dicom_node.records.arrivals import Plan
from dicom_node.study import Series, SeriesInstanceUID, Study


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One rule held against one series; `why_not` is empty where it matches."""

    rule: str
    series: SeriesInstanceUID
    why_not: tuple[str, ...]


def plans(study: Study, rules: Sequence[RuleTable], outcome_destinations: Sequence[str]) -> tuple[Plan, ...]:
    """The workitems a study gets.

    Every rule that matches at least one series adds its algorithms, to be read from the series that match. An
    algorithm that two
    rules name is run once, on the series of both, and its results go to the destinations of both. A study that no
    rule matches gets one workitem without algorithm: it ends `not-applicable`, and `outcome_destinations` are told.
    """
    made: dict[str, Plan] = {}
    for rule in rules:
        wanted = tuple(s.uid for s in study.series if matches(rule.match, s))
        if not wanted:
            continue
        for algorithm in rule.algorithms:
            made[algorithm] = _joined(made.get(algorithm), algorithm, rule, wanted)
    if made:
        return tuple(made.values())
    everything = tuple(s.uid for s in study.series)
    return (Plan(algorithm="", rule="", destinations=tuple(outcome_destinations), series=everything),)


def explain(series: Sequence[Series], rules: Sequence[RuleTable]) -> tuple[Explanation, ...]:
    """Every rule held against every series: which match, and why the others do not."""
    return tuple(
        Explanation(rule=rule.name, series=one.uid, why_not=mismatches(rule.match, one))
        for one in series
        for rule in rules
    )


def _joined(before: Plan | None, algorithm: str, rule: RuleTable, wanted: tuple[SeriesInstanceUID, ...]) -> Plan:
    if before is None:
        return Plan(algorithm=algorithm, rule=rule.name, destinations=rule.destinations, series=wanted)
    return Plan(
        algorithm=algorithm,
        rule=before.rule,
        destinations=tuple(dict.fromkeys((*before.destinations, *rule.destinations))),
        series=tuple(dict.fromkeys((*before.series, *wanted))),
    )
