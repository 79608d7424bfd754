"""Signs a message in the manner of Standard Webhooks: id, time and body by HMAC-SHA-256."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

SECRET_PREFIX = "whsec_"


def signed_headers(
    secrets: Sequence[str], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers by which a receiver knows that a message is ours and new.

    A signature for each of `secrets`: while one takes the other's place, a receiver that knows
    either finds its own. Raises ValueError for a secret that is none.
    """
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = [hmac.new(key_of(one), signed, hashlib.sha256).digest() for one in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(digest).decode()}" for digest in digests
        ),
    }


def key_of(secret: str) -> bytes:
    """The key that ``whsec_…`` stands for. Raises ValueError."""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("is no secret of a webhook") from error
