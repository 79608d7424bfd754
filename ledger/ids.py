"""How rows are named: random ids, and ids that follow from the fact they name."""

import secrets

from contracts.fact_ids import fact_id as fact_id


def new_id() -> str:
    """A random id of 16 hexadecimal digits; it may stand in a topic and in a URL."""
    return secrets.token_hex(8)


def new_public_code() -> str:
    """An unguessable code for an establishment's public page (12 URL-safe characters)."""
    return secrets.token_urlsafe(9)
