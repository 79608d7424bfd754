"""The sets of records that indicators count, by name and in words; the ledger finds them."""

from collections.abc import Mapping

import msgspec


class RecordSet(msgspec.Struct, frozen=True):
    """A named set of records, in words."""

    zh: str
    en: str
    of: str = ""
    """Of a numerator: the denominator that it is a part of."""


RECORD_SETS: Mapping[str, RecordSet] = {
    "towns": RecordSet("辖区内的镇（街）", "towns of the region"),
    "towns_tested": RecordSet(
        "其中官方快检室有有效快检结果（样品已作废的不算）的镇（街）",
        "of them, those where an official testing room gave a valid result of a sample in use",
        of="towns",
    ),
    "markets": RecordSet("农贸市场和商场超市", "markets and supermarkets"),
    "markets_tested": RecordSet(
        "其中快检室有有效快检结果（样品已作废的不算）的",
        "of them, those whose room gave a valid result of a sample in use",
        of="markets",
    ),
    "kitchens": RecordSet(
        "当期存在、且当期有应在线餐时的食堂", "canteens that existed while meals were due"
    ),
    "kitchens_proven": RecordSet(
        "其中餐时实证在线时长达到应在线时长规定比例的",
        "of them, those proven live for the share of the due minutes that is asked for",
        of="kitchens",
    ),
    "camera_minutes": RecordSet(
        "摄像头（含已停用的，按其在用时间）的应在线餐时分钟数",
        "due meal minutes of cameras (retired ones for the time they were in use)",
    ),
    "camera_minutes_live": RecordSet(
        "其中实证在线的分钟数", "of them, the minutes proven live", of="camera_minutes"
    ),
    "batches": RecordSet(
        "快检批次（同一样品只算一次；无效结果、检测后逾时上传的、"
        "已作废且没有阳性或可疑结果的样品不算）",
        "batches tested (a sample once; without invalid results, what was uploaded late, and "
        "voided samples that nothing was found in)",
    ),
    "batches_passed": RecordSet(
        "其中有合格结果、且没有阳性结果的批次",
        "of them, those with a pass and without any positive result",
        of="batches",
    ),
    "positive_batches": RecordSet(
        "有阳性结果的快检批次（逾时上传的、样品已作废的也算）",
        "batches with a positive result (late uploads and voided samples too)",
    ),
    "positive_batches_done": RecordSet(
        "其中已立案（未撤案）且处置经复核的",
        "of them, those in a case that was reviewed",
        of="positive_batches",
    ),
    "cases": RecordSet(
        "当期知悉的全部处置单（撤案、退回、撤销的都算）",
        "every case known in the period (cancelled, returned and annulled ones too)",
    ),
    "cases_done": RecordSet(
        "其中处置经复核的", "of them, those whose disposal was reviewed", of="cases"
    ),
    "publishable_cases": RecordSet(
        "公示期限在当期届满的处罚决定（被撤销的也算）",
        "decisions whose publication fell due in the period (annulled ones too)",
    ),
    "cases_published": RecordSet(
        "其中已公示的", "of them, those published", of="publishable_cases"
    ),
    "supervision_samplings": RecordSet(
        "当年监督抽检批次（不含快速检测）", "supervision samplings of the year (never quick tests)"
    ),
    "judged_samplings": RecordSet(
        "当期出具结论的抽检批次", "samplings with a conclusion in the period"
    ),
    "samplings_passed": RecordSet(
        "其中合格的", "of them, those that passed", of="judged_samplings"
    ),
    "failed_samplings": RecordSet(
        "当期出具不合格结论的抽检批次", "samplings that failed in the period"
    ),
    "failed_samplings_done": RecordSet(
        "其中已完成核查处置并有文书的",
        "of them, those disposed of, with a document",
        of="failed_samplings",
    ),
    "failed_samplings_published": RecordSet(
        "其中已公示的", "of them, those published", of="failed_samplings"
    ),
    "alerts_acknowledged": RecordSet(
        "当期预警的签收用时（未签收的按已等待的时间计）",
        "time to acknowledge the period's alerts (open ones: what they have waited so far)",
    ),
    "alerts_disposed": RecordSet(
        "当期预警的处置用时（未处置的按已等待的时间计）",
        "time to dispose of the period's alerts (open ones: what they have waited so far)",
    ),
}
"""Every set that a definition may name."""
