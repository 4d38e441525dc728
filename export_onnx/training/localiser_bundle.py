"""The trained localiser gets its manifest, its figures and its card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from export_onnx.finished import finished
from export_onnx.localiser_bundle import Parts, write
from export_onnx.models.localiser import LocaliserMaps, Towers
from export_onnx.recipes.clip_prompts import PROMPTS
from export_onnx.training import tumour_manifest as shared
from export_onnx.training.choice import Choice
from export_onnx.training.record import BRAIN, LEARNING, checkpoint, exporter
from export_onnx.training.tumour_card import localiser_card
from export_onnx.training.tumour_segmenter import tested
from inference.algorithms import Runtime
from inference.algorithms.tumour_localiser import TumourLocaliser
from inference.bundle import Bundle
from inference.manifests.identity import Limits, TrainingRun
from inference.outputs import Calibration, FindingSpec

NAME, VERSION = "tumour-localiser", "0.1.0"


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """What training and validation gave.

    Attributes
    ----------
    towers, maps
        Trained, and the module that is exported.
    tokenizer
        Texts to numbers.
    choice, of_image
        Of the map, and of the score of a slice.
    size, stages
        Rows and columns of the input, and after which blocks the patches are compared with the texts.
    run
        The run as the manifest records it.
    """

    towers: Towers
    maps: LocaliserMaps
    tokenizer: Tokenizer
    choice: Choice
    of_image: Calibration
    size: int
    stages: tuple[int, ...]
    run: TrainingRun


def packaged(learnt: Learnt, data: Path, fold: int, out: Path, took: str) -> Bundle:
    """Export, prove, test on the fold that was kept, and write the bundle.

    Parameters
    ----------
    data, fold
        Folder of the labelled data, and the fold to test on.
    out
        Folder of weights and bundle.
    took
        A sentence for the card: how long the training took and on what.
    """
    weights = out / f"{NAME}.pt"
    torch.save({name: value.half() for name, value in learnt.towers.state_dict().items()}, weights)
    bundle = write(parts(learnt.towers, learnt.maps, learnt.tokenizer, learnt.size), _values(learnt, weights), out, {})
    figures = tested(TumourLocaliser.opened(bundle, Runtime(providers=("cpu",), threads=0)), data, fold)
    return finished(
        bundle,
        figures,
        lambda manifest, told: localiser_card(manifest, told, fold=fold, size=learnt.size, took=took),
        out,
    )


def parts(towers: Towers, maps: LocaliserMaps, tokenizer: Tokenizer, size: int) -> Parts:
    """Both towers and their texts, ready to be exported."""
    return Parts(
        maps=maps,
        text=towers.text,
        text_inputs=("input_ids", "attention_mask"),
        tokenizer=tokenizer.to_str(pretty=True).encode() + b"\n",
        max_length=towers.text.position.num_embeddings,
        vocabulary=tokenizer.get_vocab_size(),
        image=size,
        joint=towers.text.projection.out_features,
        prompts=PROMPTS,
    )


def _values(learnt: Learnt, weights: Path) -> dict[str, Any]:
    """The keys of bundle.json that the graphs do not tell."""
    return {
        "schema_version": 1,
        "name": NAME,
        "version": VERSION,
        "title": "What looks like tumour on contrast T1-weighted MR: stages of a vision transformer against texts",
        "algorithm": "tumour-localiser",
        "source": "dicom-node",
        "family": LEARNING,
        "licence": shared.LICENCE,
        "training": "real",
        "source_checkpoint": checkpoint("StagedLocaliser with a text tower, learnt together", weights),
        "training_run": learnt.run,
        "exporter": exporter(),
        "inputs": shared.INPUTS,
        "preprocess": shared.preprocess(learnt.size),
        "segments": (shared.segment(learnt.choice),),
        "findings": (
            FindingSpec(
                segment=1,
                label="tumour",
                code=shared.NEOPLASM,
                site=BRAIN,
                probability_from="max",
                laterality="midline",
            ),
        ),
        "limits": Limits(max_voxels=60_000_000, max_findings=20),
        "stages": learnt.stages,
        "decoder": "trained",
        "image_calibration": learnt.of_image,
    }
