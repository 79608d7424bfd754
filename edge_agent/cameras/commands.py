"""`foodsentry vision …`: what the models and the pipeline see, at the command line."""

import argparse


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `vision` with its sub-commands."""
    parser = subparsers.add_parser("vision", help="cameras: detect in pictures, annotate videos")
    parser.add_subparsers(dest="vision_command", metavar="COMMAND", required=True)
