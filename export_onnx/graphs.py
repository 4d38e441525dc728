"""A torch module as ONNX bytes: the dynamo exporter, free axes, and nothing of the machine it ran on."""

import io
import logging
import warnings
from collections.abc import Mapping, Sequence

import onnx
import torch
from torch import Tensor, nn

OPSET = 20


def exported(
    network: nn.Module,
    example: Tensor | Sequence[Tensor],
    *,
    names: tuple[str | Sequence[str], str | Sequence[str]],
    free_axes: Mapping[str, Sequence[int]],
) -> bytes:
    """Export a network.

    Parameters
    ----------
    network
        In evaluation mode.
    example
        An input, or all of them in the order of `forward`; of any type, at least 2 along each free axis.
    names
        Of the input or inputs, and of the output or outputs, in order.
    free_axes
        Axes that may have any length, by the name of the parameter of `forward`; every parameter is named.

    Returns
    -------
    bytes
        The ONNX file, whole in itself. The same network, torch and onnxscript give the same bytes.
    """
    shapes = {parameter: dict.fromkeys(axes, torch.export.Dim.DYNAMIC) for parameter, axes in free_axes.items()}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it names every optional package that is not there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the exporter's own calls
        warnings.simplefilter("ignore", FutureWarning)
        program = torch.onnx.export(
            network,
            (example,) if isinstance(example, Tensor) else tuple(example),
            dynamo=True,
            opset_version=OPSET,
            input_names=_listed(names[0]),
            output_names=_listed(names[1]),
            dynamic_shapes=shapes,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model = program.model_proto
    forget_machine(model)
    onnx.checker.check_model(model, full_check=True)
    data = io.BytesIO()
    onnx.save_model(model, data)
    return data.getvalue()


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def forget_machine(model: onnx.ModelProto) -> None:
    """Stack traces, file names and notes of the exporter; they differ from machine to machine and tell of it."""
    model.doc_string = ""
    del model.metadata_props[:]
    for graph in (model.graph, *model.functions):
        graph.doc_string = ""
        del graph.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        for value in graph.value_info:
            value.doc_string = ""
            del value.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
