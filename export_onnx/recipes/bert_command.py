"""`export-onnx bert`: a checkpoint folder in, a report-classifier bundle out; every fault is one sentence."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from inference.errors import InferenceError


class ClinicalUse(StrEnum):
    """As `inference.manifests.identity.Licence`."""

    CLEARED = "cleared"
    RESEARCH = "research"
    FORBIDDEN = "forbidden"


class LearntFrom(StrEnum):
    """As `inference.manifests.base.Declared.training`."""

    REAL = "real"
    SYNTHETIC_APPEARANCE = "synthetic-appearance"
    SYNTHETIC_FINDINGS = "synthetic-findings"


def bert(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a Hugging Face BertForSequenceClassification.")],
    out: Annotated[Path, typer.Argument(help="Folder that the bundle NAME-VERSION is written to.")],
    name: Annotated[str, typer.Option(help="Of the bundle, as rules name it.")],
    source: Annotated[str, typer.Option(help="Who made the weights; stands in every result.")],
    licence: Annotated[str, typer.Option(help="Terms of the weights: an SPDX identifier or a name.")],
    training: Annotated[LearntFrom, typer.Option(help="What the weights learnt from.")],
    version: Annotated[str, typer.Option(help="Of the bundle, MAJOR.MINOR.PATCH.")] = "1.0.0",
    title: Annotated[str, typer.Option(help="One line for lists and the card.")] = "Classifier of report text",
    clinical_use: Annotated[ClinicalUse, typer.Option(help="What the terms allow.")] = ClinicalUse.RESEARCH,
    codes: Annotated[
        Path | None, typer.Option(help="JSON from label to {scheme, value, meaning}; default: private codes.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the reports, as RFC 5646 names it: ja; default: any.")] = "",
    max_length: Annotated[int | None, typer.Option(min=8, help="Tokens read; default: all the network takes.")] = None,
    temperature: Annotated[float, typer.Option(help="The logits are divided by it.")] = 1.0,
    least_probability: Annotated[float, typer.Option(min=0, max=1, help="Below it no class is named.")] = 0.5,
    made_at: Annotated[
        datetime | None, typer.Option(help="Date of the export, UTC; the same date gives the same bytes.")
    ] = None,
) -> None:
    """Export a BERT classifier of report text from a local checkpoint; no network, no code of the checkpoint."""
    try:
        from export_onnx.errors import ExportError
        from export_onnx.parity import ParityError
        from export_onnx.recipes import bert as recipe
        from export_onnx.recipes.declaration import Declaration
    except ImportError as error:
        typer.echo(f"{error.name} is not installed: install dicom-node[export]", err=True)
        raise typer.Exit(2) from None
    from inference.inputs import TextInputs
    from inference.manifests.identity import Licence

    try:
        declaration = Declaration(
            name=name,
            version=version,
            title=title,
            source=source,
            licence=Licence(name=licence, clinical_use=clinical_use.value),
            training=training.value,
            made_at=(made_at or datetime.now(UTC)).replace(tzinfo=UTC, microsecond=0),
        )
        options = recipe.ReportOptions(
            codes=codes,
            max_length=max_length,
            temperature=temperature,
            least_probability=least_probability,
            inputs=TextInputs(language=language),
        )
        bundle = recipe.export(checkpoint, out, declaration, options)
    except (ExportError, ParityError, InferenceError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'manifest'}: {e['msg']}" for e in error.errors())
        typer.echo(f"error: {faults}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{bundle.path}\ndigest {bundle.digest}")
