"""A claim kept alive while the work goes on; knows no ledger."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from dicom_node.errors import DurabilityError

log = structlog.get_logger(__name__)


@contextmanager
def lease(renew: Callable[[], object], lease_s: float) -> Iterator[None]:
    """Renew a claim three times in its length; one that was lost is found out when the ending is recorded.

    Parameters
    ----------
    renew
        Called in a thread of its own.
    lease_s
        Length of the claim, s.
    """
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(lease_s / 3):
            try:
                renew()
            except DurabilityError as error:
                log.error("lease_not_renewed", error=str(error))

    thread = threading.Thread(target=go_on, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
