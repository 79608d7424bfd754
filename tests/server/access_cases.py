"""How every route is asked in the access tests, and what it answers to whoever may ask.

A route that is not here with what it needs fails the tests: a change needs an entry in CHANGES, a
path's parameter one in a target's `ids`, FIXED or OWNED.
"""

import msgspec
from upload_files import picture

from contracts.topics import Identity
from ledger.ids import fact_id


class Change(msgspec.Struct, frozen=True):
    """A change: what it says, and what it answers if it may be made."""

    ok: int
    body: dict[str, object] = {}
    alert: str = "firing"
    """State of the alert that it is asked for."""
    kind: str = ""
    """Kind of problem that it answers with, if `ok` is an error."""


NOTE: dict[str, object] = {"note": "已处置"}
PUSH: dict[str, object] = {
    "endpoint": "https://push.example/new", "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22},
}  # fmt: skip
TESTED = fact_id(Identity("440703-baisha-01", "site-in-cell", "lz"), "e1", 1)
"""The result at the place that every role can see; it is in a case."""
APPEAL: dict[str, object] = {"note": "当事人申请复议", "version": 1}
SILENCE: dict[str, object] = {"rule": "no_hat", "reason": "检修", "ends_at": "2026-03-12T10:00:00Z"}
TASK: dict[str, object] = {
    "title": "蔬菜农残", "region": "440703-baisha-01", "wanted": "30", "due_at": "2026-03-20T18:00",
}  # fmt: skip
API_TASK: dict[str, object] = TASK | {"wanted": 30, "due_at": "2026-03-20T10:00:00Z"}
HOOK: dict[str, object] = {"name": "n", "url": "https://hooks.example/x"}

OTHER_PASSWORD: dict[str, object] = {
    "old": "jiangmen-2026-shian", "new": "wind over the harbour", "again": "wind over the harbour",
}  # fmt: skip
OFFICER: dict[str, object] = {"name": "新人", "role": "town", "region": "440703-baisha"}

