"""The demonstration's bulk rows are such as the rooms' own actions would have made."""

from __future__ import annotations

from datetime import date

from saas.customers import match_key
from saas.customers.errors import CustomerExists
from saas.demo.company import DemoCompany
from saas.demo.fill import fill_company
from saas.people import name_key, person_name_key
from tests.staging import Company, refused


async def test_the_demonstration_fits_the_rooms_tables(company: Company) -> None:
    demo = DemoCompany(today=date(2026, 11, 23), people=20, customers=120)
    async with company.database.transaction(company.tenant_id) as transaction:
        await fill_company(
            transaction,
            demo,
            operator_id=company.founder.account_id,
            keyring=company.keyring,
            progress=lambda what, done, of: None,
        )
    owned = sum(each.owner is not None for each in demo.customers)
    assert await company.rows(
        "SELECT (SELECT count(*) FROM employee), (SELECT count(*) FROM customer), (SELECT count(*) FROM ownership),"
        " (SELECT count(*) FROM follow_up)"
    ) == [(21, 120, owned, len(demo.follow_ups))]
    customers = await company.rows("SELECT name, name_key, match_key FROM customer")
    assert customers == [(name, name_key(str(name)), match_key(str(name))) for name, _, _ in customers]
    people = await company.rows("SELECT name, name_key FROM employee")
    assert people == [(name, person_name_key(str(name))) for name, _ in people]
    for phone in (None, demo.customers[0].phone):
        name = demo.customers[0].name if phone is None else "从未见过的公司"
        assert isinstance(await refused(company.enter(name, phone=phone)), CustomerExists)
    pooled = next(each for each in demo.customers if each.owner is None)
    await company.claim(await company.hire("0999"), pooled.id)
