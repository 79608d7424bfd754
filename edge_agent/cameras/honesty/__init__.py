"""Can a camera see, and is it the present? Slow to say that it cannot, quick to take it back.

`watch.py` is the whole; every other file is one part of it, without threads, clock or disk.
"""

from edge_agent.cameras.honesty.measures import Measures, judge, measure
from edge_agent.cameras.honesty.sights import BLIND, Sight, Turn
from edge_agent.cameras.honesty.watch import Watch

__all__ = ["BLIND", "Measures", "Sight", "Turn", "Watch", "judge", "measure"]