CELL = "440703-baisha-01"
STALL: dict[str, object] = {"site": "room-in-cell", "code": "B9", "name": "新档"}
PEOPLE: dict[str, object] = {
    "region": "440703-baisha",
    "effective_from": "2026-05-01",
    "people": "11000",
    "source": "s",
    "mark": "U",
}
SAMPLING: dict[str, object] = {
    "id": "GZ-2026-1",
    "region": CELL,
    "kind": "supervision",
    "sampled_at": "2026-03-01T09:00",
    "food": "生菜",
    "sampled_from": "某超市",
    "lab": "江门市检验中心",
}
CHANGES: dict[str, Change] = {
    "POST /admin/tokens": Change(200, {"name": "n", "scope": "alerts:read", "days": 9}),
    "POST /admin/tokens/{token_id}/revoke": Change(303),
    "POST /admin/webhooks": Change(200, HOOK | {"event": "alert.*"}),
    "POST /admin/webhooks/{webhook_id}/test": Change(303),
    "POST /admin/webhooks/{webhook_id}/secret": Change(200),
    "POST /admin/webhooks/{webhook_id}/pause": Change(303),
    "POST /admin/webhooks/{webhook_id}/resume": Change(303),
    "POST /admin/webhooks/{webhook_id}/remove": Change(303),
    "POST /admin/webhooks/{webhook_id}/deliveries/{message_id}/redeliver": Change(303),
    "POST /api/v1/webhooks": Change(200, HOOK | {"events": ["alert.*"]}),
    "DELETE /api/v1/webhooks/{webhook_id}": Change(200),
    "POST /api/v1/webhooks/{webhook_id}/test": Change(200),
    "POST /api/v1/webhooks/{webhook_id}/secret": Change(200, {"overlap_hours": 1}),
    "POST /api/v1/webhooks/{webhook_id}/pause": Change(200),
    "POST /api/v1/webhooks/{webhook_id}/resume": Change(200),
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{message_id}/redeliver": Change(200),
    "POST /signin": Change(403, {"login": "town", "password": "x"}),
    "POST /signout": Change(303),
    "POST /me/password": Change(303, OTHER_PASSWORD),
    "POST /me/language": Change(303, {"language": "en"}),
    "POST /me/sessions/{session_name}/end": Change(303),
    "POST /welcome/{token}": Change(403, {"new": "x" * 12, "again": "x" * 12}),
    "POST /admin/people": Change(200, OFFICER | {"login": "neu"}),
    "POST /admin/people/{officer_id}": Change(303, OFFICER),
    "POST /admin/people/{officer_id}/link": Change(200),
    "POST /admin/people/{officer_id}/{move}": Change(303),
    "POST /audit/verify": Change(200),
    "POST /admin/regions/new": Change(
        303,
        {
            "code": "440703-new",
            "parent": "440703",
            "name_zh": "新镇",
            "name_en": "New",
        },
    ),
    "POST /admin/regions/rows/{region_code}": Change(303, {"name_en": "Renamed"}),
    "POST /admin/regions/rows/{region_code}/retire": Change(409),
    "POST /admin/regions/rows/{region_code}/bring-back": Change(303),
    "POST /admin/establishments/new": Change(
        303,
        {
            "name": "新店",
            "kind": "market",
            "region": "440703",
            "licence_number": "JY12345678901234",
        },
    ),
    "POST /admin/establishments/rows/{establishment_id}": Change(303, {"address": "新路 1 号"}),
    "POST /admin/establishments/rows/{establishment_id}/retire": Change(303),
    "POST /admin/establishments/rows/{establishment_id}/bring-back": Change(303),
    "POST /admin/sites/new": Change(
        303,
        {
            "id": "new-room",
            "name": "新室",
            "kind": "testing_room",
            "region": "440703",
        },
    ),
    "POST /admin/sites/rows/{site}": Change(303, {"name": "改名"}),
    "POST /admin/sites/rows/{site}/retire": Change(303),
    "POST /admin/sites/rows/{site}/bring-back": Change(303),
    "POST /admin/stalls/new": Change(303, STALL),
    "POST /admin/stalls/rows/{stall_id}": Change(303, {"name": "改名"}),
    "POST /admin/stalls/rows/{stall_id}/retire": Change(303),
    "POST /admin/stalls/rows/{stall_id}/bring-back": Change(303),
    "POST /admin/devices/new": Change(
        303,
        {
            "site": "site-in-cell",
            "device": "new",
            "kind": "probe",
            "name": "冷库",
        },
    ),
    "POST /admin/devices/rows/{site}/{device}": Change(303, {"name": "改名"}),
    "POST /admin/devices/rows/{site}/{device}/retire": Change(303),
    "POST /admin/devices/rows/{site}/{device}/bring-back": Change(303),
    "POST /admin/devices/rows/{site}/{device}/secret": Change(200),
    "POST /admin/duties/new": Change(
        303,
        {
            "region": CELL,
            "login": "keeper-in-cell",
            "starts_at": "2026-05-01T08:00",
            "ends_at": "2026-05-02T08:00",
        },
    ),
    "POST /admin/duties/rows/{duty_id}": Change(303, {"ends_at": "2026-04-09T08:00"}),
    "POST /admin/duties/rows/{duty_id}/retire": Change(303),
    "POST /admin/contacts/new": Change(
        303,
        {
            "login": "keeper-in-cell",
            "channel": "sms",
            "address": "138",
        },
    ),
    "POST /admin/contacts/rows/{contact_id}": Change(303, {"position": "3"}),
    "POST /admin/samplings/new": Change(303, SAMPLING),
    "POST /admin/samplings/rows/{sampling_id}": Change(303, {"verdict": "pending"}),
    "POST /admin/populations/new": Change(303, PEOPLE),
    "POST /admin/populations/rows/{population_id}": Change(303, {"people": "12"}),
    "POST /admin/import/{sheet}": Change(200, {"text": "name,kind,region"}),
    "POST /admin/import/{sheet}/apply": Change(409, {"token": "none"}),
    "POST /admin/rules/check": Change(422),
    "POST /alerts/{alert_id}/acknowledge": Change(303),
    "POST /alerts/{alert_id}/dispose": Change(303, NOTE, "taken"),
    "POST /alerts/{alert_id}/review": Change(303, NOTE, "disposed"),
    "POST /alerts/{alert_id}/pause": Change(303, NOTE),
    "POST /alerts/{alert_id}/resume": Change(303, NOTE, "paused"),
    "POST /alerts/{alert_id}/verdict": Change(303, {"said": "true"}),
    "POST /alerts/{alert_id}/close": Change(303, NOTE),
    "POST /alerts/{alert_id}/answer": Change(303, NOTE),
    "POST /alerts/bulk/acknowledge": Change(200),
    "POST /alerts/bulk/dispose": Change(200, NOTE),
    "POST /alerts/bulk/verdict": Change(200, {"said": "true"}),
    "POST /tasks/new": Change(303, TASK),
    "POST /tasks/import": Change(200, {"text": "title,region"}),
    "POST /tasks/import/apply": Change(409, {"token": "none"}),
    "POST /tasks/{task_id}/withdraw": Change(303, {"reason": "改期"}),
    "POST /trace/tasks": Change(303, {"supplier": "nobody", "due": "2026-03-20T18:00"}),
    "POST /trace/cases": Change(303, {"supplier": "nobody"}),
    "POST /api/v1/tasks": Change(201, API_TASK),
    "POST /api/v1/tasks/{task_id}/withdraw": Change(200, {"reason": "改期"}),
    "POST /establishments/{establishment_id}/cards/{card_id}/annul": Change(303, NOTE),
    "POST /api/v1/kitchens/cameras/{site}/{camera}/looks": Change(201, {"reason": "例行抽查"}),
    "POST /kitchens/looks/{look_id}/keep": Change(409, {"reason": "积水", "sha256": "0" * 64}),
    "POST /api/v1/kitchens/looks/{look_id}/kept": Change(
        409, {"reason": "积水", "sha256": "0" * 64}, kind="not-keepable"
    ),
    "POST /kitchens/kept/{kept_id}/case": Change(422, {"case_id": "none"}),
    "POST /kitchens/cameras/{site}/{camera}/look": Change(303, {"reason": "例行抽查"}),
    "POST /establishments/{establishment_id}/code": Change(303, NOTE),
    "POST /admin/codes": Change(200, NOTE | {"region": CELL}),
    "POST /api/v1/establishments/{establishment_id}/code": Change(200, NOTE),
    "POST /api/v1/admin/codes": Change(200, NOTE | {"region": CELL}),
    "POST /silences": Change(
        303, {"rule": "no_hat", "reason": "检修", "class": "3", "ends": "2026-03-12T18:00"}
    ),
    "POST /silences/{silence_id}/end": Change(303),
    "POST /worth/proposals/{proposal_id}/accept": Change(303, {"days": 7}),
    "POST /worth/proposals/{proposal_id}/decline": Change(303, {"note": "不需要"}),
    "POST /alerts/{alert_id}/case": Change(303),
    "POST /results/{result_id}/case": Change(303),
    "POST /cases/{case_id}/moves/{move_id}": Change(303, APPEAL),
    "POST /cases/{case_id}/confirmations/{confirmation_id}/confirm": Change(303),
    "POST /cases/{case_id}/confirmations/{confirmation_id}/decline": Change(303, NOTE),
    "POST /cases/{case_id}/questions/{question_id}/withdraw": Change(303),
    "POST /api/v1/cases": Change(200, {"result_id": TESTED}),
    "POST /api/v1/cases/{case_id}/moves/{move_id}": Change(200, APPEAL),
    "POST /api/v1/cases/{case_id}/files": Change(201, {"photo": picture(size=(4, 3))}),
    "POST /api/v1/cases/{case_id}/confirmations/{confirmation_id}/confirm": Change(200),
    "POST /api/v1/cases/{case_id}/confirmations/{confirmation_id}/decline": Change(200, NOTE),
    "POST /api/v1/cases/{case_id}/questions/{question_id}/withdraw": Change(200),
    "POST /api/v1/admin/regions": Change(
        200,
        {"cells": {"code": "440703-new", "parent": "440703", "name_zh": "新镇", "name_en": "New"}},
    ),
    "PUT /api/v1/admin/regions/rows/{region_code}": Change(200, {"cells": {"name_en": "Renamed"}}),
    "POST /api/v1/admin/regions/import": Change(200, {"csv": ""}),
    "POST /api/v1/admin/regions/rows/{region_code}/retire": Change(409, kind="row-in-use"),
    "POST /api/v1/admin/regions/rows/{region_code}/bring-back": Change(200),
    "POST /api/v1/admin/establishments": Change(
        200,
        {
            "cells": {
                "name": "新店",
                "kind": "market",
                "region": "440703",
                "licence_number": "JY12345678901234",
            }
        },
    ),
    "PUT /api/v1/admin/establishments/rows/{establishment_id}": Change(
        200, {"cells": {"address": "新路"}}
    ),
    "POST /api/v1/admin/establishments/import": Change(200, {"csv": ""}),
    "POST /api/v1/admin/establishments/rows/{establishment_id}/retire": Change(200),
    "POST /api/v1/admin/establishments/rows/{establishment_id}/bring-back": Change(200),
    "POST /api/v1/admin/sites": Change(
        200,
        {"cells": {"id": "new-room", "name": "新室", "kind": "testing_room", "region": "440703"}},
    ),
    "PUT /api/v1/admin/sites/rows/{site}": Change(200, {"cells": {"name": "改名"}}),
    "POST /api/v1/admin/sites/import": Change(200, {"csv": ""}),
    "POST /api/v1/admin/sites/rows/{site}/retire": Change(200),
    "POST /api/v1/admin/sites/rows/{site}/bring-back": Change(200),
    "POST /api/v1/admin/stalls": Change(200, {"cells": STALL}),
    "PUT /api/v1/admin/stalls/rows/{stall_id}": Change(200, {"cells": {"name": "改名"}}),
    "POST /api/v1/admin/stalls/import": Change(200, {"csv": ""}),
    "POST /api/v1/admin/stalls/rows/{stall_id}/retire": Change(200),
    "POST /api/v1/admin/stalls/rows/{stall_id}/bring-back": Change(200),
    "POST /api/v1/admin/devices": Change(
        200, {"cells": {"site": "site-in-cell", "device": "new", "kind": "probe", "name": "冷库"}}
    ),
    "PUT /api/v1/admin/devices/rows/{site}/{device}": Change(200, {"cells": {"name": "改名"}}),
    "POST /api/v1/admin/devices/import": Change(200, {"csv": ""}),
    "POST /api/v1/admin/devices/rows/{site}/{device}/retire": Change(200),
    "POST /api/v1/admin/devices/rows/{site}/{device}/bring-back": Change(200),
    "POST /api/v1/admin/duties": Change(
        200,
        {
            "cells": {
                "region": "440703-baisha-01",
                "login": "keeper-in-cell",
                "starts_at": "2026-05-01T08:00",
                "ends_at": "2026-05-02T08:00",
            }
        },
    ),
    "PUT /api/v1/admin/duties/rows/{duty_id}": Change(
        200, {"cells": {"ends_at": "2026-04-09T08:00"}}
    ),
    "POST /api/v1/admin/duties/import": Change(200, {"csv": ""}),
    "POST /api/v1/admin/duties/rows/{duty_id}/retire": Change(200),
    "POST /api/v1/admin/contacts": Change(
        200, {"cells": {"login": "keeper-in-cell", "channel": "sms", "address": "138"}}
    ),
    "PUT /api/v1/admin/contacts/rows/{contact_id}": Change(200, {"cells": {"position": "3"}}),
    "POST /api/v1/admin/contacts/import": Change(200, {"csv": ""}),
    "POST /api/v1/alerts/bulk/acknowledge": Change(200, {"alert_ids": ["a"]}),
    "POST /api/v1/admin/samplings": Change(200, {"cells": SAMPLING}),
    "PUT /api/v1/admin/samplings/rows/{sampling_id}": Change(
        200, {"cells": {"verdict": "pending"}}
    ),
    "POST /api/v1/admin/samplings/import": Change(200, {"csv": ""}),
    "POST /api/v1/admin/populations": Change(200, {"cells": PEOPLE}),
    "PUT /api/v1/admin/populations/rows/{population_id}": Change(200, {"cells": {"people": "12"}}),
    "POST /api/v1/admin/populations/import": Change(200, {"csv": ""}),
    "POST /api/v1/alerts/{alert_id}/acknowledge": Change(200),
    "POST /api/v1/alerts/{alert_id}/dispose": Change(200, NOTE, "taken"),
    "POST /api/v1/alerts/{alert_id}/review": Change(200, NOTE | {"accepted": True}, "disposed"),
    "POST /api/v1/alerts/{alert_id}/pause": Change(200, NOTE),
    "POST /api/v1/alerts/{alert_id}/resume": Change(200, NOTE, "paused"),
    "POST /api/v1/alerts/{alert_id}/verdict": Change(200, {"verdict": "true"}),
    "POST /api/v1/alerts/{alert_id}/close": Change(200, NOTE),
    "POST /api/v1/alerts/{alert_id}/answer": Change(200, NOTE),
    "POST /api/v1/establishments/{establishment_id}/cards/{card_id}/annul": Change(200, NOTE),
    "POST /api/v1/silences": Change(200, SILENCE),
    "POST /api/v1/silences/preview": Change(200, SILENCE),
    "POST /api/v1/silences/{silence_id}/end": Change(200),
    "POST /api/v1/proposals/{proposal_id}/accept": Change(200, {"days": 7}),
    "POST /api/v1/proposals/{proposal_id}/decline": Change(200, {"note": "不需要"}),
    "POST /api/v1/push-subscriptions": Change(200, PUSH),
    "DELETE /api/v1/push-subscriptions/{subscription_id}": Change(200),
}
"""Every route that is not a GET."""

