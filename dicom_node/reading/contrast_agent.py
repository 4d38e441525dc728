"""Whether an image was made after a contrast agent: the agent in its header, else what the series is called."""

import re

from pydicom import Dataset

from dicom_node.reading.header_values import items, text

_NONE = frozenset({"NO", "NONE", "N", "NATIVE", "WITHOUT"})
_WITHOUT = re.compile(
    r"(?<![a-z])(pre|non|no|w/?o|without|ohne|sans|nativ|native|unenhanced)(?![a-z])|(?<![a-z])(precontrast|noncontrast)"
    r"|-\s?[ck](?![a-z0-9])"
)
_AFTER = re.compile(
    r"(?<![a-z])(post|gd|gad|gado[a-z]*|ce|km|enhanced|contrast|kontrast|postcontrast|gadavist|dotarem|prohance)(?![a-z])"
    r"|\+\s?(c|gd|km|k)(?![a-z0-9])|(?<![a-z])(c|gd|km)\+|t1c(?![a-z])|t1ce(?![a-z])"
)


def contrast_agent_given(header: Dataset) -> bool:
    """Whether a contrast agent was given before the image (PS3.3 C.7.6.4, C.7.6.4b).

    Many scanners leave Contrast/Bolus Agent (0018,0010) away: then words such as "post", "+C", "Gd" in Series
    Description or Protocol Name speak, unless others there deny it ("pre", "without").
    """
    agent = text(header, "ContrastBolusAgent").strip().upper()
    if agent or items(header, "ContrastBolusAgentSequence"):
        return agent not in _NONE
    named = " ".join(text(header, keyword) for keyword in ("SeriesDescription", "ProtocolName"))
    named = named.lower().replace("_", " ")
    return bool(_AFTER.search(named)) and not _WITHOUT.search(named)
