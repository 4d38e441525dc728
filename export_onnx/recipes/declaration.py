"""What whoever exports a checkpoint says of the bundle, because no checkpoint says it: name, terms, origin, date."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import onnx
import torch

from export_onnx import graphs
from export_onnx.checkpoint import Checkpoint
from inference.concept import Concept
from inference.manifests.identity import Exporter, Licence, SourceCheckpoint

_FAMILY = Concept(scheme="DCM", value="123110", meaning="Artificial Intelligence")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What stands in bundle.json on the word of whoever exports.

    Attributes
    ----------
    name, version, title
        Of the bundle.
    source
        Who made the weights, for Algorithm Source (0024,0202).
    licence
        Terms of the weights.
    training
        What they learnt from: "real", "synthetic-appearance" or "synthetic-findings".
    made_at
        Aware; the same export declared with the same date gives the same bytes.
    """

    name: str
    version: str
    title: str
    source: str
    licence: Licence
    training: str
    made_at: datetime

    def values(self, checkpoint: Checkpoint, kind: str, *files: str) -> dict[str, Any]:
        """The keys of bundle.json that every kind of bundle has, but for graphs, limits and parity.

        Parameters
        ----------
        checkpoint
            What is exported.
        kind
            Name of its layout, for example "hf-bert-cls".
        files
            Further files of the checkpoint that went into the bundle.
        """
        return {
            "schema_version": 1,
            "name": self.name,
            "version": self.version,
            "title": self.title,
            "source": self.source,
            "family": _FAMILY,
            "licence": self.licence,
            "training": self.training,
            "source_checkpoint": SourceCheckpoint(
                format=kind, architecture=checkpoint.architecture, files=checkpoint.hashed(*files)
            ),
            "exporter": Exporter(
                tool="export-onnx",
                torch=torch.__version__,
                onnx=onnx.__version__,
                opset=graphs.OPSET,
                made_at=self.made_at,
            ),
        }
