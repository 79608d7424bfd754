"""A sealed original opens with both keys and with nothing less; any change is noticed and named."""

import random
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.custody.sealing import (
    MAGIC,
    About,
    SealError,
    check_public_key,
    open_sealed,
    read_head,
    seal,
)

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LI, WANG, EVE = (X25519PrivateKey.generate() for _ in range(3))
PUBLIC = [key.public_key().public_bytes_raw() for key in (LI, WANG, EVE)]
PICTURE = bytes(range(256)) * 8


def about(picture: bytes = PICTURE, source: str = "/440703/canteen/cam-1") -> About:
    return About(source, "e1", "o1", AT, "image/jpeg", 640, 360, len(picture), "0" * 64)


SEALED = seal(PICTURE, about(), PUBLIC[:2])
SHARES_AT = len(read_head(SEALED).raw)


@given(st.binary(max_size=3000), st.booleans())
def test_both_keys_in_any_order_open_it(picture: bytes, turned: bool) -> None:
    sealed = seal(picture, about(picture), PUBLIC[:2])
    keys = [WANG, LI] if turned else [LI, WANG]
    assert open_sealed(sealed, keys) == (about(picture), picture)
    assert len(sealed) == len(read_head(sealed).raw) + 2 * 112 + len(picture) + 16


@pytest.mark.parametrize("keys", [[LI], [WANG], [LI, LI], [LI, EVE], [EVE, WANG], [EVE], []])
def test_less_than_both_keys_does_not(keys: list[X25519PrivateKey]) -> None:
    with pytest.raises(SealError, match=r"needs the private key of [0-9a-f]{16}…"):
        open_sealed(SEALED, keys)


def test_one_share_says_nothing_of_the_picture() -> None:
    """The key that one officer can get at is not the key of the picture."""
    made = random.Random(5)
    drawn: list[bytes] = []

    def draw(count: int) -> bytes:
        drawn.append(made.randbytes(count))
        return drawn[-1]

    seal(PICTURE, about(), PUBLIC[:2], draw)
    content_key, first = drawn[0], drawn[1]
    second = bytes(a ^ b for a, b in zip(content_key, first, strict=True))
    assert content_key not in (first, second)
    assert len({bytes(one) for one in drawn}) == 4  # key, share, and an ephemeral key each


def test_nothing_is_used_twice() -> None:
    again = seal(PICTURE, about(), PUBLIC[:2])
    assert again[:SHARES_AT] == SEALED[:SHARES_AT]
    assert again[SHARES_AT + 32 : SHARES_AT + 112] != SEALED[SHARES_AT + 32 : SHARES_AT + 112]
    assert again[SHARES_AT + 224 :] != SEALED[SHARES_AT + 224 :]


@settings(max_examples=300)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_every_flipped_byte_is_noticed(at: int, flip: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= flip
    with pytest.raises(SealError):
        open_sealed(bytes(changed), [LI, WANG])


@given(st.integers(0, len(SEALED) - 1))
def test_every_truncation_is_noticed(length: int) -> None:
    with pytest.raises(SealError):
        open_sealed(SEALED[:length], [LI, WANG])


@given(st.binary(max_size=400))
def test_noise_is_no_sealed_picture(noise: bytes) -> None:
    for given_ in (noise, MAGIC + noise, SEALED + noise[:1] + b"x"):
        with pytest.raises(SealError):
            open_sealed(given_, [LI, WANG])


def test_what_was_changed_is_named() -> None:
    def changed(at: int) -> bytes:
        flipped = bytearray(SEALED)
        flipped[at] ^= 1
        return bytes(flipped)

    cases = [
        (changed(0), "does not begin with FSSEAL1"),
        (changed(SHARES_AT + 70), "share 1 does not open"),
        (changed(SHARES_AT + 112 + 40), "share 2 does not open"),
        (changed(SHARES_AT + 3), "needs the private key"),
        (changed(len(SEALED) - 1), "closed picture was changed"),
        (SEALED[:-1], "closed picture was changed, or is not whole"),
        (SEALED[: SHARES_AT + 20], f"breaks off at byte {SHARES_AT + 20}"),
        (SEALED[:10], "breaks off at byte 10, within its head"),
    ]
    for sealed, said in cases:
        with pytest.raises(SealError, match=said):
            open_sealed(sealed, [LI, WANG])


def test_swapped_shares_do_not_open() -> None:
    first, second = SEALED[SHARES_AT : SHARES_AT + 112], SEALED[SHARES_AT + 112 : SHARES_AT + 224]
    swapped = SEALED[:SHARES_AT] + second + first + SEALED[SHARES_AT + 224 :]
    with pytest.raises(SealError, match="share 1 does not open"):
        open_sealed(swapped, [LI, WANG])


def test_shares_of_another_picture_do_not_open() -> None:
    other = seal(PICTURE, about(source="/440703/canteen/cam-2"), PUBLIC[:2])
    moved = SEALED[:SHARES_AT] + other[SHARES_AT : SHARES_AT + 224] + SEALED[SHARES_AT + 224 :]
    with pytest.raises(SealError, match="share 1 does not open"):
        open_sealed(moved, [LI, WANG])


@pytest.mark.parametrize("officers", [[], PUBLIC[:1], [PUBLIC[0]] * 2, PUBLIC])
def test_two_different_officers_are_needed(officers: list[bytes]) -> None:
    with pytest.raises(SealError, match="two different officers"):
        seal(PICTURE, about(), officers)


def test_a_public_key_that_gives_away_the_secret_is_refused() -> None:
    for weak in (bytes(32), b"\x01" + bytes(31), b"short"):
        with pytest.raises(SealError, match="no usable"):
            check_public_key(weak)
    with pytest.raises(SealError, match="officer 2: no usable"):
        seal(PICTURE, about(), [PUBLIC[0], bytes(32)])
