"""Digests: many held messages as one that can be read. Pure.

Worst first: how many alerts of which rule at how many sites, then the sites with most. The ids of
all alerts stay with it; what does not fit is counted.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from contracts.notices import Wording
from contracts.words import Severity
from gateway.alerts.outcomes import LOCAL
from gateway.notify.pipeline_settings import PipelineSettings
from gateway.notify.routing import key_of
from gateway.notify.wording import CLASSES, KINDS
from ledger.notifications import Kind, NewNotification, NotificationRow

RULE_LINES = 20
SITE_LINES = 5
KIND_ORDER: tuple[Kind, ...] = ("escalated", "case", "alert", "resolved", "notice")
TITLED: tuple[Kind, ...] = ("notice", "case")
"""Kinds that a digest tells by their titles: they are about no alert."""

SiteName = Callable[[str], str]


def storm_digest(
    rows: Sequence[NotificationRow], at: datetime, site_name: SiteName
) -> NewNotification:
    """One digest of what a storm held back from one recipient."""
    return _digest(rows, f"storm|{rows[0].id}", "消息汇总", "Digest", site_name)


def day_digest(
    rows: Sequence[NotificationRow], at: datetime, site_name: SiteName
) -> NewNotification:
    """One recipient's digest of the day."""
    day = at.astimezone(LOCAL)
    key = f"day|{day:%Y-%m-%d}|{rows[0].id}"
    return _digest(rows, key, f"{day:%m-%d} 当日汇总", f"Digest of {day:%m-%d}", site_name)


def next_digest(settings: PipelineSettings, after: datetime) -> datetime:
    """When the next digest of a day goes."""
    local = after.astimezone(LOCAL)
    today = datetime.combine(local.date(), settings.digest_time, LOCAL)
    return today if today > local else today + timedelta(days=1)


def _digest(
    rows: Sequence[NotificationRow], key: str, title_zh: str, title_en: str, site_name: SiteName
) -> NewNotification:
    alert_ids = tuple(dict.fromkeys(one for row in rows for one in row.alert_ids))
    first = rows[0]
    said = _said(rows, title_zh, title_en, len(alert_ids), site_name)
    severity = max(Severity.DEADLINE, min(row.severity for row in rows))
    return NewNotification(
        dedupe=f"digest|{key}|{key_of(first.recipient, first.route)}",
        kind="digest",
        severity=severity,
        recipient=first.recipient,
        route=first.route,
        title_zh=said.title_zh,
        title_en=said.title_en,
        body_zh=said.body_zh,
        body_en=said.body_en,
        alert_ids=alert_ids,
        level=max(row.level for row in rows),
        region=_common({row.region for row in rows}),
        site=_common({row.site for row in rows}),
    )


def _said(
    rows: Sequence[NotificationRow], title_zh: str, title_en: str, alerts: int, site_name: SiteName
) -> Wording:
    kinds = [kind for kind in KIND_ORDER if any(row.kind == kind for row in rows)]
    counts_zh = "，".join(f"{KINDS[kind][0]} {_count(rows, kind)}" for kind in kinds)
    counts_en = ", ".join(f"{KINDS[kind][1]} {_count(rows, kind)}" for kind in kinds)
    lines_zh, lines_en = [], []
    groups = _by_rule(rows)
    for (severity, _, kind), some in groups[:RULE_LINES]:
        count, sites = _alerts(some), len({row.site for row in some if row.site})
        class_zh, class_en = CLASSES[Severity(severity)]
        what_zh, what_en = KINDS[kind]
        sample = some[0]
        if kind in TITLED:
            lines_zh.append(f"· {sample.title_zh}")
            lines_en.append(f"· {sample.title_en}")
            continue
        lines_zh.append(
            f"· {class_zh}{what_zh} {count} 条（{sites} 个点位），如：{sample.title_zh}"
        )
        lines_en.append(
            f"· {class_en} {what_en}: {count} at {sites} site(s), such as: {sample.title_en}"
        )
    left = groups[RULE_LINES:]
    if left:
        rest = sum(_alerts(some) for _, some in left)
        lines_zh.append(f"· 另有 {len(left)} 类共 {rest} 条")
        lines_en.append(f"· {rest} more of {len(left)} kinds")
    sites_said = _sites(rows, site_name)
    if sites_said:
        lines_zh.append(f"点位：{'；'.join(sites_said)}")
        lines_en.append(f"Sites: {'; '.join(sites_said)}")
    return Wording(
        f"{title_zh}：{alerts} 条预警" if alerts else title_zh,
        f"{title_en}: {alerts} alert(s)" if alerts else title_en,
        "\n".join([counts_zh, *lines_zh]),
        "\n".join([counts_en, *lines_en]),
    )


def _by_rule(
    rows: Sequence[NotificationRow],
) -> list[tuple[tuple[int, str, Kind], list[NotificationRow]]]:
    """Rows by class, rule and kind: the gravest first, then what there is most of."""
    found: defaultdict[tuple[int, str, Kind], list[NotificationRow]] = defaultdict(list)
    for row in rows:
        rule = row.title_zh if row.kind in TITLED else row.group_key.partition("|")[0]
        found[row.severity, rule, row.kind].append(row)
    order = {kind: index for index, kind in enumerate(KIND_ORDER)}
    return sorted(
        found.items(), key=lambda item: (item[0][0], order.get(item[0][2], 9), -_alerts(item[1]))
    )


def _sites(rows: Sequence[NotificationRow], site_name: SiteName) -> list[str]:
    """The sites with most alerts, if there are several."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.site and row.kind not in TITLED:
            ids[row.site].update(row.alert_ids)
    if len(ids) < 2:
        return []
    most = sorted(ids.items(), key=lambda item: (-len(item[1]), item[0]))
    said = [f"{site_name(site)} {len(some)}" for site, some in most[:SITE_LINES]]
    return [*said, "…"] if len(most) > SITE_LINES else said


def _count(rows: Sequence[NotificationRow], kind: Kind) -> int:
    some = [row for row in rows if row.kind == kind]
    return len(some) if kind in TITLED else _alerts(some)


def _alerts(rows: Sequence[NotificationRow]) -> int:
    return len({one for row in rows for one in row.alert_ids})


def _common(values: set[str]) -> str:
    return values.pop() if len(values) == 1 else ""