QUERIES: dict[str, str] = {
    "GET /worth/alerts": "rule=no_hat",
    "GET /worth/chart": "figure=channels",
    "GET /api/v1/scorecards/alerts": "rule=no_hat",
    "GET /api/v1/indicator-months": "period=2026-03",
}
"""What a GET must be asked with."""

FIXED: dict[str, str] = {
    "kind": "inhibition", "language": "en", "move": "unlock", "token": "the-token-of-a-link",
    "move_id": "lodge_appeal", "device": "agent", "camera": "cam", "sheet": "establishments",
    "indicator_id": "quick_tests",
}  # fmt: skip
"""Parameters of paths that name nothing of a place."""

OWNED: frozenset[str] = frozenset(
    {"subscription_id", "session_name", "confirmation_id", "question_id"}
)
"""Parameters that name what is one officer's own: to others it does not exist."""

BLIND: frozenset[str] = frozenset({"GET /alerts/{alert_id}/live", "GET /cases/{case_id}/live"})
"""Streams that begin for whoever is signed in, and say nothing of what lies outside."""

PUBLIC: dict[str, int] = {
    "GET /": 303,
    "GET /signin": 200,
    "GET /signin/oidc": 404,
    "GET /signin/oidc/callback": 404,
    "GET /signin/oidc/leave": 404,
    "POST /signin": 403,
    "GET /language/{language}": 303,
    "GET /p/{public_code}": 200,
    "GET /welcome/{token}": 200,
    "POST /welcome/{token}": 403,
    "GET /push-worker.js": 404,
    "GET /worker.js": 404,
    "GET /offline": 200,
    "GET /manifest.webmanifest": 200,
    "GET /healthz": 200,
    "GET /metrics": 200,
}
"""The routes that need no sign-in, and what they answer to anybody. Whoever adds one here has
thought about it. (The forms of the sign-in and of a one-time link were not asked for
before, so that they are refused; the worker is not built in this app.)"""

OWN_CHANGES: frozenset[str] = frozenset(
    {
        "POST /signout",
        "POST /me/password",
        "POST /me/language",
        "POST /me/sessions/{session_name}/end",
        "POST /api/v1/push-subscriptions",
        "DELETE /api/v1/push-subscriptions/{subscription_id}",
    }
)
"""Changes of what is one's own, for whoever is signed in."""
