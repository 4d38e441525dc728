"""`export-onnx llava` and `m3d`: a checkpoint folder in, a bundle that looks and speaks out; faults are sentences."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from export_onnx.recipes.bert_command import ClinicalUse, LearntFrom
from inference.errors import InferenceError

if TYPE_CHECKING:
    from export_onnx.recipes.asked import Asked
    from export_onnx.recipes.declaration import Declaration
    from inference.bundle import Bundle

_Asks = Annotated[Path, typer.Option(help="JSON: inputs, questions with options and codes, requests.")]
_Name = Annotated[str, typer.Option(help="Of the bundle, as rules name it.")]
_Source = Annotated[str, typer.Option(help="Who made the weights; stands in every result.")]
_Licence = Annotated[str, typer.Option(help="Terms of the weights: an SPDX identifier or a name.")]
_Training = Annotated[LearntFrom, typer.Option(help="What the weights learnt from.")]
_Version = Annotated[str, typer.Option(help="Of the bundle, MAJOR.MINOR.PATCH.")]
_Title = Annotated[str, typer.Option(help="One line for lists and the card.")]
_Use = Annotated[ClinicalUse, typer.Option(help="What the terms allow.")]
_MadeAt = Annotated[datetime | None, typer.Option(help="Date of the export, UTC; the same date gives the same bytes.")]
_Out = Annotated[Path, typer.Argument(help="Folder that the bundle NAME-VERSION is written to.")]


def llava(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a LLaVA: of llava-hf, or as LLaVA-Med writes it.")],
    out: _Out,
    asks: _Asks,
    name: _Name,
    source: _Source,
    licence: _Licence,
    training: _Training = LearntFrom.REAL,
    tower: Annotated[Path | None, typer.Option(help="Folder of its CLIP, where it has none in it.")] = None,
    version: _Version = "1.0.0",
    title: _Title = "Dialogue about images",
    clinical_use: _Use = ClinicalUse.RESEARCH,
    made_at: _MadeAt = None,
) -> None:
    """Export a LLaVA that looks at slices and answers; no network, no code of the checkpoint."""

    def made(declaration: "Declaration", asked: "Asked") -> "Bundle":
        from export_onnx.recipes import llava as recipe

        return recipe.export(checkpoint, out, declaration, asked, tower)

    _run(made, asks, (name, version, title, source, licence), (clinical_use, training), made_at)


def m3d(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a LaMed with Llama, as M3D writes it.")],
    out: _Out,
    asks: _Asks,
    name: _Name,
    source: _Source,
    licence: _Licence,
    training: _Training = LearntFrom.REAL,
    adapter: Annotated[Path | None, typer.Option(help="Folder of a LoRA adapter that is merged into it.")] = None,
    version: _Version = "1.0.0",
    title: _Title = "Report of a volume",
    clinical_use: _Use = ClinicalUse.RESEARCH,
    made_at: _MadeAt = None,
) -> None:
    """Export a LaMed that looks at a volume and reports; no network, no code of the checkpoint."""

    def made(declaration: "Declaration", asked: "Asked") -> "Bundle":
        from export_onnx.recipes import m3d as recipe

        return recipe.export(checkpoint, out, declaration, asked, adapter)

    _run(made, asks, (name, version, title, source, licence), (clinical_use, training), made_at)


def _run(
    made: Callable[["Declaration", "Asked"], "Bundle"],
    asks: Path,
    names: tuple[str, str, str, str, str],
    terms: tuple[ClinicalUse, LearntFrom],
    made_at: datetime | None,
) -> None:
    """Declare, export and tell; exits with 1 and one sentence where that fails."""
    try:
        from export_onnx.errors import ExportError
        from export_onnx.parity import ParityError
        from export_onnx.recipes import asked
        from export_onnx.recipes.declaration import Declaration
    except ImportError as error:
        typer.echo(f"{error.name} is not installed: install dicom-node[export]", err=True)
        raise typer.Exit(2) from None
    from inference.manifests.identity import Licence

    name, version, title, source, licence = names
    try:
        declaration = Declaration(
            name=name,
            version=version,
            title=title,
            source=source,
            licence=Licence(name=licence, clinical_use=terms[0].value),
            training=terms[1].value,
            made_at=(made_at or datetime.now(UTC)).replace(tzinfo=UTC, microsecond=0),
        )
        bundle = made(declaration, asked.read(asks))
    except (ExportError, ParityError, InferenceError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'manifest'}: {e['msg']}" for e in error.errors())
        typer.echo(f"error: {faults}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{bundle.path}\ndigest {bundle.digest}")
