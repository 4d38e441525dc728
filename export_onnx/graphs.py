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
    network: nn.Module, example: Tensor, *, names: tuple[str, str], free_axes: Mapping[str, Sequence[int]]
) -> bytes:
    """Export a network of one input and one output.

    Parameters
    ----------
    network
        In evaluation mode.
    example
        An input, at least 2 along each free axis.
    names
        Of input and output.
    free_axes
        Axes of the input that may have any length, by the name of the parameter of `forward`.

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
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[names[0]],
            output_names=[names[1]],
            dynamic_shapes=shapes,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model = program.model_proto
    _forget_machine(model)
    onnx.checker.check_model(model, full_check=True)
    data = io.BytesIO()
    onnx.save_model(model, data)
    return data.getvalue()


def _forget_machine(model: onnx.ModelProto) -> None:
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
