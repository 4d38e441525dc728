"""Where bytes rest: one file for each content, named by its sha256, durable before its name is told; knows no DICOM.

root/ab/abcd....dcm, folders 0700, files 0600. Nothing that came over the wire is part of a path; no link is followed.
"""

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dicom_node.errors import DurabilityError, RefusedError
from dicom_node.records.part10 import content_name

_NAME = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{16}\.tmp")
_OUT_OF_RESOURCES = 0xA700  # PS3.4 B.2.3
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
Buffer = bytes | memoryview


class Spool:
    """Files by content, for received instances and for results; threads and processes may share one.

    Parameters
    ----------
    root
        Its folder, made if it is not there.
    minimum_free_bytes
        Space that must stay free on its disk after a file was put.

    Raises
    ------
    DurabilityError
        If the folder cannot be made.
    """

    def __init__(self, root: Path, minimum_free_bytes: int) -> None:
        self._root = root
        self._minimum_free_bytes = minimum_free_bytes
        self._lasting: set[str] = set()  # folders whose own entry in the root is known to be on the disk
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root.chmod(0o700)
            _sync_folder(root.parent)
        except OSError as error:
            raise DurabilityError(f"the spool {root} cannot be made: {error.strerror}") from error

    def put(self, parts: Buffer | Sequence[Buffer], name: str) -> Path:
        """Keep a file; when this returns, bytes and name survive a power cut.

        A file that is there with the same length is not written again.

        Parameters
        ----------
        parts
            The file's bytes, or its pieces in order.
        name
            Their `content_name`.

        Raises
        ------
        RefusedError
            0xA700, if the disk is full or would be below its minimum.
        DurabilityError
            If the disk did not keep the file.
        """
        pieces = [memoryview(p).cast("B") for p in ([parts] if isinstance(parts, bytes | memoryview) else parts)]
        size = sum(len(piece) for piece in pieces)
        path = self.path(name)
        try:
            self._check_space(size)
            with self._folder(name) as folder:
                if _size(folder, path.name) == size:
                    os.fsync(folder)  # its writer may not have come to it yet
                else:
                    _write(folder, path.name, pieces)
        except OSError as error:
            if error.errno in _FULL:
                raise RefusedError("the disk of the spool is full", _OUT_OF_RESOURCES) from error
            raise DurabilityError(f"the spool did not keep {name}: {error.strerror}") from error
        return path

    def path(self, name: str) -> Path:
        """Where a file lies or would lie; raises ValueError if `name` is not a sha256 in hex."""
        if _NAME.fullmatch(name) is None:
            raise ValueError("a name in the spool is a sha256 in lower-case hex")
        return self._root / name[:2] / f"{name}.dcm"

    def read(self, name: str) -> bytes:
        """A file's bytes; their hash is not checked.

        Raises
        ------
        DurabilityError
            If it is not there or cannot be read.
        """
        try:
            with os.fdopen(os.open(self.path(name), _READ_FLAGS), "rb") as file:
                return file.read()
        except OSError as error:
            raise DurabilityError(f"the spool cannot read {name}: {error.strerror}") from error

    def verify(self, name: str) -> bool:
        """Whether the file is there and its bytes still have their name."""
        try:
            return content_name(self.read(name)) == name
        except DurabilityError:
            return False

    def remove(self, name: str) -> None:
        """Take a file out; no error if it is not there.

        Raises
        ------
        DurabilityError
            If it is there and stays.
        """
        try:
            self.path(name).unlink(missing_ok=True)
        except OSError as error:
            raise DurabilityError(f"the spool cannot remove {name}: {error.strerror}") from error

    def sweep(self) -> int:
        """Remove what writers that died left behind; a file that is being written is left alone. Returns how many."""
        removed = 0
        for path in sorted(self._root.glob("[0-9a-f][0-9a-f]/.*.tmp")):
            if _TEMPORARY.fullmatch(path.name) and _is_abandoned(path):
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _check_space(self, size: int) -> None:
        disk = os.statvfs(self._root)
        if disk.f_bavail * disk.f_frsize < self._minimum_free_bytes + size:
            raise RefusedError(
                f"less than {self._minimum_free_bytes} bytes would stay free on the disk of the spool",
                _OUT_OF_RESOURCES,
            )

    @contextmanager
    def _folder(self, name: str) -> Iterator[int]:
        """Descriptor of the folder for a name; its entry in the root is on the disk."""
        prefix = name[:2]
        root = os.open(self._root, _FOLDER_FLAGS)
        try:
            with suppress(FileExistsError):
                os.mkdir(prefix, mode=0o700, dir_fd=root)
            if (
                prefix not in self._lasting
            ):  # made just now, by us or by another process that may not have come to its fsync
                os.fsync(root)
                self._lasting.add(prefix)
            folder = os.open(prefix, _FOLDER_FLAGS, dir_fd=root)
        finally:
            os.close(root)
        try:
            yield folder
        finally:
            os.close(folder)


def _write(folder: int, final: str, pieces: list[memoryview]) -> None:
    """Write under another name, fsync, rename, fsync the folder; on a failure nothing stays that might not last."""
    visible = temporary = f".{final.removesuffix('.dcm')}.{secrets.token_hex(8)}.tmp"
    descriptor = os.open(temporary, _WRITE_FLAGS, mode=0o600, dir_fd=folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # held until it has its name: how `sweep` knows a living writer
        for piece in pieces:
            written = 0
            while written < len(piece):
                written += os.write(descriptor, piece[written:])
        os.fsync(descriptor)
        os.rename(temporary, final, src_dir_fd=folder, dst_dir_fd=folder)
        visible = final
        os.fsync(folder)
    except OSError:
        with suppress(OSError):
            os.unlink(visible, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def _size(folder: int, name: str) -> int | None:
    """Length of a regular file, or None."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _is_abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
