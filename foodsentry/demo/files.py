"""Writes the settings files of the demo's processes into its folder, with passwords made for it."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent.room.operators import write_operator
from foodsentry.demo.operator import OPERATORS, PIN
from foodsentry.demo.town import AGENT, CANTEEN, MARKET, SITES, VAN, DemoSite

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "firmware_configs"
COLD_STORE_FOR_S = 8
"""A real cold store may be warm for ten minutes before it is an alert; nobody watches that long."""


Stores = dict[str, dict[str, str]]
"""The tables `ledger` and `series` of the settings."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of one demo."""

    mqtt: int
    gateway: int
    server: int
    room: int = 0
    """The market's testing room; 0: its page is off."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of one demo is."""

    folder: Path
    ports: Ports

    @property
    def lines(self) -> Path:
        """Folder of the pseudo-terminals' links, one per instrument."""
        return self.folder / "lines"

    @property
    def film(self) -> Path:
        """The canteen camera's video."""
        return self.folder / "canteen.avi"

    @property
    def ledger_url(self) -> str:
        """The demo's book of record."""
        return f"sqlite:///{self.folder / 'ledger.sqlite'}"

    def settings(self, process: str) -> Path:
        """The settings file of a process or of a site's agent."""
        return self.folder / f"{process}.toml"

    def line(self, site: DemoSite, device: str) -> Path:
        """The stable path of an instrument's pseudo-terminal."""
        return self.lines / f"{site.site}.{device}"


def users() -> dict[str, str]:
    """Names and fresh passwords at the broker: the gateway and one agent for each site."""
    names = ["gateway", *(f"{site.region}/{site.site}" for site in SITES)]
    return {name: secrets.token_urlsafe(24) for name in names}


def toml(table: dict[str, Any], path: str = "") -> str:
    """A TOML document of tables, arrays of tables and plain values; `path` heads inner tables."""
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in table.items()
        if not _is_table(value)
    ]
    for key, value in table.items():
        inner = f"{path}{key}"
        if isinstance(value, dict):
            lines += ["", f"[{inner}]", toml(value, f"{inner}.")]
        elif _is_table(value):
            lines += [
                part for row in value for part in ("", f"[[{inner}]]", toml(row, f"{inner}."))
            ]
    return "\n".join(lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )


def _mqtt(layout: Layout, username: str, password: str, name: str) -> dict[str, Any]:
    secret = layout.folder / f"{name}.password"
    secret.touch(mode=0o600)
    secret.write_text(password, "utf-8")
    return {"port": layout.ports.mqtt, "username": username, "password_file": secret.name}


def _rules(layout: Layout) -> str:
    """The starter rules, with a cold store's patience cut to what a viewer has."""
    folder = layout.folder / "rules"
    folder.mkdir(exist_ok=True)
    for file in (CONFIGS / "rules").glob("*.toml"):
        (folder / file.name).write_bytes(file.read_bytes())
    path = folder / "storage.toml"
    text = path.read_text("utf-8")
    head, mark, tail = text.partition('id = "cold_store_warm"')
    if not mark or "for_s = 600" not in tail or "clear_for_s = 60" not in tail:
        raise ValueError("storage.toml: cold_store_warm has changed; adapt the demo")
    tail = tail.replace("for_s = 600", f"for_s = {COLD_STORE_FOR_S}", 1)
    tail = tail.replace("clear_for_s = 60", "clear_for_s = 5", 1)
    path.write_text(head + mark + tail, "utf-8")
    return folder.name


PROFILES = {
    "LZ-4000T": "dayuan_lz_4000t",
    "LIS2-A2": "generic_lis2",
    "XY-MD02": "generic_xy_md02",
}
POLLS_S = {"LZ-4000T": 1.0, "XY-MD02": 2.0}


def _instruments(layout: Layout, site: DemoSite) -> list[dict[str, Any]]:
    made = []
    for device in site.devices:
        if device.model not in PROFILES:
            continue
        row: dict[str, Any] = {
            "device": device.device,
            "profile": PROFILES[device.model],
            "port": str(layout.line(site, device.device)),
        }
        if device.model in POLLS_S:
            row["poll_every_s"] = POLLS_S[device.model]
        made.append(row)
    return made


FILES: Stores = {
    "ledger": {"url": "sqlite:///ledger.sqlite"},
    "series": {"api": "sqlite", "path": "series.sqlite"},
}
"""The demo's own stores: two files."""
LOOPBACK = ["127.0.0.0/8", "::1/128"]
"""Where the demo's webhooks may go besides public addresses: this machine."""


def write_settings(
    layout: Layout, words: dict[str, str], *, group: str = "", stores: Stores = FILES
) -> None:
    """Write gateway.toml, server.toml and one TOML file for each site's agent.

    `group` names the gateway's shared subscription; rumqttd's stall, and panic on disconnect.
    """
    layout.lines.mkdir(parents=True, exist_ok=True)
    gateway = {
        **stores,
        "mqtt": _mqtt(layout, "gateway", words["gateway"], "gateway"),
        "intake": {"group": group},
        "alerts": {"rules": _rules(layout), "watch_every_s": 2.0},
        "webhooks": {"allow_networks": LOOPBACK},
        "http": {"port": layout.ports.gateway},
    }
    layout.settings("gateway").write_text(toml(gateway), "utf-8")
    server = {
        "port": layout.ports.server,
        "public_base_url": f"http://127.0.0.1:{layout.ports.server}",
        "api": {"allow_networks": LOOPBACK},
        **stores,
    }
    layout.settings("server").write_text(toml(server), "utf-8")
    for site in (MARKET, VAN, CANTEEN):
        user = f"{site.region}/{site.site}"
        agent: dict[str, Any] = {
            "agent": {"region": site.region, "site": site.site, "device": AGENT.device},
            "mqtt": _mqtt(layout, user, words[user], site.site),
            "health": {"every_s": 2.0},
            "outbox": {"path": f"{site.site}.outbox.sqlite"},
            "instruments": _instruments(layout, site),
        }
        if site is MARKET and layout.ports.room:
            for name in OPERATORS:
                write_operator(layout.folder / "operators.toml", name, PIN)
            agent["room"] = {"port": layout.ports.room, "operators_file": "operators.toml"}
        if site is CANTEEN:
            agent["cameras"] = [
                {
                    "device": "cam-1",
                    "source": f"file:{layout.film}",
                    "loop": True,
                    "scene": "demo_canteen",
                    "honesty": {
                        "frozen_after_s": 4.0,
                        "degrade_after_s": 3.0,
                        "recover_after_s": 1.0,
                    },
                }
            ]
        layout.settings(site.site).write_text(toml(agent), "utf-8")
