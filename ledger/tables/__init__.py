"""The ledger's tables by subject. Text ids are given by the caller; `number` and `id` integers grow."""
