"""The house's own rules: names that are ours, files that say what they hold, one door each."""

import ast
import re
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "contracts",
    "ledger",
    "timeseries",
    "edge_agent",
    "gateway",
    "server",
    "models",
    "foodsentry",
    "firmware_configs",
)
DOORS = {
    "paho": {"edge_agent/uplink/mqtt.py", "gateway/broker.py", "foodsentry/bench/"},
    "serial": {"edge_agent/instruments/port.py"},
    "onnxruntime": {"edge_agent/cameras/eyes/inference.py", "models/"},
    "influxdb_client": {"timeseries/influx_client.py"},
    "sqlalchemy": {"ledger/"},
    "alembic": {"ledger/"},
    "prometheus_client": {"gateway/metrics.py", "server/metrics.py"},
    "cryptography": {
        "contracts/certificates.py",
        "edge_agent/custody/",
        "gateway/accounts/certificates.py",
        "ledger/signatures.py",
        "gateway/notify/channels/webpush_crypto.py",
    },
    "argon2": {"server/passwords.py"},
    "jwt": {"server/oidc.py"},
    "cel": {"gateway/alerts/expression.py"},
    "reportlab": {"server/pdf.py"},
    "barcode": {"edge_agent/room/label.py"},
    "segno": {"server/qr.py", "edge_agent/room/label.py"},
    "iotcore": {"foodsentry/demo/broker.py"},
    "cv2": {"edge_agent/cameras/", "edge_agent/simulation/", "models/", "foodsentry/bench/"},
    "fastapi": {"server/"},
    "torch": {"models/training/"},
    "apprise": {"gateway/notify/channels/apprise_channel.py"},
    "requests": {
        "gateway/notify/channels/ear.py",
        "gateway/notify/channels/http_post.py",
        "server/oidc.py",
    },
}


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows or would add, as paths from the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]


PYTHON = [path for path in tracked("*.py") if path.parts[0] in (*ROOMS, "tests")]


def test_no_other_distribution_owns_our_names() -> None:
    owners = packages_distributions()
    assert {room: set(owners.get(room, ["foodsentry"])) for room in ROOMS} == {
        room: {"foodsentry"} for room in ROOMS
    }


@pytest.mark.parametrize("path", PYTHON, ids=str)
def test_a_file_says_what_it_holds_and_is_no_longer_than_it_should_be(path: Path) -> None:
    text = (ROOT / path).read_text("utf-8")
    assert text.count("\n") <= 500, "two files in one"
    if "versions" in path.parts or not text.strip():
        return
    said = ast.get_docstring(ast.parse(text))
    assert said, "opens with no sentence about what it holds"


def imported(path: Path) -> set[str]:
    """First names of what a file imports, at any depth."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("library", DOORS)
def test_an_outside_library_has_one_door(library: str) -> None:
    users = {
        path.as_posix() for path in PYTHON if path.parts[0] != "tests" and library in imported(path)
    }
    strangers = {user for user in users if not any(user.startswith(d) for d in DOORS[library])}
    assert not strangers


def test_no_names_that_say_nothing() -> None:
    empty = re.compile(r"class \w*(Manager|Helper|Util|Processor)\b")
    found = [str(p) for p in PYTHON if empty.search((ROOT / p).read_text("utf-8"))]
    assert not [path for path in found if path != "tests/house/test_house.py"]


def test_no_registry_host_and_no_path_of_a_machine_is_committed() -> None:
    said = re.compile(rb"registry\.npmjs|files\.pythonhosted|pypi\.org/simple|deb\.debian|/work/")
    texts = [p for p in tracked() if p.suffix not in {".onnx", ".png", ".bin", ".jpg"}]
    found = [str(p) for p in texts if said.search((ROOT / p).read_bytes())]
    assert [path for path in found if path != "tests/house/test_house.py"] == []


def test_configurations_hold_no_python() -> None:
    assert not tracked("firmware_configs/**/*.py")
