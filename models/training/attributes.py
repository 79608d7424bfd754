"""The attribute network: EfficientNet-Lite0 with one logit for each attribute; ImageNet weights
load by name."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

LABELS = ("hat", "mask", "mask_wrong", "face")
"""The last one is not told: without a face the mask cannot be told."""

GATES = {"mask": "face", "mask_wrong": "face"}
WIDTH, HEIGHT = 96, 128
MEAN, STD = 127.0, 128.0
"""Input RGB: (0..255 - 127) / 128, as the published weights expect."""

STAGES = (
    # repeats, kernel, stride, expansion, outputs
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding of even inputs: stride 2 pads one less in
    front."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        total = kernel - stride
        self.same = (total // 2, total - total // 2) * 2

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(functional.pad(input, self.same) if any(self.same) else input)


class InvertedBottleneck(nn.Module):
    """Expand, depthwise, project; a shortcut where the shape allows. Attribute names are those of
    the weights."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        if expansion != 1:
            self._expand_conv = SameConv(inputs, hidden, 1)
            self._bn0 = _norm(hidden)
        self._depthwise_conv = SameConv(hidden, hidden, kernel, stride, groups=hidden)
        self._bn1 = _norm(hidden)
        self._project_conv = SameConv(hidden, outputs, 1)
        self._bn2 = _norm(outputs)
        self.has_expansion = expansion != 1
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self.has_expansion else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.has_shortcut else y


class AttributeNet(nn.Module):
    """Input: RGB normalised [batch, 3, 128, 96]; output: logits [batch, labels]."""

    def __init__(self, label_count: int = len(LABELS), dropout: float = 0.2) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2)
        self._bn0 = _norm(32)
        blocks, inputs = [], 32
        for repeats, kernel, stride, expansion, outputs in STAGES:
            for repeat in range(repeats):
                blocks.append(
                    InvertedBottleneck(
                        inputs, outputs, kernel, stride if repeat == 0 else 1, expansion
                    )
                )
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SameConv(320, 1280, 1)
        self._bn1 = _norm(1280)
        self.dropout = nn.Dropout(dropout)
        self.answer = nn.Linear(1280, label_count)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)))
        answer: Tensor = self.answer(self.dropout(x.mean(dim=(2, 3))))
        return answer


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def load_imagenet(net: AttributeNet, path: Path) -> None:
    """Load the published Lite0 weights (all but their ImageNet classifier). Raises ValueError if a
    name is missing."""
    weights = torch.load(path, weights_only=True)
    missing, _ = net.load_state_dict(
        {k: v for k, v in weights.items() if not k.startswith("_fc")}, strict=False
    )
    if unexpected := [name for name in missing if not name.startswith("answer")]:
        raise ValueError(f"{path}: no weights for {unexpected[:3]}")
