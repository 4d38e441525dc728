"""The inside of a cage: takes its limits, gives up the network, then runs the function it was started for.

Started as `python -m dicom_node.reading.child OPTIONS`; not to be imported. Limits come first, before anything large is
imported.
"""

import ctypes
import fcntl
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any

_CLONE_NEWUSER = 0x10000000  # linux/sched.h
_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h

MAXIMUM_BYTES = 2**33
"""Largest message taken from the parent: a study."""


def main(options: dict[str, Any]) -> None:
    """Run `options["entry"]` in this process, confined."""
    _die_with_parent(options["lifeline"])
    _take_limits(options["limits"])
    network = "none" if _leave_network() else "shared"
    warnings.simplefilter("ignore")  # they quote values of headers
    from dicom_node.reading.wire import Channel, ChannelClosedError, Message

    channel = Channel(socket.socket(fileno=options["channel"]), MAXIMUM_BYTES)
    sys.excepthook = _report_to(channel)
    module, function = options["entry"].split(":")
    run = getattr(importlib.import_module(module), function)
    channel.send(Message(kind="ready", body={"network": network}))
    try:
        run(channel)
    except ChannelClosedError:
        return  # the parent is done with us


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel send SIGKILL when the parent's end of the pipe closes.

    PR_SET_PDEATHSIG would fire when the parent's thread that started us ends, and a Python thread that watches needs
    the lock that hanging native code may hold.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    if poll.poll(0):  # closed before we asked
        os._exit(1)


def _take_limits(limits: dict[str, Any]) -> None:
    os.nice(limits["niceness"])
    _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    if not limits["files"]:
        _limit(resource.RLIMIT_FSIZE, 0)
    if limits["address_space_bytes"]:
        _limit(resource.RLIMIT_AS, limits["address_space_bytes"])
    if limits["cpu_s"]:  # soft below hard: SIGXCPU says what it was, SIGKILL would not
        _limit(resource.RLIMIT_CPU, limits["cpu_s"], spare=5)


def _limit(kind: int, value: int, spare: int = 0) -> None:
    """Set a soft limit and, `spare` above it, the hard one; never above what we were given."""
    given = resource.getrlimit(kind)[1]
    hard = value + spare if given == resource.RLIM_INFINITY else min(value + spare, given)
    resource.setrlimit(kind, (min(value, hard), hard))


def _leave_network() -> bool:
    """Move into a network namespace without interfaces where the kernel lets us; systemd has PrivateNetwork= for it."""
    uid, gid = os.getuid(), os.getgid()
    libc = _libc()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        _map_identity(uid, gid)
        return True
    return bool(libc.unshare(_CLONE_NEWNET) == 0)


def _map_identity(uid: int, gid: int) -> None:
    """Stay who we were in the new user namespace (user_namespaces(7)); else files would seem to belong to nobody."""
    try:
        for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            Path(f"/proc/self/{name}").write_text(line, encoding="ascii")
    except OSError:
        return  # nothing we open depends on it


def _report_to(channel: Any) -> Any:
    """An excepthook that tells the parent what ended us: an error of the family as it is, another by type and place."""
    from dicom_node.errors import DefectError, StudyError, TransientError
    from dicom_node.reading.task_message import error_to_message
    from dicom_node.reading.wire import ChannelClosedError, Message

    def report(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        error: StudyError
        if isinstance(value, StudyError):
            error = value
        elif isinstance(value, MemoryError):
            error = TransientError("out of memory")
        else:
            error = DefectError(f"{kind.__name__} at {_place(trace)}")
        try:
            channel.send(Message(kind="dying", body=error_to_message(error).body))
        except ChannelClosedError:
            return

    return report


def _place(trace: TracebackType | None) -> str:
    """Last two places of a traceback, file name and line: no text of ours or of libraries, which may quote a header."""
    frames = traceback.extract_tb(trace)[-2:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
