"""`foodsentry gateway accounts …`: who may speak at the broker, and the files that say so."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from contracts.certificates import SOON_DAYS
from contracts.clock import utc_now
from contracts.files import write_whole
from contracts.settings import SettingsError, load_settings, read_secret
from gateway.accounts.certificates import (
    Authority,
    CertificateError,
    Issued,
    make_authority,
)
from gateway.accounts.files import write_broker_files
from gateway.settings import GatewaySettings
from ledger import broker_accounts, devices, migrate
from ledger import broker_book as book
from ledger.broker_names import AccountError, checked_name, names_due
from ledger.broker_secrets import new_secret
from ledger.engine import Engine, LedgerDown, reading, writing

CA, CA_KEY = "ca.crt", "ca.key"
_NAME = "REGION/SITE, REGION/SITE/AGENT where a site has several, or gateway, server, reader"
Work = Callable[[argparse.Namespace], int]


def add_accounts(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `foodsentry gateway accounts …`."""
    parser = commands.add_parser("accounts", help="who may speak at the broker")
    leaves = parser.add_subparsers(metavar="COMMAND", required=True)

    def leaf(name: str, help_: str, work: Work, *, ledger: bool = True) -> argparse.ArgumentParser:
        made = leaves.add_parser(name, help=help_, description=help_)
        if ledger:
            made.add_argument("--settings", type=Path, required=True, help="the gateway's settings")
        made.set_defaults(run=lambda arguments: _guarded(work, arguments))
        return made

    listing = leaf("list", "accounts, their certificates, and agents that have none", _list)
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    issue = leaf("issue", "give accounts a password", _issue)
    issue.add_argument("name", nargs="*", help=_NAME)
    issue.add_argument("--missing", action="store_true", help="every agent that has no account")
    rotate = leaf("rotate", "give accounts a new password; the old one ends", _rotate)
    rotate.add_argument("name", nargs="+", help=_NAME)
    for one in (issue, rotate):
        one.add_argument(
            "--out", type=Path, help="folder for the passwords, a file each, mode 600; none: shown"
        )
    revoke = leaf("revoke", "end an account, its password and its certificates", _revoke)
    revoke.add_argument("name", help=_NAME)
    revoke.add_argument("--reason", required=True)
    write = leaf("write", "write mosquitto's password, access and revocation files", _write)
    write.add_argument("--out", type=Path, required=True, help="folder that mosquitto.conf names")
    write.add_argument("--group", default="", help="group that may read new files: mosquitto")
    certify = leaf("certify", "issue a client certificate for an account", _certify)
    certify.add_argument("name", help=_NAME)
    certify.add_argument(
        "--request", type=Path, help="PEM request: the key stays where it was made"
    )
    certify.add_argument("--days", type=int, default=365)
    make_ca = leaf("make-ca", "make a CA for the broker's road", _make_ca, ledger=False)
    make_ca.add_argument("--name", default="FoodSentry broker CA")
    server = leaf("certify-broker", "issue the broker's own certificate", _server, ledger=False)
    server.add_argument("host", nargs="+", help="names and addresses that clients call it by")
    server.add_argument("--days", type=int, default=365)
    for one in (certify, make_ca, server):
        one.add_argument("--out", type=Path, required=True, help="folder for what is made")
    for one in (write, certify, server):
        one.add_argument("--ca", type=Path, help=f"folder with {CA} and {CA_KEY}")
    for one in (write, certify, server, make_ca):
        one.add_argument(
            "--ca-password-file", default="", help="of the CA's key; or FOODSENTRY_CA_PASSWORD"
        )


