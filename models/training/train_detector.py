"""Train the detector: `python -m models.training.train_detector --help`. Seeded, resumable, one
checkpoint file."""

import argparse
import copy
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from models.labels_file import merge_labels
from models.training.batches import Batches, load
from models.training.detector import COCO_PERSON, LABELS, Detector, load_published
from models.training.detector_loss import detector_loss
from models.training.scenes import Scene, compose
from models.truth import Label, Photo, read_truth
from models.validation import split

SIZES = (352, 416, 480)
MOSAIC_SHARE = 0.6
AVERAGING = 0.998


def main(argv: Sequence[str] | None = None) -> int:
    """Train, save `detector.pt` in the folder `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--heads", type=Path, nargs="*", default=[], help="folders with labels.csv of head boxes"
    )
    parser.add_argument("--data", type=Path, help="folder of the hygiene photographs")
    parser.add_argument(
        "--labels",
        type=Path,
        nargs="*",
        default=[],
        help="label files of models.training.pseudo_labels",
    )
    parser.add_argument(
        "--negatives", type=Path, nargs="*", default=[], help="pictures without any person"
    )
    parser.add_argument(
        "--start", type=Path, required=True, help="yolox_nano.onnx, or a detector.pt"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that compose pictures")
    parser.add_argument(
        "--half", action="store_true", help="convolve in bfloat16, where the processor has it"
    )
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    photos = [photo for folder in arguments.heads for photo in read_truth(folder)]
    if arguments.data:
        photos += read_truth(arguments.data)
    training, _ = split(photos)
    training += [Photo(path, "negatives") for path in arguments.negatives]
    if arguments.labels:
        training = merge_labels(training, arguments.labels)
    train(training, arguments)
    return 0


def train(photos: Sequence[Photo], arguments: argparse.Namespace) -> Path:
    """Run or resume the training; returns the checkpoint's path."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.out / "detector.pt"
    detector = Detector().to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(detector)
    optimizer = torch.optim.AdamW(groups(detector), lr=arguments.rate, weight_decay=5e-4)
    first, spent = 0, 0.0
    if path.exists():
        saved = torch.load(path, weights_only=True)
        detector.load_state_dict(saved["detector"])
        averaged.load_state_dict(saved["averaged"])
        optimizer.load_state_dict(saved["optimizer"])
        first, spent = saved["step"], saved["seconds"]
    elif arguments.start.suffix == ".onnx":
        load_published(detector, arguments.start, (COCO_PERSON, COCO_PERSON))
        averaged.load_state_dict(detector.state_dict())
    else:
        detector.load_state_dict(torch.load(arguments.start, weights_only=True)["averaged"])
        averaged.load_state_dict(detector.state_dict())
    weights = np.array([source_weight(photo) for photo in photos])
    weights /= weights.sum()

    def make(random: np.random.Generator) -> tuple[Tensor, list[tuple[Label, ...]]]:
        size = int(random.choice(arguments.sizes))
        scenes = draw(photos, weights, arguments.batch, size, random)
        return to_tensor(scenes), [scene.labels for scene in scenes]

    batches = load(Batches(make, arguments.seed, first, arguments.steps), arguments.workers)
    started = time.monotonic()
    detector.train()
    progress = tqdm(batches, initial=first, total=arguments.steps, mininterval=5)
    for step, (pictures, labels) in enumerate(progress, first):
        floats = pictures.float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.half):
            maps = detector(floats)
        loss = detector_loss([part.float() for part in maps], labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(detector.parameters(), 10.0)
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * rate_share(step, arguments.steps)
        optimizer.step()
        average(averaged, detector, min(AVERAGING, (step + 1) / (step + 10)))
        progress.set_postfix(loss=f"{loss.item():.3f}")
        if (step + 1) % 50 == 0 or step + 1 == arguments.steps:
            torch.save(
                {
                    "detector": detector.state_dict(),
                    "averaged": averaged.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": step + 1,
                    "seconds": spent + time.monotonic() - started,
                    "seed": arguments.seed,
                },
                path,
            )
    return path


def source_weight(photo: Photo) -> float:
    """How often a photograph is drawn: close-up portraits teach a detector less than groups do, a
    photograph that misled an earlier detector teaches more."""
    if any(label.kind not in LABELS for label in photo.labels):
        return 3.0
    return {
        "hardhat": 2.0,
        "cafe": 6.0,
        "chandrikadeb7_with_mask": 0.5,
        "chandrikadeb7_without_mask": 0.4,
        "negatives": 8.0,
    }.get(photo.source, 1.0)


def draw(
    photos: Sequence[Photo],
    weights: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    count: int,
    size: int,
    random: np.random.Generator,
) -> list[Scene]:
    """`count` canvases."""
    scenes = []
    for _ in range(count):
        parts = 4 if random.random() < MOSAIC_SHARE else 1
        chosen = random.choice(len(photos), size=parts, p=weights)
        scenes.append(compose([photos[int(index)] for index in chosen], size, random))
    return scenes


def to_tensor(scenes: Sequence[Scene]) -> Tensor:
    """BGR bytes [batch, 3, size, size]."""
    stacked = np.stack([scene.picture for scene in scenes]).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(stacked))


def groups(detector: Detector) -> list[dict[str, object]]:
    """Weights decay, biases don't."""
    weights = [value for value in detector.parameters() if value.ndim > 1]
    biases = [value for value in detector.parameters() if value.ndim == 1]
    return [{"params": weights}, {"params": biases, "weight_decay": 0.0}]


def rate_share(step: int, steps: int) -> float:
    """Warm up over 40 steps, then a cosine down to one fiftieth."""
    if step < 40:
        return (step + 1) / 40
    return 0.02 + 0.49 * (1 + math.cos(math.pi * (step - 40) / max(1, steps - 40)))


@torch.no_grad()
def average(averaged: nn.Module, current: nn.Module, keep: float) -> None:
    """Exponential moving average of the weights."""
    for mean, value in zip(
        averaged.state_dict().values(), current.state_dict().values(), strict=True
    ):
        if mean.dtype.is_floating_point:
            mean.mul_(keep).add_(value, alpha=1 - keep)
        else:
            mean.copy_(value)


if __name__ == "__main__":
    raise SystemExit(main())
