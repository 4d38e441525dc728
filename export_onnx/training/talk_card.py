"""Model cards of the small readers that speak, in Markdown; every figure is taken from what `evaluate` gave."""

from collections.abc import Mapping
from typing import Any

from export_onnx.training.card import figures_table
from inference.manifests.talk import Talk

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

{explained} Written by

{commands}

Intervals are the 95 % percentile bootstrap over {units} (1,000 replicates). Baselines: `vqa_chance` draws among the
options, `vqa_majority` gives the most frequent answer to the same question, `vqa_blind` is the reader itself without
the image: the better of an empty image and another one's.

{tables}

## Training

{data}. Seed {seed}, {iterations:,} steps, AdamW with cosine decay in bfloat16, the running mean of the weights kept.
{took} Nothing was chosen on the test; nothing had to be chosen on a validation. Repeated by

    {command}

## Limits

{limits}
"""


def talk_card(
    manifest: Any,
    told: Mapping[str, Any],
    *,
    words: Mapping[str, str],
    took: str,
) -> str:
    """The card's text.

    Parameters
    ----------
    manifest
        With `training_run`.
    told
        As in `metrics.json`.
    words
        What only this bundle's card says: made, reads, gives, explained, commands, units, limits.
    took
        How long the training took, and on what.
    """
    if not isinstance(manifest, Talk) or manifest.training_run is None:
        raise TypeError("the card is of a bundle that speaks and says which run made it")
    run, source = manifest.training_run, manifest.source_checkpoint.files[0]
    return _TEXT.format(
        **words,
        title=manifest.title,
        name=manifest.name,
        version=manifest.version,
        training=manifest.training,
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
        tables="\n\n".join(figures_table(part) for part in told["subsets"]),
        data=run.data[0].upper() + run.data[1:],
        seed=run.seed,
        iterations=run.iterations,
        took=took,
        command=run.command,
    )
