"""Taking results back: a rejection note for each reading, kept, recorded and on its way to where the results went."""

import hashlib
import os
import pwd
from datetime import datetime
from io import BytesIO
from typing import Any

from pydicom import dcmread
from rich.console import Console

from dicom_node import __version__
from dicom_node.config import Config
from dicom_node.records.keeping import keep
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool
from dicom_node.records.withdrawals import Standing
from dicom_node.records.work import KeptResult
from dicom_node.results.identity import Identity
from dicom_node.results.objects import write_rejection
from dicom_node.results.rendering import GENERIC_RENDERING
from dicom_node.study import Rejection

NO_DIGEST = "0" * 64
"""Algorithm digest of what the node itself says."""


def withdraw_study(
    ledger: Ledger,
    config: Config,
    study_uid: str,
    reason: Rejection,
    *,
    algorithm: str | None,
    version: int | None,
    now: datetime,
) -> dict[str, Any]:
    """Withdraw the results of a study that stand.

    Parameters
    ----------
    algorithm, version
        As for `Ledger.standing`.

    Returns
    -------
    dict
        {"withdrawn": [{"algorithm", "version", "objects", "note"}]}, the form of `withdraw --json`; empty where none
        stand.

    Raises
    ------
    NodeError
        If an object cannot be read, the note would not be valid, or the study changed meanwhile.
    """
    spool = Spool(config.spool_dir, 0)
    told = []
    for standing in ledger.standing(study_uid, algorithm=algorithm, version=version):
        note = _note(standing, reason, spool, config, now)
        ledger.withdraw(standing, reason, note, user=user(), now=now)
        told.append(
            {
                "algorithm": standing.algorithm,
                "version": standing.version,
                "objects": [result.sop_instance_uid for result in standing.results],
                "note": note.sop_instance_uid,
            }
        )
    return {"withdrawn": told}


def show_withdrawn(console: Console, told: dict[str, Any]) -> None:
    """What was withdrawn, a line for each reading."""
    for each in told["withdrawn"]:
        name = each["algorithm"] or "no algorithm"
        console.print(f"{name}, version {each['version']}: {len(each['objects'])} objects withdrawn", markup=False)
        console.print(f"  rejection note {each['note']}", markup=False)
    if not told["withdrawn"]:
        console.print("nothing that stands")


def user() -> str:
    """Who asks, as the machine knows them: the one who called sudo, else the owner of this process."""
    try:
        owner = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        owner = str(os.getuid())
    return os.environ.get("SUDO_USER", owner)


def _note(standing: Standing, reason: Rejection, spool: Spool, config: Config, now: datetime) -> KeptResult:
    """The rejection note, durable in the spool before the ledger speaks of it."""
    withdrawn = [dcmread(BytesIO(spool.read(result.sha256))) for result in standing.results]
    uids = sorted(result.sop_instance_uid for result in standing.results)
    identity = Identity(
        instances_digest=hashlib.sha256("\n".join(uids).encode()).hexdigest(),
        algorithm_digest=NO_DIGEST,
        configuration_digest=config.reading_digest,
        software_version=__version__,
        provider="none",
        rendering=GENERIC_RENDERING,
        analysed_at=now,
        version=standing.version,
    )
    made = write_rejection(reason, standing.algorithm, withdrawn, identity)
    return keep(made, spool)
