"""`foodsentry vision …`: what the models and the pipeline see, at the command line."""

import argparse
from pathlib import Path

from edge_agent.cameras.tools.detect_command import add_detect
from edge_agent.cameras.tools.discover_command import add_discover
from edge_agent.cameras.tools.replay_command import add_annotate, add_replay
from edge_agent.cameras.tools.setup_command import add_setup

ROOT = Path(__file__).resolve().parents[3]


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `vision` with its sub-commands."""
    parser = subparsers.add_parser("vision", help="cameras: detect, annotate, replay, set up")
    leaves = parser.add_subparsers(dest="vision_command", metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models")
    common.add_argument("--detector", default="kitchen_heads")
    common.add_argument("--attributes", default="head_attributes")
    add_detect(leaves, common)
    add_annotate(leaves, common)
    add_replay(leaves, common)
    add_setup(leaves, common)
    add_discover(leaves)
