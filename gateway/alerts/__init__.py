"""The first alert engine: rules as data, pure evaluation, state in the ledger."""
