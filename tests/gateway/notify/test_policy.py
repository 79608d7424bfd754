"""The policy is read anew when the settings file has changed; a faulty file is said, and waits."""

from pathlib import Path

from contracts.settings import load_settings
from gateway.health import Health
from gateway.notify.policy import LOOK_EVERY_S, PolicyFile
from gateway.notify.settings import NotifySettings
from gateway.run import read_book
from gateway.settings import AlertSettings, GatewaySettings


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _read(file: Path) -> NotifySettings:
    return load_settings(file, GatewaySettings).notify


def test_a_changed_file_counts_and_a_faulty_one_does_not(tmp_path: Path) -> None:
    file, ticks, health = tmp_path / "gateway.toml", Ticks(), Health()
    base = '[ledger]\nurl = "sqlite://"\n[series]\npath = "s.db"\n'
    file.write_text(base, "utf-8")
    rules = read_book(AlertSettings(), tmp_path).rules
    ask = PolicyFile(file, _read, _read(file), rules, health, ticks)
    first = ask()
    assert "agent_offline" in first.inhibition.rules and first.settings.day_budget == 40
    ticks.now += LOOK_EVERY_S
    assert ask() is first
    file.write_text(base + "[notify.pipeline]\nday_budget = 7\n", "utf-8")
    assert ask() is first
    ticks.now += LOOK_EVERY_S
    second = ask()
    assert second.settings.day_budget == 7
    file.write_text(base + "[notify.pipeline]\nday_budget = -7\n", "utf-8")
    ticks.now += LOOK_EVERY_S
    assert ask() is second
    assert "day_budget" in health.report().reasons["notify settings"]
    file.unlink()
    ticks.now += LOOK_EVERY_S
    assert ask() is second
    file.write_text(base + "[notify.pipeline.class_2]\ngroup_wait_s = 1\n", "utf-8")
    ticks.now += LOOK_EVERY_S
    third = ask()
    assert third.settings.class_2.group_wait_s == 1 and third.settings.class_3.repeat_s == 86_400
    assert health.report().status == "ok"
