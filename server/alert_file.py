"""All that an alert's page shows: what was measured or seen, the bytes, what was done."""

from datetime import datetime

import msgspec

from contracts.causes import Cause
from contracts.topics import Identity
from contracts.words import Phase, PictureRole
from ledger import (
    alert_life,
    alerts,
    case_links,
    devices,
    evidence,
    observations,
    regions,
    results,
    silences,
)
from ledger import verdicts as verdicts_book
from ledger.alert_life import Move
from ledger.alerts import AlertRow, TimelineEntry
from ledger.case_types import CaseRow
from ledger.devices import Device
from ledger.engine import Connection
from ledger.evidence import EvidenceRow
from ledger.observations import ObservationRow
from ledger.officers import Officer
from ledger.results import ResultRow
from ledger.silences import Silence
from ledger.verdicts import VerdictRow
from server.alert_context import Turn, whose_turn
from server.desk import AlertLine, Names, alert_lines
from server.languages import Words
from server.notification_list import NotificationLine, told_of


class Told(msgspec.Struct, frozen=True):
    """An entry of the timeline with its actor's name."""

    entry: TimelineEntry
    officer: str


class Opinion(msgspec.Struct, frozen=True):
    """A verdict with the names that its line shows."""

    row: VerdictRow
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
    moves: frozenset[Move]
    """What the officer who looks may do with it now."""
    acknowledged_by: str
    """Name of whoever took it on."""
    disposed_by: str
    """Name of whoever disposed of it."""
    opinions: list[Opinion]
    """Every verdict, the oldest first; the last one stands."""
    known: dict[str, Cause]
    """Every cause, by id."""
    causes: list[Cause]
    """What may be said of it if it is wrong."""
    case: CaseRow | None
    """The case that it is in."""
    told: list[NotificationLine]
    """Who was told, or why not; the newest first."""
    hidden_by: Silence | None
    """What silences it at present."""
    turn: Turn | None
    """Who is asked now and next, while something is due."""

    @property
    def alert(self) -> AlertRow:
        """The alert itself."""
        return self.line.alert

    @property
    def opinion(self) -> Opinion | None:
        """The verdict that stands."""
        return self.opinions[-1] if self.opinions else None

    def cause_words(self, cause_id: str, words: Words) -> str:
        """A cause in the page's language; its id if the list has it no longer."""
        cause = self.known.get(cause_id)
        return words.pick(cause.zh, cause.en) if cause else cause_id

    @property
    def held(self) -> TimelineEntry | None:
        """Why nobody was told, if that is the last thing that can be said of it."""
        said = [told.entry for told in self.timeline if told.entry.kind in ("held", "notified")]
        return said[-1] if said and said[-1].kind == "held" else None

    def may(self, move: str) -> bool:
        """Whether the officer who looks may make this move now."""
        return Move(move) in self.moves

    def expects_pictures(self, now: datetime) -> bool:
        """Whether a picture may still come: of an episode that goes on, the one after it began."""
        goes_on = self.observation is not None and self.observation.phase is Phase.OPEN
        after = any(picture.role is PictureRole.AFTER for picture in self.pictures)
        return self.line.waits(now) or (goes_on and not after)

    @property
    def shows_evidence(self) -> bool:
        """Whether pictures or an instrument's bytes are on the page."""
        return bool(self.pictures) or self.result is not None


def read_alert_file(
    conn: Connection,
    alert: AlertRow,
    causes: dict[str, Cause],
    offered: list[Cause],
    officer: Officer,
    now: datetime,
) -> AlertFile:
    """Gather it as `officer` may see it."""
    who = Identity(alert.region, alert.site, alert.device)
    entries = alerts.timeline(conn, alert.alert_id)
    held_by = case_links.holding_alert(conn, alert.alert_id)
    opinions = verdicts_book.history(conn, alert.alert_id)
    people: set[str | None] = {
        *(entry.actor for entry in entries),
        *(row.officer_id for row in opinions),
    }
    people |= {alert.acknowledged_by, alert.disposed_by}
    names = Names(conn).look_up(officers=people)
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
        moves=alert_life.moves(alert, officer.id, in_case=held_by is not None),
        acknowledged_by=names.officer(alert.acknowledged_by),
        disposed_by=names.officer(alert.disposed_by),
        opinions=[Opinion(row, names.officer(row.officer_id)) for row in opinions],
        known=causes,
        causes=offered,
        case=held_by,
        told=told_of(conn, alert.alert_id, officer),
        hidden_by=silences.hidden_by(
            silences.active(conn, now), alert, now, regions.ancestors(conn, alert.region)
        ),
        turn=whose_turn(conn, alert, now),
    )
