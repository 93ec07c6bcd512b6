"""`saas demo`: two companies sign up, one comes to life, and the product shows what it is for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from saas.config import Settings
from saas.demo import documents
from saas.demo.client import Client
from saas.demo.company import DemoCompany, DemoEmployee
from saas.demo.fill import fill_company, is_filled
from saas.kernel import local_date, split_public_id
from saas.main import (
    Installation,
    backing,
    bring_up_to_date,
    installed_product,
    opened,
    web_services,
    worker_services,
)
from saas.web import create_app
from saas.web.serving import serving
from saas.worker import run_worker
from tenants import DatabaseRole

PASSWORD = "fairlead-demo-2026"  # noqa: S105 (printed for whoever tries the demonstration; local only)
RIVALS = 20
ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in."""

    title: str
    name: str
    email: str
    token: str


@dataclass(frozen=True, slots=True)
class Company:
    """A signed-up company and its owner."""

    id: UUID
    name: str
    owner: Person


async def tell(settings: Settings, console: Console, *, serve_on: int | None = None) -> None:
    """Run the whole story; with `serve_on` (a port, 0 for any) keep serving at the end until cancelled."""
    began = time.monotonic()
    async with _installation(settings, console) as installation, _at_work(installation, serve_on or 0) as port:
        client = Client("127.0.0.1", port)
        chenguang, yuanshan = await _sign_up_both(client, console)
        company = await _fill(installation, chenguang, console)
        reps = await _invite(client, chenguang, company, console)
        await _race(client, chenguang, reps, console)
        await _refused_field(client, reps[0], console)
        await _invisible(client, chenguang, yuanshan, console)
        await _ranking(client, chenguang, company, console)
        _sign_ins(console, [chenguang.owner, reps[0], yuanshan.owner])
        console.print(f"\n[dim]{time.monotonic() - began:.1f} s from start to end.[/dim]")
        if serve_on is not None:
            console.print(f"\nGraphiQL: [bold]http://127.0.0.1:{port}/graphiql[/bold]  (Ctrl-C ends it)")
            await asyncio.Event().wait()


@asynccontextmanager
async def _installation(settings: Settings, console: Console) -> AsyncIterator[Installation]:
    """The product on its servers, brought up to date."""
    product = installed_product()
    async with backing(settings, progress=lambda text: console.print(f"[dim]{text}[/dim]")) as servers:
        await bring_up_to_date(product, servers)
        async with opened(product, settings, servers) as installation:
            yield installation


