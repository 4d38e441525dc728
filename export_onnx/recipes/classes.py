"""Labels of a classifier's outputs as coded classes: the codes a site gives, or private ones."""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from export_onnx.checkpoint import CONFIG, json_object
from export_onnx.errors import CheckpointError
from inference.concept import Concept
from inference.manifests.report import ReportClass

PRIVATE = "99DICOMNODE"
"""Coding scheme of labels that a site gave no code."""

_LONGEST = 64


def coded(config: Mapping[str, Any], count: int, codes: Path | None) -> tuple[ReportClass, ...]:
    """The classes in the order of the outputs.

    Parameters
    ----------
    config
        config.json, whose `id2label` names them.
    count
        Number of outputs.
    codes
        JSON file from label to {"scheme", "value", "meaning"}; it names every label and no other. None: each label
        becomes a private code.

    Raises
    ------
    CheckpointError
        If `id2label` does not name each output once, or the file does not fit it.
    """
    labels = _labels(config, count)
    if codes is None:
        return tuple(ReportClass(label=label, code=_private(label)) for label in labels)
    given = json_object(codes)
    if set(given) != set(labels):
        missing, strange = sorted(set(labels) - set(given)), sorted(set(given) - set(labels))
        raise CheckpointError(
            f"{codes.name}: codes are needed for {', '.join(labels)}; missing: {', '.join(missing) or 'none'}; "
            f"unknown: {', '.join(strange) or 'none'}"
        )
    return tuple(ReportClass(label=label, code=_concept(codes, label, given[label])) for label in labels)


def _labels(config: Mapping[str, Any], count: int) -> list[str]:
    found = config.get("id2label")
    if not isinstance(found, dict) or set(map(str, found)) != {str(number) for number in range(count)}:
        raise CheckpointError(f"{CONFIG}: id2label must name each of the {count} outputs, by number from 0")
    by_number = {str(number): str(label) for number, label in found.items()}
    labels = [by_number[str(number)] for number in range(count)]
    if len(labels) < 2 or len(set(labels)) != count or not all(0 < len(label) <= _LONGEST for label in labels):
        raise CheckpointError(
            f"{CONFIG}: id2label must give two or more different labels of 1 to {_LONGEST} characters"
        )
    return labels


def _private(label: str) -> Concept:
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug:
        raise CheckpointError(f"no private code can be made of the label {label!r}; give its code with --codes")
    return Concept(scheme=PRIVATE, value=slug, meaning=label)


def _concept(file: Path, label: str, values: Any) -> Concept:
    try:
        return Concept.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(str(e["msg"]) for e in error.errors())
        raise CheckpointError(f"{file.name}: the code of {label!r}: {faults}") from error
