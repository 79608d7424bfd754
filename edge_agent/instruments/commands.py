"""`foodsentry instrument …`: profiles and serial lines at the command line."""

import argparse


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `instrument` with its sub-commands."""
    parser = subparsers.add_parser("instrument", help="serial instruments and their profiles")
    parser.add_subparsers(dest="instrument_command", metavar="COMMAND", required=True)
