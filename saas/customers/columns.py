"""Lists of customers and of their former owners: their columns, and how other sheets call a customer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from saas.access import scope_predicate
from saas.customers.errors import CustomerNotFound, CustomerUnclear
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.rules import NAME_MAX, match_key
from saas.exchange import ImportColumn, ImportContext, Value, day, phone, text
from saas.kernel import AppError
from saas.reads.mapping import DataClass
from tenants import current_tenant_id, current_transaction

CUSTOMERS = "customers"
SYSTEM = "import"
"""The other system of keys in sheets that don't name one."""

EXTERNAL_KEY = ImportColumn(
    "external_key",
    {"zh-CN": "客户编号", "en": "Customer key"},
    text(longest=100),
    ("外部编号", "客户ID", "客户号", "external ref", "externalRef", "external key", "customer id", "account id"),
    unique=True,
)
CUSTOMER_KEY = ImportColumn(
    "customer_key", EXTERNAL_KEY.title, EXTERNAL_KEY.parser, tuple(each for each in EXTERNAL_KEY.synonyms)
)
CUSTOMER_NAME = ImportColumn(
    "customer",
    {"zh-CN": "客户名称", "en": "Customer"},
    text(longest=NAME_MAX),
    ("客户", "公司名称", "公司", "account", "account name", "customer name", "client"),
)
"""How sheets of other records call a customer: by key, by name, or by both."""

OWNER = ImportColumn(
    "owner",
    {"zh-CN": "负责人", "en": "Owner"},
    text(longest=100),
    ("跟进人", "业务员", "销售", "客户经理", "归属人", "sales agent", "owner name", "sales rep", "salesperson"),
)


def _same_customer(name: Value) -> Value:
    return match_key(str(name))


COLUMNS = (
    EXTERNAL_KEY,
    ImportColumn(
        "name",
        CUSTOMER_NAME.title,
        CUSTOMER_NAME.parser,
        (*CUSTOMER_NAME.synonyms, "名称", "name", "company name"),
        required=True,
        unique=True,
        sameness=_same_customer,
    ),
    ImportColumn("short_name", {"zh-CN": "客户简称", "en": "Short name"}, text(longest=100), ("简称",)),
    ImportColumn("industry", {"zh-CN": "行业", "en": "Industry"}, text(longest=100), ("所属行业", "sector")),
    ImportColumn("level", {"zh-CN": "客户级别", "en": "Level"}, text(longest=20), ("级别", "客户等级", "grade")),
    ImportColumn("source", {"zh-CN": "客户来源", "en": "Source"}, text(longest=40), ("来源", "lead source")),
    ImportColumn("province", {"zh-CN": "省份", "en": "Province"}, text(longest=40), ("省", "state")),
    ImportColumn("city", {"zh-CN": "城市", "en": "City"}, text(longest=40), ("市", "地市")),
    ImportColumn("district_name", {"zh-CN": "区县", "en": "District"}, text(longest=60), ("地区", "区域", "location")),
    ImportColumn("district_code", {"zh-CN": "行政区划代码", "en": "District code"}, text(longest=12), ("区划代码",)),
    ImportColumn("language", {"zh-CN": "语言", "en": "Language"}, text(longest=100), ("语种",)),
    ImportColumn("required_skill", {"zh-CN": "所需技能", "en": "Required skill"}, text(longest=100), ("技能要求",)),
    ImportColumn("wanted_product", {"zh-CN": "意向产品", "en": "Wanted product"}, text(longest=100), ("需求产品",)),
    ImportColumn("contact_name", {"zh-CN": "联系人", "en": "Contact"}, text(longest=100), ("联系人姓名",)),
    ImportColumn(
        "phone",
        {"zh-CN": "手机", "en": "Phone"},
        phone,
        ("电话", "手机号", "手机号码", "联系电话", "联系方式", "mobile", "phone number"),
        unique=True,
        data_class=DataClass.PERSONAL,
    ),
    OWNER,
    ImportColumn("received_on", {"zh-CN": "归属日期", "en": "Owned since"}, day, ("领取日期", "received on")),
    ImportColumn("pool", {"zh-CN": "公海", "en": "Pool"}, text(longest=100), ("所属公海", "customer pool")),
    ImportColumn(
        "external_system", {"zh-CN": "外部系统", "en": "External system"}, text(longest=40), ("来源系统", "system")
    ),
)
OWNERSHIP_COLUMNS = (
    CUSTOMER_KEY,
    CUSTOMER_NAME,
    ImportColumn(
        "owner",
        {"zh-CN": "历任负责人", "en": "Former owner"},
        OWNER.parser,
        ("负责人", "原负责人", "former owner", "owner", *OWNER.synonyms),
        required=True,
    ),
    ImportColumn(
        "started_on", {"zh-CN": "开始日期", "en": "From"}, day, ("归属开始", "start", "start date"), required=True
    ),
    ImportColumn("ended_on", {"zh-CN": "结束日期", "en": "Until"}, day, ("归属结束", "end", "end date"), required=True),
    ImportColumn("reason", {"zh-CN": "结束原因", "en": "Reason"}, text(longest=200), ("原因", "释放原因")),
)


