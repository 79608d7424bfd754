"""`foodsentry vision discover`: ONVIF cameras, their streams and their clocks."""

import argparse
import sys
from typing import Any

import msgspec

from contracts.settings import read_secret
from edge_agent.cameras.sources.onvif.device import TIMEOUT_S, Described, Device
from edge_agent.cameras.sources.onvif.discovery import discover
from edge_agent.cameras.sources.onvif.messages import OnvifError

_CLOCK_OFF_S = 5.0
"""A clock that is off by more is worth a word."""


def add_discover(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `vision discover`."""
    leaf = leaves.add_parser("discover", help="ONVIF cameras: streams and clocks")
    leaf.add_argument("addresses", nargs="*", metavar="ADDRESS", help="ask these; do not call out")
    leaf.add_argument("--wait", type=float, default=3.0, metavar="S", help="seconds to listen")
    leaf.add_argument("--interface", default="", help="the box's own address in the cameras' net")
    leaf.add_argument("--user", default="", help="user at the cameras")
    leaf.add_argument(
        "--password-file", default="", help="else the environment's FOODSENTRY_CAMERA_PASSWORD"
    )
    leaf.add_argument("--json", action="store_true", help="one JSON line per camera")
    leaf.set_defaults(run=run_discover)


def run_discover(arguments: argparse.Namespace) -> int:
    """Print each camera; 1 if none was found or one of the named does not answer."""
    secret = read_secret(
        arguments.password_file, "FOODSENTRY_CAMERA_PASSWORD", "vision discover: --password-file"
    )
    lines: list[dict[str, Any]]
    if arguments.addresses:
        lines = [{"address": address} for address in arguments.addresses]
    else:
        try:
            found = discover(arguments.wait, interface=arguments.interface)
        except OnvifError as error:
            print(f"foodsentry: {error}", file=sys.stderr)
            return 1
        lines = [
            {"address": one.service, "name": one.name, "hardware": one.hardware} for one in found
        ]
    status = 0 if lines else 1
    if not lines:
        print("foodsentry: no camera answers; name its address", file=sys.stderr)
    for line in lines:
        try:
            device = Device(line["address"], arguments.user, secret, TIMEOUT_S)
            line |= as_line(device.describe())
        except OnvifError as error:
            line["error"] = str(error)
            status = 1 if arguments.addresses else status
        print(msgspec.json.encode(line).decode() if arguments.json else as_text(line), flush=True)
    return status


def as_line(described: Described) -> dict[str, Any]:
    """What a camera says of itself, as one line of `--json`."""
    told = described.information
    return {
        "maker": told.maker,
        "model": told.model,
        "firmware": told.firmware,
        "serial": told.serial,
        "clock_offset_s": round(described.clock_offset_s, 1),
        "streams": [
            {
                "name": one.profile.name,
                "encoding": one.profile.encoding,
                "width": one.profile.width,
                "height": one.profile.height,
                "fps": one.profile.fps,
                "kbps": one.profile.kbps,
                "address": one.address,
            }
            for one in described.streams
        ],
    }


def as_text(line: dict[str, Any]) -> str:
    """The same for people, with what to write into the settings."""
    named = [line.get(key, "") for key in ("maker", "model", "firmware", "name", "hardware")]
    rows = [f"{line['address']}  {' '.join(part for part in named if part)}".rstrip()]
    if "error" in line:
        return "\n".join([*rows, f"  {line['error']}"])
    off = line["clock_offset_s"]
    word = "set it, or its times are wrong" if abs(off) > _CLOCK_OFF_S else "good"
    rows.append(f"  clock {off:+.1f} s against this box: {word}")
    for one in line["streams"]:
        size = f"{one['width']}x{one['height']}"
        rows.append(
            f"  {one['encoding']:5} {size:10} {one['fps']:4g}/s {one['kbps']:6} kbit/s  "
            f"{one['address']}"
        )
    if line["streams"]:
        rows.append(f'  source = "{line["streams"][0]["address"]}"')
    if len(line["streams"]) > 1:
        rows.append(f'  analysis_source = "{line["streams"][-1]["address"]}"')
    return "\n".join(rows)
