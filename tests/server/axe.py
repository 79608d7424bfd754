"""Where the browser tests find axe, which comes with the console's build tools."""

from pathlib import Path

from server import assets

AXE = Path(assets.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
