"""Imports go one way through the house, and torch stays in the workshop."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("dicom_node", "inference", "export_onnx")
FOREIGN = {
    "inference": {"pynetdicom", "sqlalchemy", "apscheduler", "alembic", "torch", "transformers", "typer", "structlog"},
    "dicom_node": {"torch", "transformers", "onnxscript", "onnxruntime"},
}
# who may import whom inside dicom_node; "" stands for the files at its root
ROOMS = {
    "": {""},
    "records": {"", "records"},
    "intake": {"", "records", "intake"},
    "results": {"", "records", "results"},
    "reading": {"", "records", "results", "reading"},
    "delivery": {"", "records", "delivery"},
    "operation": {"", "records", "intake", "results", "reading", "delivery", "operation"},
}
FORBIDDEN_NAMES = {"utils", "common", "core", "helpers", "manager", "types", "logging", "queue"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (ROOT / "dicom_node" / parts[1]).is_dir() else ""


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_in_one_direction(package: str) -> None:
    allowed = {
        "dicom_node": {"dicom_node", "inference"},
        "inference": {"inference"},
        "export_onnx": {"export_onnx", "inference"},
    }
    for path in modules(package):
        used = {name.split(".")[0] for name in imports(path)}
        assert used & set(PACKAGES) <= allowed[package], path
        assert not used & FOREIGN.get(package, set()) - ({"onnxruntime"} if path.name == "session.py" else set()), path


def test_rooms_of_the_service_import_in_one_direction() -> None:
    for path in modules("dicom_node"):
        relative = path.relative_to(ROOT / "dicom_node").parts
        here = relative[0] if len(relative) > 1 else ""
        if relative == ("__main__.py",):
            continue
        for name in imports(path):
            if name.startswith("dicom_node"):
                assert room(name) in ROOMS[here], f"{path} imports {name}"


def test_checks_do_not_know_how_the_objects_were_made() -> None:
    known = {"checks", "content_tree", "header", "identity", "mask_comparison"}
    for path in modules("dicom_node/results/checks"):
        used = {name.split(".")[2] for name in imports(path) if name.startswith("dicom_node.results.")}
        assert used <= known, path


def test_only_the_session_imports_onnxruntime() -> None:
    users = {
        p.relative_to(ROOT).as_posix()
        for p in modules("inference")
        if any(n.split(".")[0] == "onnxruntime" for n in imports(p))
    }
    assert users == {"inference/session.py"}


def test_nothing_has_a_name_that_means_nothing() -> None:
    assert not {p.stem for package in PACKAGES for p in modules(package)} & FORBIDDEN_NAMES


def test_files_are_small() -> None:
    lengths = sorted(len(p.read_text(encoding="utf-8").splitlines()) for package in PACKAGES for p in modules(package))
    assert lengths[len(lengths) // 2] < 200
    assert lengths[-1] <= 400
