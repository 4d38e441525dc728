"""Keys and keyed pseudonyms: what leaves the ledger says who only to one who holds the patient's key.

A pseudonym is the first 20 hex digits of HMAC-SHA256 under a key of the patient's own. The key lies in the ledger;
deleting it makes every pseudonym of that patient meaningless, while the audit chain that carries them stays valid.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from dicom_node.errors import ConfigError

_KEY_BYTES = 32
_PSEUDONYM_DIGITS = 20


def pseudonym(patient_key: bytes, kind: str, value: str) -> str:
    """Keyed pseudonym of something that came with the patient; `kind` keeps equal values of different meaning apart."""
    return hmac.new(patient_key, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()[:_PSEUDONYM_DIGITS]


def patient_reference(node_key: bytes, issuer: str, patient_id: str, study_uid: str) -> str:
    """Keyed hash under which a patient's key is found again; a patient without an ID is known by the study alone."""
    identity = f"{issuer}\x1f{patient_id}" if patient_id else f"study\x1f{study_uid}"
    return hmac.new(node_key, identity.encode(), hashlib.sha256).hexdigest()


def new_patient_key() -> bytes:
    """A fresh random key for one patient."""
    return secrets.token_bytes(_KEY_BYTES)


def node_key(folder: Path, name: str) -> bytes:
    """The node's key called `name`, made on first use: 32 random bytes in a file of mode 0600 in a folder of mode 0700.

    Raises
    ------
    ConfigError
        If the file has another length, or others than its owner may read it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}.key"
    _make_once(path)
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"the key {path} can be read by others: chmod 600")
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ConfigError(f"the key {path} has {len(key)} bytes, not {_KEY_BYTES}: restore it from the backup")
    return key


def _make_once(path: Path) -> None:
    """Write a new key unless one is there; a second process starting at the same moment finds the first one's."""
    if path.exists():
        return
    temporary = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(_KEY_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(temporary)  # fails if the name is taken, where a rename would replace the key
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
