"""One workbook from employees to targets: previewed, committed, and the same again without effect."""

from __future__ import annotations

from collections.abc import Sequence

from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import Sheets
from tests.staging import Company

Rows = Sequence[Sequence[object]]

STAFF: Rows = [
    ["工号", "姓名", "部门", "直属上级", "岗位", "入职日期", "离职日期", "手机"],
    ["E2", "李雷", "华东大区/上海一组", "王芳", "销售", "2024-03-01", None, "138 0000 0001"],
    ["E1", "王芳", "华东大区", None, "经理", "2023-01-05", None, None],
    ["E3", "韩冰", "华东大区/上海一组", "E1", "销售", "2024-03-01", "2025-06-30", None],
]
CUSTOMERS: Rows = [
    ["客户编号", "客户名称", "行业", "省份", "城市", "联系人", "手机", "负责人", "归属日期"],
    ["C1", "华信建材有限公司", "建材", "上海市", "上海市", "赵总", "139-0000-0001", "李雷", "2025-01-10"],
    ["C2", "远山贸易（深圳）有限公司", "贸易", "广东省", "深圳市", None, None, None, None],
]
HISTORY: Rows = [["客户编号", "历任负责人", "开始日期", "结束日期"], ["C1", "韩冰", "2024-04-01", "2025-01-09"]]
FOLLOW_UPS: Rows = [
    ["客户编号", "跟进人", "跟进方式", "跟进记录", "跟进时间"],
    ["C1", "李雷", "电话", "约了下周拜访", "2025-02-01 10:30"],
    ["C1", "韩冰", "拜访", "首次拜访", "2024-05-06"],
]
OPPORTUNITIES: Rows = [
    ["商机编号", "客户编号", "负责人", "商机阶段", "产品", "建立日期", "结束日期", "预计金额"],
    ["O1", "C1", "李雷", "赢单", "板材", "2025-02-01", "2025-03-01", "12.5万"],
    ["O2", None, "李雷", "线索培育", "板材", "2025-05-01", None, None],
]
DEALS: Rows = [
    ["成交编号", "客户编号", "签约日期", "成交金额", "负责人", "业绩归属", "产品", "商机编号"],
    ["D1", "C1", "2025-03-01", "120,000.00", "李雷", "李雷 60%、E1 40%", "板材", "O1"],
    ["D2", "C1", "2024-06-01", "5,000", "韩冰", None, "辅料", None],
]
COLLECTIONS: Rows = [
    ["成交编号", "回款日期", "回款金额", "回款类型"],
    ["D1", "2025-03-10", "70,000", "回款"],
    ["D1", "2025-04-10", "50,000", None],
    ["D1", "2025-05-10", "1,000", "退款"],
]
TARGETS: Rows = [
    ["员工", "部门", "目标指标", "月份", "目标金额"],
    ["李雷", None, "签约", "2025-03", "100000"],
    ["E1", None, None, "2025-03", "200000"],
]
BOOK: dict[str, Rows] = {
    "员工": STAFF,
    "客户": CUSTOMERS,
    "归属历史": HISTORY,
    "跟进": FOLLOW_UPS,
    "商机": OPPORTUNITIES,
    "成交": DEALS,
    "回款": COLLECTIONS,
    "业绩目标": TARGETS,
}


async def test_one_workbook_brings_everything_in_one_batch(sheets: Sheets, company: Company) -> None:
    ended = await sheets.bring(**BOOK)
    assert counts(ended) == {"row": 17, "new": 17, "applied": 17, "done": 17}
    people = await company.rows(
        "SELECT e.number, d.name, m.number, e.status, e.left_on::text FROM employee e"
        " JOIN department d ON d.tenant_id = e.tenant_id AND d.id = e.department_id"
        " LEFT JOIN employee m ON m.tenant_id = e.tenant_id AND m.id = e.manager_id WHERE e.number LIKE 'E%' ORDER BY 1"
    )
    assert people == [
        ("E1", "华东大区", None, "active", None),
        ("E2", "上海一组", "E1", "active", None),
        ("E3", "上海一组", "E1", "separated", "2025-06-30"),
    ]
    owners = await company.rows(
        "SELECT c.external_key, e.number, o.started_on::text, o.ended_on::text FROM ownership o"
        " JOIN customer c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id"
        " JOIN employee e ON e.tenant_id = o.tenant_id AND e.id = o.owner_id ORDER BY o.started_at"
    )
    assert owners == [("C1", "E3", "2024-04-01", "2025-01-09"), ("C1", "E2", "2025-01-10", None)]
    lines = await company.rows(
        "SELECT e.number, l.metric, sum(l.amount_minor)::bigint FROM performance_line l"
        " JOIN employee e ON e.tenant_id = l.tenant_id AND e.id = l.employee_id GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert lines == [
        ("E1", "collected", 4_800_000),
        ("E1", "refunded", -40_000),
        ("E1", "signed", 4_800_000),
        ("E2", "collected", 7_200_000),
        ("E2", "refunded", -60_000),
        ("E2", "signed", 7_200_000),
        ("E3", "signed", 500_000),
    ]
    assert await company.value("SELECT last_follow_up_at FROM customer WHERE external_key = 'C1'") is not None
    assert await company.value("SELECT count(*) FROM opportunity WHERE customer_id IS NULL") == 1
    assert await sheets.told(ended) == [(3, "", "sales.opportunity_without_customer")]


async def test_the_same_workbook_again_changes_nothing(sheets: Sheets, company: Company) -> None:
    await sheets.bring(**BOOK)
    before = await company.everything()
    again = await sheets.preview_book(**BOOK)
    assert counts(again) == {"row": 17, "unchanged": 17, "done": 17}, await sheets.differences(again)
    ended = await sheets.commit(again)
    assert (ended["state"], ended["applied_count"]) == ("committed", 0)
    after = await company.everything()
    for table in ("audit_entry", "outbox"):
        del before[table], after[table]
    assert after == before


async def test_a_workbook_can_be_taken_back_but_for_what_was_received(sheets: Sheets, company: Company) -> None:
    clean = await company.everything()
    batch = await sheets.bring(**{name: rows for name, rows in BOOK.items() if name != "回款"})
    ended = await sheets.undo(batch)
    assert (ended["state"], ended["undone_count"]) == ("undone", 10), await sheets.told(ended)
    assert ended["kept_count"] == 4
    left = await company.rows("SELECT status, number LIKE 'D% %' FROM deal ORDER BY number")
    assert left == [("cancelled", True), ("cancelled", True)]
    assert await company.rows("SELECT employee_id FROM performance_line GROUP BY 1 HAVING sum(amount_minor) <> 0") == []
    assert (await company.everything())["target"] == clean["target"]
    again = await sheets.preview_book(**{name: rows for name, rows in BOOK.items() if name != "回款"})
    assert again["failed_count"] == 0
