"""Settings of channels, the commands that try them, our key for web push, a killed sender."""

import signal
import subprocess
import sys
import textwrap
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path

import pytest
from notify_parts import NOON, MailServer, Receiver, Reply
from sender_parts import Clock, Office, Scripted, notification, opened, people
from servers import Mosquitto

from contracts.clock import utc_now
from contracts.settings import SettingsError, load_settings
from gateway.commands import add_commands
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.channels.apprise_channel import AppriseChannel
from gateway.notify.channels.opening import open_channels
from gateway.notify.opening import open_sender
from gateway.notify.settings import AppriseSettings, NotifySettings
from gateway.settings import GatewaySettings
from ledger import contacts, officers, push_subscriptions
from ledger.engine import Engine, reading, writing
from ledger.officers import Officer, Role


def settings_file(folder: Path, notify: str, mqtt_port: int = 1) -> Path:
    path = folder / "gateway.toml"
    text = f"""
[ledger]
url = "sqlite:///{folder}/ledger.db"
[series]
api = "sqlite"
url = "{folder}/series.db"
[mqtt]
port = {mqtt_port}
{textwrap.dedent(notify)}"""
    path.write_text(text, "utf-8")
    return path


def run(*words: str) -> int:
    parser = ArgumentParser()
    add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["gateway", *words])
    status: int = arguments.run(arguments)
    return status


def test_a_channel_is_tried_and_what_happened_is_said(
    ledger_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver() as receiver, MailServer() as server:
        receiver.replies = [Reply(204), Reply(429, b"", {"Retry-After": "9"}), Reply(400)]
        (tmp_path / "hook.url").write_text(f"{receiver.url}/secret-path\n")
        mail = f"mailto://localhost:{server.port}?from=fs@city.example&to={{address}}&mode=insecure"
        notify = f"""
        [[notify.webhook]]
        name = "duty"
        url_file = "hook.url"
        [[notify.apprise]]
        name = "mail"
        url = "{mail}"
        """
        file = str(settings_file(tmp_path, notify))
        assert run("notify-test", "duty", "--settings", file) == 0
        assert "the service took it" in capsys.readouterr().out
        assert run("notify-test", "duty", "--settings", file) == 1
        assert "tried again, in 9 s at the earliest: HTTP 429" in capsys.readouterr().err
        assert run("notify-test", "duty", "--settings", file) == 1
        assert "refused for good: HTTP 400" in capsys.readouterr().err
        assert run("notify-test", "mail", "li@example.com", "--settings", file) == 0
        assert run("notify-test", "mail", "--settings", file) == 1
        assert "needs an address" in capsys.readouterr().err
        with pytest.raises(SettingsError, match="no channel 'fax'; there are: duty, mail, mqtt"):
            run("notify-test", "fax", "--settings", file)
    assert server.mails[0].recipients == ["li@example.com"]
    assert receiver.requests[0].json["alerts"][0]["labels"]["alertname"] == "foodsentry_test"


@pytest.mark.real
def test_the_displays_channel_is_tried_over_a_connection_of_its_own(
    ledger_file: Path,
    tmp_path: Path,
    mosquitto: Mosquitto,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = str(settings_file(tmp_path, "", mosquitto.port))
    assert run("notify-test", "mqtt", "--settings", file) == 0
    file = str(settings_file(tmp_path, "[notify.mqtt]\ntimeout_s = 0.3"))
    assert run("notify-test", "mqtt", "--settings", file) == 1
    assert "refused" in capsys.readouterr().err


def test_our_key_for_web_push_reaches_the_console(
    ledger: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vapid.pem"
    assert run("vapid-key", str(path)) == 0
    public_key = capsys.readouterr().out.split()[-1]
    assert run("vapid-key", str(path)) == 1
    file = settings_file(tmp_path, '[notify.webpush]\nkey_file = "vapid.pem"')
    sender = open_sender(
        load_settings(file, GatewaySettings).notify,
        file,
        ledger,
        publish=lambda *_: True,
        name="gw",
        metrics=Metrics(),
        health=Health(),
        clock=lambda: NOON,
    )
    sender.look_once()
    sender.end()
    with reading(ledger) as conn:
        assert push_subscriptions.server_key(conn) == public_key
    with writing(ledger) as conn:
        li = Officer(login="li", name="李", role=Role.TOWN, region="440703")
        officers.add(conn, li)
    assert run("notify-test", "webpush", "li", "--settings", str(file)) == 1
    assert "no browser of this officer" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="no officer 'wang'"):
        run("notify-test", "webpush", "wang", "--settings", str(file))


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        ('[[notify.apprise]]\nurl = "json://localhost"', r"notify.apprise\[0\].name: is missing"),
        ('[[notify.apprise]]\nname = "x"', r"notify.apprise\[0\].url: is missing"),
        ('[[notify.apprise]]\nname = "x"\nurl = "nosuch://x"', r"apprise\[0\].url: Apprise cannot"),
        ('[[notify.apprise]]\nname = "x"\nurl = "syslog://"', "nobody but this machine"),
        ('[[notify.apprise]]\nname = "x"\nurl = "feishu://{secret}"', "FOODSENTRY_NOTIFY_X is not"),
        ('[[notify.apprise]]\nname = "x"\nurl_file = "none"', "secret file"),
        ('[[notify.webhook]]\nname = "x"\nurl = "ftp://x"', r"notify.webhook\[0\].url: is not an"),
        ('[[notify.webhook]]\nname = "mqtt"\nurl = "http://x"', "two channels are called 'mqtt'"),
        ('[[notify.webhook]]\nname = "x"\nurl = "http://x"\nca_file = "no"', "ca_file: .* cannot"),
        ('[[notify.webhook]]\nname = "x"\nurl = "http://x"\ntimeout_s = 110', "lease_s: 120 is"),
        ('[notify.webpush]\nkey_file = "none.pem"', "webpush.key_file: .*No such file"),
        ('[notify.webpush]\nkey_file = "gateway.toml"', "key_file: .* is no private key"),
        ('[notify.webpush]\nkey_file = "x"\ncontact = "it@x.cn"', "contact: is neither mailto"),
    ],
)  # fmt: skip
def test_faults_in_settings_are_named_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notify: str, said: str
) -> None:
    monkeypatch.delenv("FOODSENTRY_NOTIFY_X", raising=False)
    file = settings_file(tmp_path, notify)
    with pytest.raises(SettingsError, match=said):
        open_channels(
            load_settings(file, GatewaySettings).notify,
            file,
            publish=lambda *_: True,
            subscriptions=None,  # type: ignore[arg-type]
            clock=utc_now,
        )


