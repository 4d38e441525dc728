"""The line from worker to asker: pieces come as they were sent; who is gone is known to be; nobody else may look."""

import os
import stat
from pathlib import Path

import pytest

from dicom_node.reading import answer_line
from dicom_node.reading.answer_line import FOLDER, Caller, Ear, listening


def heard(ear: Ear, count: int) -> list[tuple[str, str]]:
    """Everything that comes, with as many looks as it takes."""
    pieces: list[tuple[str, str]] = []
    for _ in range(10 * count):
        piece = ear.heard(0.5)
        if piece is not None:
            pieces.append(piece)
        if len(pieces) == count:
            break
    return pieces


def test_pieces_come_as_they_were_sent(tmp_path: Path) -> None:
    with listening(tmp_path) as ear:
        caller = Caller(tmp_path, ear.name)
        caller.hear("zero-shot", "There ")
        caller.hear("instructed", "is é")
        assert heard(ear, 2) == [("zero-shot", "There "), ("instructed", "is é")]
        assert ear.connected
        assert not caller.gone
        caller.hang_up()
        assert ear.heard(1.0) is None
        assert not ear.connected


def test_after_a_worker_that_died_the_next_one_calls(tmp_path: Path) -> None:
    with listening(tmp_path) as ear:
        Caller(tmp_path, ear.name).hang_up()
        while not ear.connected:
            ear.heard(0.5)
        assert ear.heard(0.5) is None
        Caller(tmp_path, ear.name).hear("zero-shot", "again")
        assert heard(ear, 1) == [("zero-shot", "again")]


def test_who_hung_up_is_gone(tmp_path: Path) -> None:
    with listening(tmp_path) as ear:
        caller = Caller(tmp_path, ear.name)
        while not ear.connected:
            ear.heard(0.5)
    assert caller.gone
    caller.hear("zero-shot", "to nobody")
    assert Caller(tmp_path, ear.name).gone
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_socket_that_nobody_listens_on_is_swept_away(tmp_path: Path) -> None:
    with listening(tmp_path) as ear:
        left = tmp_path / FOLDER / "left"
        os.link(tmp_path / FOLDER / ear.name, left)
    assert left.exists()
    assert Caller(tmp_path, "left").gone
    assert not left.exists()


def test_only_the_node_s_user_may_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(tmp_path) as ear:
        assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / FOLDER / ear.name).stat().st_mode) == 0o600
        monkeypatch.setattr(answer_line, "_user", lambda _: os.getuid() + 1)
        assert Caller(tmp_path, ear.name).gone
        ear.heard(0.5)
        assert not ear.connected


def test_a_state_folder_far_down_is_no_hindrance(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with listening(deep) as ear:
        assert not Caller(deep, ear.name).gone
