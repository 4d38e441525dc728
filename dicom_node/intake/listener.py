"""The node's ear: a Verification and Storage SCP that lets in who may come and hands bytes on; keeps nothing itself."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event as NetworkEvent
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from dicom_node.association import contain_faults, set_up_pynetdicom
from dicom_node.config import Config
from dicom_node.errors import DurabilityError
from dicom_node.intake.callers import REJECTED_PERMANENT, SERVICE_USER, Refusal, refusal
from dicom_node.intake.contexts import TRANSFER_SYNTAXES, storage_classes
from dicom_node.intake.reception import OUT_OF_RESOURCES, SUCCESS, Offer, Reception
from dicom_node.intake.server import Server
from dicom_node.records.audit import Event
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool
from dicom_node.study import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

log = structlog.get_logger(__name__)

_NEGOTIATION_S = 10.0  # from connection to A-ASSOCIATE-RQ
_LONGEST_COMMAND = 65536
_STORES_MAY_TAKE_S = 12.0  # on stopping
_ENDS_MAY_TAKE_S = 2.0
_REPLY_LEAVES_S = 0.1


class Listener:
    """Receives studies. `start` returns at once; `stop` takes at most 20 s.

    Parameters
    ----------
    config
        Of it: [node] ae_title, [listener], [[caller]].
    spool, ledger
        Where what arrives is kept and recorded.

    Raises
    ------
    ConfigError
        If `extra_sop_classes` names something that is no storage class.
    """

    def __init__(self, config: Config, spool: Spool, ledger: Ledger) -> None:
        self._config = config
        self._ledger = ledger
        self._reception = Reception(
            spool, ledger, maximum_instance_bytes=config.listener.maximum_instance_bytes, clock=_now
        )
        self._ae = _application_entity(config)
        self._visits: WeakKeyDictionary[Association, _Visit] = WeakKeyDictionary()
        self._server: Server | None = None
        self._stopping = False
        self._stores = 0
        self._store_ended = threading.Condition()

    @property
    def port(self) -> int:
        """TCP port that is listened on: the configured one, or the one that was found where that is 0."""
        if self._server is None:
            raise RuntimeError("the listener has not been started")
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            If address or port cannot be used.
        """
        table = self._config.listener
        self._server = Server(
            self._ae,
            (table.host, table.port),
            self._config.node.ae_title,
            self._ae.supported_contexts,
            evt_handlers=[
                (evt.EVT_CONN_OPEN, _opened),
                (evt.EVT_REQUESTED, self._requested),
                (evt.EVT_REJECTED, self._rejected),
                (evt.EVT_PDU_RECV, self._pdu_received),
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_RELEASED, self._ended, ["released"]),
                (evt.EVT_ABORTED, self._ended, ["aborted"]),
            ],
        )
        self._server.pdu_timeout_s = table.network_timeout_s
        self._server.listen()
        log.info("listening", host=table.host, port=self.port, callers=len(self._config.caller))

    def stop(self) -> None:
        """Take no more associations and no more instances, finish those that are here, end every association."""
        if self._server is None:
            return
        self._server.close()
        with self._store_ended:
            self._stopping = True
            finished = self._store_ended.wait_for(lambda: self._stores == 0, timeout=_STORES_MAY_TAKE_S)
        time.sleep(_REPLY_LEAVES_S)
        ended = self._server.end_associations(_ENDS_MAY_TAKE_S)
        log.info("listener_stopped", associations=ended, stores_finished=finished)

    def _requested(self, event: NetworkEvent) -> None:
        """Reject who may not come in; whoever passes is negotiated with by pynetdicom."""
        association = event.assoc
        request: Any = association.requestor.primitive
        refused = refusal(
            called_ae=request.called_ae_title,
            calling_ae=request.calling_ae_title,
            address=association.requestor.address,
            ae_title=self._config.node.ae_title,
            callers=self._config.caller,
        )
        self._visits[association] = _Visit(request.calling_ae_title.strip(), association.requestor.address)
        if refused is not None:
            association.is_rejected = True  # before anything can fail: pynetdicom goes no further with it
            association.acse.send_reject(REJECTED_PERMANENT, SERVICE_USER, refused.diagnostic)
            association.kill()
            self._tell_refusal(self._visits[association], request.called_ae_title.strip(), refused)

    def _tell_refusal(self, visit: "_Visit", called_ae: str, refused: Refusal) -> None:
        told = {"calling_ae": visit.calling_ae, "address": visit.address, "called_ae": called_ae}
        log.warning("association_refused", reason=refused.reason, **told)
        try:
            self._ledger.record_event(
                Event.SECURITY_ALERT, now=_now(), success=False, detail={"reason": refused.reason, **told}
            )
        except DurabilityError as error:
            log.error("refusal_not_recorded", reason=str(error))

    def _rejected(self, event: NetworkEvent) -> None:
        visit = self._visits.get(event.assoc)
        log.warning(
            "association_refused",
            reason="too many associations are open",
            calling_ae=visit.calling_ae if visit else "",
            maximum=self._config.listener.maximum_associations,
        )

    def _pdu_received(self, event: NetworkEvent) -> None:
        """Abort an association whose message grows beyond what is taken: it lies in memory until it is whole."""
        message, visit = event.assoc.dimse.message, self._visits.get(event.assoc)
        if message is None or visit is None or visit.cut_off:
            return
        data = message.data_set.tell() if message.data_set else 0
        command = message.encoded_command_set.tell()
        if data > self._config.listener.maximum_instance_bytes or command > _LONGEST_COMMAND:
            visit.cut_off = True
            log.warning("message_too_long", data_bytes=data, command_bytes=command, calling_ae=visit.calling_ae)
            event.assoc.abort(block=False)

    def _store(self, event: NetworkEvent) -> int:
        """Answer a C-STORE request. An exception that leaves here is answered by pynetdicom with 0xC211, a failure."""
        with self._store_counted() as welcome:
            if not welcome:
                return OUT_OF_RESOURCES
            visit = self._visits[event.assoc]
            status = SUCCESS if visit.instances else self._reception.begin(visit.calling_ae, visit.address)
            if status == SUCCESS:
                visit.instances += 1
                status = self._reception.store(_offer(event, visit))
            visit.refused += status != SUCCESS
            return status

    @contextmanager
    def _store_counted(self) -> Iterator[bool]:
        """Count a store while it lasts; False if the listener is stopping."""
        with self._store_ended:
            welcome = not self._stopping
            self._stores += 1
        try:
            yield welcome
        finally:
            if (error := sys.exception()) is not None:
                log.error("store_failed", error=type(error).__name__, at=_place(error))
            with self._store_ended:
                self._stores -= 1
                self._store_ended.notify_all()

    def _ended(self, event: NetworkEvent, how: str) -> None:
        visit = self._visits.pop(event.assoc, None)
        if visit is not None and visit.instances:
            log.info(
                "association_ended",
                how=how,
                calling_ae=visit.calling_ae,
                instances=visit.instances,
                refused=visit.refused,
            )


