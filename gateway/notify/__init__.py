"""Telling people of alerts: from the ledger's journal to what is sent, and by what it is sent."""
