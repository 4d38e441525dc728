"""The worker: claim a workitem, read it in a cage, keep what came out, hand over; decides nothing about medicine.

The cage parses and decodes, the session host infers; this process touches neither a dataset nor a model, so that a
study that kills one of them costs an attempt and not the worker.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from dicom_node import __version__
from dicom_node.config import Config
from dicom_node.errors import DefectError, DurabilityError, NodeError, RefusedError, TransientError
from dicom_node.reading.admission import admit_all, beside
from dicom_node.reading.answering import Answering
from dicom_node.reading.geometry_gate import pass_gate
from dicom_node.reading.lease import lease
from dicom_node.reading.renderings import Shared, check_forms, shared_renderings
from dicom_node.reading.study_reader import StudyReader
from dicom_node.reading.task import ReadingResult, Task
from dicom_node.records.keeping import keep
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool
from dicom_node.records.work import ClaimedWork, Ending, KeptResult
from dicom_node.results.identity import Predecessor
from dicom_node.results.rendering import Rendering
from dicom_node.study import (
    ObjectKind,
    Outcome,
    ResultObject,
    SeriesInstanceUID,
    SOPClassUID,
    SOPInstanceUID,
)
from inference.catalogue import Description
from inference.inputs import TextInputs

log = structlog.get_logger(__name__)
_IDLE_S = 0.5
_FIRST_RETRY_S = 10.0
_NO_DIGEST = "0" * 64


class Worker:
    """One worker of the node.

    Parameters
    ----------
    name
        Owner of the claims it makes; unique among the workers.

    Raises
    ------
    ConfigError
        If a rule names an algorithm that may not serve or whose masks do not come back to where they were drawn, or a
        destination a form that its viewer does not show.
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
        check_forms(config)
        pass_gate(self._descriptions.values(), config.node.state_dir)
        self._reader = StudyReader(config.inference)
        self._answering = Answering(config, ledger, spool, name, now, self._reader, dict(self._descriptions))

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what is in hand is finished first."""
        self._reader.start()
        try:
            while not stop.is_set():
                try:
                    idle = not (self._answering.answer_once() or self.work_once())  # a person waits
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
        with lease(lambda: self._renew(work), self._settings.lease_s):
            try:
                self._see_through(work)
            except TransientError as error:
                log.warning("claim_lost", workitem=work.id, error=str(error))
        return True

    def _renew(self, work: ClaimedWork) -> None:
        self._ledger.renew(work, self._name, now=self._now(), lease_s=self._settings.lease_s)

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
        description, shared = self._described(work.algorithm), self._shared(work)
        task = Task(
            algorithm_digest=description.algorithm.digest,
            inputs=description.inputs,
            outcome_report=Outcome.ABSTAINED in self._settings.outcome_report,
            beside=beside(description, self._settings),
            earlier=() if isinstance(description.inputs, TextInputs) else self._earlier_reports(work),
            **self._common(work, shared),
        )
        return self._kept(self._unless_made_before(work, self._reader.read(task)), description, shared)

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
        shared = self._shared(work)
        task = Task(algorithm_digest=_NO_DIGEST, inputs=None, forced=(outcome, reason), **self._common(work, shared))
        return self._kept(self._unless_made_before(work, self._reader.read(task)), None, shared)

    def _shared(self, work: ClaimedWork) -> Shared:
        return shared_renderings(work.destinations, self._config, self._ledger)

    def _common(self, work: ClaimedWork, shared: Shared) -> dict[str, Any]:
        return {
            "instances": tuple(self._spool.read(name) for name in work.instances),
            "algorithm": work.algorithm,
            "configuration_digest": self._config.reading_digest,
            "language": self._config.node.language,
            "software_version": __version__,
            "renderings": tuple(shared),
            "analysed_at": work.analysed_at,
            "version": work.study_version,
            "predecessors": _predecessors(work.predecessors, shared),
        }

    def _earlier_reports(self, work: ClaimedWork) -> tuple[bytes, ...]:
        """The measurement reports of earlier versions that are still there."""
        there = [name for name in work.earlier_reports if self._spool.verify(name)]
        if len(there) < len(work.earlier_reports):
            log.warning("earlier_report_missing", workitem=work.id, missing=len(work.earlier_reports) - len(there))
        return tuple(self._spool.read(name) for name in there)

    def _unless_made_before(self, work: ClaimedWork, read: ReadingResult) -> ReadingResult:
        """The reading, without the renderings that an earlier version has: the same UID never stands for other bytes.

        Raises
        ------
        DefectError
            If they were withdrawn: nothing stands, and nothing that was rejected comes back under its UID.
        """
        new: list[ResultObject] = []
        said: dict[str, None] = {}
        for rendering in dict.fromkeys(made.rendering for made in read.objects):
            objects = [made for made in read.objects if made.rendering == rendering]
            before = self._ledger.made_before(work, [made.sop_instance_uid for made in objects])
            if before is None:
                new += objects
                continue
            came_out = f"the reading came out as version {before.version}"
            if before.rejected is not None:
                raise DefectError(f"{came_out}, which was withdrawn; nothing was sent")
            said[f"{came_out}; nothing new was sent"] = None
        return replace(read, objects=tuple(new), reason="; ".join(part for part in (read.reason, *said) if part))

    def _kept(self, read: ReadingResult, description: Description | None, shared: Shared) -> Ending:
        """Put the objects into the spool, durably, before the ledger speaks of them."""
        destinations = {rendering.key: names for rendering, names in shared.items()}
        if unasked := {made.rendering for made in read.objects} - set(destinations):
            raise DefectError(f"the reading process made {len(unasked)} renderings that were not asked for")
        return Ending(
            outcome=read.outcome,
            reason=read.reason,
            results=tuple(keep(made, self._spool, destinations[made.rendering]) for made in read.objects),
            provider=read.provider or None,
            algorithm_digest=description.algorithm.digest if description else None,
            seconds=read.seconds or None,
            summary=summary(read, description),
        )


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


def _predecessors(kept: Sequence[KeptResult], shared: Shared) -> tuple[Predecessor, ...]:
    """Each object of the previous version, once for each new rendering that goes where it went."""
    return tuple(
        _predecessor(each, rendering)
        for rendering, names in shared.items()
        for each in kept
        if not names or not each.destinations or set(names) & set(each.destinations)
    )


def _predecessor(kept: KeptResult, rendering: Rendering) -> Predecessor:
    return Predecessor(
        kind=ObjectKind(kept.kind),
        sop_class_uid=SOPClassUID(kept.sop_class_uid),
        sop_instance_uid=SOPInstanceUID(kept.sop_instance_uid),
        series_instance_uid=SeriesInstanceUID(kept.series_instance_uid),
        rendering=rendering.key,
    )
