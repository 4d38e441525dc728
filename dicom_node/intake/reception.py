"""What happens to an instance that arrives: looked at, kept, recorded, only then acknowledged; knows no network."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from dicom_node.errors import DurabilityError, RefusedError
from dicom_node.intake.prescan import require_match, scan
from dicom_node.records.arrivals import Receipt
from dicom_node.records.audit import Event
from dicom_node.records.ledger import Ledger
from dicom_node.records.part10 import beginning, content_name
from dicom_node.records.spool import Spool
from dicom_node.study import Instance

log = structlog.get_logger(__name__)

SUCCESS = 0x0000
DUPLICATE_SOP_INSTANCE = 0x0111  # PS3.7 C.5.7
SOP_CLASS_NOT_SUPPORTED = 0x0122  # PS3.7 C.5.6
OUT_OF_RESOURCES = 0xA700  # PS3.4 B.2.3


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One C-STORE request as it came.

    Attributes
    ----------
    sop_class_uid, sop_instance_uid
        Affected SOP Class and Instance UID of the request; not yet believed.
    context_sop_class_uid, transfer_syntax_uid
        What was negotiated for its presentation context.
    dataset
        Its dataset, encoded in that transfer syntax.
    calling_ae
        AE title of the sender.
    """

    sop_class_uid: str
    sop_instance_uid: str
    context_sop_class_uid: str
    transfer_syntax_uid: str
    dataset: memoryview
    calling_ae: str


class Reception:
    """Takes offers; one for all associations, called from their threads.

    Parameters
    ----------
    spool, ledger
        Where bytes and the record of their arrival are kept.
    maximum_instance_bytes
        Largest dataset taken, bytes.
    clock
        The present, aware UTC.
    """

    def __init__(
        self, spool: Spool, ledger: Ledger, *, maximum_instance_bytes: int, clock: Callable[[], datetime]
    ) -> None:
        self._spool = spool
        self._ledger = ledger
        self._maximum_instance_bytes = maximum_instance_bytes
        self._clock = clock

    def begin(self, calling_ae: str, address: str) -> int:
        """Record that a transfer begins, before its first instance; gives a DIMSE status: without a record no store."""
        try:
            self._ledger.record_event(
                Event.BEGIN_TRANSFERRING,
                now=self._clock(),
                detail={"action": "receiving", "calling_ae": calling_ae, "address": address},
            )
        except DurabilityError as error:
            log.error("transfer_not_recorded", reason=str(error))
            return OUT_OF_RESOURCES
        return SUCCESS

    def store(self, offer: Offer) -> int:
        """Keep one instance; gives the DIMSE status to answer (PS3.4 B.2.3).

        0x0000 means that file and record survive a power cut. Every refusal is logged with its reason.
        """
        try:
            status = self._keep(offer)
        except RefusedError as error:
            log.warning("store_refused", status=f"0x{error.status:04X}", reason=str(error), calling_ae=offer.calling_ae)
            return error.status
        except DurabilityError as error:
            log.error("store_not_durable", status=f"0x{OUT_OF_RESOURCES:04X}", reason=str(error))
            return OUT_OF_RESOURCES
        return status

    def _keep(self, offer: Offer) -> int:
        size = offer.dataset.nbytes
        if size > self._maximum_instance_bytes:
            raise RefusedError(
                f"an instance of {size} bytes, {self._maximum_instance_bytes} are allowed", OUT_OF_RESOURCES
            )
        if offer.sop_class_uid != offer.context_sop_class_uid:
            raise RefusedError("the request's SOP Class is not that of its context", SOP_CLASS_NOT_SUPPORTED)
        header = scan(offer.dataset, offer.transfer_syntax_uid)
        require_match(header, sop_class_uid=offer.sop_class_uid, sop_instance_uid=offer.sop_instance_uid)
        file = (
            beginning(
                sop_class_uid=header.sop_class_uid,
                sop_instance_uid=header.sop_instance_uid,
                transfer_syntax_uid=header.transfer_syntax_uid,
            ),
            offer.dataset,
        )
        name = content_name(*file)
        self._spool.put(file, name)
        now = self._clock()
        instance = Instance(header=header, sha256=name, size=size, received_at=now, calling_ae=offer.calling_ae)
        if self._ledger.record_instance(instance, now=now) is not Receipt.CONFLICT:
            return SUCCESS
        self._spool.remove(name)  # the ledger knows this UID with other bytes, so nothing can refer to these
        raise RefusedError("other bytes under a SOP Instance UID that is taken", DUPLICATE_SOP_INSTANCE)
