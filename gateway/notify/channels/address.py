"""Puts an officer's address and a channel's secret into the channel's URL, and nothing else.

Notification URLs are taken apart and decoded more than once by what reads them, and lists in them
are split at commas and blanks. So an address is not only percent-encoded: what could still mean
something after two decodings is refused.
"""

import re
from urllib.parse import quote

ADDRESS_MOST = 254
_ADDRESS = re.compile(r"[A-Za-z0-9._+@=~*-]+\Z")
_MEANT = re.compile(r"[A-Za-z0-9]")


class BadAddress(ValueError):
    """An address that cannot stand in a URL; the text does not repeat it."""


def check_address(address: str) -> str:
    """The address, if it may be put into a URL. Raises BadAddress."""
    if len(address) > ADDRESS_MOST:
        raise BadAddress(f"the address is longer than {ADDRESS_MOST} characters")
    if not _ADDRESS.match(address) or not _MEANT.search(address):
        raise BadAddress("the address may have letters, digits and . _ + @ = ~ * - only")
    return address


def fill(template: str, address: str, secret: str = "") -> str:
    """The URL with {address} and {secret} put in, percent-encoded. Raises BadAddress."""
    url = template
    if "{address}" in url:
        if not address:
            raise BadAddress("this channel needs an address, and the contact has none")
        url = url.replace("{address}", quote(check_address(address), safe=""))
    return url.replace("{secret}", quote(secret, safe=""))


def scrubbed(text: str, *private: str) -> str:
    """`text` without the private parts, as they are or percent-encoded, on one line."""
    for part in sorted({form for one in private for form in (one, quote(one, safe=""))}, key=len):
        if len(part) >= 3:
            text = text.replace(part, "…")
    return " ".join(text.split())
