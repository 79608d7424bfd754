"""Every visible word stands in the catalogue, in both languages, and nothing there is unused."""

import re
import string
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from contracts import periods
from contracts.casework import CaseKind
from contracts.casework_clocks import ClockState
from contracts.sights import CANNOT_SEE
from contracts.words import (
    AlertState,
    AlertVerdict,
    DeviceState,
    Due,
    Phase,
    PictureRole,
    Severity,
    Verdict,
)
from ledger import (
    attachments,
    hook_events,
    notifications,
    silences,
    stall_events,
    tasks,
    timeline_books,
    trace,
    webhook_deliveries,
    webhooks,
)
from ledger.alert_types import TIMELINE_KINDS
from ledger.cards import Colour
from ledger.devices import DeviceKind
from ledger.establishment_events import EventKind
from ledger.establishments import EstablishmentKind
from ledger.evidence import Vouched
from ledger.evidence_keys import Booked
from ledger.indicators import Show
from ledger.kitchens import CameraState
from ledger.missing import MissingKind
from ledger.officers import Role
from ledger.place_lines import LineKind
from ledger.proposals import ProposalKind, ProposalState
from ledger.sheets import cells
from ledger.sheets.kinds import SHEETS
from ledger.sheets.tasks import GROUPS
from ledger.sites import SiteKind
from server import (
    admin_places,
    bulk,
    case_forms,
    case_list,
    crossings,
    desk,
    desk_filter,
    notification_list,
    password_rules,
    people,
    single_sign_on,
    task_list,
    uploads,
    worth_file,
)
from server.admin_pages import word_of
from server.admin_sheets import RETIRES
from server.formats import duration
from server.languages import LANGUAGES, MissingWord, Words, chosen, load_words
from server.pages import TEMPLATES
from server.routes import public
from server.scopes import SCOPES

