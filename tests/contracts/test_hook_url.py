"""Where a webhook may go: never into our own network by any spelling of an address."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.hook_url import BadTarget, may_reach, parse_hook_url, read_networks

LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://hooks.city.example", "hooks.city.example", 443, "/", "hooks.city.example"),
        ("https://h.example:8443/a?b=1", "h.example", 8443, "/a?b=1", "h.example:8443"),
        ("HTTPS://H.EXAMPLE/A", "h.example", 443, "/A", "h.example"),
        ("https://8.8.8.8/x", "8.8.8.8", 443, "/x", "8.8.8.8"),
        ("https://[2606:4700::1111]:444/", "2606:4700::1111", 444, "/", "[2606:4700::1111]:444"),
    ],
)
def test_urls_are_taken_apart(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = parse_hook_url(url)
    assert (target.host, target.port, target.path) == (host, port, path)
    assert target.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example", "ftp://x.example/", "file:///etc/passwd", "gopher://x.example",
        "http://hooks.example/", "http://8.8.8.8/", "https://", "https:///x", "https://x.example:0/",
        "https://x.example:99999/", "https://x.example:abc/", "https://u:p@x.example/",
        "https://u@x.example/", "https://x.example/#f", "https://x.example/ y", "https://x\n.example",
        "https://x.example\\@127.0.0.1/", "https://食安.example/", "https://[::1",
        "https://x/" + "a" * 2100,
        "https://127.0.0.1/", "https://10.1.2.3/", "https://192.168.0.1/", "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/", "https://[::1]/",
        "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1]/", "https://[fd00::1]/",
        "https://224.0.0.1/", "https://255.255.255.255/", "https://100.64.0.1/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[ff02::1]/",
    ],
)  # fmt: skip
def test_what_may_not_be_is_refused(url: str) -> None:
    with pytest.raises(BadTarget):
        parse_hook_url(url)


def test_the_settings_open_networks_and_plain_http_to_their_addresses_only() -> None:
    assert parse_hook_url("http://127.0.0.1:9000/x", LOOPBACK).port == 9000
    assert parse_hook_url("http://[::1]:9000/x", LOOPBACK).host == "::1"
    assert parse_hook_url("https://10.1.2.3/", ("10.0.0.0/8",)).host == "10.1.2.3"
    for url in ("http://localhost:9000/", "http://10.1.2.3/", "http://8.8.8.8/"):
        with pytest.raises(BadTarget):
            parse_hook_url(url, LOOPBACK)
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        read_networks(["10.0.0.1/8"])


@given(st.ip_addresses(v=4))
def test_an_address_is_no_more_public_in_another_spelling(address: ipaddress.IPv4Address) -> None:
    plain = may_reach(address)
    number = int(address)
    spellings = (
        ipaddress.IPv6Address(f"::ffff:{address}"),
        ipaddress.IPv6Address((0x0064_FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    )
    for other in spellings:
        assert not may_reach(other) or plain, other


@given(st.ip_addresses())
def test_what_is_not_global_is_never_reached(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global or address.is_multicast or address.is_loopback:
        mapped = isinstance(address, ipaddress.IPv6Address) and (
            address.ipv4_mapped or address.sixtofour or address.teredo
        )
        assert mapped or not may_reach(address)
    assert may_reach(address, ["0.0.0.0/0", "::/0"])
