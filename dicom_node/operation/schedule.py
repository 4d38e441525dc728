"""The clock: looks every second which studies are complete, closes them and makes their workitems.

Keeps no truth of its own.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from dicom_node.config import Config
from dicom_node.errors import DurabilityError
from dicom_node.intake.closing import Overdue, Wait, decide
from dicom_node.reading.routing import plans
from dicom_node.records.ledger import Ledger

log = structlog.get_logger(__name__)
_TICK_S = 1.0


def close_due(ledger: Ledger, config: Config, now: datetime) -> int:
    """Close every study that is complete at `now` and schedule its workitems; returns how many were closed."""
    outcome_destinations = config.inference.outcome_destinations or tuple(d.name for d in config.destination)
    closed = 0
    for arrivals in ledger.open_studies():
        decision = decide(arrivals, config.closing, config.rule, now)
        if isinstance(decision, Wait):
            continue
        reason = f"overdue: {decision.missing}" if isinstance(decision, Overdue) else decision.witness
        made = plans(arrivals.study, config.rule, outcome_destinations)
        if ledger.close_study(arrivals, reason, made, now=now):
            closed += 1
            log.info("study_closed", instances=arrivals.instances, version=arrivals.study.version, reason=reason)
    return closed


def run(
    ledger: Ledger, config: Config, stop: threading.Event, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Tick until `stop` is set."""
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        _tick,
        "interval",
        seconds=_TICK_S,
        args=(ledger, config, now),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=60,
    )
    scheduler.start()
    stop.wait()
    scheduler.shutdown(wait=True)


def _tick(ledger: Ledger, config: Config, now: Callable[[], datetime]) -> None:
    try:
        close_due(ledger, config, now())
    except DurabilityError as error:
        log.error("closing_failed", error=str(error))  # the next tick tries again; nothing was changed
