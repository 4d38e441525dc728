"""Does a destination answer? One C-ECHO (PS3.4 A.4) with deadlines; sends nothing else."""

from pynetdicom import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from dicom_node.config import DestinationTable
from dicom_node.delivery.link import Link
from dicom_node.errors import TransientError

_SUCCESS = 0x0000


def echo(destination: DestinationTable, calling_ae: str) -> str | None:
    """Ask a destination for C-ECHO.

    Returns
    -------
    str or None
        None if it answered with success, else why not, for a person.
    """
    link = Link(destination, calling_ae)
    try:
        link.open([build_context(Verification)])
        status = link.echo()
    except TransientError as error:
        return str(error)
    finally:
        link.close()
    if status is None:
        return "no answer to C-ECHO"
    return None if status == _SUCCESS else f"answered C-ECHO with status 0x{status:04X}"
