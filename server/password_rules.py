"""Which passwords are accepted: long ones that are not among the first that anybody would try.

After NIST SP 800-63B, 5.1.1.2: a length, a list of common ones, repeated and sequential characters,
and words of the place. No classes of characters are asked for, and nothing expires by itself.
"""

import unicodedata
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Literal

MIN_LENGTH = 12
MAX_LENGTH = 256
COMMON = Path(__file__).parent / "common_passwords.txt"
Weakness = Literal["short", "long", "common", "simple", "own"]
_LEAST_DIFFERENT = 5
_OWN_LEAST = 3
"""A login or name shorter than this says nothing about a password that holds it."""

_WORDS = (
    "password", "passw0rd", "p@ssw0rd", "admin", "administrator", "welcome", "letmein", "iloveyou",
    "qwerty", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qazwsxedc", "1qaz2wsx3edc", "1q2w3e4r5t",
    "woaini", "woaini1314", "wodemima", "mima", "guanliyuan", "ceshi", "test", "system", "root",
    "foodsentry", "yishiwuyou", "jiangmen", "pengjiang", "jianghai", "xinhui", "taishan", "kaiping",
    "heshan", "enping", "guangdong", "shijianju", "shichangjianguan", "shipinanquan", "anquan",
    "zhongguo", "china", "beijing", "monkey", "dragon", "football", "sunshine", "princess", "abc",
    "changeme", "default", "secret", "master", "user", "login", "hello", "lovelove", "superman",
)  # fmt: skip
_ENDS = (
    "", "1", "12", "123", "1234", "12345", "123456", "12345678", "123456789", "1234567890",
    "000000", "111111", "666", "666666", "888", "888888", "1314", "520", "5201314", "!", "!@#",
    "@123", "@1234", "#123", "123!", "abc", "2023", "2024", "2025", "2026", "2027", "@2024",
    "@2025", "@2026",
)  # fmt: skip
_WALKS = (
    "1234567890", "0987654321", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz",
)  # fmt: skip


def derived() -> list[str]:
    """The list of common passwords: words with the usual ends, twice over, and keyboard walks."""
    found = {word + end for word, end in product(_WORDS, _ENDS)}
    found |= {word + word for word in _WORDS}
    found |= {end + word for word, end in product(_WORDS, _ENDS)}
    found |= {first + second for first, second in product(_WALKS, _WALKS)}
    found |= {walk[:6] + end for walk, end in product(_WALKS, _ENDS)}
    return sorted(word for word in found if len(word) >= MIN_LENGTH)


@cache
def common() -> frozenset[str]:
    """The committed list."""
    return frozenset(COMMON.read_text("utf-8").split())


def weakness(password: str, *, login: str = "", name: str = "") -> Weakness | None:
    """Why a password is not accepted from somebody of that login and name; None if it is."""
    if len(password) < MIN_LENGTH:
        return "short"
    if len(password) > MAX_LENGTH:
        return "long"
    plain = unicodedata.normalize("NFKC", password).casefold()
    if len(set(plain)) < _LEAST_DIFFERENT or _runs(plain):
        return "simple"
    if plain in common():
        return "common"
    for own in (login, name):
        word = own.casefold().strip()
        if len(word) >= _OWN_LEAST and word in plain and len(plain) - len(word) < MIN_LENGTH - 4:
            return "own"
    return None


def _runs(plain: str) -> bool:
    """Whether it is one run of neighbours (abcdef…, 654321…) or one piece over and over."""
    steps = {ord(b) - ord(a) for a, b in pairwise(plain)}
    if steps in ({1}, {-1}):
        return True
    half = len(plain) // 2
    return any(
        len(plain) % size == 0 and plain == plain[:size] * (len(plain) // size)
        for size in range(1, half)
    )
