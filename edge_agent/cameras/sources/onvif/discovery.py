"""Calls out for cameras on the local network (WS-Discovery) and gathers who answers."""

import logging
import socket
import time
import uuid
from collections.abc import Sequence

from edge_agent.cameras.sources.onvif.messages import Found, OnvifError, probe, read_matches
from edge_agent.cameras.sources.onvif.xml import XmlRefused

_log = logging.getLogger(__name__)

GROUP = ("239.255.255.250", 3702)
"""Where ONVIF devices listen."""
MOST_DEVICES = 256


def discover(
    wait_s: float = 3.0,
    targets: Sequence[tuple[str, int]] = (GROUP,),
    interface: str = "",
) -> list[Found]:
    """The cameras that answer within `wait_s`, by address. Answers that are no good are left out.

    `interface` is the box's own address in the network to ask, if it has several. Raises
    OnvifError if there is no network to ask.
    """
    message_id = str(uuid.uuid4())
    question = probe(message_id)
    found: dict[str, Found] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        try:
            if interface:
                own = socket.inet_aton(interface)
                line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
            for target in targets:
                line.sendto(question, target)
        except OSError as error:
            raise OnvifError(f"cannot call out for cameras: {error.strerror or error}") from None
        until_s = time.monotonic() + wait_s
        while len(found) < MOST_DEVICES and (left_s := until_s - time.monotonic()) > 0:
            line.settimeout(left_s)
            try:
                content, (host, _) = line.recvfrom(65535)
                for one in read_matches(content, message_id, host):
                    found.setdefault(one.service, one)
            except TimeoutError:
                break
            except (OSError, XmlRefused) as error:
                _log.debug("an answer is left out: %s", error)
    return sorted(found.values(), key=lambda one: one.service)
