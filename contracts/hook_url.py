"""Where a webhook may go: which URLs, and which addresses of the network behind their names.

A name is resolved once, every address it has is judged, and the connection is made to one of those
that were judged: what a name says a moment later does not matter.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

URL_MOST = 2048
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadTarget(ValueError):
    """No webhook may go there; says why."""


class HookTarget(msgspec.Struct, frozen=True):
    """A webhook's URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def address(self) -> Address | None:
        """The address, if the host is one and no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


def parse_hook_url(url: str, networks: Sequence[str] = ()) -> HookTarget:
    """An https URL, or an http one to an address of `networks`. Raises BadTarget.

    `networks` (CIDR) are those that the settings allow besides public addresses.
    """
    if len(url) > URL_MOST or any(not 0x21 <= ord(one) <= 0x7E for one in url) or "\\" in url:
        raise BadTarget("is too long, or holds characters that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise BadTarget("is not a URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise BadTarget("is not an https URL")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadTarget("may hold no user, password or fragment")
    if port == 0:
        raise BadTarget("has no usable port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = HookTarget(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)
    address = target.address
    if address is not None and not may_reach(address, networks):
        raise BadTarget("its address is not public, and the settings do not allow it")
    if target.scheme == "http" and (address is None or not _within(address, networks)):
        raise BadTarget("is not https; http goes only to an address that the settings allow")
    return target


def may_reach(address: Address, networks: Sequence[str] = ()) -> bool:
    """Whether a webhook may go to that address: a public one, or one of the `networks`."""
    inner = _embedded(address)
    return _within(inner, networks) or _within(address, networks) or _public(inner)


def read_networks(networks: Sequence[str]) -> list[Network]:
    """Networks as CIDR. Raises ValueError that names the one that is none."""
    return [ipaddress.ip_network(one) for one in networks]


def _public(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or address.is_private
    )


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64, Teredo)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address


def _within(address: Address, networks: Sequence[str]) -> bool:
    return any(
        address.version == network.version and address in network
        for network in read_networks(networks)
    )
