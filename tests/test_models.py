import json
from pathlib import Path

from rich.console import Console

from dicom_node.config import InferenceTable
from dicom_node.operation.models import list_models, show_list, show_verdicts, verify_models
from tests import tiny_bundles


def test_bundles_are_listed_with_what_lets_them_serve(tmp_path: Path) -> None:
    tiny_bundles.written(tmp_path, training="synthetic-findings")
    told = list_models(InferenceTable(bundles_dir=str(tmp_path)))
    models = {model["name"]: model for model in told["models"]}
    assert {"brain-lesions", "tiny"} <= set(models)
    assert models["brain-lesions"]["serves"]
    assert "allow_synthetic" in models["tiny"]["why_not"]
    assert list_models(InferenceTable(bundles_dir=str(tmp_path), allow_synthetic=True))["models"][-1]["serves"]
    console = Console(record=True, width=200)
    show_list(console, told)
    assert models["tiny"]["digest"][:12] in console.export_text()
    json.dumps(told)


def test_a_bundle_is_verified_on_this_machine(tmp_path: Path) -> None:
    tiny_bundles.written(tmp_path)
    told = verify_models(InferenceTable(bundles_dir=str(tmp_path)))
    assert told["ok"], told
    (tiny,) = [model for model in told["models"] if model["name"] == "tiny"]
    assert tiny["provider"] == "CPUExecutionProvider"
    assert tiny["max_abs"] == {"probability": 0.0}
    console = Console(record=True, width=200)
    show_verdicts(console, told)
    assert "tiny: bytes as made" in console.export_text()


def test_a_changed_byte_is_named(tmp_path: Path) -> None:
    bundle = tiny_bundles.written(tmp_path)
    graph = next((bundle.path / "graphs").iterdir())
    data = bytearray(graph.read_bytes())
    data[-1] ^= 1
    graph.write_bytes(data)
    settings = InferenceTable(bundles_dir=str(tmp_path))
    told = verify_models(settings)
    assert not told["ok"]
    (tiny,) = [model for model in told["models"] if model["name"] == "tiny"]
    assert graph.name in tiny["fault"]
    (listed,) = [model for model in list_models(settings)["models"] if model["name"] == "tiny"]
    assert not listed["serves"]
