"""LLaVA's way from an image to the decoder: CLIP's blocks up to one of the last, then two layers into its width.

Liu et al., Improved Baselines with Visual Instruction Tuning (CVPR 2024). Parts are named as in a Hugging Face file.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional

from export_onnx.models.clip_stages import Encoder, PatchEmbeddings, TowerSizes


class LlavaVision(nn.Module):
    """pixel_values (image, 3, row, column), normalised, to image_features (image, token, hidden of the decoder).

    Parameters
    ----------
    sizes
        Of the whole tower.
    image, patch
        Edge of the image and of a patch, pixels.
    blocks
        After how many blocks the patches are taken.
    first
        Whether CLIP's first token, which is no patch, goes in too.
    hidden
        Of the decoder.
    biased
        Whether the two layers have a bias.
    """

    def __init__(
        self, sizes: TowerSizes, *, image: int, patch: int, blocks: int, first: bool, hidden: int, biased: bool = True
    ) -> None:
        super().__init__()
        self.first = first
        self.tokens = (image // patch) ** 2 + int(first)
        self.vision_tower = nn.ModuleDict(
            {
                "embeddings": PatchEmbeddings(sizes.hidden_size, (image // patch) ** 2, patch),
                "pre_layrnorm": nn.LayerNorm(sizes.hidden_size, eps=sizes.layer_norm_eps),  # spelt so in the files
                "encoder": Encoder(replace(sizes, num_hidden_layers=blocks)),
            }
        )
        self.multi_modal_projector = nn.ModuleDict(
            {
                "linear_1": nn.Linear(sizes.hidden_size, hidden, bias=biased),
                "linear_2": nn.Linear(hidden, hidden, bias=biased),
            }
        )

    def forward(self, pixel_values: Tensor) -> Tensor:
        """See the class."""
        tokens = self.vision_tower["pre_layrnorm"](self.vision_tower["embeddings"](pixel_values))
        tokens = self.vision_tower["encoder"](tokens, None)[-1]
        if not self.first:
            tokens = tokens[:, 1:]
        layers = self.multi_modal_projector
        features: Tensor = layers["linear_2"](functional.gelu(layers["linear_1"](tokens)))
        return features
