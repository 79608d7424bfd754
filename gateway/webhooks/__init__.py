"""Telling other city systems: follows the journal for each webhook and posts signed messages."""
