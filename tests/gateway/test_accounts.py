"""Tests of accounts at the broker: names, hashes, rules, the ledger's rows and the commands."""

import base64
import hashlib
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from gateway_town import NOON, REGION, device, market
from servers import program

from contracts.certificates import read_certificate
from foodsentry.cli import main
from gateway.accounts.access import mosquitto_acl, site_rules
from gateway.accounts.certificates import Authority, CertificateError, make_authority
from ledger import audit, broker_accounts, devices
from ledger.broker_accounts import Account
from ledger.broker_names import AccountError, Scope, checked_name, names_due, scope_of
from ledger.broker_secrets import hashed, mosquitto_line, new_secret
from ledger.devices import Device, DeviceKind
from ledger.engine import Engine, reading, writing

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
SITE = f"{REGION}/market1"


def agent_at(site: str, name: str) -> Device:
    return Device(REGION, site, name, DeviceKind.AGENT, name, NOON)


def account(name: str, *, revoked: bool = False) -> Account:
    scope = scope_of(name)
    return Account(
        name,
        NOON,
        NOON,
        "test",
        scope.region,
        scope.site,
        scope.agent,
        revoked_at=NOON if revoked else None,
    )


def test_names_say_whom_they_speak_for() -> None:
    assert scope_of("gateway") == Scope()
    assert scope_of("440703/market1") == Scope("440703", "market1")
    assert scope_of("440703/market1/agent2") == Scope("440703", "market1", "agent2")
    for name in ("", "admin", "+/+", "440703/#", "440703/market1/a/b", "440703/", "a b/c"):
        with pytest.raises(AccountError):
            scope_of(name)


def test_a_site_with_one_agent_has_one_name_with_several_each_has_its_own() -> None:
    register = [agent_at("market1", "agent"), device(market("reader1"))]
    assert names_due(register) == [SITE]
    assert checked_name(SITE, register) == Scope(REGION, "market1")
    register.append(agent_at("market1", "agent2"))
    assert names_due(register) == [f"{SITE}/agent", f"{SITE}/agent2"]
    with pytest.raises(AccountError, match=r"several agents .*market1/agent2"):
        checked_name(SITE, register)
    with pytest.raises(AccountError, match="reader1 is not an agent there"):
        checked_name(f"{SITE}/reader1", register)
    with pytest.raises(AccountError, match="no agent of 440703/none is registered"):
        checked_name(f"{REGION}/none", register)


@pytest.mark.real
def test_mosquittos_own_tool_makes_the_same_hash(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.touch(0o600)
    command = [program("mosquitto_passwd"), "-b", str(file), SITE, "s3cret"]
    subprocess.run(command, check=True, capture_output=True)
    name, _, theirs = file.read_text("utf-8").strip().rpartition(":")
    _, kind, rounds, salt, key = theirs.split("$")
    derived = hashlib.pbkdf2_hmac("sha512", b"s3cret", base64.b64decode(salt), int(rounds), 64)
    assert (name, kind, base64.b64decode(key)) == (SITE, "7", derived)
    ours = mosquitto_line(SITE, hashed("s3cret", "0123456789ab"))
    assert ours.split("$")[1:3] == [kind, rounds]
    assert len(base64.b64decode(ours.split("$")[3])) == len(base64.b64decode(salt))


def test_secrets_differ_and_so_do_salts() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert hashed("x").key != hashed("x").key


def test_the_file_of_the_deployment_is_the_generated_one() -> None:
    assert (DEPLOY / "foodsentry.acl").read_text("utf-8") == mosquitto_acl([])


def test_only_shared_sites_and_revoked_accounts_are_named() -> None:
    many = [account(f"{REGION}/site{number}") for number in range(1000)]
    assert mosquitto_acl(many) == mosquitto_acl([])
    text = mosquitto_acl([*many, account(f"{SITE}/agent2"), account(SITE, revoked=True)])
    assert f"user {SITE}\ntopic deny fs/v1/#\n" in text
    assert f"user {SITE}/agent2\n" in text
    assert f"topic read fs/v1/{SITE}/agent2/receipts\n" in text
    assert f"topic read fs/v1/{SITE}/+/receipts" not in text
    assert "user gateway\ntopic deny fs/v1/#\n" in mosquitto_acl([account("gateway", revoked=True)])


def test_site_rules_never_leave_the_site() -> None:
    assert all(topic.startswith(f"{SITE}/") for _, topic in site_rules(SITE))


def test_a_ca_issues_for_a_request_without_seeing_its_key(tmp_path: Path) -> None:
    made = make_authority("test CA", NOON, "word")
    with pytest.raises(CertificateError, match="the CA cannot be read"):
        Authority.read(made.pem, made.key_pem, "wrong")
    ca = Authority.read(made.pem, made.key_pem, "word")
    key, request = tmp_path / "edge.key", tmp_path / "edge.csr"
    command = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x"
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(request)],
        check=True,
        capture_output=True,
    )
    issued = ca.client(SITE, NOON, 365, request.read_bytes())
    assert issued.key_pem == b""
    found = read_certificate(issued.pem)
    assert (found.name, found.issuer) == (SITE, "test CA"), "not what the request asks for"
    assert found.not_after == NOON + timedelta(days=365)
    with pytest.raises(CertificateError, match="the request cannot be read"):
        ca.client(SITE, NOON, 365, b"no request")
    with pytest.raises(CertificateError, match="70 characters"):
        ca.client("4" * 5 + "/" + "s" * 64, NOON, 365)
    with pytest.raises(CertificateError, match="the CA itself expired"):
        ca.client(SITE, NOON + timedelta(days=4000), 365)


