"""The demo's embedded MQTT broker: rumqttd from the `iotcore` wheel, on loopback, with sign-in.

It keeps its sessions in memory, which the demo may: what the broker loses in a restart is not
receipted, and the edge sends it again. It cannot confine a user to topics; the gateway checks every
message against its topic and the register, and a city's mosquitto has an ACL besides.
"""

import json
from pathlib import Path

from iotcore import Broker

from contracts.envelope import MAX_PAYLOAD_BYTES

_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 200
max_outgoing_packet_count = 1000
max_segment_size = 20971520
max_segment_count = 10
shared_subscriptions_strategy = "roundrobin"

[v5.1]
name = "demo"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = {payload}
max_inflight_count = 500

[v5.1.connections.auth]
{users}
"""


def embedded_broker(folder: Path, port: int, users: dict[str, str]) -> Broker:
    """A broker for `users` (name → password), to be used in a `with` statement.

    Raises OSError if the port is taken, RuntimeError if it does not come up.
    """
    lines = "\n".join(f"{json.dumps(name)} = {json.dumps(word)}" for name, word in users.items())
    path = folder / "broker.toml"
    path.touch(mode=0o600)
    text = _CONFIG.format(port=port, payload=MAX_PAYLOAD_BYTES + 4096, users=lines)
    path.write_text(text, "utf-8")
    return Broker(config_path=str(path))
