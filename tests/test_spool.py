import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.errors import DurabilityError, RefusedError
from dicom_node.records.part10 import content_name
from dicom_node.records.spool import Spool
from tests.arriving import files_below

DATA = b"some bytes" * 1000
NAME = content_name(DATA)


def test_a_file_is_kept_under_its_name_and_read_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 0)
    path = spool.put([DATA[:7], memoryview(DATA)[7:]], NAME)
    assert path == spool.path(NAME) == tmp_path / "spool" / NAME[:2] / f"{NAME}.dcm"
    assert spool.read(NAME) == DATA
    assert spool.verify(NAME)
    assert files_below(tmp_path) == [path]


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        path = Spool(tmp_path / "spool", 0).put(DATA, NAME)
    finally:
        os.umask(old)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]


def test_a_file_that_is_there_is_not_written_again_and_a_lost_one_is(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 0)
    path = spool.put(DATA, NAME)
    inode = path.stat().st_ino
    spool.put(DATA, NAME)
    assert path.stat().st_ino == inode
    path.unlink()
    spool.put(DATA, NAME)
    assert spool.verify(NAME)


def test_a_file_cut_short_is_written_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 0)
    os.truncate(spool.put(DATA, NAME), 5)
    assert not spool.verify(NAME)
    spool.put(DATA, NAME)
    assert spool.verify(NAME)


def test_a_changed_bit_is_found(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 0)
    path = spool.put(DATA, NAME)
    path.write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    assert not spool.verify(NAME)


@given(st.one_of(st.text(), st.sampled_from(["../../../../etc/passwd", "A" * 64, "a" * 63, f"{'a' * 64}\n", "é" * 64])))
def test_nothing_but_a_hash_is_a_name(name: str) -> None:
    spool = object.__new__(Spool)
    spool._root = Path("/nowhere")
    if len(name) == 64 and set(name) <= set("0123456789abcdef"):
        return
    with pytest.raises(ValueError, match="sha256"):
        spool.path(name)


def test_links_are_not_followed(tmp_path: Path) -> None:
    spool, outside = Spool(tmp_path / "spool", 0), tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "spool" / NAME[:2]).symlink_to(outside)
    with pytest.raises(DurabilityError):
        spool.put(DATA, NAME)
    assert files_below(outside) == []
    (tmp_path / "spool" / NAME[:2]).unlink()
    path = spool.put(DATA, NAME)
    secret = outside / "secret"
    secret.write_bytes(DATA)
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(DurabilityError):
        spool.read(NAME)
    spool.put(b"other", content_name(b"other"))
    spool.put(DATA, NAME)  # takes the place of the link, not of what it points to
    assert not path.is_symlink()


def test_below_the_watermark_nothing_is_taken(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    with pytest.raises(RefusedError, match="stay free") as refused:
        Spool(tmp_path, 2 * free).put(DATA, NAME)
    assert refused.value.status == 0xA700
    assert files_below(tmp_path) == []


def failing(real: Callable[..., object], number: int, at: int) -> Callable[..., object]:
    """`real`, but the call number `at` raises OSError(number)."""
    calls = 0

    def call(*args: object, **keywords: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(number, os.strerror(number))
        return real(*args, **keywords)

    return call


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 0xA700), (errno.EDQUOT, 0xA700), (errno.EIO, None)])
@pytest.mark.parametrize(("name", "at"), [("open", 3), ("write", 1), ("fsync", 2), ("rename", 1), ("fsync", 3)])
def test_a_failing_disk_is_never_a_success_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at: int, number: int, status: int | None
) -> None:
    spool = Spool(tmp_path, 0)
    with monkeypatch.context() as patch:
        patch.setattr(f"dicom_node.records.spool.os.{name}", failing(getattr(os, name), number, at))
        with pytest.raises((RefusedError, DurabilityError)) as failed:
            spool.put(DATA, NAME)
    assert isinstance(failed.value, RefusedError if status else DurabilityError)
    assert getattr(failed.value, "status", None) == status
    assert files_below(tmp_path) == []
    spool.put(DATA, NAME)
    assert spool.verify(NAME)


def test_file_and_folders_are_synced_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, acts, real_fsync, real_rename = Spool(tmp_path, 0), list[str](), os.fsync, os.rename

    def fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        acts.append("fsync file" if target.name.endswith(".tmp") else f"fsync {target.relative_to(tmp_path)}")
        real_fsync(descriptor)

    def rename(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        acts.append("rename")
        real_rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr("dicom_node.records.spool.os.fsync", fsync)
    monkeypatch.setattr("dicom_node.records.spool.os.rename", rename)
    spool.put(DATA, NAME)
    assert acts == ["fsync .", "fsync file", "rename", f"fsync {NAME[:2]}"]
    acts.clear()
    spool.put(DATA, NAME)
    assert acts == [f"fsync {NAME[:2]}"]


def test_sweep_removes_what_dead_writers_left_and_nothing_else(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 0)
    kept = spool.put(DATA, NAME)
    left = kept.parent / f".{NAME}.0123456789abcdef.tmp"
    left.write_bytes(b"half")
    alive = kept.parent / f".{NAME}.fedcba9876543210.tmp"
    with alive.open("wb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert spool.sweep() == 1
    assert files_below(tmp_path) == sorted([kept, alive])
    assert Spool(tmp_path, 0).sweep() == 1


def test_many_writers_of_the_same_and_of_other_contents(tmp_path: Path) -> None:
    contents = [bytes([n]) * 5000 for n in range(8)]
    spools = [Spool(tmp_path, 0) for _ in range(4)]

    def write(spool: Spool) -> None:
        for content in contents:
            spool.put(content, content_name(content))

    threads = [threading.Thread(target=write, args=(spool,)) for spool in spools]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files_below(tmp_path)) == len(contents)
    assert all(spools[0].verify(content_name(content)) for content in contents)


def test_what_is_missing_cannot_be_read_and_can_be_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 0)
    with pytest.raises(DurabilityError):
        spool.read(NAME)
    assert not spool.verify(NAME)
    spool.remove(NAME)
    spool.put(DATA, NAME)
    spool.remove(NAME)
    assert files_below(tmp_path) == []
