"""What the detector is taught by: SimOTA assignment of cells to boxes, IoU, object and label
losses (as in YOLOX)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from models.training.detector import LABELS, flatten
from models.truth import Label

CENTRE_RADIUS = 2.5
CANDIDATES = 10
IOU_WEIGHT = 5.0


def detector_loss(maps: Sequence[Tensor], batch: Sequence[Sequence[Label]]) -> Tensor:
    """Mean loss of a batch; `batch` holds the labels of each picture, in input pixels."""
    boxes, objects, kinds, anchors = flatten(maps)
    total = boxes.new_zeros(())
    matched = 0
    for index, labels in enumerate(batch):
        wanted = [label for label in labels if not label.is_ignored]
        ignored = [label.box for label in labels if label.is_ignored]
        object_target = torch.zeros_like(objects[index])
        weight = torch.ones_like(object_target)
        if ignored:
            overlap = _share_inside(boxes[index].detach(), torch.tensor(ignored))
            weight[(overlap > 0.5).any(dim=1)] = 0.0
        if wanted:
            truth = torch.tensor([label.box for label in wanted])
            kind = torch.tensor([LABELS.index(label.kind) for label in wanted])
            cells, rows, quality = assign(
                boxes[index].detach(),
                objects[index].detach(),
                kinds[index].detach(),
                anchors,
                truth,
                kind,
            )
            if len(cells):
                found = boxes[index][cells]
                overlap = paired_iou(found, truth[rows])
                target = (
                    functional.one_hot(kind[rows], len(LABELS)).to(overlap.dtype) * quality[:, None]
                )
                total = total + IOU_WEIGHT * (1 - overlap**2).sum()
                total = total + functional.binary_cross_entropy_with_logits(
                    kinds[index][cells], target, reduction="sum"
                )
                object_target[cells] = 1.0
                weight[cells] = 1.0
                matched += len(cells)
        total = total + functional.binary_cross_entropy_with_logits(
            objects[index], object_target, weight, reduction="sum"
        )
    return total / max(1, matched)


@torch.no_grad()
def assign(
    boxes: Tensor, objects: Tensor, kinds: Tensor, anchors: Tensor, truth: Tensor, kind: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """(cells, index of the true box of each cell, IoU of each): every true box takes as many of
    the best cells around its centre as its overlaps add up to; a cell wanted by two goes to the
    cheaper one."""
    centre_x, centre_y, stride = anchors.T
    in_box = (
        (centre_x > truth[:, 0:1])
        & (centre_x < truth[:, 2:3])
        & (centre_y > truth[:, 1:2])
        & (centre_y < truth[:, 3:4])
    )
    middle = (truth[:, :2] + truth[:, 2:]) / 2
    near = ((centre_x - middle[:, 0:1]).abs() < CENTRE_RADIUS * stride) & (
        (centre_y - middle[:, 1:2]).abs() < CENTRE_RADIUS * stride
    )
    candidates = (in_box | near).any(dim=0).nonzero()[:, 0]
    overlap = iou(truth, boxes[candidates])
    probability = (
        torch.sigmoid(kinds[candidates]) * torch.sigmoid(objects[candidates])[:, None]
    ).sqrt()
    targets = functional.one_hot(kind, kinds.shape[1]).to(probability.dtype)
    label_cost = functional.binary_cross_entropy(
        probability[None].expand(len(truth), -1, -1),
        targets[:, None].expand(-1, len(candidates), -1),
        reduction="none",
    ).sum(-1)
    cost = label_cost - 3.0 * torch.log(overlap + 1e-8) + 1e5 * ~(in_box & near)[:, candidates]
    taken = torch.zeros_like(cost, dtype=torch.bool)
    count = overlap.topk(min(CANDIDATES, len(candidates)), dim=1).values.sum(1).int().clamp(min=1)
    for row in range(len(truth)):
        best = cost[row].topk(min(int(count[row]), len(candidates)), largest=False).indices
        taken[row, best] = True
    contested = taken.sum(0) > 1
    if contested.any():
        cheapest = cost[:, contested].argmin(0)
        taken[:, contested] = False
        taken[cheapest, contested.nonzero()[:, 0]] = True
    rows, chosen = taken.nonzero(as_tuple=True)
    return candidates[chosen], rows, overlap[rows, chosen]


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of every pair [len(first), len(second)]."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    inside = (high - low).clamp(min=0).prod(-1)
    return inside / (_area(first)[:, None] + _area(second)[None] - inside + 1e-9)


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of row i with row i."""
    inside = (
        (torch.minimum(first[:, 2:], second[:, 2:]) - torch.maximum(first[:, :2], second[:, :2]))
        .clamp(min=0)
        .prod(-1)
    )
    return inside / (_area(first) + _area(second) - inside + 1e-9)


def _share_inside(boxes: Tensor, areas: Tensor) -> Tensor:
    low = torch.maximum(boxes[:, None, :2], areas[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], areas[None, :, 2:])
    return (high - low).clamp(min=0).prod(-1) / (_area(boxes)[:, None] + 1e-9)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1)
