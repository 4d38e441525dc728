import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from dicom_node.__main__ import app
from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.operation.bench import bench_models, show_bench
from tests import tiny_bundles


def test_every_graph_is_timed_on_every_provider(tmp_path: Path) -> None:
    tiny_bundles.written(tmp_path)
    told = bench_models(InferenceTable(bundles_dir=str(tmp_path), threads=1), "tiny")
    (model,) = told["models"]
    graph = model["graphs"][-1]  # the CPU comes last
    assert (model["name"], graph["role"], graph["provider"]) == ("tiny", "segment", "CPUExecutionProvider")
    assert graph["inputs"] == {"image": [2, 1, 8, 8]}
    assert graph["ms"] > 0
    assert graph["file_mb"] > 0
    console = Console(record=True, width=120)
    show_bench(console, told)
    assert "2x1x8x8" in console.export_text()


def test_the_command_prints_one_object() -> None:
    done = CliRunner().invoke(app, ["models", "bench", "lesion-segmenter", "--json"])
    assert done.exit_code == 0, done.output
    assert [model["name"] for model in json.loads(done.stdout)["models"]] == ["lesion-segmenter"]


@pytest.mark.parametrize(
    ("name", "message"), [("brain-lesions", "there is no graph to time"), ("nothing", "is called 'nothing'")]
)
def test_a_name_without_a_graph_is_wrong_use(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        bench_models(InferenceTable(), name)
