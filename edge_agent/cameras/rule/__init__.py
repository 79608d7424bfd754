"""From heads to episodes: zones, whose head it is, what never moves, how often, how long."""
