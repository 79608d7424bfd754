"""The product's front door: the one console command, and the demo town that it can start."""
