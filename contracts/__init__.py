"""What travels between FoodSentry's rooms: topics, envelope, event types, units and verdict words.

Pure and small: standard library and msgspec only, no I/O but reading settings files.
"""
