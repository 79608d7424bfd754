"""Names of accounts at the broker, and what each name speaks for.

``440703/market1`` speaks for a site with one agent. Where a site has several, each has a name of
its own, ``440703/market1/agent2``. Names without a slash are services of the city.
"""

from collections.abc import Iterable

import msgspec

from contracts.topics import TopicError, checked_segment
from ledger.devices import Device, DeviceKind

SERVICES = ("gateway", "server", "reader")
"""Gateways; what gives orders and settings to sites; displays in the city's own network."""


class AccountError(ValueError):
    """A name that cannot be an account's, or that the ledger does not know; the text says why."""


class Scope(msgspec.Struct, frozen=True, order=True):
    """Whom an account speaks for; a service if there is no region."""

    region: str = ""
    site: str = ""
    agent: str = ""


def scope_of(name: str) -> Scope:
    """Take a name apart. Raises AccountError."""
    if name in SERVICES:
        return Scope()
    parts = name.split("/")
    if len(parts) not in (2, 3):
        raise AccountError(
            f"{name[:80]!r} is neither REGION/SITE, REGION/SITE/AGENT nor one of "
            + ", ".join(SERVICES)
        )
    try:
        for kind, part in zip(("region", "site", "agent"), parts, strict=False):
            checked_segment(kind, part)
    except TopicError as error:
        raise AccountError(str(error)) from None
    return Scope(*parts)


def names_due(registry: Iterable[Device]) -> list[str]:
    """The accounts that the registered agents need, by name."""
    agents: dict[str, list[str]] = {}
    for device in registry:
        if device.kind is DeviceKind.AGENT:
            agents.setdefault(f"{device.region}/{device.site}", []).append(device.device)
    due = []
    for place, ids in agents.items():
        due += [place] if len(ids) == 1 else [f"{place}/{one}" for one in ids]
    return sorted(due)


def checked_name(name: str, registry: Iterable[Device]) -> Scope:
    """The scope of a name that the register knows. Raises AccountError."""
    scope = scope_of(name)
    if not scope.region:
        return scope
    agents = sorted(
        device.device
        for device in registry
        if device.kind is DeviceKind.AGENT
        and (device.region, device.site) == (scope.region, scope.site)
    )
    if not agents:
        raise AccountError(f"{name}: no agent of {scope.region}/{scope.site} is registered")
    if scope.agent and scope.agent not in agents:
        raise AccountError(f"{name}: {scope.agent} is not an agent there; {', '.join(agents)} is")
    if not scope.agent and len(agents) > 1:
        options = ", ".join(f"{name}/{agent}" for agent in agents)
        raise AccountError(f"{name}: several agents stand there; name one: {options}")
    return scope
