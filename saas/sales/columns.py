"""Sheets of the sales room: columns of follow-ups, opportunities, deals, collections, credits and targets."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import UUID, uuid5

from saas.customers import CUSTOMER_KEY, CUSTOMER_NAME, OWNER
from saas.exchange import Amount, ImportColumn, Rate, Row, choice, day, integer, moment, month, several, text
from saas.people import StaffBook
from saas.sales.rules.credits import CreditPart, check_parts
from saas.sales.rules.follow_ups import CONTENT_MAX

OPPORTUNITIES, DEALS = "opportunities", "deals"
SYSTEM = "import"
"""The other system of keys in sheets that don't name one."""

_PROMISED = UUID("6f7a3c4e-5b0d-4c53-9a1c-6a1f5f0f9d11")
_SHARE = re.compile(r"(.+?)(?:[\s:：]+(\d+(?:\.\d+)?\s*%?)|(\d+(?:\.\d+)?\s*%))?")

_EXTERNAL_SYSTEM = ImportColumn(
    "external_system", {"zh-CN": "外部系统", "en": "External system"}, text(longest=40), ("来源系统", "system")
)
_PRODUCT = ImportColumn("product", {"zh-CN": "产品", "en": "Product"}, text(longest=100), ("产品名称", "product name"))
_DEAL = ImportColumn(
    "deal",
    {"zh-CN": "成交编号", "en": "Deal number"},
    text(longest=60),
    ("订单号", "订单编号", "合同编号", "成交单号", "deal", "order number", "contract number"),
    required=True,
)
_CREDITS_TITLE = {"zh-CN": "业绩归属", "en": "Credits"}
_CREDITS_WORDS = ("业绩分成", "业绩分配", "performance credits", "split")

