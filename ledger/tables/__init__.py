"""The ledger's tables by subject. Text ids are given; `number` and `id` integers grow."""
