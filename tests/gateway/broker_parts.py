"""The city's mosquitto with TLS as deployed, its CA, its accounts, and clients that sign in."""

import ssl
import subprocess
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import paho.mqtt.client as mqtt
from gateway_process import GatewayProcess, until
from gateway_town import REGION
from paho.mqtt.enums import CallbackAPIVersion
from servers import Mosquitto, free_port, program

from contracts.clock import utc_now
from contracts.files import write_whole
from contracts.tls import TlsFiles
from gateway.accounts.certificates import Authority, make_authority
from gateway.accounts.files import write_broker_files
from ledger import broker_book as book
from ledger.broker_secrets import new_secret
from ledger.engine import Engine, reading, writing

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
SITE, OTHER = f"{REGION}/market1", f"{REGION}/canteen1"


LISTENER_KEYS = {
    "listener",
    "cafile",
    "certfile",
    "keyfile",
    "crlfile",
    "tls_version",
    "require_certificate",
    "use_identity_as_username",
}


def plain_settings(folder: Path, users: Iterable[str], access: Path) -> str:
    """The deployed mosquitto.conf on loopback without TLS; each of `users` has "secret"."""
    passwords = folder / "passwords"
    passwords.touch(0o644)
    for user in users:
        command = [program("mosquitto_passwd"), "-b", str(passwords), user, "secret"]
        subprocess.run(command, check=True, capture_output=True)
    own = {
        "password_file": f"password_file {passwords}",
        "acl_file": f"acl_file {access}",
        "persistence_location": f"persistence_location {folder}/",
    }
    lines = (DEPLOY / "foodsentry.conf").read_text("utf-8").splitlines()
    keyed = [(line.partition(" ")[0], line) for line in lines]
    kept = [own.get(key, line) for key, line in keyed if key not in LISTENER_KEYS]
    return "\n".join(kept) + "\n"


class City:
    """CA, accounts and a mosquitto with deploy/mosquitto/foodsentry.conf on free ports."""

    def __init__(self, folder: Path, ledger: Engine) -> None:
        self.folder, self.ledger = folder, ledger
        folder.mkdir(mode=0o755, exist_ok=True)
        made = make_authority("city CA", utc_now(), None)
        self.ca = Authority.read(made.pem, made.key_pem, None)
        write_whole(folder / "ca.crt", made.pem, mode=0o644)
        self.serve(utc_now())
        self.passwords = {name: self.password(name) for name in (SITE, OTHER, "gateway", "server")}
        self.write()
        self.tls_port = free_port()
        self.broker = Mosquitto(folder / "broker", self._conf())

    @property
    def port(self) -> int:
        """Where passwords are asked for."""
        return self.broker.port

    def serve(self, at: datetime, days: int = 365, host: str = "127.0.0.1") -> None:
        """Give the broker a certificate as of `at`; it takes it over at a reload."""
        server = self.ca.server([host], at, days)
        write_whole(self.folder / "server.crt", server.pem, mode=0o644)
        write_whole(self.folder / "server.key", server.key_pem)

    def password(self, name: str, *, renew: bool = False) -> str:
        secret = new_secret()
        with writing(self.ledger) as conn:
            book.set_password(conn, name, secret, utc_now(), renew=renew)
        return secret

    def revoke(self, name: str) -> None:
        with writing(self.ledger) as conn:
            book.revoke(conn, name, "test", utc_now())

    def certificate(
        self, name: str, at: datetime | None = None, days: int = 365, ca: Authority | None = None
    ) -> TlsFiles:
        """Files of a client certificate for an account, booked if it is the city's."""
        issued = (ca or self.ca).client(name, at or utc_now(), days)
        if ca is None:
            with writing(self.ledger) as conn:
                book.book_certificate(conn, name, issued.facts, utc_now())
        stem = self.folder / f"client-{issued.facts.serial[:8]}"
        cert, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        write_whole(cert, issued.pem)
        write_whole(key, issued.key_pem)
        return TlsFiles(self.folder / "ca.crt", cert, key)

    @property
    def tls(self) -> TlsFiles:
        """What a client with a password needs."""
        return TlsFiles(self.folder / "ca.crt")

    def gateway(self, folder: Path, ledger_file: Path) -> GatewayProcess:
        """A gateway on this ledger that signs in with its password, over TLS."""
        secret = self.folder / "secret"
        secret.write_text(self.passwords["gateway"], "utf-8")
        return GatewayProcess(
            folder,
            self.port,
            f"sqlite:///{ledger_file}",
            mqtt=f'username = "gateway"\npassword_file = "{secret}"\n'
            f'tls_ca_file = "{self.folder}/ca.crt"',
        )

    def write(self) -> None:
        with reading(self.ledger) as conn:
            write_broker_files(conn, self.folder, self.ca, utc_now())

    def reload(self) -> None:
        """Write the files anew and tell mosquitto, as `systemctl reload` does."""
        self.write()
        was = self.broker.log.stat().st_size
        self.broker.signal(1)
        until(lambda: b"Reloading config" in self.broker.log.read_bytes()[was:])

    def _conf(self) -> str:
        """The deployed file; the password listener takes the place of the test's own."""
        text = (DEPLOY / "foodsentry.conf").read_text("utf-8")
        text = text.replace("/etc/mosquitto/foodsentry", str(self.folder))
        text = text.replace(
            "persistence_location /var/lib/mosquitto", f"persistence_location {self.folder}"
        )
        text = text.replace("listener 8883\n", "")
        return text.replace("listener 8884", f"listener {self.tls_port} 127.0.0.1")


class Client:
    """Signed in (or refused), waits for what it asks."""

    def __init__(self, port: int, tls: TlsFiles | None, name: str = "", password: str = "") -> None:
        self.got: list[tuple[str, bytes]] = []
        self.reasons: list[int] = []
        self.connected: list[str] = []
        self.lost = threading.Event()
        self.answered = threading.Event()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        if name:
            self.client.username_pw_set(name, password)
        if tls is not None:
            self.client.tls_set_context(tls.context())
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.connected.append(str(reason))
        self.client.on_message = lambda _c, _u, one: self.got.append((one.topic, one.payload))
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = lambda *_: self.answered.set()
        self.client.on_disconnect = lambda *_: self.lost.set()
        try:
            self.client.connect("127.0.0.1", port)
        except (ssl.SSLError, OSError) as error:
            self.connected.append(str(error))
            return
        self.client.loop_start()
        until(lambda: self.connected or self.lost.is_set())

    @property
    def signed_in(self) -> bool:
        return self.connected == ["Success"]

    @property
    def topics(self) -> list[str]:
        """Of what it got."""
        return [topic for topic, _ in self.got]

    def _on_publish(self, _c: object, _u: object, _mid: int, reason: object, _p: object) -> None:
        self.reasons.append(reason.value)  # type: ignore[attr-defined]
        self.answered.set()

    def may_publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> bool:
        """False also if the broker cuts the connection."""
        self.answered.clear()
        self.client.publish(topic, payload, qos=1, retain=retain)
        until(lambda: self.answered.is_set() or self.lost.is_set())
        return self.answered.is_set() and self.reasons[-1] < 0x80

    def listen(self, topic: str) -> None:
        self.answered.clear()
        self.client.subscribe(topic, qos=1)
        assert self.answered.wait(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
