"""The detector network: YOLOX-nano without batch normalisation, so that the published ONNX weights
load one to one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

LABELS = ("head", "person")
STRIDES = (8, 16, 32)
COCO_PERSON = 0


class Block(nn.Module):
    """Convolution with bias, then SiLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(self.conv(x))


class Depthwise(nn.Sequential):
    """A depthwise 3 x 3 and a pointwise block."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(Block(inputs, inputs, 3, stride, groups=inputs), Block(inputs, outputs))


class Bottleneck(nn.Module):
    """Pointwise, depthwise, and a shortcut if wanted."""

    def __init__(self, channels: int, has_shortcut: bool) -> None:
        super().__init__()
        self.first = Block(channels, channels)
        self.second = Depthwise(channels, channels)
        self.has_shortcut = has_shortcut

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return x + y if self.has_shortcut else y


class CrossStage(nn.Module):
    """Cross-stage-partial layer: half of the channels through bottlenecks, half past them."""

    def __init__(
        self, inputs: int, outputs: int, count: int = 1, has_shortcut: bool = True
    ) -> None:
        super().__init__()
        hidden = outputs // 2
        self.through = Block(inputs, hidden)
        self.past = Block(inputs, hidden)
        self.bottlenecks = nn.Sequential(*(Bottleneck(hidden, has_shortcut) for _ in range(count)))
        self.join = Block(2 * hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        through, past = self.through(x), self.past(x)
        y: Tensor = self.join(torch.cat((self.bottlenecks(through), past), dim=1))
        return y


class PyramidPooling(nn.Module):
    """Max pools of three sizes side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Block(channels, channels // 2)
        self.last = Block(channels * 2, channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y: Tensor = self.last(
            torch.cat((x, *(functional.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13))), dim=1)
        )
        return y


class Detector(nn.Module):
    """Input: BGR 0..255 [batch, 3, height, width]. Output in training: raw maps of each stride
    [batch, 5 + labels, h, w] (x, y, w, h, object, labels, before decoding); `decode` turns them
    into boxes and scores."""

    def __init__(self, label_count: int = len(LABELS)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 6, 2, 2)
        self.dark2 = nn.Sequential(Depthwise(16, 32, 2), CrossStage(32, 32))
        self.dark3 = nn.Sequential(Depthwise(32, 64, 2), CrossStage(64, 64, 3))
        self.dark4 = nn.Sequential(Depthwise(64, 128, 2), CrossStage(128, 128, 3))
        self.dark5 = nn.Sequential(
            Depthwise(128, 256, 2), PyramidPooling(256), CrossStage(256, 256, has_shortcut=False)
        )
        self.lateral = Block(256, 128)
        self.up4 = CrossStage(256, 128, has_shortcut=False)
        self.reduce = Block(128, 64)
        self.up3 = CrossStage(128, 64, has_shortcut=False)
        self.down3 = Depthwise(64, 64, 2)
        self.out4 = CrossStage(128, 128, has_shortcut=False)
        self.down4 = Depthwise(128, 128, 2)
        self.out5 = CrossStage(256, 256, has_shortcut=False)
        self.stems = nn.ModuleList(Block(channels, 64) for channels in (64, 128, 256))
        self.cls_convs = nn.ModuleList(
            nn.Sequential(Depthwise(64, 64), Depthwise(64, 64)) for _ in STRIDES
        )
        self.reg_convs = nn.ModuleList(
            nn.Sequential(Depthwise(64, 64), Depthwise(64, 64)) for _ in STRIDES
        )
        self.cls_preds = nn.ModuleList(nn.Conv2d(64, label_count, 1) for _ in STRIDES)
        self.reg_preds = nn.ModuleList(nn.Conv2d(64, 4, 1) for _ in STRIDES)
        self.obj_preds = nn.ModuleList(nn.Conv2d(64, 1, 1) for _ in STRIDES)

    def forward(self, x: Tensor) -> list[Tensor]:
        c3 = self.dark3(self.dark2(functional.silu(self.stem(x))))
        c4 = self.dark4(c3)
        lateral = self.lateral(self.dark5(c4))
        p4 = self.reduce(self.up4(torch.cat((_double(lateral), c4), dim=1)))
        n3 = self.up3(torch.cat((_double(p4), c3), dim=1))
        n4 = self.out4(torch.cat((self.down3(n3), p4), dim=1))
        n5 = self.out5(torch.cat((self.down4(n4), lateral), dim=1))
        maps = []
        for level, features in enumerate((n3, n4, n5)):
            features = self.stems[level](features)
            kinds = self.cls_preds[level](self.cls_convs[level](features))
            places = self.reg_convs[level](features)
            maps.append(
                torch.cat(
                    (self.reg_preds[level](places), self.obj_preds[level](places), kinds), dim=1
                )
            )
        return maps


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def flatten(maps: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(boxes xyxy in input pixels [batch, n, 4], object logits [batch, n], label logits [batch, n,
    labels], anchors [n, 3] = cell centre x, y and stride)."""
    boxes, objects, kinds, anchors = [], [], [], []
    for raw, stride in zip(maps, STRIDES, strict=True):
        height, width = raw.shape[2:]
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        grid = torch.stack((columns, rows), dim=-1).reshape(-1, 2).to(raw.dtype)
        flat = raw.flatten(2).transpose(1, 2)
        centre = (flat[..., :2] + grid) * stride
        half = torch.exp(flat[..., 2:4].clamp(max=8.0)) * (stride / 2)
        boxes.append(torch.cat((centre - half, centre + half), dim=-1))
        objects.append(flat[..., 4])
        kinds.append(flat[..., 5:])
        anchors.append(
            torch.cat(((grid + 0.5) * stride, torch.full((grid.shape[0], 1), float(stride))), dim=1)
        )
    return torch.cat(boxes, 1), torch.cat(objects, 1), torch.cat(kinds, 1), torch.cat(anchors)


class Decoded(nn.Module):
    """The detector as it is exported: boxes [n, 4] and scores [n, labels] of one picture."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        boxes, objects, kinds, _ = flatten(self.detector(x))
        scores = torch.sigmoid(objects)[..., None] * torch.sigmoid(kinds)
        return boxes.reshape(-1, 4), scores.reshape(-1, len(LABELS))


def load_published(detector: Detector, path: Path, label_channels: Sequence[int]) -> None:
    """Copy the weights of the published COCO ONNX file; label i starts as COCO class
    `label_channels[i]`.

    The convolutions of the file are matched by their order of execution, every shape is checked.
    """
    graph = onnx.load(str(path)).graph
    values = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).copy())
        for item in graph.initializer
    }
    weights = [
        (values[node.input[1]], values[node.input[2]])
        for node in graph.node
        if node.op_type == "Conv"
    ]
    order: list[nn.Conv2d] = []
    hooks = [
        module.register_forward_hook(lambda module, _inputs, _output: order.append(module))
        for module in detector.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        detector(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    if len(order) != len(weights):
        raise ValueError(f"{path}: {len(weights)} convolutions, the network has {len(order)}")
    kinds = set(map(id, detector.cls_preds))
    channels = list(label_channels)
    for index, (module, (weight, bias)) in enumerate(zip(order, weights, strict=True)):
        if module is detector.stem and weight.shape[1] != 3:
            weight = _unfold_focus(weight)
        elif id(module) in kinds:
            weight, bias = weight[channels], bias[channels]
        if module.weight.shape != weight.shape or module.bias is None:
            raise ValueError(
                f"{path}: convolution {index} is {list(weight.shape)}, "
                f"not {list(module.weight.shape)}"
            )
        module.weight.data.copy_(weight)
        module.bias.data.copy_(bias)


def _unfold_focus(weight: Tensor) -> Tensor:
    """A 3 x 3 convolution after space-to-depth is a 6 x 6 convolution of stride 2."""
    unfolded = np.zeros((weight.shape[0], 3, 6, 6), dtype=np.float32)
    for part, (dy, dx) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        unfolded[:, :, dy::2, dx::2] = weight[:, part * 3 : part * 3 + 3].numpy()
    return torch.from_numpy(unfolded)
