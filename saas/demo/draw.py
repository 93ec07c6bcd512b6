"""Customers of the pool are drawn among the reps, and the draw's certificate is verified by the one file that
outsiders verify with."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

from saas.customers.allocation import verify_certificate
from saas.demo import pay_documents
from saas.demo.cast import Company
from saas.demo.client import Client

TAKEN = 60
_DRAWERS = 12


async def draw(client: Client, company: Company, console: Console) -> None:
    """Draw once; a second telling shows the draw that was made."""
    console.rule("Customers of the pool are drawn among its people; anybody can verify it")
    owner = client.signed_in(company.owner.token)
    pool = (await owner.do(pay_documents.POOL))["customerPools"]["nodes"][0]
    found = (await owner.do(pay_documents.ALLOCATIONS, pool=pool["id"]))["allocations"]["nodes"]
    allocation = found[0] if found else await _drawn(owner, pool["id"], console)
    issued = (await owner.do(pay_documents.CERTIFICATE, id=allocation["id"]))["allocationCertificate"]
    certificate = issued["certificate"].encode()
    findings = verify_certificate(certificate, commitment=issued["commitment"], picks_root=issued["picksRoot"])
    favoured = json.loads(certificate)
    first = favoured["picks"][0]
    others = (pick["candidate"] for pick in favoured["picks"] if pick["candidate"] != first["candidate"])
    first["candidate"] = next(others, "")
    spoilt = verify_certificate(
        json.dumps(favoured, sort_keys=True, separators=(",", ":")).encode(),
        commitment=issued["commitment"],
        picks_root=issued["picksRoot"],
    )
    console.print(f"  {allocation['given']} customers given; published before: {issued['commitment']}")
    console.print(f"  The certificate ({len(certificate):,} bytes): {_verdict(findings)}")
    console.print(f"  The same with the first customer given to somebody else: {_verdict(spoilt)}")


async def _drawn(owner: Client, pool: str, console: Console) -> dict[str, Any]:
    people = (await owner.do(pay_documents.REPS, first=_DRAWERS))["employees"]["nodes"]
    planned = (
        await owner.do(
            pay_documents.PLAN_DRAW,
            input={
                "idempotencyKey": "demo:draw:plan",
                "pool": pool,
                "method": "DRAW",
                "people": [{"employee": person["id"]} for person in people],
                "take": TAKEN,
            },
        )
    )["allocationPlan"]["allocation"]
    console.print(f"  Committed to before anything is drawn: {planned['customers']} customers, {len(people)} people.")
    done = await owner.do(
        pay_documents.COMMIT_DRAW,
        input={
            "idempotencyKey": "demo:draw:commit",
            "allocation": planned["id"],
            "planHash": planned["planHash"],
            "onChange": "SKIP",
        },
    )
    allocation: dict[str, Any] = done["allocationCommit"]["allocation"]
    return allocation


def _verdict(findings: list[Any]) -> str:
    if not findings:
        return "everything fits."
    return f"{findings[0].path or 'the file'}: {findings[0].fact}"
