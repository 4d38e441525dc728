"""README keeps its word: the tree with one caption a file, the commands, the configuration it shows."""

import ast
import re
import tomllib
from pathlib import Path

from typer.main import get_command

from dicom_node.__main__ import app
from dicom_node.config import Config

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def captions() -> dict[str, str]:
    """Every module of the three packages and the first line of its docstring."""
    found = {}
    for package in ("dicom_node", "inference", "export_onnx"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "versions" in path.relative_to(ROOT).parts or path.read_text(encoding="utf-8") == "":
                continue
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            assert docstring, f"{path} has no docstring"
            found[path.relative_to(ROOT).as_posix()] = docstring.splitlines()[0]
    return found


def shown() -> dict[str, str]:
    """The tree as README shows it: path and caption."""
    block = README.split("<!-- tree -->")[1]
    found, folder = {}, ""
    for line in block.splitlines():
        if heading := re.fullmatch(r"(\S+)/ +(.*)", line):
            folder = heading[1]
            found[f"{folder}/__init__.py"] = heading[2]
        elif entry := re.fullmatch(r"  (\S+\.py) +(.*)", line):
            found[f"{folder}/{entry[1]}"] = entry[2]
    return found


def test_the_tree_shows_every_file_with_its_caption() -> None:
    assert shown() == captions()


def test_every_command_is_in_the_readme() -> None:
    command = get_command(app)
    names = set(command.commands)  # type: ignore[attr-defined]
    assert {n for n in names if f"dicom-node {n}" not in README} == set()


def test_every_toml_example_is_valid() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        Config.model_validate(tomllib.loads(block))


def test_every_link_into_the_project_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
