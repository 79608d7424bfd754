"""What proves a stored picture: what is wrong with it, and the files that an auditor gets. Pure."""

import hashlib
import json

from contracts.topics import Identity
from ledger import signatures
from ledger.evidence import EvidenceRow, Vouched
from ledger.signatures import SignatureState

_README = """取证图片核验 / How to check this picture

FoodSentry is not needed for it; OpenSSL 3 is. In this folder:

1. The picture is the one that was signed for / 图片与签名声明一致:
     sha256sum picture.jpg        equals "sha256" in statement.txt
{signed}
statement.txt says which camera, when, which moment (before, best, after) and, as "original_sha256",
the SHA-256 of the unblurred picture that was sealed at the site (empty: none was kept). Whoever
opens it under dual control can compare: sha256sum ORIGINAL.jpg.
"""
_SIGNED = """
2. The agent's key has signed the statement / 终端密钥已对声明签名:
     openssl pkeyutl -verify -pubin -inkey public_key.pem -rawin \\
       -in statement.txt -sigfile signature.bin

3. The key is the agent's / 密钥确属该终端:
     "key_id" in statement.txt equals the fingerprint that `foodsentry edge key` shows on the box,
     and that of the city's register. It is the SHA-256 of the key's 32 bytes:
     openssl pkey -pubin -in public_key.pem -outform DER | tail -c 32 | sha256sum
"""
_UNSIGNED = """
2. This picture is not signed / 本图片未签名. Nobody vouches for where it came from.
"""


def faults(row: EvidenceRow) -> list[str]:
    """What does not hold of a picture that was read with its bytes; in order of gravity."""
    found = []
    digest = hashlib.sha256(row.content).hexdigest()
    if digest != row.sha256:
        found.append(f"the bytes were changed: their SHA-256 is {digest}, not {row.sha256}")
    if len(row.content) != row.size:
        found.append(f"the bytes were changed: {len(row.content)}, not {row.size}")
    who = Identity(row.region, row.site, row.device)
    now = signatures.check(who, row.agent, row.as_told())
    if now is not row.signature_state:
        found.append(
            f"the book was changed: the signature was {row.signature_state.value} when the picture "
            f"came, and is {now.value} now"
        )
    elif now is SignatureState.INVALID:
        found.append("the signature did not hold when the picture came")
    elif row.vouched is Vouched.INVALID:
        found.append(f"the book was changed: key {row.key_id[:16]}… is missing")
    return found


def proof_files(row: EvidenceRow) -> dict[str, bytes]:
    """Name and content of the files that prove a picture without this software."""
    picture = row.as_told()
    who = Identity(row.region, row.site, row.device)
    said = signatures.statement(who, row.agent, picture)
    book = {
        "vouched": row.vouched.value,
        "signature_when_received": row.signature_state.value,
        "key_standing": row.standing.value if row.standing else None,
        "key_booked": row.booked.value if row.booked else None,
        "received_at": row.received_at.isoformat(),
        "boxes": [[box.label, box.x0, box.y0, box.x1, box.y1] for box in row.boxes],
    }
    files = {"picture.jpg": row.content}
    if said is not None and picture.signature is not None:
        files["statement.txt"] = said.signed_bytes()
        files["signature.bin"] = picture.signature.value
        if signatures.is_key(picture.signature.public_key):
            files["public_key.pem"] = signatures.as_pem(picture.signature.public_key)
    else:
        files["statement.txt"] = f"unsigned\nsha256 {row.sha256}\n".encode()
    files["book.json"] = json.dumps(book, ensure_ascii=False, indent=2).encode()
    signed = _SIGNED if said is not None else _UNSIGNED
    files["README.txt"] = _README.format(signed=signed).encode()
    return files
