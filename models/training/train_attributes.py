"""Train the attribute classifier: `python -m models.training.train_attributes --help`. Seeded,
resumable."""

import argparse
import copy
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from models.labels_file import merge_labels
from models.training.attributes import LABELS, MEAN, STD, AttributeNet, load_imagenet
from models.training.augment import Picture
from models.training.batches import Batches, load
from models.training.calibration import calibrate
from models.training.crops import Head, crop, cut_heads, vary
from models.training.train_detector import average, groups, rate_share
from models.truth import UNKNOWN, Label, Photo, read_truth
from models.validation import split

SMOOTHING = 0.02
AVERAGING = 0.995


def main(argv: Sequence[str] | None = None) -> int:
    """Train, save `attributes.pt` (weights and temperatures) in the folder `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the hygiene photographs"
    )
    parser.add_argument(
        "--heads", type=Path, help="folder of the hardhat photographs: bare heads from all sides"
    )
    parser.add_argument(
        "--labels",
        type=Path,
        nargs="*",
        default=[],
        help="label files of models.training.pseudo_labels",
    )
    parser.add_argument(
        "--start", type=Path, help="EfficientNet-Lite0 weights (.pth); without it from scratch"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that make crops")
    parser.add_argument(
        "--half", action="store_true", help="convolve in bfloat16, where the processor has it"
    )
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    photos = read_truth(arguments.data)
    if arguments.heads:
        photos += read_truth(arguments.heads)
    training, validation = split(photos)
    if arguments.labels:
        training, validation = (
            merge_labels(part, arguments.labels) for part in (training, validation)
        )
    train(cut_all(training), cut_all(validation), arguments)
    return 0


def cut_all(photos: Sequence[Photo]) -> list[Head]:
    """Heads of all pictures that have at least one known attribute."""
    heads = (head for photo in photos for head in cut_heads(photo))
    return [head for head in heads if any(value != UNKNOWN for value in answers(head.label))]


def answers(label: Label) -> tuple[int, ...]:
    """What is known of a head, in the order of LABELS."""
    return tuple(getattr(label, name) for name in LABELS)


def train(heads: Sequence[Head], validation: Sequence[Head], arguments: argparse.Namespace) -> Path:
    """Run or resume the training; returns the checkpoint's path."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.out / "attributes.pt"
    net = AttributeNet().to(memory_format=torch.channels_last)
    if arguments.start:
        load_imagenet(net, arguments.start)
    averaged = copy.deepcopy(net)
    optimizer = torch.optim.AdamW(groups(net), lr=arguments.rate, weight_decay=0.02)
    first, spent = 0, 0.0
    if path.exists():
        saved = torch.load(path, weights_only=True)
        net.load_state_dict(saved["net"])
        averaged.load_state_dict(saved["averaged"])
        optimizer.load_state_dict(saved["optimizer"])
        first, spent = saved["step"], saved["seconds"]
    started = time.monotonic()
    weights = head_weights(heads)

    def make(random: np.random.Generator) -> tuple[Tensor, Tensor]:
        chosen = random.choice(len(heads), size=arguments.batch, p=weights)
        varied = [vary(heads[int(index)], random) for index in chosen]
        truth = torch.tensor([answers(label) for _, label in varied], dtype=torch.float32)
        return stack([picture for picture, _ in varied]), truth

    batches = load(Batches(make, arguments.seed, first, arguments.steps), arguments.workers)
    progress = tqdm(batches, initial=first, total=arguments.steps, mininterval=5)

    def save(step: int) -> None:
        logits = predict(averaged, validation)
        truth = np.array([answers(head.label) for head in validation]).reshape(-1, len(LABELS))
        sources = [head.source for head in validation]
        tqdm.write(f"step {step}: " + report(logits, truth))
        calibration = {
            label: calibrate(logits[:, column], truth[:, column], sources)
            for column, label in enumerate(LABELS)
        }
        torch.save(
            {
                "net": net.state_dict(),
                "averaged": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "seconds": spent + time.monotonic() - started,
                "seed": arguments.seed,
                "calibration": calibration,
            },
            path,
        )

    for step, (pictures, truth) in enumerate(progress, first):
        net.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.half):
            logits = net(normalise(pictures))
        loss = attribute_loss(logits.float(), truth)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * rate_share(step, arguments.steps)
        optimizer.step()
        average(averaged, net, min(AVERAGING, (step + 1) / (step + 10)))
        progress.set_postfix(loss=f"{loss.item():.3f}")
        if (step + 1) % 100 == 0:
            save(step + 1)
    save(max(first, arguments.steps))
    return path


def head_weights(heads: Sequence[Head]) -> npt.NDArray[np.float64]:
    """How often a head is drawn: hats and masks are rare, most of all hats of
    others than chefs; bare workers are many."""
    weights = np.ones(len(heads))
    for index, head in enumerate(heads):
        if head.label.mask_wrong == 1:
            weights[index] = 8.0
        elif head.label.hat == 1:
            weights[index] = 3.0 if head.source == "idenprof_chef" else 5.0
        elif head.source == "hardhat":
            weights[index] = 0.25 if head.label.face != 0 else 0.8
        elif head.label.mask == 1:
            weights[index] = 1.6
    return weights / weights.sum()


def attribute_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean binary cross-entropy over the known attributes, with a little label smoothing."""
    known = (truth != UNKNOWN).float()
    target = truth.clamp(min=0) * (1 - 2 * SMOOTHING) + SMOOTHING
    loss = functional.binary_cross_entropy_with_logits(
        logits, target, weight=known, reduction="sum"
    )
    return loss / known.sum().clamp(min=1)


@torch.no_grad()
def predict(net: AttributeNet, heads: Sequence[Head]) -> npt.NDArray[np.float32]:
    """Logits [heads, labels] of the undegraded crops."""
    net.eval()
    parts = [
        net(
            to_tensor([crop(head.picture, head.label.box) for head in heads[start : start + 128]])
        ).numpy()
        for start in range(0, len(heads), 128)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(LABELS)), dtype=np.float32)


def to_tensor(pictures: Sequence[Picture]) -> Tensor:
    """BGR pictures as normalised RGB [batch, 3, height, width]."""
    return normalise(stack(pictures))


def stack(pictures: Sequence[Picture]) -> Tensor:
    """BGR pictures as RGB bytes [batch, 3, height, width]."""
    stacked = np.stack(pictures)[..., ::-1].transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(stacked))


def normalise(pictures: Tensor) -> Tensor:
    """Bytes as the network takes them."""
    return ((pictures.float() - MEAN) / STD).contiguous(memory_format=torch.channels_last)


def report(logits: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]) -> str:
    """Accuracy, precision and recall at one half, for the log."""
    parts = []
    for column, label in enumerate(LABELS):
        known = truth[:, column] != UNKNOWN
        said, true = logits[known, column] > 0, truth[known, column] == 1
        hits = int((said & true).sum())
        parts.append(
            f"{label} acc {float((said == true).mean()) if known.any() else 0:.3f} "
            f"P {hits / max(1, int(said.sum())):.3f} "
            f"R {hits / max(1, int(true.sum())):.3f} n {int(known.sum())}"
        )
    return ", ".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
