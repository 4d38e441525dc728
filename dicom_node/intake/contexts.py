"""What the node takes: the SOP classes and transfer syntaxes it accepts (PS3.4 B.5, PS3.5 A); knows no association."""

from collections.abc import Iterable

from pydicom.uid import (
    JPEG2000,
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    MRImageStorage,
    RLELossless,
)
from pynetdicom.service_class import ServiceClass, StorageServiceClass
from pynetdicom.sop_class import register_uid, uid_to_service_class

from dicom_node.errors import ConfigError
from dicom_node.study import is_uid

IMAGE_STORAGE = (CTImageStorage, MRImageStorage, EnhancedCTImageStorage, EnhancedMRImageStorage)

TRANSFER_SYNTAXES = (
    *(ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    *(JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEG2000, RLELossless),
)
"""Deflated is left out: a megabyte of it can become a gigabyte. So is big endian, which is retired."""


def storage_classes(extra: Iterable[str]) -> tuple[str, ...]:
    """SOP classes to take: CT, MR, Enhanced CT and Enhanced MR images and those that the configuration adds.

    Raises
    ------
    ConfigError
        If an added one is not a UID, or belongs to another service than Storage.
    """
    added = dict.fromkeys(uid for uid in extra if uid not in IMAGE_STORAGE)
    for uid in added:
        _require_storage(uid)
    return (*map(str, IMAGE_STORAGE), *added)


def _require_storage(uid: str) -> None:
    if not is_uid(uid):
        raise ConfigError(f"[listener] extra_sop_classes: {uid!r} is not a UID")
    service = uid_to_service_class(uid)
    if service is ServiceClass:  # a private class, or one newer than pynetdicom: it learns that this is for storage
        register_uid(uid, f"Configured_{uid.replace('.', '_')}", StorageServiceClass)
    elif service is not StorageServiceClass:
        raise ConfigError(f"[listener] extra_sop_classes: {uid} is not a storage class")
