"""The worker: claim a workitem, read it in a cage, keep what came out, hand over; decides nothing about medicine.

The cage parses and decodes, the session host infers; this process touches neither a dataset nor a model, so that a
study that kills one of them costs an attempt and not the worker.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from dicom_node import __version__
from dicom_node.config import Config
from dicom_node.errors import DefectError, DurabilityError, NodeError, RefusedError, TransientError
from dicom_node.reading.admission import admit_all, beside
from dicom_node.reading.geometry_gate import pass_gate
from dicom_node.reading.study_reader import StudyReader
from dicom_node.reading.task import ReadingResult, Task
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool
from dicom_node.records.work import ClaimedWork, Ending, KeptResult
from dicom_node.results.identity import Predecessor
from dicom_node.study import (
    ObjectKind,
    Outcome,
    ResultObject,
    SeriesInstanceUID,
    SOPClassUID,
    SOPInstanceUID,
)
from inference.catalogue import Description

log = structlog.get_logger(__name__)
_IDLE_S = 0.5
_FIRST_RETRY_S = 10.0
_NO_DIGEST = "0" * 64
PROFILE = "generic"


class Worker:
    """One worker of the node.

    Parameters
    ----------
    name
        Owner of the claims it makes; unique among the workers.

    Raises
    ------
    ConfigError
        If a rule names an algorithm that may not serve, or one whose masks do not come back to where they were drawn.
    """

    def __init__(
        self,
        config: Config,
        ledger: Ledger,
        spool: Spool,
        name: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._settings = config.inference
        self._ledger = ledger
        self._spool = spool
        self._name = name
        self._now = now
        self._descriptions = admit_all(config)
        pass_gate(self._descriptions.values(), config.node.state_dir)
        self._reader = StudyReader(config.inference)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what is in hand is finished first."""
        self._reader.start()
        try:
            while not stop.is_set():
                try:
                    idle = not self.work_once()
                except DurabilityError as error:
                    log.error(
                        "ledger_unavailable", error=str(error)
                    )  # the lease runs out and the work is claimed again
                    idle = True
                if idle:
                    stop.wait(_IDLE_S)
        finally:
            self.close()

    def close(self) -> None:
        """End the session host and the process that waits for the next study."""
        self._reader.close()

    def work_once(self) -> bool:
        """Claim one workitem and see it through; False if there was none."""
        work = self._ledger.claim_workitem(self._name, now=self._now(), lease_s=self._settings.lease_s)
        if work is None:
            return False
        with self._lease(work):
            try:
                self._see_through(work)
            except TransientError as error:
                log.warning("claim_lost", workitem=work.id, error=str(error))
        return True

    def _see_through(self, work: ClaimedWork) -> None:
        """Read, keep and record; a failure becomes another try or the outcome `failed`, never silence."""
        try:
            ending = self._ending(work)
        except (TransientError, DurabilityError, RefusedError) as error:
            self._try_again(work, str(error))  # the surroundings or the disk: what was read can be read again
            return
        except NodeError as error:
            ending = self._failed(work, str(error))
        except Exception as error:  # noqa: BLE001 - the one broad catch: an unforeseen error parks this workitem alone
            ending = self._failed(work, f"unforeseen {type(error).__name__} in the worker")
        self._ledger.end_workitem(work, self._name, ending, now=self._now())
        log.info("workitem_ended", workitem=work.id, study=work.study_pseudonym, outcome=ending.outcome)

    def _ending(self, work: ClaimedWork) -> Ending:
        if not work.algorithm:
            return self._forced(work, Outcome.NOT_APPLICABLE, "no rule of this node wants any series of this study")
        if work.attempt > self._settings.maximum_attempts:
            tries = self._settings.maximum_attempts
            raise DefectError(
                f"gave up after {tries} attempts: {work.last_error or 'the worker died while reading it'}"
            )
        description = self._described(work.algorithm)
        task = Task(
            algorithm_digest=description.algorithm.digest,
            inputs=description.inputs,
            outcome_report=Outcome.ABSTAINED in self._settings.outcome_report,
            beside=beside(description, self._settings),
            **self._common(work),
        )
        return self._kept(self._reader.read(task), description)

    def _described(self, algorithm: str) -> Description:
        try:
            return self._descriptions[algorithm]
        except KeyError:
            raise DefectError(f"algorithm {algorithm!r} is named by no rule any more") from None

    def _try_again(self, work: ClaimedWork, error: str) -> None:
        retry_at = self._now() + timedelta(seconds=_FIRST_RETRY_S * 2 ** (work.attempt - 1))
        self._ledger.attempt_failed(work, self._name, error, retry_at=retry_at, now=self._now())
        log.warning("attempt_failed", workitem=work.id, study=work.study_pseudonym, attempt=work.attempt, error=error)

    def _failed(self, work: ClaimedWork, reason: str) -> Ending:
        """The outcome `failed`; its report is written if the study allows that much."""
        try:
            return self._forced(work, Outcome.FAILED, reason)
        except NodeError as error:
            log.error("outcome_report_failed", workitem=work.id, error=str(error))
            return Ending(outcome=Outcome.FAILED, reason=reason, results=())

    def _forced(self, work: ClaimedWork, outcome: Outcome, reason: str) -> Ending:
        if outcome not in self._settings.outcome_report or not work.destinations:
            return Ending(outcome=outcome, reason=reason, results=())
        task = Task(algorithm_digest=_NO_DIGEST, inputs=None, forced=(outcome, reason), **self._common(work))
        return self._kept(self._reader.read(task), None)

    def _common(self, work: ClaimedWork) -> dict[str, Any]:
        return {
            "instances": tuple(self._spool.read(name) for name in work.instances),
            "algorithm": work.algorithm,
            "configuration_digest": self._config.reading_digest,
            "software_version": __version__,
            "profile": PROFILE,
            "analysed_at": work.analysed_at,
            "version": work.study_version,
            "predecessors": tuple(_predecessor(p) for p in work.predecessors),
        }

    def _kept(self, read: ReadingResult, description: Description | None) -> Ending:
        """Put the objects into the spool, durably, before the ledger speaks of them."""
        return Ending(
            outcome=read.outcome,
            reason=read.reason,
            results=tuple(self._keep(made) for made in read.objects),
            provider=read.provider or None,
            algorithm_digest=description.algorithm.digest if description else None,
            seconds=read.seconds or None,
            summary=summary(read, description),
        )

    def _keep(self, made: ResultObject) -> KeptResult:
        sha256 = hashlib.sha256(made.data).hexdigest()
        self._spool.put(made.data, sha256)
        return KeptResult(
            kind=made.kind,
            sop_class_uid=made.sop_class_uid,
            sop_instance_uid=made.sop_instance_uid,
            series_instance_uid=made.series_instance_uid,
            sha256=sha256,
            size=len(made.data),
        )

    @contextmanager
    def _lease(self, work: ClaimedWork) -> Iterator[None]:
        """Renew the claim while the work goes on; a claim that was lost is found out when the ending is recorded."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(self._settings.lease_s / 3):
                try:
                    self._ledger.renew(work, self._name, now=self._now(), lease_s=self._settings.lease_s)
                except DurabilityError as error:
                    log.error("lease_not_renewed", workitem=work.id, error=str(error))

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def summary(read: ReadingResult, description: Description | None) -> dict[str, Any]:
    """What a reading said, as the ledger keeps it and `process --json` prints it."""
    bundle = description.bundle if description else None
    return {
        "bundle": f"{bundle.manifest.name}-{bundle.manifest.version}" if bundle else None,
        "findings": list(read.findings),
        "narrative": read.narrative,
        "series": {"read": read.series, "left": [{"series": uid, "why": why} for uid, why in read.left]},
        "notes": list(read.notes),
        "instances_digest": read.instances_digest,
    }


def _predecessor(kept: KeptResult) -> Predecessor:
    return Predecessor(
        kind=ObjectKind(kept.kind),
        sop_class_uid=SOPClassUID(kept.sop_class_uid),
        sop_instance_uid=SOPInstanceUID(kept.sop_instance_uid),
        series_instance_uid=SeriesInstanceUID(kept.series_instance_uid),
    )
