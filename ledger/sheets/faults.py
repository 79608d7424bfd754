"""What can be wrong with a cell, in both languages: a row, a column, the value, and why."""
# ruff: noqa: E501 - a table of sentences

import msgspec

WORDS: dict[str, tuple[str, str]] = {
    # The file.
    "unreadable": ("既不是 UTF-8 也不是 GB18030 编码", "neither UTF-8 nor GB18030; save it as CSV UTF-8"),
    "empty": (
        "文件是空的；第一行应为列名：{columns}",
        "is empty; the first row names the columns {columns}",
    ),
    "large": ("文件超过 {most} MB", "is larger than {most} MB"),
    "rows": ("超过 {most} 行；请分成几个文件", "more than {most} rows; make several files of it"),
    "missing": ("缺少列 {of}", "column {of!r} is missing"),
    "strange": ("不认识的列 {of!r}", "column {of!r} is not known"),
    "twice": ("列 {of} 出现两次", "column {of!r} stands twice"),
    "width": ("有 {found} 列，表头有 {wanted} 列", "{found} columns, the header has {wanted}"),
    "csv": ("不是 CSV：{error}", "{error}"),
    # A row.
    "same": ("与第 {row} 行重复", "the same as row {row}"),
    "needed": ("必填", "must not be empty"),
    "long": ("超过 {most} 个字", "longer than {most} characters"),
    "control": ("含有换行或控制字符", "has a line break or a control character"),
    "choice": ("{value!r} 不是以下之一：{chinese}", "{value!r} is none of {options}"),
    "unknown": ("{value!r} 不存在", "{value!r} is not known"),
    "taken": ("{value} 已被占用", "{value} is taken"),
    "retired": ("{value} 已停用；先在页面上恢复使用", "{value} is retired; bring it back first"),
    "id": (
        "{value!r} 只能由 1–64 个字母、数字、_ 或 - 组成",
        "{value!r} must be 1-64 letters, digits, '_' or '-'",
    ),
    "reserved": ("{value} 是系统保留的名称", "{value} is a name of the system"),
    "number": ("{value!r} 不是 {least} 到 {most} 的数", "{value!r} is no number from {least} to {most}"),
    "time": (
        "{value!r} 不是时间，应如 2026-10-01 08:30",
        "{value!r} is no time like 2026-10-01 08:30",
    ),
    "day": ("{value!r} 不是日期，应如 2026-10-01", "{value!r} is no day like 2026-10-01"),
    # Regions.
    "circle": ("{value} 在它自己的下级", "{value} lies below it"),
    "top": ("这里不能新建顶级区划", "a region at the top cannot be made here"),
    "fixed": ("不能移动自己所辖的区划", "one's own region cannot be moved"),
    "own": ("自己所辖的区划由上级维护", "one's own region is kept by those above"),
    # Establishments.
    "credit_code": (
        "{value!r} 应为 18 位数字或大写字母（不含 I O S V Z）",
        "{value!r} must be 18 digits or capital letters without I O S V Z",
    ),
    "credit_check": (
        "校验位应为 {wanted}，文件中为 {found}（GB 32100）",
        "its check character is {found}, the others ask for {wanted}",
    ),
    "licence": ("{value!r} 应为 JY 加 14 位数字", "{value!r} must be JY and 14 digits"),
    "nameless": (
        "编号、统一社会信用代码、许可证号至少填一项，以便再次导入时认出",
        "needs an id, a credit code or a licence, to be known again",
    ),
    "role": (
        "{value} 的角色是 {role}；监管责任人应为镇（街）、县或市级监管员",
        "{value} is {role}; in charge are town, county, city",
    ),
    "elsewhere": (
        "{value} 的辖区 {own} 不含 {region}",
        "{region} is not in {value}'s {own}",
    ),
    # Sites and devices.
    "outside": (
        "点位区划 {value} 不在主体的区划 {region} 内",
        "{value} is not within the establishment's {region}",
    ),
    "speaking": (
        "该点位有 {count} 台在用设备以 {old} 发送数据；先停用设备",
        "{count} devices speak there as {old}; retire them first",
    ),
    # Stalls.
    "no_room": (
        "{value} 不是快检室或快检车，没有摊位",
        "{value} is no testing room or van; it has no stalls",
    ),
    # People.
    "inactive": ("{value} 已停用", "{value} is not active"),
    "duty_role": (
        "{value} 的角色是 {role}；值班人员应为镇（街）、县或市级监管员",
        "{value} is {role}; duty is for town, county, city",
    ),
    "not_after": ("{value} 不晚于 {start}", "{value} is not after {start}"),
    "channel": ("{value!r} 只能用 a–z、0–9、- 和 _", "{value!r} is not made of a–z, 0–9, - and _"),
    # Tasks.
    "given": (
        "该任务已下达（原为 {before!r}）；要改请先撤回，再下达新任务",
        "the task was given as {before!r}; withdraw it and give another",
    ),
    "not_in": ("{value} 不在 {region} 内", "{value} is not within {region}"),
    "not_of": ("{value} 不属于 {of}", "{value} is not of {of}"),
    # Samplings.
    "quick_test": (
        "{value} 是快检样品的编号；快速检测不能作为监督抽检录入",
        "{value} is a quick test's sample; a quick test is no supervision sampling",
    ),
    "quick_room": (
        "{value} 是快检室或快速检测方法；监督抽检须由检验机构出具",
        "{value} is a testing room or a rapid method; a sampling is judged by a laboratory",
    ),
    "not_failed": ("只有不合格的才有核查处置和公示", "only what failed is disposed of and published"),
    "said": ("已登记为 {value}，不能更改", "was entered as {value} and stays"),
    # Retiring.
    "inhabited": (
        "其下还有 {count} 项在用（区划、主体、点位或人员）",
        "{count} regions, establishments, sites or officers in use lie in it",
    ),
    "parent_retired": ("它所属的 {value} 已停用", "{value}, which it belongs to, is retired"),
}  # fmt: skip


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one cell. Row 1 is the header, row 0 the file; a form's row is 1, too."""

    row: int
    column: str
    """Empty: the whole row."""
    value: str
    kind: str
    zh: str
    en: str

    def text(self, path: object) -> str:
        """The fault as the command line tells it."""
        row = f" row {self.row}:" if self.row else ""
        column = f" {self.column}:" if self.column else ""
        return f"{path}:{row}{column} {self.en}"


class Wrong(ValueError):
    """A cell that cannot be taken over."""

    def __init__(self, kind: str, column: str = "", **values: object) -> None:
        super().__init__(kind)
        self.kind = kind
        self.column = column
        self.values = values

    def fault(self, row: int) -> Fault:
        """The same as a fault of a row."""
        zh, en = WORDS[self.kind]
        value = str(self.values.get("value", ""))[:200]
        values = {name: _short(one) for name, one in self.values.items()}
        return Fault(row, self.column, value, self.kind, zh.format(**values), en.format(**values))


def _short(value: object) -> object:
    return value[:80] if isinstance(value, str) else value
