"""The command line as an administrator meets it: exit codes, JSON, sentences."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dicom_node import __main__ as command_line
from dicom_node import __version__
from dicom_node.__main__ import app
from dicom_node.records.arrivals import Plan
from dicom_node.records.work import Ending
from dicom_node.study import Outcome, SeriesInstanceUID
from tests.ledgers import at, instance, ledger


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A node with one study that failed."""
    state = tmp_path / "state"
    book = ledger(state)
    book.record_instance(instance(1), now=at(0))
    plan = Plan(algorithm="brain-lesions", rule="r", destinations=(), series=(SeriesInstanceUID("1.2.3.1"),))
    assert book.close_study(book.open_studies()[0], "quiet", [plan], now=at(60))
    work = book.claim_workitem("w", now=at(60), lease_s=60)
    assert work is not None
    book.end_workitem(work, "w", Ending(outcome=Outcome.FAILED, reason="killed by signal 11", results=()), now=at(61))
    book.close()
    path = tmp_path / "config.toml"
    path.write_text(f'[node]\nstate_dir = "{state}"\n', encoding="utf-8")
    return path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_version_and_help() -> None:
    assert call("--version").stdout.strip() == f"dicom-node {__version__}"
    assert "Not a medical device" in call("--help").stdout


@pytest.mark.parametrize(
    "command", sorted(c.name or c.callback.__name__ for c in app.registered_commands if c.callback)
)
def test_every_command_explains_itself(command: str) -> None:
    done = call(command, "--help")
    assert done.exit_code == 0
    assert "Usage" in done.stdout


def test_status_and_studies_as_json(config: Path) -> None:
    status = json.loads(call("status", "--config", str(config), "--json").stdout)
    assert (status["studies"], status["outcomes"], status["audit"]["fault"]) == ({"DONE": 1}, {"failed": 1}, None)
    (line,) = json.loads(call("studies", "--config", str(config), "--json").stdout)["studies"]
    assert (line["study_instance_uid"], line["outcome"]) == ("1.2.3", "failed")


def test_show_by_pseudonym_and_in_words(config: Path) -> None:
    (line,) = json.loads(call("studies", "--config", str(config), "--json").stdout)["studies"]
    done = call("show", line["pseudonym"], "--config", str(config))
    assert done.exit_code == 0
    assert "killed by signal 11" in done.stdout
    shown = json.loads(call("show", "1.2.3", "--config", str(config), "--json").stdout)
    assert shown["studies"][0]["algorithms"][0]["outcome"] == "failed"


def test_retry_and_park(config: Path) -> None:
    assert json.loads(call("retry", "1.2.3", "--config", str(config), "--json").stdout) == {"scheduled": 1}
    assert call("retry", "1.2.3", "--config", str(config)).exit_code == 1  # nothing is parked any more
    assert json.loads(call("park", "1.2.3", "--config", str(config), "--json").stdout) == {"parked": 1}
    assert call("park", "1.2.3", "--config", str(config)).exit_code == 1


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["dicom-node", *arguments])
    with pytest.raises(SystemExit) as caught:
        command_line.main()
    code = caught.value.code
    assert isinstance(code, int)
    return code


def test_exit_codes(config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(monkeypatch, "status", "--config", str(config)) == 0
    assert exit_code(monkeypatch, "show", "9.9", "--config", str(config)) == 1
    assert "no study of that UID" in capsys.readouterr().err
    assert exit_code(monkeypatch, "nonsense") == 2
    assert exit_code(monkeypatch, "status") == 2
    bad = config.with_name("bad.toml")
    bad.write_text("[listener]\nquiet_period = 1\n", encoding="utf-8")
    capsys.readouterr()
    assert exit_code(monkeypatch, "status", "--config", str(bad)) == 2
    assert "[listener] has no key 'quiet_period'" in capsys.readouterr().err.replace("\n", " ")


def test_a_node_that_never_ran_is_not_made_by_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[node]\nstate_dir = "{tmp_path / "state"}"\n', encoding="utf-8")
    assert exit_code(monkeypatch, "status", "--config", str(path)) == 2
    assert not (tmp_path / "state").exists()


def test_a_broken_audit_chain_is_a_no(config: Path) -> None:
    import sqlite3

    with sqlite3.connect(config.parent / "state" / "ledger.sqlite3") as raw:
        raw.execute("DELETE FROM audit WHERE sequence = 2")
    raw.close()
    done = call("status", "--config", str(config), "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["audit"]["fault"] == "row 2 is missing"
