"""The testing room's page: samples registered, results brought to them, all of it safe offline.

`matching`, `guidance` and `numbers` decide and touch nothing; `store` keeps; `desk` does what
operators ask for, and `worker` joins it with the outbox; `server` shows it to a tablet.
"""
