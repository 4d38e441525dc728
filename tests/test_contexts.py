import pytest
from pynetdicom.sop_class import uid_to_service_class

from dicom_node.errors import ConfigError
from dicom_node.intake.contexts import IMAGE_STORAGE, TRANSFER_SYNTAXES, storage_classes


def test_four_image_classes_and_what_is_added() -> None:
    assert storage_classes(()) == tuple(map(str, IMAGE_STORAGE))
    pet = "1.2.840.10008.5.1.4.1.1.128"
    assert storage_classes((pet, IMAGE_STORAGE[0], pet)) == (*map(str, IMAGE_STORAGE), pet)


def test_a_private_class_is_taken_as_storage() -> None:
    assert storage_classes(("1.3.12.2.1107.5.9.1",))[-1] == "1.3.12.2.1107.5.9.1"
    assert uid_to_service_class("1.3.12.2.1107.5.9.1").__name__ == "StorageServiceClass"


@pytest.mark.parametrize("wrong", ["CTImageStorage", "", "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.2.2.1"])
def test_what_is_no_storage_class_stops_the_start(wrong: str) -> None:
    with pytest.raises(ConfigError, match="extra_sop_classes"):
        storage_classes((wrong,))


def test_neither_deflated_nor_big_endian_is_offered() -> None:
    assert len(TRANSFER_SYNTAXES) == 9
    assert not any(s.is_deflated or not s.is_little_endian for s in TRANSFER_SYNTAXES)
