"""The id of a fact, as edge and city both work it out: from who told it and under which number."""

import hashlib

from contracts.topics import Identity


def fact_id(who: Identity, epoch: str, sequence: int) -> str:
    """The id of the fact that `who` told under this number: the same for every redelivery."""
    text = f"{who.source}#{epoch}-{sequence}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]
