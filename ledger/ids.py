"""How rows are named: random ids, and ids that follow from the fact they name."""

import hashlib
import secrets

from contracts.topics import Identity


def new_id() -> str:
    """A random id of 16 hexadecimal digits; it may stand in a topic and in a URL."""
    return secrets.token_hex(8)


def new_public_code() -> str:
    """An unguessable code for an establishment's public page (12 URL-safe characters)."""
    return secrets.token_urlsafe(9)


def fact_id(who: Identity, epoch: str, sequence: int) -> str:
    """The id of the fact that `who` told under this number: the same for every redelivery."""
    text = f"{who.source}#{epoch}-{sequence}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]
