"""The ledger's schema: every table in one place; the migrations' result equals it."""

from ledger.tables.access import broker_accounts, broker_certificates
from ledger.tables.administered import loaded_rules, sheet_uploads
from ledger.tables.alerts import alert_timeline, alerts, cards, rule_state
from ledger.tables.attachments import attachment_contents, attachments, case_confirmations
from ledger.tables.base import metadata
from ledger.tables.books import audit, cursors, dead_letters, intake, journal
from ledger.tables.cases import (
    case_alerts,
    case_events,
    case_numbers,
    case_publications,
    case_results,
    case_tellings,
    cases,
)
from ledger.tables.connected import api_tokens, webhook_deliveries, webhooks
from ledger.tables.facts import (
    evidence,
    evidence_contents,
    evidence_keys,
    observations,
    results,
    sample_results,
    samples,
)
from ledger.tables.indicators import camera_meals, indicator_snapshots, populations, samplings
from ledger.tables.kitchens import kept_frames, looks
from ledger.tables.notify import (
    notification_alerts,
    notification_tries,
    notifications,
    notify_alerts,
    notify_groups,
    push_subscriptions,
    rule_modes,
    silences,
)
from ledger.tables.people import (
    contacts,
    duties,
    login_failures,
    officers,
    password_links,
    sessions,
    sign_in_requests,
)
from ledger.tables.places import (
    device_gaps,
    devices,
    establishment_events,
    establishments,
    regions,
    retired_codes,
    sites,
    stall_events,
    stalls,
)
from ledger.tables.rooms import room_books, room_books_gone, tasks
from ledger.tables.worth import alert_verdicts, suppression_proposals

__all__ = [
    "alert_timeline",
    "alert_verdicts",
    "alerts",
    "api_tokens",
    "attachment_contents",
    "attachments",
    "audit",
    "broker_accounts",
    "broker_certificates",
    "camera_meals",
    "cards",
    "case_alerts",
    "case_confirmations",
    "case_events",
    "case_numbers",
    "case_publications",
    "case_results",
    "case_tellings",
    "cases",
    "contacts",
    "cursors",
    "dead_letters",
    "device_gaps",
    "devices",
    "duties",
    "establishment_events",
    "establishments",
    "evidence",
    "evidence_contents",
    "evidence_keys",
    "indicator_snapshots",
    "intake",
    "journal",
    "kept_frames",
    "loaded_rules",
    "login_failures",
    "looks",
    "metadata",
    "notification_alerts",
    "notification_tries",
    "notifications",
    "notify_alerts",
    "notify_groups",
    "observations",
    "officers",
    "password_links",
    "populations",
    "push_subscriptions",
    "regions",
    "results",
    "retired_codes",
    "room_books",
    "room_books_gone",
    "rule_modes",
    "rule_state",
    "sample_results",
    "samples",
    "samplings",
    "sessions",
    "sheet_uploads",
    "sign_in_requests",
    "silences",
    "sites",
    "stall_events",
    "stalls",
    "suppression_proposals",
    "tasks",
    "webhook_deliveries",
    "webhooks",
]
