"""The table of the console's pages. A new page: one line in PAGES, and it is looked at everywhere.

From it come the pictures and `docs/pages.md` (`foodsentry pictures`), and the tests of
accessibility, width and words. A route that is no page of its own stands in PARTS, with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A page as a person knows it."""

    name: str
    """Of its pictures: letters and hyphens."""
    path: str
    """Its address; `{test}` and so on stand for what IN_TOWN finds in the town looked at."""
    zh: str
    en: str
    """One sentence in each language: what it is for."""
    login: str = "city"
    """Who looks at it, in the made-up district; empty: nobody is signed in."""

    def address(self, found: Mapping[str, str]) -> str | None:
        """Its address in a town; None if that has nothing to show there."""
        try:
            return self.path.format_map(found)
        except KeyError:
            return None


PAGES = (
    Page("signin", "/signin", "登录。", "The door.", login=""),
    Page("desk", "/alerts", "预警台：待处理预警，实时更新。",
         "The alert desk: what waits, live."),
    Page("desk-closed", "/alerts?state=closed", "已办结的预警。", "Alerts that are closed."),
    Page("desk-class-1", "/alerts?class=1", "一级预警。", "Alerts of class 1."),
    Page("alert-test", "/alerts/{test}", "快检预警：数值、限值与仪器原始字节。",
         "An alert of a quick test: value, limit and the instrument's bytes."),
    Page("alert-picture", "/alerts/{picture}", "视频线索：前、中、后三张图与标注框。",
         "A lead of a camera: pictures before, at its best and after, with boxes."),
    Page("alert-reading", "/alerts/{reading}", "温度与设备预警。",
         "An alert of a probe or a device."),
    Page("cases", "/cases", "案件：从线索到公布。", "Cases, from lead to publication."),
    Page("case", "/cases/{case}", "一个案件：下一步、时限与每一步的记录。",
         "One case: what may be done next, its clocks, every step."),
    Page("result", "/results/{result}", "一次快检：数值、样品与仪器原始字节。",
         "One quick test: value, sample and the instrument's bytes."),
    Page("establishments", "/establishments", "经营主体一览。", "The list of establishments."),
    Page("establishments-found", "/establishments?q={word}", "按名称或地址查找。",
         "Establishments by name or address."),
    Page("establishment-market", "/establishments/{market}", "一户一档：农贸市场。",
         "The file of a market."),
    Page("establishment-canteen", "/establishments/{canteen}", "一户一档：食堂。",
         "The file of a canteen."),
    Page("kitchens", "/kitchens", "明厨亮灶：分区域的摄像头墙，看得见多少，看不见的在哪里。",
         "Bright kitchens: the wall of cameras by region, proven live or not."),
    Page("kitchens-trouble", "/kitchens?show=trouble", "看不见、未知或存疑的摄像头。",
         "Cameras that are blind, unknown or in doubt."),
    Page("kitchens-blind", "/kitchens/blind", "看不见清单：时间最长的在前，通知了谁。",
         "Who cannot be seen, the longest first, and who was told."),
    Page("kitchen-camera", "/kitchens/cameras/{camera_site}/{camera}",
         "一台摄像头：现状、最后画面、各餐在看分钟数。",
         "One camera: its state, last picture, meals."),
    Page("devices", "/devices", "点位与设备状态，异常在前。",
         "Sites with their devices, those in trouble first."),
    Page("devices-missing", "/devices/missing", "数据缺口：缺什么、在哪里、从何时起。",
         "What is missing, where, since when."),
    Page("notifications", "/notifications", "当日通知：告诉了谁，为何没有告诉。",
         "A day's messages: who was told, and why not."),
    Page("silences", "/silences", "静默与维护窗口。", "Silences and maintenance windows."),
    Page("silences-preview", "/silences?rule=no_hat", "新静默会隐藏什么。",
         "What a new silence would have hidden."),
    Page("worth", "/worth", "预警成效：评分、用时与建议。",
         "What alerts were worth: scorecards, times, proposals."),
    Page("worth-alerts", "/worth/alerts?rule=no_hat&said=judged", "一个数字背后的预警。",
         "The alerts behind a number."),
    Page("worth-proposal", "/worth/proposals/{proposal}", "一项建议：采纳前后的对比。",
         "A proposal, before and after."),
    Page("people", "/admin/people", "人员与权限。",
         "Officers, their roles and regions.", login="admin"),
    Page("people-new", "/admin/people/new", "新增人员，生成一次性链接。",
         "A new officer, who gets a one-time link.", login="admin"),
    Page("people-one", "/admin/people/{officer}", "一位人员：权限、登录与名下事项。",
         "One officer: rights, sessions, what is in their hands.", login="admin"),
    Page("audit", "/audit", "审计记录：谁看了什么、改了什么，哈希链是否完整。",
         "The audit trail: who looked at what, who changed what.", login="admin"),
    Page("admin", "/admin", "管理：所辖的区划、主体、设备与人员排班，需要处理的事。",
         "What is kept here, and what somebody should see to.", login="admin"),
    Page("admin-regions", "/admin/regions", "行政区划。", "The region tree.", login="admin"),
    Page("admin-region-new", "/admin/regions/new", "新建行政区划。", "A new region.",
         login="admin"),
    Page("admin-region", "/admin/regions/rows/{region}", "一个区划。", "One region.",
         login="admin"),
    Page("admin-establishments", "/admin/establishments", "经营主体：查找、新建、导入、导出。",
         "Establishments: found, added, imported, exported.", login="admin"),
    Page("admin-orphans", "/admin/establishments?show=orphans",
         "消除监管盲区：没有监管责任人的主体。",
         "Establishments that nobody is in charge of.", login="admin"),
    Page("admin-establishment-new", "/admin/establishments/new", "新建经营主体。",
         "A new establishment.", login="admin"),
    Page("admin-establishment", "/admin/establishments/rows/{market}", "修改或停用一个主体。",
         "An establishment changed, or retired.", login="admin"),
    Page("admin-sites", "/admin/sites", "点位。", "Sites.", login="admin"),
    Page("admin-site-new", "/admin/sites/new", "新建点位。", "A new site.", login="admin"),
    Page("admin-site", "/admin/sites/rows/{site}", "一个点位。", "One site.", login="admin"),
    Page("admin-devices", "/admin/devices", "设备。", "Devices.", login="admin"),
    Page("admin-device-new", "/admin/devices/new", "登记设备。", "A device registered.",
         login="admin"),
    Page("admin-device", "/admin/devices/rows/{agent_site}/{agent}", "一台设备与它的接入凭据。",
         "A device, and its account at the broker.", login="admin"),
    Page("admin-duties", "/admin/duties", "值班表。", "Duty rosters.", login="admin"),
    Page("admin-duty-new", "/admin/duties/new", "新增值班。", "A new duty.", login="admin"),
    Page("admin-duty", "/admin/duties/rows/{duty}", "一次值班。", "One duty.", login="admin"),
    Page("admin-contacts", "/admin/contacts", "联系方式。", "How people are reached.",
         login="admin"),
    Page("admin-contact-new", "/admin/contacts/new", "新增联系方式。", "A new contact.",
         login="admin"),
    Page("admin-contact", "/admin/contacts/rows/{contact}", "一个联系方式。", "One contact.",
         login="admin"),
    Page("admin-import", "/admin/import/establishments", "导入：先看会改什么，再执行。",
         "A file: looked at first, then taken over.", login="admin"),
    Page("admin-rules", "/admin/rules", "预警规则：版本、生效期与各网关已加载的规则。",
         "Alert rules: versions, days of effect, what gateways have loaded.", login="admin"),
    Page("admin-limits", "/admin/limits", "限值表。", "Tables of limits.", login="admin"),
    Page("admin-calendar", "/admin/calendars", "工作日历与调休。",
         "A year's working days, with make-up days.", login="admin"),
    Page("admin-escalation", "/admin/escalation", "升级时限。", "Escalation policies.",
         login="admin"),
    Page("own", "/me", "我的账号：密码、语言与登录中的设备。",
         "One's own page: password, language, sessions."),
    Page("tokens", "/admin/tokens", "访问令牌：其他系统凭此访问接口。",
         "Tokens by which other systems ask the API."),
    Page("webhooks", "/admin/webhooks", "事件回调：向其他系统推送。",
         "Webhooks by which other systems are told."),
    Page("webhook", "/admin/webhooks/{webhook}", "一个回调：状态与推送记录。",
         "A webhook: how it stands, what it was told."),
    Page("api-document", "/api/v1/docs", "接口文档。", "The API's document for people."),
    Page("public", "/p/{public}", "公示页：扫码即见，无需登录。",
         "The public page behind the QR code.", login=""),
    Page("error", "/alerts/none", "找不到的页面。", "What is not there."),
)  # fmt: skip