@asynccontextmanager
async def _at_work(installation: Installation, port: int) -> AsyncIterator[int]:
    """The web door and a worker in this process; gives the port."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(worker_services(installation), stop=stop))
    try:
        async with serving(create_app(web_services(installation)), port=port) as listening:
            yield listening
    finally:
        stop.set()
        await worker


async def _sign_up_both(client: Client, console: Console) -> tuple[Company, Company]:
    console.rule("Two companies sign up")
    companies = (
        await _sign_up(client, "晨光销售有限公司", "苏晴", "owner@chenguang.example"),
        await _sign_up(client, "远山贸易有限公司", "程远", "owner@yuanshan.example"),
    )
    for company in companies:
        console.print(f"  {company.name}: {company.owner.name} <{company.owner.email}>")
    return companies


async def _sign_up(client: Client, name: str, owner: str, email: str) -> Company:
    answer = await client.do(
        documents.SIGN_UP,
        input={
            "idempotencyKey": f"demo:{email}",
            "company": name,
            "ownerName": owner,
            "email": email,
            "password": PASSWORD,
            "preset": "general",
        },
    )
    payload = answer["companySignUp"]
    token = payload["tokens"]["accessToken"]
    viewer = (await client.signed_in(token).do(documents.VIEWER))["viewer"]
    _, tenant_id = split_public_id(viewer["company"]["id"])
    return Company(tenant_id, name, Person("Owner", owner, email, token))


async def _fill(installation: Installation, company: Company, console: Console) -> DemoCompany:
    console.rule(f"{company.name} comes to life")
    demo = DemoCompany(today=local_date(installation.clock.now(), ZONE))
    keyring = await installation.sealer.keyring(company.id)
    bars = Progress(
        TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    )
    with bars:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done)

        async with installation.database.transaction(company.id, role=DatabaseRole.PLATFORM) as transaction:
            if not await is_filled(transaction):
                operator = await transaction.fetchval("SELECT account_id FROM employee WHERE account_id IS NOT NULL")
                await fill_company(transaction, demo, operator_id=operator, keyring=keyring, progress=progress)
    console.print(
        f"  {len(demo.employees)} people in {len(demo.departments)} departments, {len(demo.customers):,} customers, "
        f"{len(demo.follow_ups):,} follow-ups in the twelve months to {demo.today}."
    )
    return demo


async def _invite(client: Client, company: Company, demo: DemoCompany, console: Console) -> list[Person]:
    """Twenty reps get accounts, as they would: invited by the owner, accepted by themselves."""
    chosen = [person for person in demo.employees if person.role == "rep"][:RIVALS]
    owner = client.signed_in(company.owner.token)
    people = await asyncio.gather(*(_join(client, owner, person) for person in chosen))
    console.print(f"  {len(people)} of its reps accept their invitations.")
    return list(people)


async def _join(client: Client, owner: Client, person: DemoEmployee) -> Person:
    email = f"rep{person.number}@chenguang.example"
    earlier = await client.ask(documents.SIGN_IN, input={"email": email, "password": PASSWORD})
    payload = earlier.data.get("signIn") or {}
    if not payload.get("tokens"):
        invited = await owner.do(
            documents.INVITE,
            input={
                "idempotencyKey": f"demo:invite:{person.number}",
                "email": email,
                "roles": [person.role],
                "employeeId": f"emp_{person.id.hex}",
            },
        )
        accepted = await client.do(
            documents.ACCEPT,
            input={"token": invited["invitationCreate"]["token"], "name": person.name, "password": PASSWORD},
        )
        payload = accepted["invitationAccept"]
    return Person("Rep", person.name, email, payload["tokens"]["accessToken"])


async def _race(client: Client, company: Company, reps: list[Person], console: Console) -> None:
    console.rule(f"{len(reps)} reps claim one customer at the same moment")
    wanted = (await client.signed_in(company.owner.token).do(documents.ONE_POOLED))["customers"]["nodes"][0]
    stamp = time.time_ns()
    answers = await asyncio.gather(
        *(
            client.signed_in(rep.token).ask(
                documents.CLAIM, input={"idempotencyKey": f"demo:claim:{stamp}", "customer": {"id": wanted["id"]}}
            )
            for rep in reps
        )
    )
    payloads = [(rep, answer.data["customerClaim"]) for rep, answer in zip(reps, answers, strict=True)]
    winners = [rep for rep, payload in payloads if payload["customer"]]
    refusals = [payload["userErrors"][0] for _, payload in payloads if payload["userErrors"]]
    console.print(f"  {wanted['name']}: [bold]{', '.join(rep.name for rep in winners)}[/bold] has it now.")
    said = {refusal["message"] for refusal in refusals}
    console.print(f"  {len(refusals)} others are told: {' / '.join(sorted(said))}")


async def _refused_field(client: Client, rep: Person, console: Console) -> None:
    console.rule("A field that one may not read is null, with the reason; the rest arrives")
    answer = await client.signed_in(rep.token).ask(documents.COLLEAGUES)
    for node in answer.data["employees"]["nodes"]:
        phone = node["phone"]
        console.print(f"  {node['name']}  {node['hiredOn']}  phone: {phone['value'] if phone else 'null'}")
    console.print(f"  {answer.errors[0]['extensions']['code']}: {answer.errors[0]['message']}")


async def _invisible(client: Client, ours: Company, theirs: Company, console: Console) -> None:
    console.rule("Another company's data is not there")
    owner = client.signed_in(ours.owner.token)
    known = (await owner.do(documents.ONE_POOLED))["customers"]["nodes"][0]["id"]
    stranger = client.signed_in(theirs.owner.token)
    foreign = await stranger.ask(documents.ONE, id=known)
    missing = await stranger.ask(documents.ONE, id=known[:-4] + "0000")
    same = (foreign.data, foreign.errors) == (missing.data, missing.errors)
    console.print(f"  {theirs.owner.name} of {theirs.name} asks for {known}: {foreign.data['customer']}")
    console.print(f"  the answer for an id that does not exist is the same: {'yes' if same else 'NO'}")


async def _ranking(client: Client, company: Company, demo: DemoCompany, console: Console) -> None:
    console.rule("Who follows up most, in the last 90 days")
    since = demo.today - timedelta(days=90)
    answer = await client.signed_in(company.owner.token).do(documents.RANKING, since=since.isoformat())
    table = Table("#", "Name", "Department", "Follow-ups")
    for place, group in enumerate(answer["followUpGroups"]["nodes"], start=1):
        author = group["author"]
        table.add_row(str(place), author["name"], author["department"]["name"], f"{group['count']:,}")
    console.print(table)


def _sign_ins(console: Console, people: list[Person]) -> None:
    console.rule("Sign in as")
    table = Table("Who", "Name", "E-mail", "Password")
    for person in people:
        table.add_row(person.title, person.name, person.email, PASSWORD)
    console.print(table)
