"""The mean of several checkpoints of one network: what two rounds of training agree on."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


def main(argv: Sequence[str] | None = None) -> int:
    """Write `--out`: the mean of the averaged weights, the rest as in the last checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="in the order of their rounds")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    saved = [torch.load(path, weights_only=True) for path in arguments.checkpoints]
    torch.save(blend(saved), arguments.out)
    return 0


def blend(saved: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The last checkpoint with the mean of all averaged weights in the place of its own."""
    last = saved[-1]
    weights = {
        name: torch.stack([one["averaged"][name] for one in saved]).mean(0)
        if value.dtype.is_floating_point
        else value
        for name, value in last["averaged"].items()
    }
    return last | {"averaged": weights}


if __name__ == "__main__":
    raise SystemExit(main())
