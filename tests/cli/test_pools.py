"""`saas pool …` and `saas draw …`: a rehearsal of recycling, the real thing, and certificates that fit or don't."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from saas.customers.allocation import Method, Seal, SecretSeed, certify, commit
from saas.kernel import new_id
from tests.cli.conftest import Administrator, Ended, Operator
from tests.rules.allocation_samples import SEED, people, roster

OVERDUE = """
WITH someone AS (SELECT id, department_id FROM employee WHERE tenant_id = $1 LIMIT 1),
pool AS (SELECT id FROM customer_pool WHERE tenant_id = $1 LIMIT 1),
held AS (
    INSERT INTO customer (tenant_id, id, pool_id, name, name_key, match_key, status, owner_id, owner_department_id,
        received_on, created_at)
    SELECT $1, $2, pool.id, '晨光', 'chen guang', '晨光', 'owned', someone.id, someone.department_id,
        current_date - 90, now() - interval '90 days' FROM someone, pool
    RETURNING pool_id, owner_id, owner_department_id
)
INSERT INTO ownership (tenant_id, id, customer_id, owner_id, owner_department_id, pool_id, started_at, started_on,
    start_kind, operator_id)
SELECT $1, $3, $2, owner_id, owner_department_id, pool_id, now() - interval '90 days', current_date - 90, 'imported', $4
FROM held
"""


async def hold_too_long(administrator: Administrator, company: str) -> UUID:
    """A customer that somebody has held for ninety days without a follow-up, and that nobody was warned of."""
    customer_id = new_id()
    await administrator.execute(OVERDUE, UUID(company), customer_id, new_id(), new_id())
    return customer_id


async def test_a_touched_ledger_is_named(operator: Operator, company: str, administrator: Administrator) -> None:
    await hold_too_long(administrator, company)
    operator.saas("pool", "recycle", "--tenant", company)
    whole = operator.saas("pool", "verify-ledger", "--tenant", company)
    assert (whole.status, whole.out.splitlines()[1:]) == (
        0,
        ["2 lines are bound to it: all there are.", "The ledger is intact."],
    )
    touch = "UPDATE pool_event SET reason = '老板同意' WHERE tenant_id = $1 AND kind = 'warned' RETURNING id"
    line = await administrator.fetchval(touch, UUID(company))
    touched = operator.saas("pool", "verify-ledger", "--tenant", company, "--json")
    assert (touched.status, touched.json["intact"], touched.json["trail"]["intact"]) == (1, False, True)
    (wrong,) = touched.json["wrong"]
    assert (wrong["tampering"], wrong["line"]) == ("changed_line", f"pev_{line.hex}")


async def test_a_rehearsal_tells_and_a_run_does(operator: Operator, company: str, administrator: Administrator) -> None:
    customer_id = await hold_too_long(administrator, company)
    state = "SELECT status || ' ' || (due_on IS NULL) FROM customer WHERE id = $1"
    before = operator.saas("pool", "recycle", "--tenant", company, "--dry-run")
    assert (before.status, before.err) == (0, "")
    assert (before.out.splitlines()[0], before.out.splitlines()[-1]) == (
        f"cus_{customer_id.hex}  postpone",
        "1 customers.",
    )
    assert await administrator.fetchval(state, customer_id) == "owned true"
    report = operator.saas("pool", "recycle", "--tenant", company, "--json").json
    assert {name: report[name] for name in ("reckoned", "recycled", "warned", "postponed", "failed")} == {
        "reckoned": 1,
        "recycled": 0,
        "warned": 1,
        "postponed": 1,
        "failed": 0,
    }
    again = operator.saas("pool", "recycle", "--tenant", company)
    assert again.out == f"{report['ran_on']}: 0 recycled, 0 warned, 0 postponed, 0 failed.\n"
    await administrator.execute("UPDATE pool_notice SET delivered_at = now()")
    await administrator.execute("UPDATE pool_notice SET noticed_on = noticed_on - 1")
    await administrator.execute("UPDATE customer SET due_on = current_date - 1 WHERE id = $1", customer_id)
    rehearsed = operator.saas("pool", "recycle", "--tenant", company, "--dry-run")
    assert rehearsed.out.splitlines()[0] == f"cus_{customer_id.hex}  recycle"
    assert rehearsed.out.splitlines()[-1] == "1 customers."
    assert operator.saas("pool", "recycle", "--tenant", company, "--json").json["recycled"] == 1
    assert await administrator.fetchval(state, customer_id) == "pooled true"


def test_an_unknown_company_is_refused(operator: Operator) -> None:
    ended = operator.saas("pool", "recycle", "--tenant", str(new_id()))
    assert (ended.status, ended.out) == (1, "")


def test_a_certificate_fits_or_tells_what_does_not(operator: Operator, tmp_path: Path) -> None:
    drawn = roster(Method.DRAW, people(3), 5, seed=SEED)
    seal = Seal(SecretSeed(SEED), bytes(32))
    published, whole = commit(drawn, seal).digest, certify(drawn, seal).content
    file = tmp_path / "certificate.json"
    file.write_bytes(whole)
    fits = operator.saas("draw", "verify", str(file), "--commitment", published)
    assert fits == Ended(0, "Everything fits.\n", "")
    other = operator.saas("draw", "verify", str(file), "--commitment", "0" * 64, "--json")
    assert (other.status, other.json) == (
        1,
        [{"path": "$.commitment.digest", "fact": "is not the one that was published"}],
    )
    file.write_bytes(whole.replace(b'"weight":1', b'"weight":2', 1))
    forged = operator.saas("draw", "verify", str(file))
    assert forged.status == 1
    assert forged.out.splitlines()[0].startswith("$.")
