"""What alerts were worth, as the console shows it: scorecards, proposals, and times by week."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any, Literal

import msgspec

from ledger import alert_times, alerts, notice_counts, proposals, scorecards
from ledger.alert_times import Durations, Spread, spread
from ledger.engine import Connection
from ledger.precision import Precision, precision
from ledger.proposals import Policy, Proposal
from ledger.scorecards import Card, Judged, Key, said_of, tally
from server.access import Scope
from server.desk import AlertLine, Names, alert_lines
from server.formats import SHANGHAI, general, local
from server.languages import Words

WEEKS = 12
SHOWN = 20
CARDS = 300
"""So many lines of sites are shown of a rule; those with most false alarms come first."""
Figure = Literal["notify", "acknowledge", "dispose", "channels"]


class CardLine(msgspec.Struct, frozen=True):
    """A scorecard with the name of its site."""

    card: Card
    site: str

    def title(self, words: Words) -> str:
        """What its alerts say, without what tells one from the other."""
        return general(words.pick(self.card.title_zh, self.card.title_en))


class ProposalLine(msgspec.Struct, frozen=True):
    """A proposal with the names that its card shows."""

    proposal: Proposal
    region: tuple[str, str]
    site: str
    decided_by: str


class Before(msgspec.Struct, frozen=True):
    """Figures of what is told, before a proposal or after it."""

    told: int
    true: int
    false: int

    @property
    def precision(self) -> Precision | None:
        """The share of right ones among the judged ones."""
        return precision(self.true, self.true + self.false)


class ProposalFile(msgspec.Struct, frozen=True):
    """A proposal with what it would have changed on the stored alerts of its window."""

    line: ProposalLine
    days: float
    before: Before
    after: Before
    hidden: int
    true: int
    false: int
    unjudged: int
    lines: list[tuple[AlertLine, Judged]]
    """What it would have hidden, the right ones first."""


def find_cards(
    conn: Connection, scope: Scope, since: datetime, until: datetime, rule: str = ""
) -> list[Card]:
    """One card for each rule; of one `rule`, one for each site and model."""
    return scorecards.cards(
        conn, scope.listed, since, until,
        establishment_id=scope.establishment_id, rule=rule, split=bool(rule),
    )  # fmt: skip


def read_cards(
    conn: Connection, scope: Scope, since: datetime, until: datetime, rule: str = ""
) -> list[CardLine]:
    """The first of them as the page shows them."""
    found = find_cards(conn, scope, since, until, rule)[:CARDS]
    names = Names(conn).look_up(sites=(one.key.site for one in found))
    return [CardLine(one, names.site(one.key.site) if one.key.site else "") for one in found]


def find_behind(
    conn: Connection,
    scope: Scope,
    since: datetime,
    until: datetime,
    key: Key,
    *,
    model: bool,
    said: str,
) -> list[alerts.AlertRow]:
    """The alerts that a number counts, newest first."""
    return scorecards.behind(
        conn, scope.listed, since, until, key,
        model=model, said=said, establishment_id=scope.establishment_id,
    )  # fmt: skip


def proposal_lines(conn: Connection, found: Sequence[Proposal]) -> list[ProposalLine]:
    """The lines of these proposals."""
    names = Names(conn).look_up(
        regions=(one.region for one in found),
        sites=(one.site for one in found),
        officers=(one.decided_by for one in found),
    )
    return [
        ProposalLine(
            proposal=one,
            region=names.region(one.region),
            site=names.site(one.site) if one.site else "",
            decided_by=names.officer(one.decided_by),
        )
        for one in found
    ]


def read_proposal(
    conn: Connection, proposal: Proposal, now: datetime, policy: Policy
) -> ProposalFile:
    """The proposal with its preview: the rule's alerts at its place before and after."""
    hidden, left = proposals.effect(conn, proposal, now, policy)
    ranked = sorted(hidden, key=_rank)
    rows = [alerts.get(conn, one.alert_id) for one in ranked[:SHOWN]]
    lines = alert_lines(conn, (row for row in rows if row is not None))
    right, wrong = tally(hidden)
    (line,) = proposal_lines(conn, [proposal])
    return ProposalFile(
        line=line,
        days=policy.window_days,
        before=_figures([*hidden, *left]),
        after=_figures(left),
        hidden=len(hidden),
        true=right,
        false=wrong,
        unjudged=sum(not said_of(one) for one in hidden),
        lines=list(zip(lines, ranked[:SHOWN], strict=True)),
    )


