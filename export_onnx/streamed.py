"""A network without weights as an ONNX file, and its weights in a file beside it, written one tensor after the other.

The network lies on the device "meta": it has shapes and no numbers. So a checkpoint is never in memory whole.
"""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor, nn

from export_onnx.freed_memory import give_back_what_is_freed
from export_onnx.graphs import OPSET, forget_machine

Weights = Callable[[str], Tensor]
"""A tensor by its name in the network."""

_ALIGNED = 4096  # bytes: a page, so that each tensor can be mapped by itself


def exported(
    network: nn.Module,
    example: Sequence[Any],
    weights: Weights,
    target: Path,
    *,
    names: tuple[Sequence[str], Sequence[str]],
    free_axes: Mapping[str, Any],
) -> None:
    """Write `target` and, beside it, `target`.data.

    Parameters
    ----------
    network
        In evaluation mode, on the device "meta".
    example
        Inputs on the same device, at least 2 along each free axis.
    weights
        Asked for each tensor once, in the order of the file.
    names
        Of inputs and outputs, in order.
    free_axes
        Axes that may have any length, by the name of the parameter of `forward`: a tuple of axes, or for a parameter
        that is a list of tuples the same of these.

    Raises
    ------
    CheckpointError
        As `weights` does.
    ValueError
        If a tensor is not of the shape that the network has.
    """
    give_back_what_is_freed()
    program = _program(network, example, names, free_axes)
    data = target.with_name(f"{target.name}.data")
    offset = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with data.open("wb") as file:
        for name, value in program.model.graph.initializers.items():
            if not _is_empty(value.const_value):
                continue
            array = _array(weights(name), name, tuple(int(length) for length in value.const_value.shape))
            file.write(b"\0" * (-offset % _ALIGNED))
            offset = file.tell()
            array.tofile(file)
            value.const_value = ir.ExternalTensor(
                data.name, offset, array.nbytes, ir.DataType.FLOAT, shape=ir.Shape(array.shape), name=name, base_dir=""
            )
            offset = file.tell()
    model = ir.serde.serialize_model(program.model)
    forget_machine(model)
    target.write_bytes(model.SerializeToString())


def _program(
    network: nn.Module, example: Sequence[Any], names: tuple[Sequence[str], Sequence[str]], free_axes: Mapping[str, Any]
) -> Any:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it names every optional package that is not there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the exporter's own calls
        warnings.simplefilter("ignore", FutureWarning)
        program = torch.onnx.export(
            network,
            tuple(example),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(names[0]),
            output_names=list(names[1]),
            dynamic_shapes={name: _free(axes) for name, axes in free_axes.items()},
            verbose=False,
            optimize=False,  # it would look at weights, which are not there
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    return program


def _free(axes: Any) -> Any:
    if isinstance(axes, tuple) and all(isinstance(axis, int) for axis in axes):
        return dict.fromkeys(axes, torch.export.Dim.DYNAMIC)
    return type(axes)(_free(part) for part in axes)


def _is_empty(value: Any) -> bool:
    """Whether an initializer is a tensor without numbers; constants that the network made itself have theirs."""
    raw = getattr(value, "raw", None)
    return isinstance(raw, Tensor) and raw.device.type == "meta"


def _array(tensor: Tensor, name: str, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} is {list(tensor.shape)}, needed {list(shape)}")
    array: np.ndarray[Any, np.dtype[np.float32]] = np.ascontiguousarray(tensor.to(torch.float32).numpy())
    return array
