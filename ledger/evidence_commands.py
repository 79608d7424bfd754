"""`foodsentry ledger …` for evidence: agents' keys, checking pictures, proof for an auditor."""

import argparse
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import SettingsError
from contracts.statement import spoken
from contracts.topics import Identity
from ledger import audit, evidence, evidence_keys, sites
from ledger.engine import Connection, Engine, reading, writing
from ledger.evidence import EvidenceRow, Vouched
from ledger.evidence_keys import EvidenceKey, KeyUnknown, Standing
from ledger.evidence_proof import faults, proof_files

ACTOR = "console"
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
"""An id that may name a folder; it was chosen elsewhere."""

Leaf = Callable[[str, str, Callable[[Engine, argparse.Namespace], int]], argparse.ArgumentParser]


def add_leaves(leaf: Leaf) -> None:
    """Add the commands; `leaf` makes one of a name, a help text and its work."""
    listed = leaf("evidence-keys", "agents' signing keys, with their fingerprints", _list)
    listed.add_argument("--site", default=None)
    add = leaf("add-evidence-key", "trust an agent's key before its first picture", _add)
    _of_agent(add)
    add.add_argument("public_key", help="64 hexadecimal digits, from `foodsentry edge key`")
    for word, standing in (("trust", Standing.TRUSTED), ("revoke", Standing.REVOKED)):
        change = leaf(f"{word}-evidence-key", f"{word} a key that is booked", _set_standing)
        _of_agent(change)
        change.add_argument("fingerprint", help="its first 8 digits, or more")
        change.set_defaults(standing=standing)
    verify = leaf("verify-evidence", "check every picture's hash and signature", _verify)
    verify.add_argument("--site", default=None)
    strict = "status 1 also for unsigned pictures and unconfirmed keys"
    verify.add_argument("--strict", action="store_true", help=strict)
    export = leaf("export-evidence", "a picture with all that proves it, for an auditor", _export)
    export.add_argument("site")
    export.add_argument("evidence_id")
    export.add_argument("--to", type=Path, required=True, metavar="FOLDER")


def _of_agent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site")
    parser.add_argument("agent", help="device id of the agent")


def _list(engine: Engine, arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        found = evidence_keys.list_in(conn, site=arguments.site)
    for key in found:
        print(_line(key))
    print(f"{len(found)} keys")
    return 0


def _line(key: EvidenceKey) -> str:
    made = f", made {key.key_epoch:%Y-%m-%d}" if key.key_epoch else ""
    return (
        f"{key.site} {key.agent}  {spoken(key.key_id)}  {key.standing.value}  "
        f"({key.booked.value} {key.booked_at:%Y-%m-%d %H:%M}Z{made})"
    )


def _agent(conn: Connection, arguments: argparse.Namespace) -> Identity:
    site = sites.get(conn, arguments.site)
    if site is None:
        raise SettingsError(f"site: {arguments.site} is not known")
    return Identity(site.region, site.id, arguments.agent)


def _add(engine: Engine, arguments: argparse.Namespace) -> int:
    with writing(engine) as conn:
        try:
            public_key = bytes.fromhex(arguments.public_key)
            agent = _agent(conn, arguments)
            key = evidence_keys.add(conn, agent, public_key, ACTOR, utc_now())
        except ValueError as error:
            raise SettingsError(f"public_key: {error}") from None
    print(_line(key))
    return 0


def _set_standing(engine: Engine, arguments: argparse.Namespace) -> int:
    with writing(engine) as conn:
        try:
            key = evidence_keys.find(conn, _agent(conn, arguments), arguments.fingerprint)
        except KeyUnknown as error:
            raise SettingsError(f"fingerprint: {error}") from None
        key = evidence_keys.set_standing(conn, key, arguments.standing, ACTOR, utc_now())
    print(_line(key))
    return 0


def _verify(engine: Engine, arguments: argparse.Namespace) -> int:
    """0: nothing was changed; 1: a picture's bytes or signature do not hold."""
    counted: Counter[str] = Counter()
    broken = 0
    with reading(engine) as conn:
        for row in evidence.every(conn, arguments.site):
            counted[row.vouched.value] += 1
            for fault in faults(row):
                broken += 1
                print(f"{row.site} {row.device} {row.evidence_id}: {fault}")
    total = sum(counted.values())
    said = ", ".join(f"{count} {word}" for word, count in sorted(counted.items()))
    print(f"{total} pictures: {said or 'none'}; {broken} faults")
    doubtful = total - counted[Vouched.VALID.value]
    return 1 if broken or (arguments.strict and doubtful) else 0


def _export(engine: Engine, arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        row: EvidenceRow | None = evidence.get(conn, arguments.evidence_id, arguments.site)
    if row is None:
        raise SettingsError(f"evidence_id: {arguments.site} has no {arguments.evidence_id}")
    folder: Path = arguments.to / (row.evidence_id if _PLAIN(row.evidence_id) else row.sha256[:32])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in proof_files(row).items():
        (folder / name).write_bytes(content)
    with writing(engine) as conn:
        subject = f"evidence/{row.site}/{row.evidence_id}"
        audit.append(conn, ACTOR, "evidence.export", subject, {"sha256": row.sha256}, utc_now())
    print(f"{folder}: {row.vouched.value}")
    return 0
