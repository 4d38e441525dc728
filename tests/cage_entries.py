"""What runs inside the cages of the tests: functions that behave well, badly and not at all."""

import ctypes
import os
import resource
import socket
import time
from pathlib import Path

from dicom_node.errors import UnsuitableError
from dicom_node.reading.wire import Channel, Message


def echo(channel: Channel) -> None:
    """Send back every message."""
    while True:
        channel.send(channel.receive())


def segfault(channel: Channel) -> None:
    channel.receive()
    ctypes.string_at(0)


def hang_in_native_code(channel: Channel) -> None:
    """Hang with the interpreter's lock held, so that no Python code of this process can run."""
    channel.receive()
    channel.send(Message(kind="hanging", body={}))
    ctypes.PyDLL(None).sleep(600)


def allocate(channel: Channel) -> None:
    """Take memory and use every page of it."""
    data = bytearray(channel.receive().body["bytes"])
    data[:: resource.getpagesize()] = b"x" * len(data[:: resource.getpagesize()])
    time.sleep(600)


def burn(channel: Channel) -> None:
    channel.receive()
    while True:
        pass


def write_a_file(channel: Channel) -> None:
    path = Path(channel.receive().body["path"])
    try:
        path.write_text("patient", encoding="ascii")
        answer = "written"
    except OSError:
        answer = "refused"
    channel.send(Message(kind="tried", body={"answer": answer}))


def connect(channel: Channel) -> None:
    port = channel.receive().body["port"]
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            answer = "connected"
    except OSError:
        answer = "refused"
    channel.send(Message(kind="tried", body={"answer": answer}))


def describe(channel: Channel) -> None:
    """Say what the process was given."""
    channel.receive()
    body = {
        "environment": sorted(os.environ),
        "descriptors": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir()),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    }
    channel.send(Message(kind="described", body=body))


def unsuitable(channel: Channel) -> None:
    channel.receive()
    raise UnsuitableError("slice gap of 10.0 mm at slice 41")


def defect(channel: Channel) -> None:
    text = channel.receive().body["text"]
    raise RuntimeError(text)


def speak_nonsense(channel: Channel) -> None:
    """Write bytes that are no message straight to the socket."""
    data = bytes(channel.receive().buffers[0])
    os.write(channel.fileno(), data)
    time.sleep(600)


def leave(channel: Channel) -> None:
    channel.receive()
    os._exit(3)


def ask_for_another_algorithm(channel: Channel) -> None:
    channel.receive()
    channel.send(Message(kind="analyse", body={"name": "another"}))
    channel.receive()


def claim_a_result(channel: Channel) -> None:
    channel.receive()
    channel.send(Message(kind="result", body={"outcome": "result"}))
    channel.receive()
