"""The worker's part on questions: claim one, have it answered in a cage, keep the exchange; judges no answer.

The answer comes to who asked while it is written. Where they are gone, it is broken off; where the worker dies, the
next one begins anew.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from dicom_node import __version__
from dicom_node.config import Config
from dicom_node.errors import DefectError, DurabilityError, NodeError, RefusedError, TransientError
from dicom_node.reading.admission import admit
from dicom_node.reading.answer_line import Caller
from dicom_node.reading.lease import lease
from dicom_node.reading.renderings import shared_renderings
from dicom_node.reading.study_reader import StudyReader
from dicom_node.reading.summary import found
from dicom_node.reading.task import Question, ReadingResult, Task
from dicom_node.records.claimed_questions import AnswerEnding, ClaimedQuestion
from dicom_node.records.keeping import keep
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool
from dicom_node.results.rendering import Rendering
from dicom_node.study import Outcome
from inference.asked import MODES, Asked, Exchange
from inference.catalogue import TALKERS, Description
from inference.inputs import Inputs

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 2.0
"""Until a question is tried again: a person waits."""

GONE = "who asked is gone"
"""Why a question ended without an answer."""


class Answering:
    """What a worker needs to answer; arguments as of `Worker`."""

    def __init__(
        self,
        config: Config,
        ledger: Ledger,
        spool: Spool,
        name: str,
        now: Callable[[], datetime],
        reader: StudyReader,
        descriptions: dict[str, Description],
    ) -> None:
        self._config = config
        self._settings = config.inference
        self._ledger = ledger
        self._spool = spool
        self._name = name
        self._now = now
        self._reader = reader
        self._descriptions = descriptions

    def answer_once(self) -> bool:
        """Claim one question and see it through; False if there was none."""
        claimed = self._ledger.claim_question(self._name, now=self._now(), lease_s=self._settings.lease_s)
        if claimed is None:
            return False
        caller = Caller(self._config.node.state_dir, claimed.line)
        with lease(lambda: self._renew(claimed), self._settings.lease_s):
            try:
                self._see_through(claimed, caller)
            except TransientError as error:
                log.warning("claim_lost", question=claimed.id, error=str(error))
            finally:
                caller.hang_up()  # after the ending is recorded: who asked looks there
        return True

    def _renew(self, claimed: ClaimedQuestion) -> None:
        self._ledger.renew_question(claimed, self._name, now=self._now(), lease_s=self._settings.lease_s)

    def _see_through(self, claimed: ClaimedQuestion, caller: Caller) -> None:
        """Answer, keep and record; a failure becomes another try or a reason, never silence."""
        try:
            ending = self._ending(claimed, caller)
        except (TransientError, DurabilityError, RefusedError) as error:
            self._try_again(claimed, str(error))
            return
        except NodeError as error:
            ending = AnswerEnding(outcome=Outcome.FAILED, reason=str(error))
        except Exception as error:  # noqa: BLE001 - as in the worker: an unforeseen error ends this question alone
            ending = AnswerEnding(outcome=Outcome.FAILED, reason=f"unforeseen {type(error).__name__} in the worker")
        self._ledger.end_question(claimed, self._name, ending, now=self._now())
        log.info("question_ended", question=claimed.id, study=claimed.study_pseudonym, outcome=ending.outcome)

    def _try_again(self, claimed: ClaimedQuestion, error: str) -> None:
        retry_at = self._now() + timedelta(seconds=FIRST_RETRY_S * 2 ** (claimed.attempt - 1))
        self._ledger.question_failed(claimed, self._name, error, retry_at=retry_at, now=self._now())
        log.warning("attempt_failed", question=claimed.id, study=claimed.study_pseudonym, error=error)

    def _ending(self, claimed: ClaimedQuestion, caller: Caller) -> AnswerEnding:
        if claimed.attempt > self._settings.maximum_attempts:
            tries = self._settings.maximum_attempts
            why = claimed.last_error or "the worker died while answering it"
            raise DefectError(f"gave up after {tries} attempts: {why}")
        if caller.gone:
            raise DefectError(GONE)
        description = self._described(claimed.algorithm)
        shared = shared_renderings(claimed.destinations, self._config, self._ledger)
        read = self._reader.read(self._task(claimed, description, tuple(shared)), caller)
        if read.outcome is not Outcome.RESULT and caller.gone:
            raise DefectError(GONE)
        return self._kept(read, description, {rendering.key: names for rendering, names in shared.items()})

    def _described(self, name: str) -> Description:
        """Of a bundle that a rule names, or any other that may serve; it draws nothing, so no geometry is proved."""
        description = self._descriptions.get(name) or admit(name, self._settings)
        if description.bundle is None or description.bundle.manifest.algorithm not in TALKERS:
            raise DefectError(f"{name} does not speak: it answers no questions")
        return self._descriptions.setdefault(name, description)

    def _task(self, claimed: ClaimedQuestion, description: Description, renderings: tuple[Rendering, ...]) -> Task:
        if not isinstance(description.inputs, Inputs):
            raise DefectError(f"{description.name} reads no images")
        back = found(claimed.found)
        asked = Asked(
            text=claimed.text,
            earlier=tuple(Exchange(question=question, answer=answer) for question, answer in claimed.earlier),
            modes=MODES if claimed.compare else ("zero-shot",),
            found=tuple(finding for finding, _ in back),
        )
        return Task(
            instances=tuple(self._spool.read(name) for name in claimed.instances),
            algorithm=claimed.algorithm,
            algorithm_digest=description.algorithm.digest,
            inputs=description.inputs,
            configuration_digest=self._config.reading_digest,
            software_version=__version__,
            renderings=renderings,
            analysed_at=claimed.analysed_at,
            version=claimed.study_version,
            outcome_report=False,
            language=self._config.node.language,
            question=Question(asked=asked, tracked=tuple((finding.label, uid) for finding, uid in back)),
        )

    def _kept(
        self, read: ReadingResult, description: Description, destinations: dict[str, tuple[str, ...]]
    ) -> AnswerEnding:
        """The same question of the same study has the same answer, under the UIDs that it has already."""
        if {made.rendering for made in read.objects} - set(destinations):
            raise DefectError("the reading process made renderings that were not asked for")
        before = self._ledger.answered_before([made.sop_instance_uid for made in read.objects])
        if any(rejected is not None for rejected in before.values()):
            raise DefectError("the same answer was given before, and withdrawn; nothing was kept")
        bundle = description.bundle
        return AnswerEnding(
            outcome=read.outcome,
            reason=read.reason or ("the same answer was kept before; nothing new was sent" if before else ""),
            results=tuple(
                keep(made, self._spool, destinations[made.rendering])
                for made in read.objects
                if made.sop_instance_uid not in before
            ),
            objects=tuple(made.sop_instance_uid for made in read.objects),
            answers=read.answers if read.outcome is Outcome.RESULT else None,
            provider=read.provider or None,
            algorithm_digest=description.algorithm.digest,
            bundle=f"{bundle.manifest.name}-{bundle.manifest.version}" if bundle else None,
            seconds=read.seconds or None,
        )
