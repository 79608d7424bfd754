"""The chaos suite's own modules, and those that it borrows from the gateway's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "gateway"))

import servers

servers.START_LIMIT_S = 90.0
"""Everything starts while everything else is at work."""
