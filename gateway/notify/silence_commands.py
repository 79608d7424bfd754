"""`foodsentry gateway silences`: what is hidden now, hide something, what it would have hidden."""

import argparse
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import SettingsError, load_settings
from contracts.words import Severity
from gateway.notify.channels.text import local_time
from gateway.settings import GatewaySettings
from ledger import audit, officers, regions, silences, sites
from ledger.alert_types import AlertRow
from ledger.engine import Connection, reading, writing
from ledger.silences import Matchers, Silence, SilenceRefused


def add_silences(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = commands.add_parser("silences", help="alerts that nobody is told of for a while")
    leaves = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = leaves.add_parser("list", help="those that hide something now or later")
    listing.add_argument("--ended", action="store_true", help="those that are over instead")
    listing.set_defaults(run=_list)
    preview = leaves.add_parser("preview", help="stored alerts that one would have hidden")
    preview.add_argument("--days", type=float, default=7.0, help="of so many days (default: 7)")
    preview.set_defaults(run=_preview)
    add = leaves.add_parser("add", help="begin one now")
    add.add_argument("--hours", type=float, required=True, help="how long")
    add.add_argument("--reason", required=True)
    add.add_argument("--author", required=True, metavar="LOGIN", help="who is told of its end")
    add.add_argument("--maintenance", action="store_true", help="a maintenance window")
    add.set_defaults(run=_add)
    for leaf in (preview, add):
        leaf.add_argument("--rule", default="", help="rule id, or a pattern of ids")
        leaf.add_argument("--region", default="", help="this region and what lies below it")
        leaf.add_argument("--site", default="")
        leaf.add_argument("--device", default="", help="device id, or a pattern of ids")
        leaf.add_argument("--zone", default="", help="a camera's zone")
        leaf.add_argument("--establishment", default="", help="its id")
        leaf.add_argument(
            "--class", dest="classes", type=int, action="append", default=[], choices=[1, 2, 3]
        )
        leaf.add_argument(
            "--includes-class-1",
            action="store_true",
            help="only for a maintenance window; the city is told",
        )
    end = leaves.add_parser("end", help="end one before its time")
    end.add_argument("id")
    end.add_argument("--author", required=True, metavar="LOGIN", help="who ends it")
    end.set_defaults(run=_end)
    for leaf in (listing, preview, add, end):
        leaf.add_argument("--settings", type=Path, required=True, help="the gateway's settings")


def _list(arguments: argparse.Namespace) -> int:
    with _settings(arguments).ledger.opened(arguments.settings) as engine, reading(engine) as conn:
        found = silences.list_all(conn, utc_now(), ended=arguments.ended)
    for one in found:
        given = ", ".join(f"{key}={value}" for key, value in _given(one.matchers))
        span = f"{local_time(one.starts_at)} – {local_time(one.ends_at)}"
        first = " (class 1, too)" if one.includes_class_1 else ""
        print(f"{one.id}\t{one.kind}{first}\t{span}\t{given}\t{one.author}: {one.reason}")
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    until = utc_now()
    with _settings(arguments).ledger.opened(arguments.settings) as engine, reading(engine) as conn:
        found = silences.preview(
            conn,
            _matchers(conn, arguments),
            until - timedelta(days=arguments.days),
            until,
            includes_class_1=arguments.includes_class_1,
        )
    _show(found)
    print(f"would have hidden {len(found)} alert(s) of the last {arguments.days:g} day(s)")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    at = utc_now()
    with _settings(arguments).ledger.opened(arguments.settings) as engine, writing(engine) as conn:
        author = _officer(conn, arguments.author)
        new = Silence(
            kind="maintenance" if arguments.maintenance else "silence",
            matchers=_matchers(conn, arguments),
            starts_at=at,
            ends_at=at + timedelta(hours=arguments.hours),
            reason=arguments.reason,
            author=author,
            created_at=at,
            includes_class_1=arguments.includes_class_1,
        )
        try:
            silences.add(conn, new)
        except SilenceRefused as error:
            raise SettingsError(f"silences add: {error}") from None
        detail = {
            "kind": new.kind,
            "matchers": dict(_given(new.matchers)),
            "until": new.ends_at.isoformat(),
            "class_1": new.includes_class_1,
            "reason": new.reason,
        }
        audit.append(conn, author, "silence_made", f"silence/{new.id}", detail, at)
        since, first = at - timedelta(days=7), new.includes_class_1
        week = silences.preview(conn, new.matchers, since, at, includes_class_1=first)
    print(f"{new.id}\tuntil {local_time(new.ends_at)}")
    print(f"would have hidden {len(week)} alert(s) of the last 7 days")
    return 0


def _end(arguments: argparse.Namespace) -> int:
    at = utc_now()
    with _settings(arguments).ledger.opened(arguments.settings) as engine, writing(engine) as conn:
        author = _officer(conn, arguments.author)
        if not silences.end(conn, arguments.id, at):
            raise SettingsError(f"silences end: {arguments.id} does not hide anything (any more)")
        audit.append(conn, author, "silence_ended", f"silence/{arguments.id}", {}, at)
    return 0


def _show(found: Iterable[AlertRow]) -> None:
    for alert in found:
        where = f"{alert.site}/{alert.device}"
        print(f"{local_time(alert.raised_at)}\t{alert.rule}\tclass {alert.severity:d}\t{where}")


def _matchers(conn: Connection, arguments: argparse.Namespace) -> Matchers:
    if arguments.region and regions.get(conn, arguments.region) is None:
        raise SettingsError(f"--region: {arguments.region} is not known")
    if arguments.site and sites.get(conn, arguments.site) is None:
        raise SettingsError(f"--site: {arguments.site} is not known")
    return Matchers(
        rule=arguments.rule,
        region=arguments.region,
        site=arguments.site,
        device=arguments.device,
        zone=arguments.zone,
        severity=tuple(Severity(one) for one in arguments.classes),
        establishment=arguments.establishment,
    )


def _given(matchers: Matchers) -> list[tuple[str, str]]:
    names = matchers.__struct_fields__
    values = ((name, getattr(matchers, name)) for name in names)
    return [
        (name, ",".join(str(int(one)) for one in value) if isinstance(value, tuple) else value)
        for name, value in values
        if value
    ]


def _officer(conn: Connection, login: str) -> str:
    found = officers.by_login(conn, login)
    if found is None or not found.active:
        raise SettingsError(f"--author: there is no officer {login!r} who may sign in")
    return found.id


def _settings(arguments: argparse.Namespace) -> GatewaySettings:
    return load_settings(arguments.settings, GatewaySettings)
