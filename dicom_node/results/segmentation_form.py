"""The forms a Segmentation can have (PS3.3 C.8.20.2, Segmentation Type); knows no pixels."""

from enum import StrEnum


class SegForm(StrEnum):
    """Segmentation Type (0062,0001), in its defined terms."""

    BINARY = "BINARY"
    LABELMAP = "LABELMAP"
    FRACTIONAL = "FRACTIONAL"
