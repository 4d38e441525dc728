"""What each destination takes, and what it gets therefore: asked by `check`, told by `check` and `status`."""

from datetime import datetime
from typing import Any

from dicom_node.config import Config, DestinationTable
from dicom_node.delivery.acceptance import ask
from dicom_node.delivery.link import Link
from dicom_node.reading.renderings import rendering_of
from dicom_node.records.ledger import Ledger
from dicom_node.result_classes import name_of


def ask_and_record(
    destination: DestinationTable, calling_ae: str, ledger: Ledger, *, now: datetime, again: bool
) -> None:
    """Ask a destination what it takes, unless its profile says not to, or it answered before and `again` is False.

    Raises
    ------
    TransientError
        If it is away.
    """
    if destination.asked and (again or ledger.answer_of(destination, calling_ae) is None):
        ledger.record_answer(destination, calling_ae, ask(Link(destination, calling_ae)), now=now)


def destinations_told(config: Config, ledger: Ledger) -> list[dict[str, Any]]:
    """Each destination with its profile, what it takes, since when that is known, and what it gets; ready for JSON."""
    return [destination_told(each, config.node.ae_title, ledger) for each in config.destination]


def destination_told(destination: DestinationTable, calling_ae: str, ledger: Ledger) -> dict[str, Any]:
    """One destination, as in `destinations_told`."""
    answer = ledger.answer_of(destination, calling_ae) if destination.asked else None
    return {
        "name": destination.name,
        "profile": destination.profile,
        "asked_at": answer.asked_at if answer else None,
        "takes": {name_of(c): list(syntaxes) for c, syntaxes in answer.accepted.items()} if answer else None,
        "gets": rendering_of(destination, answer).words,
    }
