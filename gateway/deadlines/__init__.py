"""Deadlines of alerts: policies as data, how they are counted, what follows when one is missed."""
