"""`foodsentry gateway notify-test` and `vapid-key`: does a channel work, and a key for web push."""

import argparse
import sys
from functools import partial
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import SettingsError, load_settings
from contracts.words import Severity, in_chinese, in_english
from gateway.broker import Outbound, publish_once
from gateway.notify.browsers import LedgerBrowsers
from gateway.notify.channels.channel import Failed, Message, Retry, Sent
from gateway.notify.channels.opening import Opened, open_channels
from gateway.notify.channels.webpush import NAME as WEBPUSH
from gateway.notify.channels.webpush_crypto import new_key_file
from gateway.notify.words import TEST_BODY, TEST_TITLE
from gateway.settings import GatewaySettings
from ledger import officers
from ledger.engine import Engine, LedgerDown, reading
from ledger.ids import new_id


def add_notify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    test = commands.add_parser(
        "notify-test", help="send a test message by one channel, and say what happened"
    )
    test.add_argument("channel", help="the channel's name in the settings; webpush, mqtt")
    test.add_argument(
        "address",
        nargs="?",
        default="",
        help="to whom, as a contact would say; for webpush an officer's login; none where the "
        "channel has its own",
    )
    test.add_argument("--settings", type=Path, required=True, help="the gateway's settings")
    test.set_defaults(run=_test)
    key = commands.add_parser("vapid-key", help="make the private key for web push")
    key.add_argument("file", type=Path, help="where to write it (PEM); it must not exist")
    key.set_defaults(run=_key)


def _test(arguments: argparse.Namespace) -> int:
    """0 sent, 1 refused or no answer."""
    file: Path = arguments.settings
    settings = load_settings(file, GatewaySettings)
    troubles: list[str] = []
    with settings.ledger.opened(file) as engine:
        opened = open_channels(
            settings.notify,
            file,
            publish=partial(_publish, settings, file, troubles),
            subscriptions=LedgerBrowsers(engine, utc_now),
            clock=utc_now,
        )
        if arguments.channel not in opened:
            named = ", ".join(sorted(opened)) or "none"
            raise SettingsError(f"{file}: no channel {arguments.channel!r}; there are: {named}")
        one = opened[arguments.channel]
        try:
            outcome = one.channel.send(_message(one, arguments.address, engine))
        except LedgerDown as error:
            print(f"foodsentry: {error}", file=sys.stderr)
            return 1
    if isinstance(outcome, Sent):
        print(f"sent: the service took it {outcome.detail}".rstrip())
        return 0
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    if isinstance(outcome, Retry):
        after = "" if outcome.after_s is None else f", in {outcome.after_s:g} s at the earliest"
        print(f"not now, it would be tried again{after}: {outcome.reason}", file=sys.stderr)
    if isinstance(outcome, Failed):
        print(f"refused for good: {outcome.reason}", file=sys.stderr)
    return 1


def _message(one: Opened, address: str, engine: Engine) -> Message:
    recipient = ""
    if one.channel.name == WEBPUSH:
        with reading(engine) as conn:
            officer = officers.by_login(conn, address)
        if officer is None:
            raise SettingsError(f"there is no officer {address!r}")
        recipient, address = officer.id, ""
    words = in_chinese if one.language == "zh" else in_english
    return Message(
        dedupe=f"test:{new_id()}",
        kind="test",
        severity=Severity.GUIDANCE,
        title=words(TEST_TITLE),
        body=words(TEST_BODY),
        at=utc_now(),
        address=address,
        recipient=recipient,
    )


def _publish(
    settings: GatewaySettings,
    file: Path,
    troubles: list[str],
    messages: list[Outbound],
    timeout_s: float,
) -> bool:
    """A connection for this message alone: the gateway that runs has the other one."""
    mqtt = settings.mqtt
    said = publish_once(mqtt, mqtt.password(file), mqtt.tls(file), messages, timeout_s)
    if said:
        troubles.append(said)
    return not said


def _key(arguments: argparse.Namespace) -> int:
    path: Path = arguments.file
    try:
        public_key = new_key_file(path)
    except OSError as error:
        print(f"foodsentry: {path}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"public key, told to browsers by the console: {public_key}")
    return 0
