"""Real servers for tests, each on a free loopback port with a folder of its own.

`with Mosquitto(folder) as broker:` and so on. A server that does not come up raises ServerError
with what it printed. `kill()` is a kill -9, `start()` brings the same one up again on the same port
and data.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Self

START_LIMIT_S = 60.0


class ServerError(RuntimeError):
    """A server program is missing or did not come up."""


def free_port() -> int:
    """A loopback TCP port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str, *places: str) -> str:
    """Path of a server program. Raises ServerError that says what to install."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *places]))
    if found is None:
        raise ServerError(f"{name} is not installed; `make test` installs it")
    return found


class Server:
    """A server process: started, waited for, killed, started again."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        raise NotImplementedError

    def ready(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        until = time.monotonic() + START_LIMIT_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                tail = self.log.read_text("utf-8", "replace")[-2000:]
                raise ServerError(f"{self.command()[0]} did not come up:\n{tail}")
            time.sleep(0.03)
        return self

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def stop(self) -> None:
        """Ask it to end; insist after five seconds."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Mosquitto(Server):
    """A mosquitto broker; give `config` lines to replace the anonymous loopback listener."""

    def __init__(self, folder: Path, config: str | None = None, port: int | None = None) -> None:
        super().__init__(folder, port)
        self.config = config

    def command(self) -> list[str]:
        listener = f"listener {self.port} 127.0.0.1\n"
        text = self.config if self.config is not None else "allow_anonymous true\n"
        conf = self.folder / "mosquitto.conf"
        conf.write_text(f"{listener}user {pwd.getpwuid(os.getuid()).pw_name}\n{text}", "utf-8")
        return [program("mosquitto"), "-c", str(conf)]


class Influx(Server):
    """InfluxDB 1.x (Debian's), without sign-in unless a `user` is named."""

    def __init__(self, folder: Path, user: str = "", port: int | None = None) -> None:
        super().__init__(folder, port)
        self.user = user
        self.rpc_port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        conf = self.folder / "influxdb.conf"
        conf.write_text(
            f"""reporting-disabled = true
bind-address = "127.0.0.1:{self.rpc_port}"
[meta]
dir = "{self.folder}/meta"
[data]
dir = "{self.folder}/data"
wal-dir = "{self.folder}/wal"
[http]
bind-address = "127.0.0.1:{self.port}"
auth-enabled = {"true" if self.user else "false"}
log-enabled = false
[monitor]
store-enabled = false
""",
            "utf-8",
        )
        return [program("influxd"), "-config", str(conf)]

    def ready(self) -> bool:
        return _answers(f"{self.url}/ping")


def ask(url: str, query: str, **parameters: str) -> str:
    """An InfluxQL statement, posted to an InfluxDB; returns the body of the answer."""
    body = urllib.parse.urlencode({"q": query}).encode()
    where = f"{url}/query?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(where, data=body, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


class VictoriaMetrics(Server):
    """VictoriaMetrics: takes InfluxDB v2 writes; read back at ``/api/v1/export``."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [
            program("victoria-metrics"),
            f"-storageDataPath={self.folder}/data",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
        ]

    def ready(self) -> bool:
        return _answers(f"{self.url}/health")


class Postgres(Server):
    """PostgreSQL with trust on loopback; run as root, it drops to the postgres user."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        bins = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        self.bin = bins[-1] if bins else Path("/usr/bin")
        self._as_user: list[str] = []
        if os.getuid() == 0:
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    def url(self, database: str = "postgres") -> str:
        """The URL of a database on this server."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, like: str = "") -> str:
        """A fresh database, empty or as the one of the URL `like` is; returns its URL."""
        name = f"t{secrets.token_hex(6)}"
        copied = ["-T", like.rpartition("/")[2]] if like else []
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        self._run("createdb", *where, *copied, name)
        return self.url(name)

    def _run(self, name: str, *arguments: str) -> None:
        path = self.bin / name
        command = [*self._as_user, str(path if path.exists() else name), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=60)

    def command(self) -> list[str]:
        # Run as root, the data live where the postgres user may go.
        data = Path("/tmp" if self._as_user else self.folder) / f"fs-pg-{self.port}"
        self.data = data
        if not data.exists():
            data.mkdir(mode=0o700)
            if self._as_user:
                shutil.chown(data, "postgres", "postgres")
            self._run(
                "initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8"
            )
        sockets = f"-k {data} -h 127.0.0.1 -p {self.port} -c fsync=off -c max_connections=50"
        return [*self._as_user, str(self.bin / "postgres"), "-D", str(data), *sockets.split()]

    def ready(self) -> bool:
        if not super().ready():
            return False
        try:
            self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port))
        except subprocess.CalledProcessError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False