WORDS = load_words()
SAMPLED = {column.name: column.options for column in SHEETS["samplings"].columns}
LOOK_STATES = {"asked", "sent", "live", "over", "blind", "refused", "unanswered"}
FILES = sorted(TEMPLATES.rglob("*.html"))
SOURCES = sorted(Path(desk.__file__).parent.rglob("*.py"))
DOCUMENTED = (
    "api_admin.py",
    "api_models.py",
    "api_cases.py",
    "api_indicators.py",
    "api_kitchens.py",
    "api_tasks.py",
    "api_files.py",
    "api_webhooks.py",
    "api_worth.py",
    "app.py",
)
"""These hold the examples and names of the API's document."""
_NAME = re.compile(r"""\bt\(\s*["']([a-z0-9_.]+)["']""")
_NAME_IN_PLACE = re.compile(r"""["']((?:[a-z_0-9]+\.)+[a-z_0-9]+)["']""")
_FAMILY = re.compile(r"""["']((?:[a-z_0-9]+\.)+)["']\s*~""")
_SHOWN = ("title", "alt", "placeholder", "aria-label", "label", "value")
_WORD = re.compile(r"[A-Za-z一-鿿]{2,}")
FAMILIES: dict[str, set[str]] = {
    "class.": {str(int(one)) for one in Severity},
    "class.say.": {str(int(one)) for one in Severity},
    "state.": {one.value for one in AlertState} | set(desk.STATES),
    "verdict.": {one.value for one in Verdict},
    "device.state.": {one.value for one in DeviceState},
    "device.say.": {one.value for one in DeviceState},
    "kitchen.state.": {one.value for one in CameraState},
    "kitchen.say.": {one.value for one in CameraState},
    "kitchen.since.": {one.value for one in CameraState},
    "kitchen.look.state.": LOOK_STATES,
    "kitchen.look.say.": LOOK_STATES,
    "kitchen.look.refused.": {
        "reason",
        "busy",
        "officer",
        "camera",
        "keepreason",
        "picture",
        "gone",
        "enough",
    },
    "kitchen.kept.state.": {"waiting", "coming", "stored", "not_kept", "unanswered"},
    "kitchen.kept.say.": {"waiting", "coming", "stored", "not_kept", "unanswered"},
    "kitchen.kind.": set(CANNOT_SEE) | {"other"},
    "devicekind.": {one.value for one in DeviceKind},
    "missing.kind.": {one.value for one in MissingKind},
    "missing.say.": {one.value for one in MissingKind},
    "kind.": {one.value for one in EstablishmentKind},
    "site.": {one.value for one in SiteKind},
    "indicators.only.": set(get_args(Show)),
    "indicators.said.": {"met", "course", "missed", "none", "nothing", "nopeople", "unknown"},
    "indicators.size.": set(get_args(periods.Size)),
    "sampling.kind.": {word for word, _ in SAMPLED["kind"]},
    "sampling.verdict.": {word for word, _ in SAMPLED["verdict"]},
    "role.": {one.value for one in Role},
    "phase.": {one.value for one in Phase},
    "moment.": {one.value for one in PictureRole},
    "vouched.": {one.value for one in Vouched},
    "vouched.say.": {one.value for one in Vouched},
    "proof.booked.": {one.value for one in Booked},
    "desk.empty.": {*desk.STATES, "found"},
    "desk.state.": set(desk.STATES),
    "desk.chip.": set(desk_filter.NARROWING) | {"remove"},
    "desk.name.": set(desk_filter.NAMES) | {"before"},
    "desk.days.": {"today", "week", "month"},
    "bulk.outcome.": {one.value for one in bulk.Outcome},
    "admin.kind.": set(SHEETS),
    "admin.say.": {*SHEETS, "rules", "limits", "calendars", "escalation", "codes"},
    "admin.shown.": {"rules", "limits", "calendars", "escalation", "codes"},
    "admin.new.": set(SHEETS),
    "admin.lead.": set(SHEETS),
    "admin.field.": {
        word_of(kind, column.name) for kind, sheet in SHEETS.items() for column in sheet.columns
    },
    "admin.stall.event.": set(stall_events.KINDS),
    "admin.yesno.": {"yes", "no"},
    "admin.mark.": {"V", "S", "U"},
    "crossings.end.": set(get_args(crossings.Ended)),
    "admin.view.": {"in_use", "retired", "orphans", "now", "all"},
    "admin.warning.": set(get_args(admin_places.Kind)),
    "admin.done.": {"new", "saved", "retired", "back"},
    "admin.retire.say.": set(RETIRES),
    "admin.encoding.": set(get_args(cells.Encoding)),
    "admin.rules.state.": {"now", "later", "over"},
    "admin.rules.notify.": {"push", "digest", "none"},
    "admin.day.": {"work", "off", "holiday", "makeup"},
    "admin.weekday.": {str(number) for number in range(1, 8)},
    "admin.span.": {"min", "h", "working_h", "working_days"},
    "admin.step.": {"acknowledge", "dispose", "review"},
    "nav.": {
        "admin",
        "alerts",
        "cases",
        "establishments",
        "devices",
        "tasks",
        "notifications",
        "worth",
        "people",
        "audit",
    },
    "silence.kind.": set(get_args(silences.Kind)),
    "silence.refused.": set(get_args(silences.Refusal)),
    "worth.chart.": set(get_args(worth_file.Figure)),
    "worth.said.": {"raised", "judged", "true", "false", "unsure", "left_out"},
    "worth.unit.": {"s", "min", "h", "d"},
    "proposal.": {"before", "after"},
    "proposal.kind.": {one.value for one in ProposalKind},
    "proposal.state.": {one.value for one in ProposalState},
    "language.": set(LANGUAGES),
    "lasting.": {duration(seconds)[0] for seconds in (1, 200, 9000, 999_999)},
    "people.refused.": set(get_args(people.Refusal)),
    "people.role.say.": {one.value for one in Role},
    "people.standing.": {"active", "dismissed", "all"},
    "password.refused.": {
        *get_args(password_rules.Weakness),
        "same",
        "wrong",
        "differ",
        "stale",
        "limited",
    },
    "oidc.refused.": set(get_args(single_sign_on.Refusal)),
    "signin.road.": {"1", "2", "3"},
    "signin.road.mark.": {"1", "2", "3"},
    "case.kind.": {one.value for one in CaseKind},
    "case.group.": {"open", "all", "over", *case_list.GROUPS},
    "case.role.": {"duty", "right", "expiry"},
    "case.clock.": set(get_args(ClockState)),
    "case.moves.": {"on", "measure", "record"},
    "case.method.": {"statutory", "rapid"},
    "case.verdict.": {"fails", "passes"},
    "case.upload.": set(case_forms.FILE_FIELDS),
    "case.file.": set(get_args(attachments.Kind)),
    "upload.refused.": set(get_args(uploads.Reason)),
    "card.colour.": {one.value for one in Colour},
    "timeline.": set(TIMELINE_KINDS),
    "alert.level.": {"1", "2"},
    "deadline.level.": {"1", "2"},
    "like.": {"here", "near", "place"},
    "alert.due.": {one.value for one in Due},
    "judge.said.": {one.value for one in AlertVerdict},
    "told.state.": set(notification_list.STATES),
    "told.kind.": set(get_args(notifications.Kind)),
    "connect.scope.": set(SCOPES),
    "connect.event.": set(hook_events.PATTERNS),
    "connect.reason.": set(get_args(webhooks.Reason)) - {""},
    "connect.delivery.": set(get_args(webhook_deliveries.State)),
    "connect.do.": {"test", "pause", "resume", "remove"},
    "connect.refused.": {"name", "scopes", "region", "days", "url", "events"},
    "task.state.": {*tasks.STATES, "all", "soon"},
    "task.why.": set(task_list.WHYS),
    "task.group.": {word for word, _ in GROUPS},
    "room.verdict.": {one.value for one in Verdict},
    "trace.match.": set(trace.MATCHES),
    "trace.same.": {"lot", "supplier", "product"},
    "trace.done.": {"tasks", "cases"},
    "public.camera.": {"sees", "blind", "unknown"},
    "public.temperature.": {"ok", "over", "unknown", "plain"},
    "chart.hygiene.": {"say", "note", "unit", "found", "unknown", "clean"},
    "public.licence.": {"early", "valid", "ending", "over", "undated"},
    "public.meal.": {"seen", "partly", "unseen"},
    "public.instead.": {
        *get_args(public.Said),
        *(f"{one}.say" for one in get_args(public.Said)),
    },
    "place.licence.": {"from", "until", "early", "ending", "over"},
    "history.kind.": {one.value for one in LineKind},
    "history.licence.": {*get_args(EventKind), "begins", "over"},
    "history.device.": {"added", "retired", *timeline_books.SILENT},
    "history.reading.": {"crossed"},
    "history.case.": {"opened"},
    "history.publication.": {"published"},
    "history.score.": {"graded", "given", "annulled"},
}
OPEN_FAMILIES = (
    "admin.hint.",
    "channel.",
    "told.why.",
    "observed.",
    "label.",
    "attribute.",
    "error.",
    "error.say.",
    "audit.action.",
    "audit.detail.",
)
"""Looked up with a fallback for what is not listed."""


