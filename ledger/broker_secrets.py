"""Secrets of accounts and their hashes, in a form that mosquitto and EMQX both check.

A secret is 32 random bytes, so nobody guesses it and a slow hash would protect nothing; it would
only hold up a broker to which ten thousand agents return at once (mosquitto hashes in its only
thread). So PBKDF2-HMAC-SHA512 has mosquitto's own 101 rounds. The salt is text: mosquitto
reads its base64, EMQX the text itself, and both find the same key.
"""

import base64
import hashlib
import secrets

import msgspec

ROUNDS = 101
SALT_LENGTH = 12
"""mosquitto 2.0 reads salts of 12 bytes only."""
KEY_LENGTH = 64


class Hashed(msgspec.Struct, frozen=True):
    """What is kept of a secret: salt (text) and key (hexadecimal)."""

    salt: str
    key: str


def new_secret() -> str:
    """A fresh secret: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


def hashed(secret: str, salt: str = "") -> Hashed:
    """Hash a secret, under a fresh salt unless one is given."""
    salt = salt or secrets.token_hex(SALT_LENGTH // 2)
    key = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt.encode(), ROUNDS, KEY_LENGTH)
    return Hashed(salt, key.hex())


def mosquitto_line(name: str, kept: Hashed) -> str:
    """A line of mosquitto's password file (its format ``$7$``, PBKDF2-SHA512)."""
    salt = base64.b64encode(kept.salt.encode()).decode()
    key = base64.b64encode(bytes.fromhex(kept.key)).decode()
    return f"{name}:$7${ROUNDS}${salt}${key}"
