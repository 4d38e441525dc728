"""The forms a segmentation can be written in: the terms of Segmentation Type (PS3.3 C.8.20.2) and their classes."""

from enum import StrEnum

from pydicom.uid import SegmentationStorage

from dicom_node.study import SOPClassUID


class SegForm(StrEnum):
    """Segmentation Type (0062,0001); viewers differ in what they show, so a destination chooses."""

    BINARY = "BINARY"  # one bit a voxel, frames only where a segment has voxels; segments may overlap
    LABELMAP = "LABELMAP"  # one number a voxel, compressed; segments cannot overlap
    FRACTIONAL = "FRACTIONAL"  # one byte a voxel, how probable it is

    @property
    def sop_class_uid(self) -> SOPClassUID:
        """SOP class that holds the form."""
        return SOPClassUID(LABEL_MAP_STORAGE if self is SegForm.LABELMAP else SegmentationStorage)


LABEL_MAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"
"""Label Map Segmentation Storage (PS3.4 B.5, of 2024c), which pydicom's dictionary does not have yet."""
