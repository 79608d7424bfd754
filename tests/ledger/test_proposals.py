"""Proposals: when verdicts are reason enough, how narrow, and that nothing comes of them alone."""

from datetime import timedelta

import msgspec
import pytest
from ledger_town import AT, CAMERA, OFFICER, READER, after, alert

from contracts.topics import Identity
from contracts.words import AlertVerdict, Severity
from ledger import alerts, devices, proposals, rule_modes, silences, sites, verdicts
from ledger.engine import Connection, Engine, reading, writing
from ledger.proposals import Policy, Proposal, ProposalConflict, ProposalKind, ProposalState

TRUE, FALSE, UNSURE = AlertVerdict.TRUE, AlertVerdict.FALSE, AlertVerdict.UNSURE
HERE = ["440703-tangxia"]
SILENCE, DIGEST = ProposalKind.SILENCE, ProposalKind.DIGEST


class Story:
    """Alerts that are judged one after the other, an hour apart."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.hours = 0
        self.made: list[str] = []

    def tell(
        self, *said: AlertVerdict, zone: str = "", who: Identity = CAMERA, **more: object
    ) -> None:
        for one in said:
            self.hours += 1
            at = after(3600 * self.hours)
            new = alert(
                f"{who.source}|{self.hours}", at,
                **({"rule": "no_hat", "severity": Severity.GUIDANCE, "who": who} | more),
                facts={"zone": zone},
            )  # fmt: skip
            alert_id, _ = alerts.raise_alert(self.conn, new)
            self.made.append(alert_id)
            verdicts.give(self.conn, alert_id, OFFICER, one, at)
            row = alerts.get(self.conn, alert_id)
            assert row is not None
            proposals.renew(self.conn, row, at)

    @property
    def now(self) -> object:
        return after(3600 * self.hours)

    def open(self, kind: ProposalKind) -> list[Proposal]:
        return [
            one
            for one in proposals.list_in(self.conn, ["440700", "440703", *HERE])
            if one.kind is kind
        ]


@pytest.mark.parametrize(
    ("said", "proposed"),
    [
        ([FALSE] * 4, False),  # too few
        ([FALSE] * 5, True),  # 0 of 5: at most 43 %
        ([TRUE] + [FALSE] * 5, False),  # 1 of 6: up to 56 %
        ([TRUE] + [FALSE] * 6, False),  # 1 of 7: up to 51.3 %
        ([TRUE] + [FALSE] * 7, True),  # 1 of 8: at most 47.1 %
        ([FALSE] * 4 + [UNSURE] * 9, False),  # what cannot be told is no reason
        ([TRUE] * 20 + [FALSE] * 20, False),
    ],
)  # fmt: skip
def test_a_silence_is_proposed_when_precision_is_low_without_doubt(
    town: Engine, said: list[AlertVerdict], proposed: bool
) -> None:
    with writing(town) as conn:
        story = Story(conn)
        story.tell(*said)
        found = story.open(SILENCE)
        assert bool(found) is proposed
        if found:
            assert found[0].scope == proposals.Scope("no_hat", HERE[0], "pj-market-1", "camera-1")
            assert found[0].figures["false"] == said.count(FALSE)
            assert found[0].precision is not None and found[0].precision.high < 0.5


def test_it_is_as_narrow_as_the_verdicts_allow(town: Engine) -> None:
    other = CAMERA.sibling("camera-2")
    with writing(town) as conn:
        devices.add(
            conn,
            devices.Device(
                region=other.region, site=other.site, device=other.device,
                kind=devices.DeviceKind.CAMERA, name="二号", registered_at=AT,
            ),
        )  # fmt: skip
        story = Story(conn)
        story.tell(*[FALSE] * 3, zone="切配间")
        story.tell(*[FALSE] * 3, zone="切配间", who=other)
        # Only both cameras together are reason enough: the site.
        assert [one.scope.device for one in story.open(SILENCE)] == [""]
        story.tell(*[FALSE] * 2, zone="洗消间")
        # One camera alone is: the site's is withdrawn.
        assert [(one.scope.device, one.zone) for one in story.open(SILENCE)] == [("camera-1", "")]
        story.tell(*[FALSE] * 3, zone="洗消间")
        assert {(one.scope.device, one.zone) for one in story.open(SILENCE)} == {
            ("camera-1", "洗消间")
        }


def test_right_alerts_take_it_back(town: Engine) -> None:
    with writing(town) as conn:
        story = Story(conn)
        story.tell(*[FALSE] * 5)
        assert len(story.open(SILENCE)) == 1
        story.tell(TRUE)
        assert story.open(SILENCE) == []
        states = proposals.list_in(conn, HERE, ProposalState)
        assert [one.state for one in states] == [ProposalState.WITHDRAWN]


def test_class_1_is_never_in_one(town: Engine) -> None:
    with writing(town) as conn:
        story = Story(conn)
        story.tell(*[FALSE] * 30, severity=Severity.AT_ONCE)
        assert proposals.list_in(conn, HERE, ProposalState) == []
        # Not even if the rule raises another class besides.
        story.tell(*[FALSE] * 30)
        assert story.open(SILENCE) == story.open(DIGEST) == []


def test_what_was_decided_is_not_proposed_again_on_the_same_verdicts(town: Engine) -> None:
    with writing(town) as conn:
        story = Story(conn)
        story.tell(*[FALSE] * 6)
        (first,) = story.open(SILENCE)
        at = after(3600 * story.hours)
        told = proposals.decline(conn, first.id, OFFICER, at, "再看看")
        assert (told.state, told.decided_by, told.note) == ("declined", OFFICER, "再看看")
        with pytest.raises(ProposalConflict, match="does not wait"):
            proposals.decline(conn, first.id, OFFICER, at)
        with pytest.raises(ProposalConflict, match="does not wait"):
            proposals.accept(conn, first.id, OFFICER, at, at + timedelta(days=1))
        assert silences.active(conn, at) == []
        story.tell(*[FALSE] * 4)
        assert story.open(SILENCE) == []
        story.tell(FALSE)
        (second,) = story.open(SILENCE)
        assert (second.figures["false"], second.id != first.id) == (5, True)


def test_while_what_was_accepted_holds_nothing_more_is_proposed(town: Engine) -> None:
    with writing(town) as conn:
        story = Story(conn)
        story.tell(*[FALSE] * 5)
        (one,) = story.open(SILENCE)
        at = after(3600 * story.hours)
        for until in (at, at + timedelta(days=30, seconds=1)):
            with pytest.raises(ProposalConflict, match="within 30 days"):
                proposals.accept(conn, one.id, OFFICER, at, until)
        assert silences.active(conn, at) == []
        until = at + timedelta(hours=8)
        told = proposals.accept(conn, one.id, OFFICER, at, until, "先静默一班")
        (silence,) = silences.active(conn, at)
        assert (told.made, told.until, silence.author) == (silence.id, until, OFFICER)
        assert "误报 5 条。先静默一班" in silence.reason
        # It hides what it was proposed for, and nothing else.
        last = alerts.get(conn, story.made[-1])
        story.tell(FALSE, who=READER)
        other = alerts.get(conn, story.made[-1])
        assert last is not None and other is not None
        grave = msgspec.structs.replace(last, severity=Severity.AT_ONCE)
        hidden = [silence.hides(row, at) for row in (last, other, grave)]
        assert hidden == [True, False, False]
        story.tell(*[FALSE] * 6)
        assert story.open(SILENCE) == []
        story.tell(*[FALSE] * 2)  # it is over, and it is as bad as before
        assert len(story.open(SILENCE)) == 1


def test_a_noisy_rule_is_proposed_for_the_digest_where_several_sites_say_so(town: Engine) -> None:
    there = Identity("440703-tangxia", "school", "camera-1")
    with writing(town) as conn:
        sites.add(conn, sites.Site(there.site, there.region, "学校", sites.SiteKind.CANTEEN))
        devices.add(
            conn,
            devices.Device(
                region=there.region, site=there.site, device=there.device,
                kind=devices.DeviceKind.CAMERA, name="后厨", registered_at=AT,
            ),
        )  # fmt: skip
        story = Story(conn)
        story.tell(*[FALSE] * 12)
        assert story.open(DIGEST) == [], "one site is no noisy rule"
        story.tell(FALSE, who=there)
        (one,) = story.open(DIGEST)
        assert (one.region, one.site, one.figures["sites"]) == (HERE[0], "", 2)
        at = after(3600 * story.hours)
        proposals.accept(conn, one.id, OFFICER, at, at + timedelta(days=7))
        (mode,) = rule_modes.active(conn, at)
        assert (mode.rule, mode.region, mode.site, mode.author) == ("no_hat", HERE[0], "", OFFICER)


def test_what_it_would_have_reached(town: Engine) -> None:
    with writing(town) as conn:
        story = Story(conn)
        story.tell(TRUE, *[FALSE] * 9)
        story.tell(FALSE, who=READER)
        story.tell(FALSE, rule="another")
        (one,) = story.open(SILENCE)
        reached, _ = proposals.effect(conn, one, after(3600 * 20))
    assert {found.alert_id for found in reached} == set(story.made[:10])
    with reading(town) as conn:
        assert proposals.effect(conn, one, after(86_400 * 31 + 3600 * 10), Policy())[0] == []
        assert proposals.get(conn, one.id) == one and proposals.get(conn, "none") is None
