"""The SOP classes that results are written as, by name, and the transfer syntaxes each leaves in; knows no object."""

from collections.abc import Mapping
from typing import Final

from pydicom.uid import (
    BasicTextSRStorage,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

from dicom_node.study import SOPClassUID

SEGMENTATION: Final = SOPClassUID(SegmentationStorage)
LABEL_MAP: Final = SOPClassUID("1.2.840.10008.5.1.4.1.1.66.7")  # Supplement 243; not yet named by pydicom
COMPREHENSIVE_3D: Final = SOPClassUID(Comprehensive3DSRStorage)
COMPREHENSIVE: Final = SOPClassUID(ComprehensiveSRStorage)
ENHANCED: Final = SOPClassUID(EnhancedSRStorage)
BASIC_TEXT: Final = SOPClassUID(BasicTextSRStorage)
SECONDARY_CAPTURE: Final = SOPClassUID(SecondaryCaptureImageStorage)
KEY_OBJECTS: Final = SOPClassUID(KeyObjectSelectionDocumentStorage)

Accepted = Mapping[str, tuple[str, ...]]
"""What a destination takes: SOP class to the transfer syntaxes it took it in, out of those of `WRITTEN`."""

_NATIVE = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))  # the sender writes one as the other where it must

WRITTEN: Accepted = {
    SEGMENTATION: _NATIVE,
    LABEL_MAP: (str(JPEGLSLossless),),
    COMPREHENSIVE_3D: _NATIVE,
    COMPREHENSIVE: _NATIVE,
    ENHANCED: _NATIVE,
    BASIC_TEXT: _NATIVE,
    SECONDARY_CAPTURE: _NATIVE,
    KEY_OBJECTS: _NATIVE,
}
"""Every class a result can be written as, with the transfer syntaxes it can leave in: what a destination is asked."""

_NAMES: Mapping[str, str] = {
    SEGMENTATION: "Segmentation",
    LABEL_MAP: "Label Map Segmentation",
    COMPREHENSIVE_3D: "Comprehensive 3D SR",
    COMPREHENSIVE: "Comprehensive SR",
    ENHANCED: "Enhanced SR",
    BASIC_TEXT: "Basic Text SR",
    SECONDARY_CAPTURE: "Secondary Capture",
    KEY_OBJECTS: "Key Object Selection",
}


def name_of(sop_class_uid: str) -> str:
    """The class in the words of PS3.4 B.5, without "Storage"; the UID itself where no result is of that class."""
    return _NAMES.get(sop_class_uid, sop_class_uid)
