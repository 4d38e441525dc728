"""One association to a destination, every step of it under a deadline; knows neither ledger nor spool."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContext

from dicom_node.association import PduSocket, keep_responses, set_up_pynetdicom
from dicom_node.config import DestinationTable
from dicom_node.errors import TransientError
from dicom_node.study import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_LONGEST_PDU = 131072
_GRACE_S = 0.3  # after a deadline pynetdicom ends in good order; then the connection is cut
_RELEASE_S = 2.0
_MESSAGE_ID = 1


class UnreachableError(TransientError):
    """No association: the destination is away, rejects this node, or does not answer."""


class NotTakenError(TransientError):
    """The destination answers and takes none of the presentation contexts that were proposed."""


class Link:
    """An association with one destination: `open`, use, `close`; a peer that stalls costs the deadline and no more.

    Stock pynetdicom 3.0.4 waits without end for a peer that sends half a PDU or never reads. Here each step runs under
    a timer that cuts the connection, after which every thread that waits in it comes back.

    Parameters
    ----------
    destination
        Whom to call, and its timeouts.
    calling_ae
        This node's AE title.
    """

    def __init__(self, destination: DestinationTable, calling_ae: str) -> None:
        set_up_pynetdicom()
        self.destination = destination
        self._ae = AE(ae_title=calling_ae)
        self._ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        self._ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        self._ae.connection_timeout = self._ae.acse_timeout = destination.connect_timeout_s
        self._ae.dimse_timeout = self._ae.network_timeout = destination.response_timeout_s
        self._association: Association | None = None
        self._connection: PduSocket | None = None
        self._status: int | None = None

    def open(self, contexts: Sequence[PresentationContext]) -> tuple[PresentationContext, ...]:
        """Open the association within the destination's `connect_timeout_s`.

        Returns
        -------
        tuple of PresentationContext
            Those that were accepted, at least one.

        Raises
        ------
        UnreachableError, NotTakenError
            With the reason as a sentence.
        """
        where, connect_s = self.destination, self.destination.connect_timeout_s
        try:
            with self._cut_after(connect_s):
                association = self._ae.associate(
                    where.host,
                    where.port,
                    contexts=list(contexts),
                    ae_title=where.ae_title,
                    max_pdu=_LONGEST_PDU,
                    evt_handlers=[(evt.EVT_CONN_OPEN, self._connected), (evt.EVT_DIMSE_RECV, self._answered)],
                )
        except OSError as error:
            raise UnreachableError(f"host {where.host} cannot be resolved") from error
        self._association = association
        if association.is_established:
            return tuple(association.accepted_contexts)
        if association.rejected_contexts:
            raise NotTakenError("none of the proposed presentation contexts is taken")
        raise UnreachableError(self._why_not(association))

    def store(self, item: Path | Dataset, within_s: float) -> int | None:
        """C-STORE one object; a path is sent byte for byte as the file holds it.

        Returns
        -------
        int or None
            The DIMSE status, or None where no answer came: whether the object was kept is not known.

        Raises
        ------
        TransientError
            If the object could not be sent at all.
        """
        self._status = None
        association = self._opened()
        association.dimse_timeout = within_s
        try:
            with self._cut_after(within_s):
                association.send_c_store(item, msg_id=_MESSAGE_ID)
        except (RuntimeError, ValueError, OSError) as error:
            raise TransientError(f"the object could not be sent ({type(error).__name__})") from error
        return self._status

    def echo(self) -> int | None:
        """C-ECHO; status and error as `store`."""
        self._status = None
        association, within_s = self._opened(), self.destination.response_timeout_s
        try:
            with self._cut_after(within_s):
                association.send_c_echo(msg_id=_MESSAGE_ID)
        except (RuntimeError, ValueError) as error:
            raise TransientError(f"the request could not be sent ({type(error).__name__})") from error
        return self._status

    def close(self) -> None:
        """Release the association; what was answered before stands, whatever the peer makes of this."""
        association, self._association = self._association, None
        if association is not None and association.is_established:
            association.acse_timeout = _RELEASE_S
            association.network_timeout = None  # or both could abort, and the second would leave the socket open
            with self._cut_after(_RELEASE_S):
                association.release()

    def cut(self) -> None:
        """Cut the connection, from any thread: whatever waits for the peer ends now."""
        if self._connection is not None:
            self._connection.cut()

    def _opened(self) -> Association:
        if self._association is None:
            raise TransientError("the association is not open")
        return self._association

    @contextmanager
    def _cut_after(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds + _GRACE_S, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _connected(self, event: Event) -> None:
        keep_responses(event.assoc)
        transport: Any = event.assoc.dul.socket
        table = self.destination
        transport.socket = self._connection = PduSocket(
            transport.socket,
            timeout_s=max(table.connect_timeout_s, table.response_timeout_s),
            longest_pdu=_LONGEST_PDU,
        )

    def _answered(self, event: Event) -> None:
        """Take the status where it arrives, so that it is known even where the connection ends a moment later."""
        answer: Any = event.message.command_set
        if answer.get("MessageIDBeingRespondedTo") == _MESSAGE_ID:
            self._status = answer.get("Status")

    def _why_not(self, association: Association) -> str:
        where = self.destination
        if self._connection is None:
            return f"no connection to {where.host} port {where.port}"
        answer: Any = association.acceptor.primitive
        if association.is_rejected and answer is not None:
            return (
                f"the association was rejected (result {answer.result}, source {answer.result_source}, "
                f"reason {answer.diagnostic})"
            )
        return f"no answer to the association request within {where.connect_timeout_s:g} s, or it was aborted"
