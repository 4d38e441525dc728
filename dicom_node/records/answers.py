"""The ledger's part on destinations: what each answered that it takes, and when it was asked; knows no protocol."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from dicom_node.config import DestinationTable
from dicom_node.records.audit import Event
from dicom_node.records.room import LedgerRoom
from dicom_node.records.tables import DestinationRow
from dicom_node.result_classes import WRITTEN, Accepted, name_of


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a destination takes, and when it said so."""

    accepted: Accepted
    asked_at: datetime


class AnswerLedger(LedgerRoom):
    """What is known of destinations."""

    def answer_of(self, destination: DestinationTable, calling_ae: str) -> Answer | None:
        """The last answer to this node of the peer that is configured; None where it was never asked."""
        with self._database.reading() as session:
            row = session.get(DestinationRow, _digest(destination, calling_ae))
            if row is None:
                return None
            accepted = {str(sop_class): tuple(syntaxes) for sop_class, syntaxes in row.accepted.items()}
            return Answer(accepted=accepted, asked_at=row.asked_at)

    def record_answer(
        self, destination: DestinationTable, calling_ae: str, accepted: Accepted, *, now: datetime
    ) -> None:
        """Write down what a destination takes, over what it took before."""
        with self._writing() as session:
            session.merge(
                DestinationRow(
                    digest=_digest(destination, calling_ae),
                    name=destination.name,
                    accepted={sop_class: list(syntaxes) for sop_class, syntaxes in sorted(accepted.items())},
                    asked_at=now,
                )
            )
            names = ", ".join(sorted(name_of(sop_class) for sop_class, syntaxes in accepted.items() if syntaxes))
            detail = {"destination": destination.name, "profile": destination.profile, "takes": names or "nothing"}
            self._audit.append(session, Event.DESTINATION_ASKED, now=now, detail=detail)


def _digest(destination: DestinationTable, calling_ae: str) -> str:
    """Of who asks whom for what: another AE title, host or port is another peer, and more to write another question."""
    question = (calling_ae, destination.ae_title, destination.host, str(destination.port), *_QUESTION)
    return hashlib.sha256("\x1f".join(question).encode()).hexdigest()


_QUESTION = tuple(f"{sop_class} {syntax}" for sop_class in sorted(WRITTEN) for syntax in WRITTEN[sop_class])
