"""Writes the broker's files from the ledger: passwords, access rules, revocation list."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from contracts.files import write_whole
from contracts.settings import SettingsError
from gateway.accounts.access import mosquitto_acl
from gateway.accounts.certificates import Authority
from ledger import broker_accounts
from ledger.broker_accounts import Account, IssuedCertificate
from ledger.broker_secrets import Hashed, mosquitto_line
from ledger.engine import Connection

PASSWORDS, ACCESS, REVOKED = "foodsentry.passwords", "foodsentry.acl", "revoked.crl"


def broker_files(
    accounts: Sequence[Account],
    certificates: Sequence[IssuedCertificate],
    authority: Authority | None,
    at: datetime,
) -> dict[str, bytes]:
    """Names and contents; the revocation list only with the CA at hand."""
    lines = [
        mosquitto_line(one.name, Hashed(one.salt, one.password_hash))
        for one in accounts
        if one.valid and one.password_hash
    ]
    files = {
        PASSWORDS: "".join(f"{line}\n" for line in lines).encode(),
        ACCESS: mosquitto_acl(accounts).encode(),
    }
    if authority is not None:
        revoked = [(one.serial, one.revoked_at) for one in certificates if one.revoked_at]
        files[REVOKED] = authority.revocations(
            [(serial, when) for serial, when in revoked if when is not None], at
        )
    return files


def write_broker_files(
    conn: Connection, folder: Path, authority: Authority | None, at: datetime, group: str = ""
) -> list[Path]:
    """Write each file whole, so that a broker that reads meanwhile sees the old or the new.

    New files are for their owner alone, or for `group` too; files that are there keep owner and
    mode. A file whose content is the same is left alone. Returns what was written. Raises OSError,
    and SettingsError for an unknown group.
    """
    content = broker_files(
        broker_accounts.list_all(conn), broker_accounts.certificates(conn), authority, at
    )
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in content.items():
        path = folder / name
        if name != REVOKED and path.is_file() and path.read_bytes() == text:
            continue
        new = not path.exists()
        write_whole(path, text, keep=True)
        if new and group:
            try:
                shutil.chown(path, group=group)
                path.chmod(0o640)
            except LookupError:
                raise SettingsError(f"--group: there is no group {group}") from None
        written.append(path)
    return written