PARTS: dict[str, str] = {
    "/": "leads to the desk",
    "/language/{language}": "leads back to where it was asked for",
    "/alerts/live": "events",
    "/alerts/choices": "a part of the desk",
    "/alerts/members": "a part of the desk",
    "/alerts/{alert_id}/state": "a part of the alert's page",
    "/alerts/{alert_id}/chart": "figures of a chart",
    "/alerts/{alert_id}/line": "a line of the desk",
    "/alerts/{alert_id}/live": "events",
    "/cases/live": "events",
    "/cases/{case_id}/live": "events",
    "/cases/{case_id}/changed": "a part of the case's page",
    "/cases/{case_id}/files/{file_id}": "a file",
    "/cases/{case_id}/files/{file_id}/shown": "a picture",
    "/establishments/{establishment_id}/charts/{kind}": "figures of a chart",
    "/establishments/{establishment_id}/qr.svg": "a picture",
    "/devices/live": "events",
    "/kitchens/live": "events",
    "/push-worker.js": "a script",
    "/worker.js": "a script",
    "/manifest.webmanifest": "data",
    "/offline": "what the worker shows without a connection",
    "/silences/preview": "a part of the page of silences",
    "/worth/chart": "figures of a chart",
    "/evidence/{site}/{evidence_id}": "a picture",
    "/audit/file.csv": "a file",
    "/signin/oidc": "leads to the identity provider",
    "/signin/oidc/callback": "leads back from it",
    "/signin/oidc/leave": "leads to it to sign out there",
    "/welcome/{token}": "opened once, by a link that is shown to an administrator",
    "/admin/export/{sheet}": "a file",
    "/healthz": "for machines",
    "/metrics": "for machines",
}
"""GET routes outside the API that are no pages, and why."""
