"""The demo town: virtual instruments on real pseudo-terminals and a camera, and every process."""
