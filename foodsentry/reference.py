"""Writes the generated pages of docs/ from the types: `python -m foodsentry.reference [--check]`.

Pages: the AsyncAPI document, the configuration reference of edge agent, gateway and server, and the
references of instrument profiles and of rules; beside them the JSON Schemas of rule files and of
escalation policies.
"""

import argparse
import json
import sys
from pathlib import Path

import msgspec

from contracts import asyncapi
from contracts.profile import Profile
from contracts.reference import markdown, table_markdown, tables
from edge_agent.settings import EdgeSettings
from foodsentry.examples import example
from gateway.alerts.rule import RuleFile, json_schema
from gateway.deadlines.policy import Policy
from gateway.settings import GatewaySettings
from server.settings import ServerSettings

ROOT = Path(__file__).resolve().parents[1]
PROCESSES: dict[str, type[msgspec.Struct]] = {
    "edge run": EdgeSettings,
    "gateway run": GatewaySettings,
    "server run": ServerSettings,
}


def configuration() -> str:
    """The configuration reference as Markdown."""
    parts = [
        "# Configuration reference\n\n"
        "Generated from the settings types by `make docs`; edit those, not this page.\n"
        "Each process reads one TOML file. An unknown or wrong key is refused, with file and key\n"
        "named. "
        "Annotated examples with every key are in `firmware_configs/settings/`, whole\n"
        "sites in `firmware_configs/sites/`.\n"
    ]
    for command, settings in PROCESSES.items():
        parts.append(f"## `foodsentry {command} SETTINGS.toml`\n\n{markdown(settings)}")
    return "\n".join(parts)


def profiles() -> str:
    """The reference of every key of an instrument profile, as Markdown."""
    head = (
        "# Profile reference\n\n"
        "Every key of a `profile.toml`, generated from the types by `make docs`; edit those, not\n"
        "this page. How to write one: [instruments.md](instruments.md). A table that comes in\n"
        "several kinds says which by its `kind`.\n"
    )
    return "\n".join([head, *(table_markdown(table) for table in tables(Profile))])


def rules() -> str:
    """The reference of every key of a rule file, as Markdown."""
    head = (
        "# Rule reference\n\n"
        "Every key of `firmware_configs/rules/*.toml`, generated from the types by `make docs`;\n"
        "edit those, not this page. How to write one: [alert-rules.md](alert-rules.md).\n"
        "`rule.when` comes in several kinds and says which by its `kind`.\n"
    )
    return "\n".join([head, *(table_markdown(table) for table in tables(RuleFile))])


def pages() -> dict[Path, str]:
    """Every generated page: path and text."""
    wire = json.dumps(asyncapi.document(), indent=2, ensure_ascii=False) + "\n"
    schema = json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"
    settings = ROOT / "firmware_configs" / "settings"
    policy = json.dumps(msgspec.json.schema(Policy), indent=2, ensure_ascii=False) + "\n"
    return {
        **{
            settings / f"{command.split()[0]}.toml": example(command, kind)
            for command, kind in PROCESSES.items()
        },
        ROOT / "firmware_configs" / "escalation" / "policy.schema.json": policy,
        ROOT / "docs" / "asyncapi.json": wire,
        ROOT / "docs" / "configuration.md": configuration(),
        ROOT / "docs" / "profile-reference.md": profiles(),
        ROOT / "docs" / "rule-reference.md": rules(),
        ROOT / "firmware_configs" / "rules" / "rule.schema.json": schema,
    }


def main() -> int:
    """Write the pages, or with --check only say which are out of date (exit status 1)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = {
        path: text
        for path, text in pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    }
    for path, text in stale.items():
        if not check:
            path.write_text(text, "utf-8")
        print(f"{'out of date' if check else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