@dataclass
class _Visit:
    """One association that was let in."""

    calling_ae: str
    address: str
    instances: int = 0
    refused: int = 0
    cut_off: bool = False  # its message was too long


def _application_entity(config: Config) -> AE:
    set_up_pynetdicom()
    ae = AE(ae_title=config.node.ae_title)
    ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    ae.maximum_associations = config.listener.maximum_associations
    ae.maximum_pdu_size = config.listener.maximum_pdu_bytes
    ae.acse_timeout = _NEGOTIATION_S
    ae.dimse_timeout = ae.network_timeout = config.listener.network_timeout_s
    ae.add_supported_context(Verification)
    for uid in storage_classes(config.listener.extra_sop_classes):
        ae.add_supported_context(uid, list(TRANSFER_SYNTAXES))
    return ae


def _opened(event: NetworkEvent) -> None:
    contain_faults(event.assoc, lambda error: log.warning("association_broken", error=error))


def _offer(event: NetworkEvent, visit: _Visit) -> Offer:
    request: Any = event.request
    context = event.context
    return Offer(
        sop_class_uid=str(request.AffectedSOPClassUID),
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
        context_sop_class_uid=str(context.abstract_syntax),
        transfer_syntax_uid=str(context.transfer_syntax),
        dataset=request.DataSet.getbuffer() if request.DataSet else memoryview(b""),
        calling_ae=visit.calling_ae,
    )


def _place(error: BaseException) -> str:
    """Where an error was raised, without its text, which may quote what came over the wire."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_code.co_name}:{traceback.tb_lineno}" if traceback else ""


def _now() -> datetime:
    return datetime.now(UTC)
