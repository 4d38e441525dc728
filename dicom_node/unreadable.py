"""What pydicom raises where the bytes of a value are broken or hostile; knows no attribute."""

import struct

from pydicom.errors import BytesLengthException, InvalidDicomError

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom raises on broken or hostile bytes; MemoryError is not among them: it ends the process that parses."""
