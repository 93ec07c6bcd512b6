"""Lists that give customers of a pool to people, or tell who had them, come from whoever administers the pool (P01)."""

from __future__ import annotations

from functools import partial

from saas.customers import PoolChange, configure_pool
from tests.rooms.sheets.conftest import Sheets
from tests.staging import ZONE, Company

HEADER: list[str | None] = ["客户编号", "客户名称", "负责人"]
HISTORY: list[str | None] = ["客户名称", "历任负责人", "开始日期", "结束日期"]


async def test_p01_a_list_gives_to_others_only_from_pools_that_one_administers(
    sheets: Sheets, company: Company
) -> None:
    rep = await company.hire("R1", name="李雷")
    await company.enter("丙有限公司")
    configured = partial(configure_pool, company.founder, pool_id=company.pool_id, time_zone=ZONE, clock=company.clock)
    change = PoolChange(administrator_ids=(rep.employee_id,) if rep.employee_id else ())
    await company.within(partial(configured, change=change, expected_version=1))
    book: dict[str, list[list[str | None]]] = {
        "客户": [HEADER, ["C1", "甲有限公司", "李雷"], ["C2", "乙有限公司", None], ["C3", "丁有限公司", "韩梅梅"]],
        "归属历史": [HISTORY, ["丙有限公司", "李雷", "2025-01-01", "2025-06-30"]],
    }
    batch = await sheets.preview_book(**book)
    told = await sheets.told(batch)
    assert [(row, key) for row, _, key in told] == [(2, "customers.not_a_pool_administrator")] * 2
    await sheets.commit(batch)
    owners = await company.rows("SELECT name, owner_id FROM customer ORDER BY name")
    assert sorted(owners, key=str) == sorted(
        [("乙有限公司", None), ("丁有限公司", company.founder.employee_id), ("丙有限公司", None)], key=str
    )
    assert await company.value("SELECT count(*) FROM ownership") == 1
    await company.within(partial(configured, change=PoolChange(administrator_ids=()), expected_version=2))
    await sheets.bring(客户=[HEADER, ["C1", "甲有限公司", "李雷"]], 归属历史=book["归属历史"])
    assert await company.value("SELECT owner_id FROM customer WHERE name = '甲有限公司'") == rep.employee_id
    assert await company.value("SELECT count(*) FROM ownership") == 3
