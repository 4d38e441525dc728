import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dicom_node.config import Config, load
from dicom_node.errors import ConfigError
from dicom_node.operation.check import check_node, show_check
from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.result_classes import ENHANCED, SEGMENTATION, WRITTEN
from tests import tiny_bundles
from tests.loopback import free_port
from tests.nodes import prove_once


def configuration(folder: Path, pacs_port: int, extra: str = "") -> tuple[Config, Path]:
    path = folder / "config.toml"
    path.write_text(
        f"""
[node]
state_dir = "{folder / "state"}"
[listener]
minimum_free_bytes = 0
[[caller]]
ae_title = "PACS"
address = "127.0.0.1"
[[destination]]
name = "pacs"
ae_title = "PACS"
host = "127.0.0.1"
port = {pacs_port}
[[rule]]
name = "all"
algorithms = ["tiny"]
destinations = ["pacs"]
[inference]
bundles_dir = "{folder / "bundles"}"
{extra}
""",
        encoding="utf-8",
    )
    path.chmod(0o640)
    config = load(path)
    with suppress(ConfigError):  # where the bundle may not serve there is nothing to prove
        prove_once(config)
    return config, path


@pytest.fixture
def pacs() -> Any:
    there = SmallPacs("PACS")
    there.start()
    yield there
    there.stop()


def verdicts(told: dict[str, Any]) -> dict[str, str]:
    return {line["what"]: line["verdict"] for line in told["checks"]}


def test_a_node_that_is_fit_to_start(tmp_path: Path, pacs: SmallPacs) -> None:
    tiny_bundles.written(tmp_path / "bundles")
    told = check_node(*configuration(tmp_path, pacs.port))
    assert told["ok"], told
    assert set(verdicts(told).values()) == {"ok"}
    assert {"configuration", "database", "disk", "audit", "algorithm tiny", "destination pacs"} <= set(verdicts(told))
    json.dumps(told)


def test_a_changed_bundle_is_a_fault_that_names_the_file(tmp_path: Path, pacs: SmallPacs) -> None:
    bundle = tiny_bundles.written(tmp_path / "bundles")
    with (bundle.path / "bundle.json").open("a") as file:
        file.write(" ")
    told = check_node(*configuration(tmp_path, pacs.port))
    assert not told["ok"]
    (line,) = [line for line in told["checks"] if line["what"] == "algorithm tiny"]
    assert "bundle.json" in line["text"]


def test_a_destination_that_does_not_answer_is_a_fault(tmp_path: Path, pacs: SmallPacs) -> None:
    tiny_bundles.written(tmp_path / "bundles")
    pacs.stop()
    told = check_node(*configuration(tmp_path, free_port()))
    assert verdicts(told)["destination pacs"] == "fault"
    console = Console(record=True, width=200)
    show_check(console, told)
    assert "not fit to start" in console.export_text()


INSECURE = {
    "[inference] allow_synthetic": "allow_synthetic = true",
    "[inference] allow_research": "allow_research = true",
    "[log] level debug": '[log]\nlevel = "debug"',
    "go nowhere": '[[rule]]\nname = "second"\nalgorithms = ["tiny"]',
    "network of more than 256": '[[caller]]\nae_title = "ANY"\naddress = "0.0.0.0/0"',
}


@pytest.mark.parametrize("sentence", INSECURE)
def test_insecure_settings_are_named(tmp_path: Path, pacs: SmallPacs, sentence: str) -> None:
    tiny_bundles.written(tmp_path / "bundles")
    told = check_node(*configuration(tmp_path, pacs.port, INSECURE[sentence]))
    assert told["ok"]
    assert any(sentence in line["text"] and line["verdict"] == "warning" for line in told["checks"])


def test_a_configuration_or_state_others_may_touch_is_named(tmp_path: Path, pacs: SmallPacs) -> None:
    tiny_bundles.written(tmp_path / "bundles")
    config, path = configuration(tmp_path, pacs.port)
    path.chmod(0o666)
    config.node.state_dir.chmod(0o755)
    told = check_node(config, path)
    assert (verdicts(told)["configuration"], verdicts(told)["state folder"]) == ("warning", "warning")


def test_a_destination_is_asked_what_it_takes_and_again_only_when_wanted(tmp_path: Path) -> None:
    tiny_bundles.written(tmp_path / "bundles")
    texts: list[str] = []
    port = free_port()
    for takes, ask in (
        ((ENHANCED,), False),
        ((SEGMENTATION, ENHANCED), False),
        ((SEGMENTATION, ENHANCED), True),
        ((), True),
    ):
        there = SmallPacs("PACS", port=port, takes={each: WRITTEN[each] for each in takes})
        there.start()
        told = check_node(*configuration(tmp_path, port), ask=ask)
        there.stop()
        (line,) = [line for line in told["checks"] if line["what"] == "destination pacs"]
        texts.append(f"{line['verdict']}: {line['text'].split(' answers C-ECHO')[1]}")
    assert texts == [
        "ok: ; profile auto; gets Enhanced SR, text as Enhanced SR",
        "ok: ; profile auto; gets Enhanced SR, text as Enhanced SR",
        "ok: ; profile auto; gets BINARY SEG, Enhanced SR, text as Enhanced SR",
        "warning: , but takes no class that results are written in: they will be parked",
    ]


def test_a_form_that_a_viewer_does_not_show_is_a_fault(tmp_path: Path, pacs: SmallPacs) -> None:
    tiny_bundles.written(tmp_path / "bundles")
    config, path = configuration(tmp_path, pacs.port)
    wanting = config.destination[0].model_copy(update={"profile": "stone", "segmentation": "FRACTIONAL"})
    told = check_node(config.model_copy(update={"destination": (wanting,)}), path)
    assert verdicts(told)["destinations"] == "fault"