FOLLOW_UP_COLUMNS = (
    CUSTOMER_KEY,
    CUSTOMER_NAME,
    ImportColumn("author", {"zh-CN": "跟进人", "en": "Author"}, text(), OWNER.names, required=True),
    ImportColumn(
        "kind",
        {"zh-CN": "跟进方式", "en": "Kind"},
        choice(
            {
                "call": {"zh-CN": "电话", "en": "Call"},
                "visit": {"zh-CN": "拜访", "en": "Visit"},
                "meeting": {"zh-CN": "会议", "en": "Meeting"},
                "message": {"zh-CN": "消息", "en": "Message"},
                "note": {"zh-CN": "备注", "en": "Note"},
            },
            synonyms={
                "上门": "visit",
                "面谈": "meeting",
                "微信": "message",
                "短信": "message",
                "邮件": "message",
                "email": "message",
            },
        ),
        ("方式", "跟进类型", "类型"),
    ),
    ImportColumn(
        "content",
        {"zh-CN": "跟进记录", "en": "Content"},
        text(longest=CONTENT_MAX, multiline=True),
        ("跟进内容", "内容", "记录", "notes"),
        required=True,
    ),
    ImportColumn(
        "occurred_at",
        {"zh-CN": "跟进时间", "en": "Occurred at"},
        moment,
        ("跟进日期", "时间", "日期", "date", "time"),
        required=True,
    ),
)
OPPORTUNITY_COLUMNS = (
    ImportColumn(
        "external_key",
        {"zh-CN": "商机编号", "en": "Opportunity key"},
        text(longest=100),
        ("商机ID", "opportunity id", "opportunity"),
        required=True,
        unique=True,
    ),
    CUSTOMER_KEY,
    CUSTOMER_NAME,
    OWNER,
    ImportColumn(
        "stage",
        {"zh-CN": "商机阶段", "en": "Stage"},
        text(longest=100),
        ("阶段", "销售阶段", "deal stage", "sales stage"),
        required=True,
    ),
    _PRODUCT,
    ImportColumn("engaged_on", {"zh-CN": "建立日期", "en": "Engaged on"}, day, ("商机日期", "engage date")),
    ImportColumn("closed_on", {"zh-CN": "结束日期", "en": "Closed on"}, day, ("关闭日期", "赢单日期", "close date")),
    ImportColumn(
        "expected", {"zh-CN": "预计金额", "en": "Expected amount"}, Amount(), ("商机金额", "close value", "value")
    ),
    _EXTERNAL_SYSTEM,
)
DEAL_COLUMNS = (
    ImportColumn("number", _DEAL.title, _DEAL.parser, (*_DEAL.synonyms, "编号", "number"), required=True, unique=True),
    CUSTOMER_KEY,
    CUSTOMER_NAME,
    ImportColumn(
        "signed_on",
        {"zh-CN": "签约日期", "en": "Signed on"},
        day,
        ("成交日期", "签单日期", "订单日期", "合同日期", "close date", "order date"),
        required=True,
    ),
    ImportColumn(
        "amount",
        {"zh-CN": "成交金额", "en": "Amount"},
        Amount(),
        ("金额", "合同金额", "订单金额", "签约金额", "close value", "subtotal", "total"),
        required=True,
    ),
    ImportColumn(
        "contract_ends_on",
        {"zh-CN": "合同到期日", "en": "Contract ends on"},
        day,
        ("合同结束日期", "到期日期", "contract end"),
    ),
    OWNER,
    ImportColumn("credits", _CREDITS_TITLE, several(longest=140, most=20), _CREDITS_WORDS),
    _PRODUCT,
    ImportColumn("category", {"zh-CN": "产品类别", "en": "Category"}, text(longest=100), ("品类", "类别")),
    ImportColumn("channel", {"zh-CN": "渠道", "en": "Channel"}, text(longest=100), ("销售渠道",)),
    ImportColumn(
        "vat_rate",
        {"zh-CN": "税率", "en": "VAT rate"},
        Rate(most=Decimal("0.9999"), digits=4),
        ("增值税率", "tax rate"),
    ),
    ImportColumn(
        "opportunity", {"zh-CN": "商机编号", "en": "Opportunity key"}, text(longest=100), ("商机ID", "opportunity id")
    ),
    ImportColumn(
        "external_key", {"zh-CN": "外部编号", "en": "External key"}, text(longest=100), ("external ref",), unique=True
    ),
    _EXTERNAL_SYSTEM,
)
COLLECTION_COLUMNS = (
    ImportColumn(
        "external_key",
        {"zh-CN": "回款编号", "en": "Collection key"},
        text(longest=100),
        ("流水号", "收款编号", "回款单号", "collection id", "receipt number"),
        unique=True,
    ),
    _DEAL,
    ImportColumn(
        "kind",
        {"zh-CN": "回款类型", "en": "Kind"},
        choice(
            {"collection": {"zh-CN": "回款", "en": "Collection"}, "refund": {"zh-CN": "退款", "en": "Refund"}},
            synonyms={"收款": "collection", "退回": "refund"},
        ),
        ("类型", "收退款"),
    ),
    ImportColumn(
        "received_on",
        {"zh-CN": "回款日期", "en": "Received on"},
        day,
        ("收款日期", "到账日期", "日期", "date"),
        required=True,
    ),
    ImportColumn(
        "amount", {"zh-CN": "回款金额", "en": "Amount"}, Amount(), ("金额", "收款金额", "到账金额"), required=True
    ),
    ImportColumn("method", {"zh-CN": "回款方式", "en": "Method"}, text(longest=40), ("收款方式", "支付方式")),
    _EXTERNAL_SYSTEM,
)
CREDIT_COLUMNS = (
    ImportColumn(_DEAL.key, _DEAL.title, _DEAL.parser, _DEAL.synonyms, required=True, unique=True),
    ImportColumn("credits", _CREDITS_TITLE, several(longest=140, most=20), _CREDITS_WORDS, required=True),
)
TARGET_COLUMNS = (
    ImportColumn("employee", {"zh-CN": "员工", "en": "Employee"}, text(longest=100), ("工号", "姓名", *OWNER.names)),
    ImportColumn("department", {"zh-CN": "部门", "en": "Department"}, text(longest=400), ("部门路径", "team")),
    ImportColumn(
        "metric",
        {"zh-CN": "目标指标", "en": "Metric"},
        choice({"signed": {"zh-CN": "签约", "en": "Signed"}, "collected": {"zh-CN": "回款", "en": "Collected"}}),
        ("指标",),
    ),
    ImportColumn("month", {"zh-CN": "月份", "en": "Month"}, month, ("目标月份", "期间")),
    ImportColumn(
        "first", {"zh-CN": "目标开始日期", "en": "First day"}, day, ("开始日期", "quota date", "from", "start date")
    ),
    ImportColumn("last", {"zh-CN": "目标结束日期", "en": "Last day"}, day, ("结束日期", "to", "end date")),
    ImportColumn("until", {"zh-CN": "目标截止日", "en": "Until"}, day, ("截止日期", "day after the last")),
    ImportColumn(
        "months", {"zh-CN": "月数", "en": "Months"}, integer(least=1, most=24), ("目标月数", "number of months")
    ),
    ImportColumn(
        "amount",
        {"zh-CN": "目标金额", "en": "Target"},
        Amount(),
        ("目标", "业绩目标", "金额", "sales quota", "quota", "amount"),
        required=True,
    ),
)


def called(row: Row) -> tuple[str | None, str | None]:
    """How a row calls its customer: key and name."""
    return row.text("customer_key"), row.text("customer")


def has_credits(row: Row) -> bool:
    """Whether a row says whose performance its deal is."""
    return bool(row.values.get("credits"))


def credited_words(row: Row) -> dict[str, str]:
    """The people in a row's credits with what each is said to have ("李雷 60%", "E01：0.4"), in their order."""
    given = row.values.get("credits")
    parts = [_SHARE.fullmatch(each) for each in given] if isinstance(given, tuple) else []
    return {found[1].strip(): (found[2] or found[3] or "1") for found in parts if found is not None}


def credits_of(row: Row, staff: StaffBook) -> tuple[CreditPart, ...]:
    """The credits of a row, none where it names none; for somebody who is promised only, a stand-in.

    :raises AppError: nobody is called so, or the shares don't make up the whole.
    """
    words = credited_words(row)
    return check_parts([_part(word, share, staff) for word, share in words.items()]) if words else ()


def _part(word: str, share: str, staff: StaffBook) -> CreditPart:
    person = staff.id_of(word, column="credits")
    figure = Decimal(share.rstrip("% "))
    return CreditPart(person or stand_in(word), figure.scaleb(-2) if share.endswith("%") else figure)


def stand_in(word: str) -> UUID:
    """An id for a record that is promised only, so that rows can be checked; it is never written."""
    return uuid5(_PROMISED, word)
