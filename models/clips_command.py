"""`foodsentry models clips`: golden clips made and judged, a table in Markdown."""

import argparse
import sys
import time
from pathlib import Path

from contracts.model_manifest import ManifestError

COMMITTED = Path(__file__).parent


def add_clips(under: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `clips`."""
    leaf = under.add_parser(
        "clips", help="episodes found and missed, false alarms an hour, on clips made by code"
    )
    leaf.add_argument(
        "--data",
        type=Path,
        help="folder with labels.csv: clips of its photographed people that training leaves out; "
        "without it, of drawn cooks",
    )
    leaf.add_argument("--out", type=Path, required=True, help="folder for scores and figures")
    leaf.add_argument("--stories", type=int, default=4, help="of each script and condition")
    leaf.add_argument("--hours", type=float, default=30.0, help="of clips without an episode")
    leaf.add_argument("--seed", type=int, default=0, help="another one makes other clips")
    leaf.add_argument("--processes", type=int, default=1)
    leaf.add_argument("--models", type=Path, default=COMMITTED, help="folder of models")
    leaf.add_argument("--detector", default="kitchen_heads")
    leaf.add_argument("--attributes", default="head_attributes")
    leaf.set_defaults(run=run_clips)


def run_clips(arguments: argparse.Namespace) -> int:
    """Play what is not played yet; print the tables. 1: no data or model that can be used."""
    # Vision libraries are large: other commands must not pay for them.
    from models.clip_scores import render
    from models.clips import Source, plan, run
    from models.truth import TruthError

    source = Source(arguments.data, arguments.models, arguments.detector, arguments.attributes)
    began_s = time.monotonic()

    def progress(done: int, of: int) -> None:
        passed = (time.monotonic() - began_s) / 60
        print(f"\r{done} of {of} clips, {passed:.0f} min", end="", file=sys.stderr, flush=True)

    try:
        jobs = plan(arguments.stories, arguments.hours, arguments.seed)
        file = arguments.out / "clip_scores.jsonl"
        scores = run(jobs, source, file, arguments.processes, progress)
    except (TruthError, ManifestError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(file=sys.stderr)
    text = render(scores)
    (arguments.out / "clip_figures.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0
