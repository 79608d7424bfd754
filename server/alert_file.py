"""All that an alert's page shows: what was measured or seen, the bytes, what was done."""

from datetime import datetime

import msgspec

from contracts.topics import Identity
from contracts.words import AlertState, Phase, PictureRole
from ledger import alerts, devices, evidence, observations, results
from ledger.alerts import AlertRow, TimelineEntry
from ledger.devices import Device
from ledger.engine import Connection
from ledger.evidence import EvidenceRow
from ledger.observations import ObservationRow
from ledger.results import ResultRow
from server.desk import AlertLine, Names, alert_lines


class Told(msgspec.Struct, frozen=True):
    """An entry of the timeline with its actor's name."""

    entry: TimelineEntry
    officer: str


class AlertFile(msgspec.Struct, frozen=True):
    """An alert with all that belongs to it."""

    line: AlertLine
    site: str
    device: Device | None
    result: ResultRow | None
    observation: ObservationRow | None
    pictures: list[EvidenceRow]
    timeline: list[Told]

    @property
    def alert(self) -> AlertRow:
        """The alert itself."""
        return self.line.alert

    @property
    def can_acknowledge(self) -> bool:
        """Whether nobody has taken it on yet."""
        return self.alert.state is not AlertState.CLOSED and self.alert.acknowledged_at is None

    @property
    def can_close(self) -> bool:
        """Whether it is still open."""
        return self.alert.state is not AlertState.CLOSED

    def expects_pictures(self, now: datetime) -> bool:
        """Whether a picture may still come: of an episode that goes on, the one after it began."""
        goes_on = self.observation is not None and self.observation.phase is Phase.OPEN
        after = any(picture.role is PictureRole.AFTER for picture in self.pictures)
        return self.line.waits(now) or (goes_on and not after)

    @property
    def shows_evidence(self) -> bool:
        """Whether pictures or an instrument's bytes are on the page."""
        return bool(self.pictures) or self.result is not None


def read_alert_file(conn: Connection, alert: AlertRow) -> AlertFile:
    """Gather it."""
    who = Identity(alert.region, alert.site, alert.device)
    entries = alerts.timeline(conn, alert.alert_id)
    names = Names(conn)
    (line,) = alert_lines(conn, [alert])
    seen = pictures = None
    if alert.observation_id:
        seen = observations.get(conn, who, alert.observation_id)
        pictures = evidence.for_observation(conn, alert.observation_id, alert.site)
    return AlertFile(
        line=line,
        site=names.site(alert.site),
        device=devices.get(conn, who),
        result=results.get(conn, alert.result_id) if alert.result_id else None,
        observation=seen,
        pictures=pictures or [],
        timeline=[Told(entry, names.officer(entry.actor)) for entry in entries],
    )
