"""From the broker into the ledger: batch, unpack, check, store, acknowledge, hand on."""
