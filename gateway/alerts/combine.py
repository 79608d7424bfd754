"""Alerts of one site at the same time: rules that combine other rules, as a pure step.

What is remembered of a site is which alerts of the parts there were, from when until when, each by
its fingerprint: neither order nor repetition matters. Bounded to the newest of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.topics import Identity, parse_source
from gateway.alerts import ending
from gateway.alerts.kinds import Combination
from gateway.alerts.outcomes import Outcome, Raise, Resolve, place, raising
from gateway.alerts.rule import Rule

KEY = "together"
MOST = 128


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One alert of a part."""

    part: int
    source: str
    """Of its device."""
    raised_at: datetime
    over_at: datetime | None = None

    def at(self, moment: datetime, within: timedelta) -> bool:
        """Whether it was there at that moment, and not raised too long before."""
        return self.raised_at <= moment <= self.raised_at + within and (
            self.over_at is None or self.over_at > moment
        )


class TogetherState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one site."""

    members: dict[str, Member] = {}
    """By part and fingerprint."""
    firing: bool = False


class Told(msgspec.Struct, frozen=True):
    """An outcome on its way to one part of one rule."""

    part: int
    outcome: Outcome


def step(
    state: TogetherState, rule: Rule, site: str, told: Sequence[Told]
) -> tuple[TogetherState, list[Outcome]]:
    """Take what happened to alerts of one site (`region/site`); returns what follows."""
    when = rule.when
    if not isinstance(when, Combination):
        return state, []
    members = dict(state.members)
    new: set[str] = set()
    for one in told:
        key = f"{one.part} {one.outcome.fingerprint}"
        held = members.get(key)
        if isinstance(one.outcome, Raise):
            if held is None or (held.over_at and one.outcome.at >= held.over_at):
                members[key] = Member(one.part, one.outcome.who.source, one.outcome.at)
                new.add(key)
        elif held is not None and held.over_at is None:
            members[key] = Member(held.part, held.source, held.raised_at, one.outcome.at)
    within = timedelta(seconds=when.within_s)
    newest = max((member.raised_at for member in members.values()), default=None)
    if newest is not None:
        kept = sorted(members.items(), key=lambda item: (item[1].raised_at, item[0]))
        members = {
            key: member
            for key, member in kept[-MOST:]
            if member.over_at is None or newest - member.raised_at <= 2 * within
        }
    return _judge(state, rule, when, site, members, new, told)


def _judge(
    state: TogetherState,
    rule: Rule,
    when: Combination,
    site: str,
    members: dict[str, Member],
    new: set[str],
    told: Sequence[Told],
) -> tuple[TogetherState, list[Outcome]]:
    within = timedelta(seconds=when.within_s)
    if state.firing:
        if _together(when, [member for member in members.values() if member.over_at is None]):
            return TogetherState(members, firing=True), []
        return TogetherState(members), [_over(rule, site, max(one.outcome.at for one in told))]
    for moment in sorted({member.raised_at for member in members.values()}, reverse=True):
        there = {key: member for key, member in members.items() if member.at(moment, within)}
        # What came together before was told before.
        if new & there.keys() and _together(when, there.values()):
            break
    else:
        return TogetherState(members), []
    outcomes: list[Outcome] = [_raise(rule, when, site, moment, there.values())]
    still = _together(when, [member for member in there.values() if member.over_at is None])
    if not still:
        at = max((member.over_at for member in there.values() if member.over_at), default=moment)
        outcomes.append(_over(rule, site, at))
    return TogetherState(members, firing=still), outcomes


def _together(when: Combination, members: Iterable[Member]) -> bool:
    """Whether every part has as many devices as it needs."""
    sources: dict[int, set[str]] = {}
    for member in members:
        sources.setdefault(member.part, set()).add(member.source)
    return all(len(sources.get(index, ())) >= part.devices for index, part in enumerate(when.of))


def _over(rule: Rule, site: str, at: datetime) -> Resolve:
    return Resolve(fingerprint=f"{rule.id}|{site}|{KEY}", at=at, reason=ending.NOT_TOGETHER)


def _raise(
    rule: Rule, when: Combination, site: str, moment: datetime, there: Iterable[Member]
) -> Raise:
    sources = sorted({member.source for member in there})
    who: Identity = parse_source(sources[0])
    words = place(who, "") | {
        "devices": "、".join(parse_source(one).device for one in sources[:8]),
        "count": str(len(sources)),
    }
    return raising(
        rule,
        who,
        KEY,
        moment,
        zh=words,
        en=words | {"devices": words["devices"].replace("、", ", ")},
        facts={"devices": sources, "within_s": when.within_s},
        of=site,
    )
