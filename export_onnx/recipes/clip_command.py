"""`export-onnx clip`: a checkpoint folder in, a tumour-localiser bundle out; every fault is one sentence."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from export_onnx.recipes.bert_command import ClinicalUse, LearntFrom
from inference.errors import InferenceError


def clip(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a Hugging Face CLIPModel.")],
    out: Annotated[Path, typer.Argument(help="Folder that the bundle NAME-VERSION is written to.")],
    name: Annotated[str, typer.Option(help="Of the bundle, as rules name it.")],
    source: Annotated[str, typer.Option(help="Who made the weights; stands in every result.")],
    licence: Annotated[str, typer.Option(help="Terms of the weights: an SPDX identifier or a name.")],
    decoder: Annotated[
        Path | None, typer.Option(help="safetensors of a trained decoder; default: zero-shot, as the card says.")
    ] = None,
    image_size: Annotated[int | None, typer.Option(min=1, help="Edge, pixels; default: the checkpoint's.")] = None,
    prompts: Annotated[
        Path | None, typer.Option(help='JSON with lists "normal" and "abnormal"; default: 20 texts each.')
    ] = None,
    threshold: Annotated[float, typer.Option(help="Probability from which a pixel is marked.")] = 0.5,
    min_peak: Annotated[float, typer.Option(help="Probability that a marked region has to reach.")] = 0.0,
    training: Annotated[LearntFrom, typer.Option(help="What the weights learnt from.")] = LearntFrom.REAL,
    version: Annotated[str, typer.Option(help="Of the bundle, MAJOR.MINOR.PATCH.")] = "1.0.0",
    title: Annotated[str, typer.Option(help="One line for lists and the card.")] = "Tumour localiser by text prompts",
    clinical_use: Annotated[ClinicalUse, typer.Option(help="What the terms allow.")] = ClinicalUse.RESEARCH,
    made_at: Annotated[
        datetime | None, typer.Option(help="Date of the export, UTC; the same date gives the same bytes.")
    ] = None,
) -> None:
    """Export a CLIP as a localiser of what looks abnormal; no network, no code of the checkpoint."""
    try:
        from export_onnx.errors import ExportError
        from export_onnx.parity import ParityError
        from export_onnx.recipes import clip as recipe
        from export_onnx.recipes.clip_prompts import PROMPTS
        from export_onnx.recipes.declaration import Declaration
    except ImportError as error:
        typer.echo(f"{error.name} is not installed: install dicom-node[export]", err=True)
        raise typer.Exit(2) from None
    from inference.language.prompts import read_prompts
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
        options = recipe.ClipOptions(
            decoder=decoder,
            image_size=image_size,
            prompts=PROMPTS if prompts is None else read_prompts(prompts),
            threshold=threshold,
            min_peak=min_peak,
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
