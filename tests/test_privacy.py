from pathlib import Path

import pytest

from dicom_node.errors import ConfigError
from dicom_node.records.privacy import new_patient_key, node_key, patient_reference, pseudonym


def test_a_pseudonym_needs_the_patients_key() -> None:
    one, two = new_patient_key(), new_patient_key()
    assert pseudonym(one, "study", "1.2.3") == pseudonym(one, "study", "1.2.3")
    assert pseudonym(one, "study", "1.2.3") != pseudonym(two, "study", "1.2.3")
    assert pseudonym(one, "study", "1.2.3") != pseudonym(one, "series", "1.2.3")


def test_the_same_number_of_another_issuer_is_another_patient() -> None:
    key = bytes(32)
    assert patient_reference(key, "A", "1", "1.2") != patient_reference(key, "B", "1", "1.2")
    assert patient_reference(key, "A", "1", "1.2") == patient_reference(key, "A", "1", "1.3")
    assert patient_reference(key, "", "", "1.2") != patient_reference(key, "", "", "1.3")


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = node_key(tmp_path / "keys", "audit")
    assert node_key(tmp_path / "keys", "audit") == first
    assert (tmp_path / "keys" / "audit.key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["audit.key"]


def test_a_key_others_may_read_or_of_another_length_is_refused(tmp_path: Path) -> None:
    node_key(tmp_path, "audit")
    (tmp_path / "audit.key").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        node_key(tmp_path, "audit")
    (tmp_path / "audit.key").chmod(0o600)
    (tmp_path / "audit.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match="5 bytes"):
        node_key(tmp_path, "audit")
