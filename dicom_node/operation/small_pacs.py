"""A small PACS on loopback for the demo and tests: takes what it is sent, sends studies; no archive for patients."""

import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.events import Event
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.association import PduSocket, keep_responses, set_up_pynetdicom
from dicom_node.errors import TransientError
from dicom_node.intake.contexts import TRANSFER_SYNTAXES
from dicom_node.result_classes import WRITTEN, Accepted
from dicom_node.study import is_uid

_SUCCESS = 0x0000
_CANNOT_UNDERSTAND = 0xC000  # PS3.4 B.2.3
_TIMEOUT_S = 30.0
_LONGEST_PDU = 131072
_EVERYTHING: Accepted = {
    **{str(context.abstract_syntax): TRANSFER_SYNTAXES for context in AllStoragePresentationContexts},
    **{sop_class: (*TRANSFER_SYNTAXES, *syntaxes) for sop_class, syntaxes in WRITTEN.items()},
}


class SmallPacs:
    """A PACS that keeps what it receives in memory, and in a folder if one is given.

    Parameters
    ----------
    ae_title
        Its AE title, called and calling.
    folder
        Where a file is written for each object, named by its SOP Instance UID.
    port
        TCP port on 127.0.0.1; 0 finds a free one.
    takes
        SOP classes with transfer syntaxes that it takes; None: every storage class in every syntax the node takes.
    """

    def __init__(
        self,
        ae_title: str = "PACS",
        *,
        folder: Path | None = None,
        port: int = 0,
        takes: Accepted | None = None,
    ) -> None:
        set_up_pynetdicom()
        self._ae = AE(ae_title=ae_title)
        self._ae.require_called_aet = True
        self._ae.add_supported_context(Verification)
        for sop_class, syntaxes in (_EVERYTHING if takes is None else takes).items():
            self._ae.add_supported_context(sop_class, list(syntaxes))
        self._ae.maximum_pdu_size = _LONGEST_PDU
        self._ae.acse_timeout = self._ae.dimse_timeout = self._ae.network_timeout = _TIMEOUT_S
        self._folder = folder
        self._wanted_port = port
        self._server: ThreadedAssociationServer | None = None
        self._received: dict[str, Dataset] = {}
        self._arrival = threading.Condition()

    @property
    def port(self) -> int:
        """TCP port that is listened on."""
        if self._server is None:
            raise RuntimeError("the small PACS has not been started")
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen; raises OSError if the port is taken."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._server = self._ae.start_server(
            ("127.0.0.1", self._wanted_port),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, self._store), (evt.EVT_CONN_OPEN, _tune)],
        )

    def stop(self) -> None:
        """End every association and listen no more."""
        if self._server is not None:
            self._ae.shutdown()
            self._server = None

    def received(self) -> list[Dataset]:
        """Every object received so far, each once, in order of its first arrival."""
        with self._arrival:
            return list(self._received.values())

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Whether there are `count` objects within the time."""
        with self._arrival:
            return self._arrival.wait_for(lambda: len(self._received) >= count, timeout_s)

    def send(
        self,
        datasets: Iterable[Dataset],
        host: str,
        port: int,
        called_ae: str,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Send objects over one association, as auto-routing does.

        Parameters
        ----------
        datasets
            With file meta information.
        progress
            Called with the number of objects sent so far.

        Returns
        -------
        int
            How many were acknowledged: all of them.

        Raises
        ------
        TransientError
            If the association is refused or an object is not acknowledged with success.
        """
        objects = list(datasets)
        kinds = dict.fromkeys((str(o.SOPClassUID), str(o.file_meta.TransferSyntaxUID)) for o in objects)
        association = self._ae.associate(
            host,
            port,
            contexts=[build_context(sop_class, [syntax]) for sop_class, syntax in kinds],
            ae_title=called_ae,
            max_pdu=_LONGEST_PDU,
            evt_handlers=[(evt.EVT_CONN_OPEN, _tune)],
        )
        if not association.is_established:
            raise TransientError("rejected" if association.is_rejected else "no association")
        try:
            for number, each in enumerate(objects, start=1):
                status = association.send_c_store(each).get("Status")
                if status != _SUCCESS:
                    raise TransientError(f"object {number} was answered with {status}")
                if progress is not None:
                    progress(number)
        finally:
            association.release()
        return len(objects)

    def _store(self, event: Event) -> int:
        file = BytesIO(event.encoded_dataset())
        received = pydicom.dcmread(file)
        uid = str(received.SOPInstanceUID)
        if not is_uid(uid):
            return _CANNOT_UNDERSTAND
        if self._folder is not None:
            (self._folder / f"{uid}.dcm").write_bytes(file.getvalue())
        with self._arrival:
            self._received[uid] = received
            self._arrival.notify_all()
        return _SUCCESS


def _tune(event: Event) -> None:
    keep_responses(event.assoc)
    transport = event.assoc.dul.socket
    if transport is not None and transport.socket is not None:
        transport.socket = PduSocket(transport.socket, timeout_s=_TIMEOUT_S, longest_pdu=_LONGEST_PDU)