def _guarded(work: Work, arguments: argparse.Namespace) -> int:
    try:
        return work(arguments)
    except (AccountError, CertificateError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    except (LedgerDown, migrate.LedgerOutdated, OSError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1


@contextmanager
def _ledger(arguments: argparse.Namespace) -> Iterator[Engine]:
    settings = load_settings(arguments.settings, GatewaySettings)
    with settings.ledger.opened(arguments.settings) as engine:
        migrate.check(engine)
        yield engine


def _list(arguments: argparse.Namespace) -> int:
    now = utc_now()
    with _ledger(arguments) as engine, reading(engine) as conn:
        accounts = broker_accounts.list_all(conn)
        certificates = broker_accounts.certificates(conn)
        due = names_due(devices.list_in(conn))
    missing = sorted(set(due) - {one.name for one in accounts if one.valid})
    for account in accounts:
        held = [c for c in certificates if c.account == account.name and not c.revoked_at]
        until = held[0].not_after if held else None
        soon = bool(until and until - now < timedelta(days=SOON_DAYS))
        if arguments.json:
            row = {name: getattr(account, name) for name in ("name", "changed_at", "revoked_at")}
            row |= {"password": bool(account.password_hash), "certificate_until": until}
            print(msgspec.json.encode(row | {"ends_soon": soon}).decode())
            continue
        said = ["password"] if account.password_hash else []
        if until is not None:
            said.append(f"certificate until {until:%Y-%m-%d}" + (", renew it" if soon else ""))
        if account.valid and account.region and account.name not in due:
            said.append("several agents stand there (or none): not needed, revoke it")
        if account.revoked_at is not None:
            said = [f"revoked {account.revoked_at:%Y-%m-%d}: {account.reason}"]
        print(f"{account.name}\t{'; '.join(said)}")
    for name in missing:
        row = {"name": name, "missing": True}
        print(msgspec.json.encode(row).decode() if arguments.json else f"{name}\tno account")
    return 0


def _issue(arguments: argparse.Namespace) -> int:
    names = list(arguments.name)
    with _ledger(arguments) as engine:
        if arguments.missing:
            with reading(engine) as conn:
                known = {one.name for one in broker_accounts.list_all(conn)}
                names += sorted(set(names_due(devices.list_in(conn))) - known)
        elif not names:
            raise AccountError("name an account, or say --missing")
        return _set_passwords(engine, names, arguments.out, renew=False)


def _rotate(arguments: argparse.Namespace) -> int:
    with _ledger(arguments) as engine:
        return _set_passwords(engine, arguments.name, arguments.out, renew=True)


def _set_passwords(engine: Engine, names: list[str], out: Path | None, *, renew: bool) -> int:
    """One transaction a name: a secret is on the disk before its hash is in the ledger."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for name in names:
        secret = new_secret()
        file = None
        with writing(engine) as conn:
            book.set_password(conn, name, secret, utc_now(), renew=renew)
            if out is not None:
                file = out / f"{_file_name(name)}.password"
                write_whole(file, f"{secret}\n".encode())
        print(f"{name}\t{file or secret}")
    print("now `foodsentry gateway accounts write`, and reload the broker", file=sys.stderr)
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    with _ledger(arguments) as engine, writing(engine) as conn:
        ended = book.revoke(conn, arguments.name, arguments.reason, utc_now())
    print(f"{arguments.name}\trevoked, with {ended} certificates")
    print("now `foodsentry gateway accounts write`, and reload the broker", file=sys.stderr)
    return 0


def _write(arguments: argparse.Namespace) -> int:
    authority = _authority(arguments) if arguments.ca else None
    with _ledger(arguments) as engine, reading(engine) as conn:
        written = write_broker_files(conn, arguments.out, authority, utc_now(), arguments.group)
    for path in written:
        print(path)
    if not written:
        print("nothing has changed", file=sys.stderr)
    return 0


def _certify(arguments: argparse.Namespace) -> int:
    authority = _authority(arguments)
    request = arguments.request.read_bytes() if arguments.request else None
    with _ledger(arguments) as engine:
        with reading(engine) as conn:
            checked_name(arguments.name, devices.list_in(conn))
        issued = authority.client(arguments.name, utc_now(), arguments.days, request)
        with writing(engine) as conn:
            book.book_certificate(conn, arguments.name, issued.facts, utc_now())
    return _hand_out(arguments.out, _file_name(arguments.name), issued)


def _make_ca(arguments: argparse.Namespace) -> int:
    if (arguments.out / CA_KEY).exists():
        raise CertificateError(f"{arguments.out / CA_KEY}: is there already")
    return _hand_out(
        arguments.out, "ca", make_authority(arguments.name, utc_now(), _password(arguments))
    )


def _server(arguments: argparse.Namespace) -> int:
    authority = _authority(arguments)
    return _hand_out(
        arguments.out, "server", authority.server(arguments.host, utc_now(), arguments.days)
    )


def _hand_out(folder: Path, name: str, issued: Issued) -> int:
    files = [(folder / f"{name}.crt", issued.pem, 0o644)]
    if issued.key_pem:
        files.insert(0, (folder / f"{name}.key", issued.key_pem, 0o600))
    folder.mkdir(parents=True, exist_ok=True)
    for path, content, mode in files:
        write_whole(path, content, mode=mode)
        print(path)
    print(f"{issued.facts.name}, until {issued.facts.not_after:%Y-%m-%d}", file=sys.stderr)
    return 0


def _authority(arguments: argparse.Namespace) -> Authority:
    if arguments.ca is None:
        raise SettingsError("--ca: name the folder of the CA")
    pem, key = ((arguments.ca / name).read_bytes() for name in (CA, CA_KEY))
    return Authority.read(pem, key, _password(arguments))


def _password(arguments: argparse.Namespace) -> str | None:
    return read_secret(arguments.ca_password_file, "FOODSENTRY_CA_PASSWORD", "--ca-password-file")


def _file_name(name: str) -> str:
    return name.replace("/", "_")