def _rank(one: Judged) -> tuple[int, float]:
    """The right ones first; of those with the same verdict, the newest."""
    order = ("true", "unsure", "", "left_out", "false")
    return order.index(said_of(one)), -one.raised_at.timestamp()


def _figures(found: Sequence[Judged]) -> Before:
    return Before(len(found), *tally(found))


def weeks(now: datetime, count: int = WEEKS) -> list[tuple[datetime, datetime]]:
    """The last weeks in China, Monday to Monday, the present one last."""
    here = local(now)
    monday = datetime.combine(here.date() - timedelta(days=here.weekday()), time(), SHANGHAI)
    starts = [monday - timedelta(weeks=count - 1 - index) for index in range(count)]
    return [(start, start + timedelta(weeks=1)) for start in starts]


class Week(msgspec.Struct, frozen=True):
    """How long the alerts booked in a week took."""

    starts_at: datetime
    alerts: int
    notify: Spread
    acknowledge: Spread
    dispose: Spread

    def spread(self, figure: Figure) -> Spread:
        """One of the three."""
        return {"notify": self.notify, "acknowledge": self.acknowledge}.get(figure, self.dispose)


def read_weeks(
    conn: Connection, scope: Scope, now: datetime, *, notified: bool = True
) -> list[Week]:
    """The last weeks, the present one last; without `notified` nobody looks when they were told."""
    spans = weeks(now)
    told = alert_times.read(
        conn, scope.listed, spans[0][0], spans[-1][1],
        establishment_id=scope.establishment_id, notified=notified,
    )  # fmt: skip
    starts = [start.timestamp() for start, _ in spans]
    own: list[list[Durations]] = [[] for _ in spans]
    for one in told:
        place = bisect_right(starts, one.told_s) - 1
        if place >= 0 and one.told_s < spans[-1][1].timestamp():
            own[place].append(one)
    return [
        Week(
            starts_at=start,
            alerts=len(found),
            notify=spread(one.notify_s for one in found),
            acknowledge=spread(one.acknowledge_s for one in found),
            dispose=spread(one.dispose_s for one in found),
        )
        for (start, _), found in zip(spans, own, strict=True)
    ]


def times_chart(
    conn: Connection, scope: Scope, now: datetime, figure: Figure, words: Words
) -> dict[str, Any]:
    """Median and 90th percentile of a duration by week, in the unit that reads best."""
    found = read_weeks(conn, scope, now, notified=figure == "notify")
    by_week = [one.spread(figure) for one in found]
    longest = max((one.p90_s or 0.0 for one in by_week), default=0.0)
    unit, size = next(
        (unit, size)
        for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
        if longest >= 2 * size or size == 1
    )

    def scaled(value: float | None) -> float | None:
        return None if value is None else round(value / size, 2)

    return {
        "kind": "weeks",
        "shape": "line",
        "unit": words(f"worth.unit.{unit}"),
        "description": words(f"worth.chart.{figure}"),
        "weeks": [_label(one.starts_at) for one in found],
        "counts": [one.count for one in by_week],
        "filled": any(one.count for one in by_week),
        "series": [
            {"name": words("worth.median"), "points": [scaled(one.median_s) for one in by_week]},
            {"name": words("worth.p90"), "points": [scaled(one.p90_s) for one in by_week]},
        ],
    }


def channels_chart(
    conn: Connection, scope: Scope, now: datetime, words: Words, recipient: str | None
) -> dict[str, Any]:
    """Notifications sent by channel and week; those held and failed beside them."""
    spans = weeks(now)
    names: dict[str, list[int]] = {}
    tones = {words("told.state.held"): "warn", words("told.state.failed"): "bad"}
    for index, (start, end) in enumerate(spans):
        for one in notice_counts.between(conn, scope.listed, start, end, recipient=recipient):
            if one.state == "sent":
                known = words.has(f"channel.{one.channel}")
                name = words(f"channel.{one.channel}") if known else one.channel
            elif one.state in ("held", "failed"):
                name = words(f"told.state.{one.state}")
            else:
                continue
            names.setdefault(name, [0] * len(spans))[index] += one.count
    return {
        "kind": "weeks",
        "shape": "bar",
        "unit": "",
        "description": words("worth.chart.channels"),
        "weeks": [_label(start) for start, _ in spans],
        "filled": bool(names),
        "series": [
            {"name": name, "points": points, "tone": tones.get(name)}
            for name, points in sorted(names.items(), key=lambda item: (item[0] in tones, item[0]))
        ],
    }


def _label(start: datetime) -> str:
    return f"{start:%m-%d}"
