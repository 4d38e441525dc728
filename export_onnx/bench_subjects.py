"""The networks that ship, in the sizes they were trained in, with weights by chance and inputs for one run."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.localiser_bundle import specs
from export_onnx.models.lesion_vit import LesionViT
from export_onnx.models.localiser import LocaliserMaps, Towers
from export_onnx.models.mini_vision import MiniPictureVision, MiniSizes, MiniVolumeVision
from export_onnx.models.tumour_net import TumourMaps, TumourNet
from export_onnx.models.unet import Probabilities, UNet
from export_onnx.models.volume_net import Probabilities as VolumeProbabilities
from export_onnx.models.volume_net import VolumeNet
from export_onnx.recipes.talk import VISION
from export_onnx.training import (
    brain_extractor,
    brain_manifest,
    ccm_or_aih,
    ccm_or_aih_manifest,
    lesion_manifest,
    lesion_segmenter,
    localiser_bundle,
    mini_dialogue_manifest,
    mini_image_dialogue,
    mini_volume_manifest,
    mini_volume_report,
    tumour_localiser,
    tumour_manifest,
    tumour_segmenter,
)
from inference import graph as spec
from inference.graph import Graph

SLICES = 8
"""In one run."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A network, its graph as a manifest describes it, and what both are given.

    Attributes
    ----------
    name
        Bundle and role.
    network
        As it is exported, with weights by chance: they do not change the time.
    spec
        Names, types and shapes.
    given
        Inputs in the order of `forward`.
    free_axes
        As `graphs.exported` takes them.
    """

    name: str
    network: nn.Module
    spec: Graph
    given: tuple[Tensor, ...]
    free_axes: dict[str, tuple[int, ...]]


def subjects() -> list[Subject]:
    """One for each graph of the bundles that ship, but for decoders: their time is that of what they write."""
    torch.manual_seed(0)
    speaking = [
        _speaking(mini_dialogue_manifest.NAME, mini_image_dialogue.REAL.sizes, mini_image_dialogue.REAL.decoder.hidden),
        _speaking(mini_volume_manifest.NAME, mini_volume_report.REAL.sizes, mini_volume_report.REAL.decoder.hidden),
    ]
    return [_brain(), _kinds_of_lesion(), _lesions(), *speaking, _tumours(), *_localiser()]


def _speaking(name: str, sizes: MiniSizes, hidden: int) -> Subject:
    kind, takes = (MiniVolumeVision, "volume") if len(sizes.shape) == 3 else (MiniPictureVision, "pixel_values")
    shape = (sizes.channels, *sizes.shape)
    return Subject(
        name=f"{name} vision",
        network=kind(sizes, hidden).eval(),
        spec=Graph(
            role="vision",
            file=VISION,
            inputs=(spec.Tensor(name=takes, dtype="float32", shape=(None, *shape)),),
            outputs=(spec.Tensor(name="image_features", dtype="float32", shape=(None, sizes.tokens, hidden)),),
            activation="none",
        ),
        given=(torch.rand(2, *shape),),
        free_axes={takes: (0,)},
    )


def _brain() -> Subject:
    setting = brain_extractor.REAL
    return Subject(
        name="brain-extractor segment",
        network=VolumeProbabilities(VolumeNet(setting.widths, setting.depths)).eval(),
        spec=brain_manifest.graph(),
        given=(torch.rand(1, 1, 96, 112, 96),),
        free_axes={"image": (2, 3, 4)},
    )


def _kinds_of_lesion() -> Subject:
    sizes = ccm_or_aih.REAL.plan.sizes
    return Subject(
        name="ccm-or-aih classify",
        network=LesionViT(sizes).eval(),
        spec=ccm_or_aih_manifest.graph(),
        given=(torch.rand(SLICES, sizes.slices, sizes.side, sizes.side), torch.rand(SLICES, 1)),
        free_axes={"crop": (0,), "size": (0,)},
    )


def _lesions() -> Subject:
    setting = lesion_segmenter.REAL
    channels = 2 * setting.plan.neighbours + 1
    return Subject(
        name="lesion-segmenter segment",
        network=Probabilities(UNet(channels, 1, setting.widths)).eval(),
        spec=lesion_manifest.graph(setting),
        given=(torch.rand(SLICES, channels, 96, 112),),
        free_axes={"image": (0, 2, 3)},
    )


def _tumours() -> Subject:
    setting = tumour_segmenter.REAL
    network = TumourNet(len(tumour_manifest.KINDS), setting.widths, setting.depths)
    return Subject(
        name="tumour-segmenter segment",
        network=TumourMaps(network, mirrored=False).eval(),
        spec=tumour_manifest.graph(),
        given=(torch.rand(SLICES, 1, setting.size, setting.size),),
        free_axes={"image": (0, 2, 3)},
    )


def _localiser() -> list[Subject]:
    setting = tumour_localiser.REAL
    towers, size = Towers(setting.sizes).eval(), setting.trunk.size
    maps = LocaliserMaps(towers.localiser).eval()
    vision, text = specs(localiser_bundle.parts(towers, maps, tumour_localiser.TOKENIZER, size))
    texts = functional.normalize(torch.randn(2, setting.joint), dim=1)
    ids = torch.randint(0, tumour_localiser.TOKENIZER.get_vocab_size(), (2, 16))
    return [
        Subject(
            name="tumour-localiser vision",
            network=maps,
            spec=vision,
            given=(torch.rand(SLICES, 1, size, size), texts),
            free_axes={"image": (0,), "text_features": ()},
        ),
        Subject(
            name="tumour-localiser text",
            network=towers.text,
            spec=text,
            given=(ids, torch.ones_like(ids)),
            free_axes={"input_ids": (0, 1), "attention_mask": (0, 1)},
        ),
    ]
