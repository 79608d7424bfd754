"""Cameras: from frames to few, explained observations, and a camera that says when it cannot see.

Read it in this order: `capture` (frames) → `motion` → `detect` → `attributes` → `track` → `scene`
(zones) → `episodes` (rules with persistence) → `evidence`; beside it `honesty` judges whether the
camera can see at all. `pipeline` joins them without threads or clocks; `workers` runs it.
"""
