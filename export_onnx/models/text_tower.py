"""A small text transformer whose features lie beside those of images; learns from nothing, together with them."""

import torch
from torch import Tensor, nn

from export_onnx.models.vision_transformer import Block


class TextTower(nn.Module):
    """Token numbers (text, token) to features (text, joint) of length 1.

    Parameters
    ----------
    vocabulary, positions
        Tokens there are, and most that a text has.
    width, blocks, heads
        Features of a token, blocks, heads of attention.
    joint
        Features that images and texts have in common.
    """

    def __init__(
        self, vocabulary: int, positions: int = 32, *, width: int = 128, blocks: int = 2, heads: int = 4, joint: int
    ) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(positions, width)
        nn.init.normal_(self.token.weight, std=0.1)
        nn.init.normal_(self.position.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, joint)
        nn.init.zeros_(self.projection.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Mean over the tokens of each text; `attention_mask` (text, token) is 1 for a token and 0 for filling."""
        return normalised(self._features(input_ids, attention_mask))

    def centre(self, input_ids: Tensor, attention_mask: Tensor) -> None:
        """Before anything is learnt, move the features so that those of these texts lie around zero.

        Texts share most of their words: uncentred, those of normal and of abnormal point the same way, and what images
        are compared with is the same twice.
        """
        with torch.no_grad():
            self.projection.bias.sub_(self._features(input_ids, attention_mask).mean(dim=0))

    def _features(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        tokens = self.token(input_ids) + self.position(torch.arange(input_ids.shape[1], device=input_ids.device))
        seen = attention_mask[:, None, None, :] > 0
        for block in self.blocks:
            tokens = block(tokens, seen)
        weight = attention_mask.unsqueeze(2).to(tokens.dtype)
        pooled = (self.norm(tokens) * weight).sum(dim=1) / weight.sum(dim=1)
        features: Tensor = self.projection(pooled)
        return features


def normalised(features: Tensor) -> Tensor:
    """Of length 1 along the last axis, float32."""
    features = features.float()
    length: Tensor = features.norm(dim=-1, keepdim=True)
    return features / length.clamp(min=1e-8)


def ensemble(features: Tensor) -> Tensor:
    """Features of some texts (text, joint) as one (joint,): made of length 1 before and after the mean."""
    return normalised(normalised(features).mean(dim=0))
