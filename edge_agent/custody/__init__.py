"""Custody: pictures are signed by the agent's key, and originals sealed to two officers' keys.

Read it in this order: `device_key` (who signs), `sealing` (how an original is closed, without input
or output), `officer_keys` (who can open it), `vault` (where it lies, and how long), `access_log`
(who opened what, and why).
"""