class Visible(HTMLParser):
    """Collects the text that a reader would see, Jinja's parts cut out before."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found += _WORD.findall(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        hidden = ("type", "hidden") in attrs
        for name, value in attrs:
            if name in _SHOWN and not hidden:
                self.found += _WORD.findall(value or "")


def _names_used() -> set[str]:
    used: set[str] = set()
    for file in [*FILES, *SOURCES]:
        text = file.read_text("utf-8")
        used |= set(_NAME.findall(text)) | set(_NAME_IN_PLACE.findall(text))
    return used


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_no_visible_string_stands_in_a_template(file: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", file.read_text("utf-8"), flags=re.S)
    seen = Visible()
    seen.feed(text)
    assert seen.found == []


@pytest.mark.parametrize(
    "file", [one for one in SOURCES if one.name not in DOCUMENTED], ids=lambda file: file.name
)
def test_no_chinese_stands_in_the_code(file: Path) -> None:
    code = re.sub(r'""".*?"""', "", file.read_text("utf-8"), flags=re.S)
    assert re.findall(r"[一-鿿]+", code) == []


def test_both_languages_have_the_same_messages_with_the_same_places() -> None:
    zh, en = WORDS["zh_CN"].messages, WORDS["en"].messages
    assert set(zh) == set(en)
    for name in zh:
        places = {
            field
            for form in (*zh[name], *en[name])
            for _, field, _, _ in string.Formatter().parse(form)
            if field is not None
        }
        for language, forms in (("zh", zh[name]), ("en", en[name])):
            for form in forms:
                assert form.strip(), f"{language}: {name} is empty"
                own = {field for _, field, _, _ in string.Formatter().parse(form) if field}
                # A singular may say the number in words.
                assert own == places or (language == "en" and own | {"n"} == places), name


def test_every_name_that_is_used_is_there() -> None:
    names = set(WORDS["en"].messages)
    direct = set()
    for file in FILES:
        direct |= set(_NAME.findall(file.read_text("utf-8")))
    assert {name for name in direct if not name.endswith(".")} - names == set()
    for family, members in FAMILIES.items():
        for member in members:
            assert family + member in names, family + member


def test_every_family_in_the_templates_is_listed_here() -> None:
    used = set()
    for file in FILES:
        used |= set(_FAMILY.findall(file.read_text("utf-8")))
    assert used - set(FAMILIES) - set(OPEN_FAMILIES) == set()


def test_nothing_in_the_catalogue_is_unused() -> None:
    used = _names_used()
    families = (*FAMILIES, *OPEN_FAMILIES)
    left = {
        name for name in WORDS["en"].messages if name not in used and not name.startswith(families)
    }
    assert left == set()


def test_numbers_take_the_languages_own_plural() -> None:
    assert WORDS["en"]("place.alerts", n=1) == "1 alert"
    assert WORDS["en"]("place.alerts", n=2) == "2 alerts"
    assert WORDS["zh_CN"]("place.alerts", n=2) == "2 条预警"


def test_a_missing_word_names_itself(tmp_path: Path) -> None:
    with pytest.raises(MissingWord, match=r"en: no\.such\.word"):
        WORDS["en"]("no.such.word")
    with pytest.raises(FileNotFoundError):
        Words("en", tmp_path)


@pytest.mark.parametrize(
    ("cookie", "accept", "expected"),
    [
        ("en", "zh-CN", "en"),
        ("zh_CN", "en", "zh_CN"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        (None, "en-GB,en;q=0.9,zh;q=0.5", "en"),
        (None, "de-DE,de;q=0.9", "zh_CN"),
        ("klingon", None, "zh_CN"),
        (None, None, "zh_CN"),
    ],
)
def test_the_language_is_chosen_by_cookie_then_by_browser(
    cookie: str | None, accept: str | None, expected: str
) -> None:
    assert chosen(cookie, accept) == expected