class Gateway:
    """The commands on a ledger of their own."""

    def __init__(self, ledger_file: Path, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "gateway.toml"
        self.settings.write_text(f'[ledger]\nurl = "sqlite:///{ledger_file}"\n[series]\n', "utf-8")

    def accounts(self, command: str, *arguments: object) -> int:
        words = [command, *map(str, arguments)]
        if command not in ("make-ca", "certify-broker"):
            words += ["--settings", str(self.settings)]
        return main(["gateway", "accounts", *words])


@pytest.fixture
def gateway(ledger_file: Path, tmp_path: Path) -> Gateway:
    return Gateway(ledger_file, tmp_path)


def test_issue_rotate_revoke_and_what_is_written(
    gateway: Gateway, ledger: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets, broker = tmp_path / "secrets", tmp_path / "broker"
    assert gateway.accounts("issue", "--missing", "gateway", "--out", secrets) == 0
    file = secrets / "440703_market1.password"
    first = file.read_text("utf-8").strip()
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in secrets.iterdir()) == [
        "440703_canteen1.password",
        "440703_market1.password",
        "gateway.password",
    ]
    assert first not in capsys.readouterr().out, "a secret in a file is not shown as well"
    assert gateway.accounts("issue", SITE) == 2
    assert "`rotate` gives it a new one" in capsys.readouterr().err
    assert gateway.accounts("write", "--out", broker) == 0
    before = (broker / "foodsentry.passwords").read_text("utf-8")
    assert [line.partition(":")[0] for line in before.splitlines()] == [
        f"{REGION}/canteen1",
        SITE,
        "gateway",
    ]
    (broker / "foodsentry.passwords").chmod(0o640)
    assert gateway.accounts("rotate", SITE) == 0
    shown = capsys.readouterr().out.split()[-1]
    assert len(shown) == 43 and shown != first
    assert gateway.accounts("revoke", f"{REGION}/canteen1", "--reason", "box stolen") == 0
    assert gateway.accounts("revoke", f"{REGION}/canteen1", "--reason", "again") == 2
    assert gateway.accounts("write", "--out", broker) == 0
    after = (broker / "foodsentry.passwords").read_text("utf-8")
    assert "canteen1" not in after and after != before
    assert (broker / "foodsentry.passwords").stat().st_mode & 0o777 == 0o640, "mode is kept"
    assert f"user {REGION}/canteen1\ntopic deny" in (broker / "foodsentry.acl").read_text("utf-8")
    capsys.readouterr()
    assert gateway.accounts("write", "--out", broker) == 0
    assert capsys.readouterr().out == "", "what has not changed is not written"
    assert gateway.accounts("list") == 0
    listed = capsys.readouterr().out
    assert f"{REGION}/canteen1\trevoked" in listed and "no account" in listed
    with reading(ledger) as conn:
        done = [(entry.action, entry.subject) for entry in audit.entries(conn)]
        kept = broker_accounts.list_all(conn)
    assert done[:2] == [
        ("broker.revoke", f"{REGION}/canteen1"),
        ("broker.rotate", SITE),
    ]
    assert not any(first in str(one) or shown in str(one) for one in kept)


def test_certificates_are_booked_and_end_with_their_account(
    gateway: Gateway, ledger: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca, out = tmp_path / "ca", tmp_path / "out"
    assert gateway.accounts("make-ca", "--out", ca) == 0
    assert gateway.accounts("make-ca", "--out", ca) == 2, "never overwrites a CA"
    assert (ca / "ca.key").stat().st_mode & 0o777 == 0o600
    for _ in range(2):
        assert gateway.accounts("certify", SITE, "--ca", ca, "--out", out) == 0
    assert gateway.accounts("certify", f"{REGION}/none", "--ca", ca, "--out", out) == 2
    assert (
        gateway.accounts("certify-broker", "127.0.0.1", "b.example", "--ca", ca, "--out", out) == 0
    )
    assert (out / "440703_market1.key").stat().st_mode & 0o777 == 0o600
    facts = read_certificate((out / "440703_market1.crt").read_bytes())
    with reading(ledger) as conn:
        booked = {one.serial for one in broker_accounts.certificates(conn, SITE)}
    assert facts.serial in booked and len(booked) == 2
    capsys.readouterr()
    assert gateway.accounts("list") == 0
    assert f"{SITE}\tcertificate until {facts.not_after:%Y-%m-%d}" in capsys.readouterr().out
    assert gateway.accounts("revoke", SITE, "--reason", "lost") == 0
    assert gateway.accounts("write", "--ca", ca, "--out", out) == 0
    shown = subprocess.run(
        ["openssl", "crl", "-in", str(out / "revoked.crl"), "-noout", "-text"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.lower()
    assert all(serial in shown for serial in booked)
    assert gateway.accounts("issue", SITE) == 0, "a new box takes the place of the old"
    with reading(ledger) as conn:
        assert all(one.revoked_at for one in broker_accounts.certificates(conn, SITE))


def test_an_account_too_many_is_named(
    gateway: Gateway, ledger: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gateway.accounts("issue", SITE) == 0
    with writing(ledger) as conn:
        devices.add(conn, agent_at("market1", "agent2"))
    capsys.readouterr()
    assert gateway.accounts("list") == 0
    listed = capsys.readouterr().out
    assert f"{SITE}\tpassword; several agents stand there" in listed
    assert f"{SITE}/agent2\tno account" in listed