def test_a_secret_comes_from_its_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify = '[[notify.webhook]]\nname = "duty-room"\nurl = "http://localhost/{secret}"'
    file = settings_file(tmp_path, notify)

    def names() -> set[str]:
        made = load_settings(file, GatewaySettings).notify
        found = open_channels(
            made,
            file,
            publish=lambda *_: True,
            subscriptions=None,
            clock=utc_now,  # type: ignore[arg-type]
        )
        return set(found)

    monkeypatch.setenv("FOODSENTRY_NOTIFY_DUTY_ROOM", "a/b")
    assert names() == {"duty-room", "mqtt"}
    monkeypatch.delenv("FOODSENTRY_NOTIFY_DUTY_ROOM")
    settings_file(tmp_path, notify + '\nsecret_file = "part"')
    (tmp_path / "part").write_text("s\n")
    assert names() == {"duty-room", "mqtt"}


def test_the_example_for_a_city_opens(tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "deploy" / "city" / "notify.toml"
    file = settings_file(tmp_path, example.read_text("utf-8"))
    made = load_settings(file, GatewaySettings).notify
    secrets = [one.secret_file for one in made.apprise]
    for name in (*secrets, "duty.token", "duty.hmac"):
        (tmp_path / name).write_text("0123456789abcdef")
    assert run("vapid-key", str(tmp_path / "vapid.pem")) == 0
    found = open_channels(
        made,
        file,
        publish=lambda *_: True,
        subscriptions=None,  # type: ignore[arg-type]
        clock=utc_now,
    )
    assert set(found) == {
        *("wecom", "dingtalk", "feishu", "mail", "sms"),
        *("duty", "mqtt", "webpush"),
    }
    assert all(name in found for route in made.routes for name in route.channels)
    signed = "dingtalk://SEC0123@TOKEN/{address}"  # as docs/notifications.md says
    AppriseChannel(AppriseSettings(name="signed"), signed, "", clock=utc_now)


KILLED = """
import sys
import threading
from pathlib import Path
from contracts.clock import utc_now
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.opening import open_sender
from gateway.settings import GatewaySettings
from contracts.settings import load_settings
file = Path(sys.argv[1])
settings = load_settings(file, GatewaySettings)
sender = open_sender(settings.notify, file, settings.ledger.open(file), publish=lambda *_: True,
    name="killed", metrics=Metrics(), health=Health(), clock=utc_now)
sender.run(threading.Event())
"""


@pytest.mark.slow
def test_a_sender_that_is_killed_half_way_has_lost_nothing_and_repeats_with_the_same_key(
    ledger: Engine, tmp_path: Path
) -> None:
    with writing(ledger) as conn:
        people(conn)
        contacts.put(conn, contacts.Contact("li", "duty", "li", -1))
    with Receiver() as receiver:

        def answer(request: object) -> Reply:
            if len(receiver.requests) == 3:
                process.send_signal(signal.SIGKILL)  # it is accepted, and nobody hears of it
                process.wait(10)
            return Reply(204)

        receiver.answer = answer
        file = settings_file(
            tmp_path, f'[[notify.webhook]]\nname = "duty"\nurl = "{receiver.url}/{{address}}"'
        )
        clock = Clock()
        clock.at = utc_now()
        with Office(ledger, opened(Scripted("none")), clock) as office:
            office.put(*(notification(f"n{number}") for number in range(6)))
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(file)])
        process.wait(30)
        before = [request.headers["idempotency-key"] for request in receiver.requests]
        assert before == ["n0", "n1", "n2"]
        states = {key: row.state for key, row in office.rows().items()}
        assert states["n2"] == "sending" and "failed" not in states.values()
        clock.at = utc_now() + timedelta(seconds=NotifySettings().lease_s + 1)
        sender = open_sender(
            load_settings(file, GatewaySettings).notify,
            file,
            ledger,
            publish=lambda *_: True,
            name="next",
            metrics=Metrics(),
            health=Health(),
            clock=clock,
        )
        end = time.monotonic() + 20
        while any(row.state != "sent" for row in office.rows().values()):
            sender.look_once()
            assert time.monotonic() < end
            time.sleep(0.01)
        sender.end()
    keys = [request.headers["idempotency-key"] for request in receiver.requests]
    assert set(keys) == {f"n{number}" for number in range(6)}
    sent_before = {key for key, state in states.items() if state == "sent"}
    assert sorted(keys[3:]) == sorted(set(keys) - sent_before)
    assert "n2" in keys[3:]
