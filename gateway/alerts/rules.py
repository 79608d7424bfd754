"""The reader of rule files (``firmware_configs/rules/*.toml``): lists of ``[[rule]]`` tables.

Errors name the file, the rule and the key.
"""

from pathlib import Path

from contracts.settings import SettingsError, load_settings
from gateway.alerts.check import check_names, check_rule, check_version
from gateway.alerts.rule import Rule, RuleFile


def rule_files(path: Path) -> list[Path]:
    """A file, or every ``*.toml`` in a folder. Raises SettingsError if there is none."""
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise SettingsError(f"{path}: no *.toml rule files here")
    return files


def read_rules(path: Path) -> list[Rule]:
    """Rules of a file, or of every ``*.toml`` in a folder. Raises SettingsError.

    Several versions of one rule may follow each other in time.
    """
    found: list[Rule] = []
    for file in rule_files(path):
        for rule in load_settings(file, RuleFile).rule:
            check_version(rule, found, f"{file}: rule {rule.id}")
            check_rule(rule, f"{file}: rule {rule.id}")
            found.append(rule)
    check_names(found, str(path))
    return found
