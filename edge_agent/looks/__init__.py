"""Looks: the city asks to see what a camera sees; for a minute at most, heads hidden, and logged.

The pictures wait for nobody and are kept nowhere at the site; see docs/kitchens.md.
"""
