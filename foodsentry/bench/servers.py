"""Real servers for benchmarks, on loopback, each in a folder of its own."""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from foodsentry.bench.ending import mortal

_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
_READY_LIMIT_S = 30.0


class BenchFailed(RuntimeError):
    """The benchmark cannot run here; the text says why."""


def program(name: str) -> str | None:
    """Path of a server program, or None."""
    return shutil.which(name, path=_PLACES)


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[int]:
    """A mosquitto without the limits that would drop a backlog; yields its process id."""
    found = program("mosquitto")
    if found is None:
        raise BenchFailed("this benchmark needs mosquitto: apt-get install mosquitto")
    conf = folder / "mosquitto.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n"
        f"max_queued_messages 0\nuser {getpass.getuser()}\nset_tcp_nodelay true\n",
        "utf-8",
    )
    with running(mortal([found, "-c", str(conf)]), folder / "mosquitto.log") as process:
        yield process.pid


@contextmanager
def postgres(port: int) -> Iterator[str]:
    """A PostgreSQL as its package sets it, without passwords; yields the URL of its database.

    Run as root, it drops to the user postgres, in a folder where that may write.
    """
    bins = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not bins:
        raise BenchFailed("this benchmark needs PostgreSQL: apt-get install postgresql")
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    as_user = drop if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="fs-bench-pg-") as folder:
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data = Path(folder) / "data"
        words = ["-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8"]
        made = subprocess.run([*as_user, str(bins[-1] / "initdb"), *words], capture_output=True)
        if made.returncode:
            raise BenchFailed(f"initdb: {made.stderr.decode(errors='replace')[-400:]}")
        where = f"-k {folder} -h 127.0.0.1 -p {port}"
        program_here = mortal([str(bins[-1] / "postgres")], by=signal.SIGINT)
        command = [*as_user, *program_here, "-D", str(data), *where.split()]
        with running(command, Path(folder).with_suffix(".log")) as process:
            until = time.monotonic() + _READY_LIMIT_S
            while not _answers(bins[-1] / "pg_isready", port):
                if process.poll() is not None or time.monotonic() > until:
                    raise BenchFailed(f"PostgreSQL did not come up, see {folder}.log")
                time.sleep(0.05)
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
            # A quick farewell: its data are thrown away.
            process.send_signal(signal.SIGINT)
        Path(folder).with_suffix(".log").unlink(missing_ok=True)


def analyse(port: int) -> None:
    """What autovacuum does in time: visibility and statistics of every table, before measuring."""
    vacuumdb = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1] / "vacuumdb"
    where = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-q", "-z", "postgres"]
    subprocess.run([str(vacuumdb), *where], check=True, capture_output=True)


def _answers(pg_isready: Path, port: int) -> bool:
    command = [str(pg_isready), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command).returncode == 0


@contextmanager
def influxd(folder: Path, port: int, rpc_port: int) -> Iterator[str]:
    """An InfluxDB 1.x with a database "bench" (see `program`); yields its URL."""
    found = program("influxd")
    if found is None:
        raise BenchFailed("influxd is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "influxdb.conf"
    conf.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc_port}"\n'
        f'[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\nquery-log-enabled = false\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        "[monitor]\nstore-enabled = false\n",
        "utf-8",
    )
    url = f"http://127.0.0.1:{port}"
    with running(mortal([found, "-config", str(conf)]), folder / "influxd.log") as process:
        until = time.monotonic() + _READY_LIMIT_S
        while True:
            try:
                influxql(url, "CREATE DATABASE bench")
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > until:
                    raise BenchFailed(f"influxd did not come up, see {folder}") from None
                time.sleep(0.05)
        yield url


def influxql(url: str, query: str) -> bytes:
    """An InfluxQL statement to the database "bench"; returns the answer's body."""
    body = urllib.parse.urlencode({"q": query}).encode()
    with urllib.request.urlopen(f"{url}/query?db=bench&epoch=ns", body, timeout=60) as answer:
        text: bytes = answer.read()
        return text


def count_readings(url: str) -> int:
    """How many readings are in the database "bench"."""
    answer = msgspec.json.decode(influxql(url, "SELECT count(value) FROM readings"))
    found = answer["results"][0].get("series")
    return int(found[0]["values"][0][1]) if found else 0


@contextmanager
def running(
    command: list[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended at the end; what it says goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
