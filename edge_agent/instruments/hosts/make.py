"""Which host plays our side of a profile's dialogue."""

from datetime import date, datetime

from contracts.profile import E1381, Listen, Modbus, Poll
from edge_agent.instruments.hosts.actions import Host
from edge_agent.instruments.hosts.e1381 import E1381Host
from edge_agent.instruments.hosts.listen import ListenHost
from edge_agent.instruments.hosts.modbus import ModbusHost
from edge_agent.instruments.hosts.overhear import OverhearHost
from edge_agent.instruments.hosts.poll import PollHost
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.results import Reader


def make_host(
    profile: LoadedProfile,
    reader: Reader,
    *,
    address: int | None = None,
    every_s: float | None = None,
) -> Host:
    """The host for a live line. `address` and `every_s` come before the profile's own."""

    def day_of(at: datetime) -> date:
        return at.astimezone(reader.zone).date()

    match profile.spec.dialogue:
        case Listen() as listen:
            return ListenHost(profile, listen, address or 0)
        case Poll() as poll:
            return PollHost(profile, poll, address=address or 0, every_s=every_s, day_of=day_of)
        case Modbus() as modbus:
            return ModbusHost(profile, modbus, address=address, every_s=every_s)
        case E1381() as e1381:
            return E1381Host(profile, e1381)


def make_hearing_host(profile: LoadedProfile, address: int | None = None) -> Host:
    """A host that only listens to what the instrument said in a recording, whoever asked."""
    match profile.spec.dialogue:
        case E1381() as e1381:
            return E1381Host(profile, e1381, needs_enquiry=False)
        case Modbus() as modbus:
            return OverhearHost(profile, modbus, address=address)
        case Listen() as listen:
            return ListenHost(profile, listen)
        case Poll():
            return ListenHost(profile, Listen())
