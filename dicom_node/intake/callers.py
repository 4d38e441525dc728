"""Who may open an association: called and calling AE title and address, denied unless all three are configured."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from dicom_node.config import CallerTable

REJECTED_PERMANENT = 1  # PS3.8 table 9-21
SERVICE_USER = 1
CALLING_AE_NOT_RECOGNIZED = 3
CALLED_AE_NOT_RECOGNIZED = 7


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why an association is rejected, for a person and as A-ASSOCIATE-RJ says it (result and source are always 1)."""

    reason: str
    diagnostic: int


def refusal(
    *, called_ae: str, calling_ae: str, address: str, ae_title: str, callers: Sequence[CallerTable]
) -> Refusal | None:
    """Why a caller may not come in; None if it may.

    Parameters
    ----------
    called_ae, calling_ae
        AE titles of the request; blanks around them do not count (PS3.5 6.2).
    address
        IP address the connection came from.
    ae_title
        This node's own.
    callers
        Who may send: one entry must fit AE title and address together.
    """
    if called_ae.strip() != ae_title:
        return Refusal(reason="called AE title is not this node's", diagnostic=CALLED_AE_NOT_RECOGNIZED)
    known = [caller for caller in callers if caller.ae_title == calling_ae.strip()]
    if not known:
        return Refusal(reason="calling AE title is not configured", diagnostic=CALLING_AE_NOT_RECOGNIZED)
    source = _parsed(address)
    if source is None or not any(source in caller.address for caller in known):
        return Refusal(
            reason="calling AE title is not configured for this address", diagnostic=CALLING_AE_NOT_RECOGNIZED
        )
    return None


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None  # an IPv4 peer of a socket that takes both
    return mapped or parsed