@dataclass(frozen=True, slots=True)
class CustomerBook:
    """Customers as rows call them: those the caller may see, and those promised, which have no record yet."""

    by_key: Mapping[str, Collection[UUID]]
    by_name: Mapping[str, Collection[UUID]]
    promised_keys: Collection[str]
    promised_names: Collection[str]

    def find(self, key: str | None, name: str | None) -> UUID | None:
        """Which customer a row means: by its key, else by its name; None for one that is promised only yet.

        :raises CustomerUnclear: several are called so.
        :raises CustomerNotFound: none is that the caller may see, or the row calls none.
        """
        known, promised = self.by_key, key in self.promised_keys
        word, column, calls = key, "customer_key", key
        if key is None and name is not None:
            calls, known, promised = match_key(name), self.by_name, match_key(name) in self.promised_names
            word, column = name, "customer"
        found = list(known.get(calls, ())) if calls else []
        if len(found) > 1:
            raise CustomerUnclear("customers.called_twice", {"customer": word, "count": len(found)}, field=(column,))
        if not found and not promised:
            raise CustomerNotFound("customers.none_called_so", {"customer": word or ""}, field=(column,))
        return found[0] if found else None

    def refusal(self, key: str | None, name: str | None) -> list[AppError]:
        """What is wrong with a row's customer, if anything is."""
        try:
            self.find(key, name)
        except AppError as refused:
            return [refused]
        return []


async def find_customers(context: ImportContext, called: Iterable[tuple[str | None, str | None]]) -> CustomerBook:
    """The customers of a set of rows, each called by (key, name), in a few statements."""
    pairs = list(called)
    keys = sorted({key for key, _ in pairs if key})
    names = sorted({match_key(name) for key, name in pairs if name and not key})
    rows = await current_transaction().fetch(
        _called_sql(context.access.visible("Customer")), current_tenant_id(), context.actor.employee_id, keys, names
    )
    by_key: dict[str, set[UUID]] = {}
    by_name: dict[str, set[UUID]] = {}
    for row in rows:
        by_key.setdefault(row["external_key"], set()).add(row["id"])
        by_name.setdefault(row["match_key"], set()).add(row["id"])
    promises = context.promises
    promised_keys = await promises.made(CUSTOMERS, "external_key", [key for key in keys if key not in by_key])
    promised_names = await promises.made(CUSTOMERS, "name", [name for name in names if name not in by_name])
    return CustomerBook(by_key, by_name, {str(key) for key in promised_keys}, {str(name) for name in promised_names})


@lru_cache(maxsize=64)
def _called_sql(scopes: frozenset[str]) -> str:
    visible = scope_predicate(CUSTOMER_SCOPES, scopes, alias="c", tenant="$1", employee="me.id")
    return f"""
        SELECT c.id, c.external_key, c.match_key FROM customer c CROSS JOIN (SELECT $2::uuid AS id) me
        WHERE c.tenant_id = $1 AND {visible} AND c.id IN (
            SELECT k.id FROM customer k WHERE k.tenant_id = $1 AND k.external_key = ANY ($3)
            UNION ALL SELECT k.id FROM customer k WHERE k.tenant_id = $1 AND k.match_key = ANY ($4)
        )
    """
