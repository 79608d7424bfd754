"""The durable outbox: every fact is on the disk before its source is acknowledged."""
