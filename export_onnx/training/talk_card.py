"""Model cards of the small readers that speak, in Markdown; every figure is taken from what `evaluate` gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from export_onnx.training.card import figures_table
from inference.manifests.talk import Talk

_WIDTH = 120

_TEXT = """# {title}

**RESEARCH USE.** {name} {version}, training: `{training}`. Not a medical device, and not for diagnosis.

{made}

| | |
|---|---|
| reads | {reads} |
| gives | {gives} |
| network | {parameters:,} weights: convolutions and {image_tokens} tokens of an image, a decoder of {layers} layers |
| most tokens | {max_tokens}: image, question and what is written |
| torch against ONNX Runtime | at most {atol:.0e} apart, checked wherever the bundle is opened |
| licence | {licence}; {restrictions} |
| bundle digest | `{digest}` |
| weights | {file}, sha256 `{sha256}` |

## Figures

{explained}

    {evaluated}

{intervals}

{tables}

## Training

{trained}

    {command}

## Limits

{limits}
"""


_INTERVALS = (
    "Intervals are the 95 % percentile bootstrap over {units} (1,000 replicates). Baselines: `vqa_chance` draws among "
    "the options, `vqa_majority` gives the most frequent answer to the same question, `vqa_blind` is the reader itself "
    "without the image: the better of an empty image and another one's."
)
_TRAINED = (
    "{data}. Seed {seed}, {iterations:,} steps, AdamW with cosine decay in bfloat16, the running mean of the weights "
    "kept. {took} Nothing was chosen on a validation. Repeated by"
)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What only one bundle's card says.

    Attributes
    ----------
    made, reads, gives
        What it is, in sentences; what it reads and gives, in a line each.
    explained, command
        What the figures are of, and what wrote them.
    units
        Which are resampled.
    limits
        One item each.
    """

    made: str
    reads: str
    gives: str
    explained: str
    command: str
    units: str
    limits: tuple[str, ...]


def talk_card(manifest: Any, told: Mapping[str, Any], *, words: Words, took: str) -> str:
    """The card's text.

    Parameters
    ----------
    manifest
        With `training_run`.
    told
        As in `metrics.json`.
    took
        How long the training took, and on what.
    """
    if not isinstance(manifest, Talk) or manifest.training_run is None:
        raise TypeError("the card is of a bundle that speaks and says which run made it")
    run, source = manifest.training_run, manifest.source_checkpoint.files[0]
    trained = _TRAINED.format(
        data=run.data[0].upper() + run.data[1:], seed=run.seed, iterations=run.iterations, took=took
    )
    return _TEXT.format(
        title=manifest.title,
        name=manifest.name,
        version=manifest.version,
        training=manifest.training,
        made=fill(words.made, _WIDTH),
        reads=words.reads,
        gives=words.gives,
        parameters=run.parameters,
        image_tokens=manifest.image_tokens,
        layers=(len(manifest.graph("decoder").inputs) - 3) // 2,
        max_tokens=manifest.max_tokens,
        atol=manifest.parity.atol,
        licence=manifest.licence.name,
        restrictions=manifest.licence.restrictions,
        digest=told["digest"],
        file=source.path,
        sha256=source.sha256,
        explained=fill(f"{words.explained} Written by", _WIDTH),
        evaluated=words.command,
        intervals=fill(_INTERVALS.format(units=words.units), _WIDTH),
        tables="\n\n".join(figures_table(part) for part in told["subsets"]),
        trained=fill(trained, _WIDTH),
        command=run.command,
        limits="\n".join(fill(f"- {limit}", _WIDTH, subsequent_indent="  ") for limit in words.limits),
    )
