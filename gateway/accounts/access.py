"""Access rules for the broker, made of the accounts: mosquitto's ACL file.

Almost every account is a site's, and one pattern confines them all: the files stay small however
many sites there are. (mosquitto 2.0 reads a list of users in quadratic time: 10,000 users with ten
lines each took 20 s, in which it answers nobody.) Only agents that share a site, and revoked
accounts, are named one by one. EMQX asks the ledger itself: `deploy/city/emqx/views.sql`.
"""

from collections.abc import Iterable, Iterator

from contracts.topics import ALERTS, NOTICES, PREFIX, UPLINK_CHANNELS, Channel
from ledger.broker_accounts import Account

FACTS = (*UPLINK_CHANNELS, Channel.STATUS, Channel.LOOKS)
TO_EDGE = (Channel.RECEIPTS, Channel.COMMANDS, Channel.CONFIG, Channel.ROOM)

Rule = tuple[str, str]
"""What is allowed (read, write, deny), and the topic filter below ``fs/v1/``."""

SERVICE_RULES: dict[str, list[Rule]] = {
    "gateway": [
        *(("read", f"+/+/+/{channel}") for channel in FACTS),
        ("write", f"+/+/+/{Channel.RECEIPTS}"),
        ("write", f"+/+/+/{Channel.COMMANDS}"),
        ("write", f"+/+/+/{Channel.ROOM}"),
        ("write", f"+/+/{ALERTS}/+"),
        ("write", f"+/+/{NOTICES}/+"),
    ],
    "server": [("write", f"+/+/+/{Channel.CONFIG}")],
    "reader": [
        ("read", f"+/+/{ALERTS}/+"),
        ("read", f"+/+/{NOTICES}/+"),
        ("read", f"+/+/+/{Channel.STATUS}"),
    ],
}
"""What each service of the city needs, and nothing else."""


def site_rules(place: str, agent: str = "+") -> list[Rule]:
    """What an agent may do at its site. Where a device would be, alerts and notices are not its."""
    return [
        *(("deny", f"{place}/{name}/{channel}") for name in (ALERTS, NOTICES) for channel in FACTS),
        *(("write", f"{place}/+/{channel}") for channel in FACTS),
        *(("read", f"{place}/{agent}/{channel}") for channel in TO_EDGE),
        ("read", f"{place}/{ALERTS}/+"),
    ]


def named_rules(accounts: Iterable[Account]) -> Iterator[tuple[str, list[Rule]]]:
    """Rules of those accounts that no pattern covers: a revoked one, and one of several agents.

    A revoked account is denied everything, because a connection that stands, or a certificate on a
    broker without revocation list, would else still speak.
    """
    for account in sorted(accounts, key=lambda one: one.name):
        place = f"{account.region}/{account.site}"
        if not account.valid:
            yield account.name, [("deny", "#")]
        elif account.agent:
            yield account.name, site_rules(place, account.agent)


def mosquitto_acl(accounts: Iterable[Account]) -> str:
    """The text of mosquitto's ``acl_file``."""
    lines = [
        "# Who may speak where on FoodSentry's topics (see docs/wire-contract.md). Made by",
        "# `foodsentry gateway accounts write` from the ledger; changes by hand are lost.",
    ]
    named = dict(named_rules(accounts))
    for service, rules in SERVICE_RULES.items():
        lines += ["", f"user {service}", *_mosquitto("topic", named.pop(service, rules))]
    for name, rules in named.items():
        lines += ["", f"user {name}", *_mosquitto("topic", rules)]
    lines += ["", "# An agent's user name is {region}/{site}; %u confines it to its own site."]
    lines += _mosquitto("pattern", site_rules("%u"))
    return "\n".join(lines) + "\n"


def _mosquitto(word: str, rules: Iterable[Rule]) -> list[str]:
    return [f"{word} {right} {PREFIX}/{topic}" for right, topic in rules]
