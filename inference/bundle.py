"""The model bundle: one folder, every byte of it accounted for, or an error that names the file; runs nothing.

SHA256SUMS covers everything but what is learnt later (`UNCOVERED`); its own sha256 is the bundle's identity.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from inference.errors import BundleError
from inference.findings import Algorithm
from inference.graph import Graph, Role, plain_path
from inference.manifest import Manifest, from_json

MANIFEST = "bundle.json"
SUMS = "SHA256SUMS"
UNCOVERED = frozenset({SUMS, "MODEL_CARD.md", "metrics.json", "interpretability.json"})
"""What may lie in the folder without a line in SHA256SUMS: the sums themselves, and what is learnt after export."""


def parity_names(role: Role) -> tuple[str, str]:
    """Files with a graph's own inputs, and with what the framework it comes from makes of them."""
    return f"parity/{role}-inputs.npz", f"parity/{role}-expected.npz"


_LINE = re.compile(r"([0-9a-f]{64})  (.+)")  # as sha256sum writes it


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle whose files were as SHA256SUMS says when it was loaded.

    Attributes
    ----------
    path
        Its folder.
    manifest
        What bundle.json says.
    digest
        sha256 of SHA256SUMS, hex: the bundle's identity in ledger, audit and objects.
    hashes
        sha256 of each covered file, hex, by name relative to the folder.
    """

    path: Path
    manifest: Manifest
    digest: str
    hashes: Mapping[str, str]

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak."""
        return Algorithm(
            name=self.manifest.name,
            version=self.manifest.version,
            source=self.manifest.source,
            digest=self.digest,
            family=self.manifest.family.code(),
            clinical_use=self.manifest.licence.clinical_use,
            training=self.manifest.training,
        )

    def read(self, name: str) -> bytes:
        """Bytes of a covered file, the same that its hash was taken of.

        Raises
        ------
        BundleError
            If the file is not covered, is gone or has changed since the bundle was loaded.
        """
        expected = self.hashes.get(name)
        if expected is None:
            raise BundleError(f"{self.path.name}/{name}: not in {SUMS}")
        try:
            data = (self.path / name).read_bytes()
        except OSError as error:
            raise BundleError(f"{self.path.name}/{name}: {error.strerror}") from error
        _compare(f"{self.path.name}/{name}", hashlib.sha256(data).hexdigest(), expected)
        return data

    def checked(self, name: str) -> Path:
        """Where a covered file lies, whose bytes were just seen to be those of the bundle; raises as `read`.

        For files that are mapped into memory instead of being read.
        """
        expected = self.hashes.get(name)
        if expected is None:
            raise BundleError(f"{self.path.name}/{name}: not in {SUMS}")
        try:
            with (self.path / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BundleError(f"{self.path.name}/{name}: {error.strerror}") from error
        _compare(f"{self.path.name}/{name}", found, expected)
        return self.path / name

    def graph(self, spec: Graph) -> bytes | Path:
        """What `inference.session.Session` takes: bytes of the file, or its path where its weights lie beside it."""
        if spec.data is None:
            return self.read(spec.file)
        self.checked(spec.data)
        return self.checked(spec.file)


def load(path: Path) -> Bundle:
    """Read and check a bundle.

    Parameters
    ----------
    path
        The folder, NAME-VERSION.

    Raises
    ------
    BundleError
        If a file is missing, changed, not accounted for, a link or no plain file; if a name leads outside; if the
        manifest does not hold together or names another folder. The message names the file and what differs.
    """
    present = _files(path)
    sums = _text(path, SUMS)
    hashes = _sums(path.name, sums)
    _same_files(path.name, present - UNCOVERED, set(hashes))
    for name, expected in hashes.items():
        with (path / name).open("rb") as file:
            _compare(f"{path.name}/{name}", hashlib.file_digest(file, "sha256").hexdigest(), expected)
    manifest = _manifest(path)
    for graph in manifest.graphs:
        named = {graph.file, *parity_names(graph.role)} | ({graph.data} if graph.data else set())
        for name in sorted(named - set(hashes)):
            raise BundleError(f"{path.name}/{name}: named by {MANIFEST} or the format, and not in {SUMS}")
    return Bundle(path=path, manifest=manifest, digest=hashlib.sha256(sums.encode()).hexdigest(), hashes=hashes)


def sums_text(hashes: Mapping[str, str]) -> str:
    """SHA256SUMS for these files, as sha256sum writes it, sorted by name."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))


def _files(path: Path) -> set[str]:
    """Names of all files below the folder; links and devices are refused."""
    if not path.is_dir():
        raise BundleError(f"{path.name}: no such folder")
    found = set()
    for entry in sorted(path.rglob("*")):
        name = entry.relative_to(path).as_posix()
        if entry.is_symlink():
            raise BundleError(f"{path.name}/{name}: a link; a bundle holds its files itself")
        if entry.is_file():
            found.add(name)
        elif not entry.is_dir():
            raise BundleError(f"{path.name}/{name}: not a plain file")
    return found


def _sums(bundle: str, text: str) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise BundleError(f"{bundle}/{SUMS}: line {number} is not a sha256, two blanks and a name")
        digest, name = parts.groups()
        try:
            plain_path(name)
        except ValueError as error:
            raise BundleError(f"{bundle}/{SUMS}: line {number}: {error}") from error
        if name in hashes or name in UNCOVERED:
            raise BundleError(f"{bundle}/{SUMS}: line {number}: {name} does not belong there, or stands there twice")
        hashes[name] = digest
    if MANIFEST not in hashes:
        raise BundleError(f"{bundle}/{SUMS}: does not cover {MANIFEST}")
    return hashes


def _same_files(bundle: str, present: set[str], covered: set[str]) -> None:
    missing, unlisted = sorted(covered - present), sorted(present - covered)
    if missing:
        raise BundleError(f"{bundle}/{missing[0]}: missing, and {SUMS} lists it ({len(missing)} such)")
    if unlisted:
        raise BundleError(
            f"{bundle}/{unlisted[0]}: not in {SUMS} ({len(unlisted)} such); nothing may lie in a bundle unlisted"
        )


def _compare(file: str, found: str, expected: str) -> None:
    if found != expected:
        raise BundleError(f"{file}: sha256 is {found}, {SUMS} says {expected}")


def _manifest(path: Path) -> Manifest:
    try:
        manifest = from_json(_text(path, MANIFEST))
    except ValidationError as error:
        # the first part of a place only repeats the kind of bundle
        faults = "; ".join(f"{'.'.join(map(str, e['loc'][1:])) or 'manifest'}: {e['msg']}" for e in error.errors())
        raise BundleError(f"{path.name}/{MANIFEST}: {faults}") from error
    if path.name != f"{manifest.name}-{manifest.version}":
        raise BundleError(f"{path.name}: {MANIFEST} names it {manifest.name}-{manifest.version}")
    return manifest


def _text(path: Path, name: str) -> str:
    try:
        return (path / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{path.name}/{name}: cannot be read: {error}") from error
