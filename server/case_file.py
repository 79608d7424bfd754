"""All that a case's page shows: where it stands, its clocks, what may be done, what was done."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from contracts.casework import FILE_KINDS, Case, CaseEvent, Given, Need
from contracts.casework_clocks import Casework, ClockFace, clocks
from contracts.casework_data import Basis, Move, Outcome, State
from contracts.casework_moves import Offer
from contracts.casework_words import FACTS
from ledger import attachments, case_confirmations, cases, evidence, officers, regions, results
from ledger.alerts import AlertRow
from ledger.attachments import Attachment
from ledger.case_confirmations import Confirmation
from ledger.cases import CaseRow, Publication
from ledger.engine import Connection
from ledger.officers import Officer, Role
from ledger.results import ResultRow
from server.case_list import CaseLine, case_lines
from server.desk import Names
from server.signing import Visit

_LASTING = ("running", "paused", "overdue", "unknown")


class ClockLine(msgspec.Struct, frozen=True):
    """A clock with the time that is left, and what it rests on."""

    face: ClockFace
    left_s: float
    """Seconds until it is due; since, if that is past."""
    basis: tuple[Basis, ...]

    @property
    def goes_on(self) -> bool:
        """Whether it still matters: it runs, or its end was missed."""
        return self.face.state in _LASTING


class Step(msgspec.Struct, frozen=True):
    """Something that happened in a case, with the names of who did it."""

    event: CaseEvent
    move: Move | None
    """None: the opening."""
    officer: str
    second: str
    assignee: str
    lab: str
    outcome: Outcome | None
    files: tuple[Attachment, ...]


class Ask(msgspec.Struct, frozen=True):
    """A step that waits for its second officer."""

    asked: Confirmation
    move: Move
    by: str
    second: str
    assignee: str
    lab: str
    outcome: Outcome | None
    files: tuple[Attachment, ...]
    stale: bool
    """The case has moved on: it can no longer be confirmed."""


class Form(msgspec.Struct, frozen=True):
    """A step that can be made now, and what it asks for."""

    move: Move
    needs: frozenset[str]
    takes: frozenset[str]
    basis: tuple[Basis, ...]

    def asks(self, *needs: str) -> bool:
        """Whether it takes any of these."""
        return bool({*needs} & (self.needs | self.takes))

    @property
    def files(self) -> list[tuple[str, bool]]:
        """The file fields, and whether each must be filled."""
        kinds = [kind for need, kind in FILE_KINDS.items() if need in self.needs]
        kinds += ["file"] if Need.FILE in self.needs else []
        if kinds:
            return [(kind, True) for kind in kinds]
        return [("document" if Need.DOCUMENT in self.takes else "file", False)]


class CaseFile(msgspec.Struct, frozen=True):
    """A case with all that belongs to it."""

    line: CaseLine
    case: Case
    clocks: tuple[ClockLine, ...]
    steps: tuple[Step, ...]
    forms: tuple[Form, ...]
    barred: tuple[Offer, ...]
    """Steps that cannot be made now, with why."""
    asks: tuple[Ask, ...]
    """What waits for a second officer."""
    files: tuple[Attachment, ...]
    unused: tuple[Attachment, ...]
    """Files that no step refers to yet."""
    alerts: list[AlertRow]
    results: list[ResultRow]
    pictures: list[tuple[str, str]]
    """Site and id of the best picture of each alert."""
    publication: Publication | None
    seconds: tuple[Officer, ...]
    """Who could be a second officer."""
    takers: tuple[Officer, ...]
    """Whom it could be dispatched to."""
    labs: tuple[str, ...]
    """Where was tested in this case."""
    outcomes: tuple[Outcome, ...]
    opened_by: str

    @property
    def row(self) -> CaseRow:
        """The case as it stands."""
        return self.line.row

    @property
    def state(self) -> State:
        """Its state with its words."""
        return self.line.state

    def grouped(self) -> list[tuple[str, list[Form]]]:
        """The steps that can be made: those that lead on, measures, and what is recorded."""
        groups: dict[str, list[Form]] = {"on": [], "measure": [], "record": []}
        for form in self.forms:
            kind = "measure" if form.move.action else "on" if form.move.to else "record"
            groups[kind].append(form)
        return [(name, forms) for name, forms in groups.items() if forms]

    def fact(self, name: str) -> tuple[str, str]:
        """The words for a need or a finding."""
        return FACTS[name]


def read_case_file(
    conn: Connection, work: Casework, visit: Visit, row: CaseRow, now: datetime
) -> CaseFile:
    """Gather it as the officer may see it."""
    rules, names = work.rules, Names(conn)
    whole = cases.case(conn, row)
    given = [event.given for event in whole.events]
    names.look_up(
        officers=(
            row.opened_by,
            *(event.actor for event in whole.events),
            *(who for one in given for who in (one.second, one.assignee)),
        ),
        sites=(one.lab for one in given),
    )
    files = {one.id: one for one in attachments.of_case(conn, row.case_id)}
    offers = cases.offers(conn, work, row, visit.officer, now)
    used = {ref.id for event in whole.events for ref in event.given.files}
    asks = tuple(
        _ask(work, names, files, one, row)
        for one in case_confirmations.of_case(conn, row.case_id)
        if not one.answer and one.move in rules.moves
    )
    used |= {file.id for ask in asks for file in ask.files}
    alerts = cases.alerts_of(conn, row.case_id)
    people = _people(conn, row)
    (line,) = case_lines(conn, rules, [row], now)
    return CaseFile(
        line=line,
        case=whole,
        clocks=tuple(clock_line(work, face, now) for face in clocks(work, whole, now)),
        steps=tuple(_step(work, names, files, event) for event in whole.events),
        forms=tuple(form_of(work, offer) for offer in offers if offer.possible),
        barred=tuple(offer for offer in offers if not offer.possible),
        asks=asks,
        files=tuple(files.values()),
        unused=tuple(one for one in files.values() if one.id not in used),
        alerts=alerts,
        results=_results(conn, row.case_id),
        pictures=_pictures(conn, alerts),
        publication=cases.publication(conn, row.case_id),
        seconds=tuple(one for one in people if one.id != visit.officer.id),
        takers=tuple(people),
        labs=tuple(_labs(names, whole)),
        outcomes=tuple(rules.outcomes.values()),
        opened_by=names.officer(row.opened_by),
    )


def form_of(work: Casework, offer: Offer) -> Form:
    """The form of a step that can be made."""
    needs = frozenset(need.value for need in offer.needs)
    takes = frozenset(need.value for need in offer.move.takes)
    if Need.OUTCOME.value in needs:
        asked = {need.value for one in work.rules.outcomes.values() for need in one.needs}
        takes |= asked - needs
    return Form(offer.move, needs, takes, _basis(work, offer.move.basis))


def _basis(work: Casework, ids: Sequence[str]) -> tuple[Basis, ...]:
    return tuple(work.rules.basis[one] for one in ids if one in work.rules.basis)


def clock_line(work: Casework, face: ClockFace, now: datetime) -> ClockLine:
    """A clock with what is left of it and its law."""
    left_s = (face.due_at - now).total_seconds() if face.due_at else 0.0
    return ClockLine(face, abs(left_s), _basis(work, face.clock.basis))


def _files(files: Mapping[str, Attachment], given: Given) -> tuple[Attachment, ...]:
    return tuple(files[ref.id] for ref in given.files if ref.id in files)


def _step(work: Casework, names: Names, files: Mapping[str, Attachment], event: CaseEvent) -> Step:
    given = event.given
    return Step(
        event=event,
        move=work.rules.moves.get(event.move),
        officer=names.officer(event.actor),
        second=names.officer(given.second),
        assignee=names.officer(given.assignee),
        lab=names.site(given.lab),
        outcome=work.rules.outcomes.get(given.outcome),
        files=_files(files, given),
    )


def _ask(
    work: Casework,
    names: Names,
    files: Mapping[str, Attachment],
    asked: Confirmation,
    row: CaseRow,
) -> Ask:
    return Ask(
        asked=asked,
        move=work.rules.moves[asked.move],
        by=names.officer(asked.asked_by),
        second=names.officer(asked.second),
        assignee=names.officer(asked.given.assignee),
        lab=names.site(asked.given.lab),
        outcome=work.rules.outcomes.get(asked.given.outcome),
        files=_files(files, asked.given),
        stale=asked.version != row.version,
    )


def _people(conn: Connection, row: CaseRow) -> list[Officer]:
    """Officers who answer for the case's region and may act there, the nearest first."""
    path = regions.ancestors(conn, row.region)
    acting = (Role.TOWN, Role.COUNTY, Role.CITY)
    found = [one for one in officers.list_in(conn, path) if one.active and one.role in acting]
    return sorted(found, key=lambda one: (path.index(one.region), one.name))


def _results(conn: Connection, case_id: str) -> list[ResultRow]:
    """The case's results with the bytes that they were read from."""
    found = (results.get(conn, one.result_id) for one in cases.results_of(conn, case_id))
    return [one for one in found if one is not None]


def _labs(names: Names, whole: Case) -> list[str]:
    told = dict.fromkeys(event.given.lab for event in whole.events if event.given.lab)
    return [names.site(one) for one in told]


def _pictures(conn: Connection, alerts: Sequence[AlertRow]) -> list[tuple[str, str]]:
    found = []
    for alert in alerts:
        if alert.observation_id:
            pictures = evidence.for_observation(conn, alert.observation_id, alert.site)
            best = evidence.best_of(pictures)
            if best is not None:
                found.append((alert.site, best.evidence_id))
    return found
