"""A result object into the spool, durably, before the ledger speaks of it."""

import hashlib

from dicom_node.records.spool import Spool
from dicom_node.records.work import KeptResult
from dicom_node.study import ResultObject


def keep(made: ResultObject, spool: Spool, destinations: tuple[str, ...] | None = None) -> KeptResult:
    """Put an object into the spool.

    Parameters
    ----------
    destinations
        As in `KeptResult`.

    Raises
    ------
    DurabilityError, RefusedError
        As `Spool.put`.
    """
    sha256 = hashlib.sha256(made.data).hexdigest()
    spool.put(made.data, sha256)
    return KeptResult(
        kind=made.kind,
        sop_class_uid=made.sop_class_uid,
        sop_instance_uid=made.sop_instance_uid,
        series_instance_uid=made.series_instance_uid,
        sha256=sha256,
        size=len(made.data),
        rendering=made.rendering,
        destinations=destinations,
    )
