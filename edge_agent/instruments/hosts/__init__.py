"""The host's side of each dialogue, without I/O: who speaks when."""
