"""Training code; needs the extra `train` (torch) and is never imported at run time."""
