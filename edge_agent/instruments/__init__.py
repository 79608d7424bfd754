"""Instruments on serial lines: port, profile, host's side of the dialogue, results and readings."""
