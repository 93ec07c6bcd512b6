"""`saas demo`: two companies sign up, one comes to life, and the product shows what it is for."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from saas.demo import documents
from saas.demo.bars import Bars
from saas.demo.books import bring
from saas.demo.cast import PASSWORD, Company, Person, join, sign_up
from saas.demo.client import Client
from saas.demo.company import DemoCompany, DemoEmployee
from saas.demo.draw import draw
from saas.demo.export import tell_of_export
from saas.demo.fill import fill_company, is_filled
from saas.demo.pay import Books, PayStory
from saas.demo.year import DemoYear, last_month
from saas.kernel import local_date
from saas.main import Installation, importer, web_services, worker_services
from saas.web import create_app
from saas.web.serving import serving
from saas.worker import run_worker
from tenants import DatabaseRole

RIVALS = 20
ZONE = "Asia/Shanghai"


async def tell_story(installation: Installation, *, data: Path | None, console: Console) -> None:
    """Run the whole story against the product's own HTTP door, with a worker beside it, on a free port; of the
    generated company, or of the real one whose files lie in `data`."""
    began = time.monotonic()
    async with _at_work(installation) as port:
        client = Client("127.0.0.1", port)
        if data is None:
            people = await _tell_of_generated(installation, client, console)
        else:
            people = await tell_of_export(installation, client, data, console)
    _sign_ins(console, people)
    console.print(f"\n[dim]{time.monotonic() - began:.1f} s from the first sign-up to here.[/dim]")


async def _tell_of_generated(installation: Installation, client: Client, console: Console) -> list[Person]:
    chenguang, yuanshan = await _sign_up_both(client, console)
    company = await _fill(installation, chenguang, console)
    reps = await _invite(client, chenguang, company, console)
    await _race(client, chenguang, reps, console)
    await _refused_field(client, reps[0], console)
    await _invisible(client, chenguang, yuanshan, console)
    await draw(client, chenguang, console)
    officer = next(person for person in company.employees if person.role == "hr_admin")
    second = await _join(client, chenguang, officer)
    await _year(installation, client, chenguang, company, console)
    reader = await _paid(installation, client, chenguang, company, second, console)
    return [chenguang.owner, second, reader, yuanshan.owner]


@asynccontextmanager
async def _at_work(installation: Installation) -> AsyncIterator[int]:
    """The web door and a worker in this process; gives the port."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(worker_services(installation), stop=stop))
    try:
        async with serving(create_app(web_services(installation))) as port:
            yield port
    finally:
        stop.set()
        await worker


async def _sign_up_both(client: Client, console: Console) -> tuple[Company, Company]:
    console.rule("Two companies sign up")
    companies = (
        await sign_up(client, "晨光销售有限公司", owner="苏晴", email="owner@chenguang.example"),
        await sign_up(client, "远山贸易有限公司", owner="程远", email="owner@yuanshan.example"),
    )
    for company in companies:
        console.print(f"  {company.name}: {company.owner.name} <{company.owner.email}>")
    return companies


async def _fill(installation: Installation, company: Company, console: Console) -> DemoCompany:
    console.rule(f"{company.name} comes to life")
    demo = DemoCompany(today=local_date(installation.clock.now(), ZONE))
    keyring = await installation.sealer.keyring(company.id)
    with Bars(console) as bars:
        async with installation.database.transaction(company.id, role=DatabaseRole.PLATFORM) as transaction:
            if not await is_filled(transaction):
                operator = await transaction.fetchval("SELECT account_id FROM employee WHERE account_id IS NOT NULL")
                await fill_company(transaction, demo, operator_id=operator, keyring=keyring, progress=bars.show)
    console.print(
        f"  {len(demo.employees)} people in {len(demo.departments)} departments, {len(demo.customers):,} customers, "
        f"{len(demo.follow_ups):,} follow-ups in the twelve months to {demo.today}."
    )
    return demo


async def _invite(client: Client, company: Company, demo: DemoCompany, console: Console) -> list[Person]:
    """Twenty reps get accounts, as they would: invited by the owner, accepted by themselves."""
    chosen = [person for person in demo.employees if person.role == "rep"][:RIVALS]
    people = await asyncio.gather(*(_join(client, company, person) for person in chosen))
    console.print(f"  {len(people)} of its reps accept their invitations.")
    return list(people)


async def _join(client: Client, company: Company, person: DemoEmployee) -> Person:
    return await join(
        client,
        company,
        title="HR" if person.role == "hr_admin" else "Rep",
        name=person.name,
        email=f"rep{person.number}@chenguang.example",
        role=person.role,
        employee_id=f"emp_{person.id.hex}",
    )


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
        number = phone["value"] if phone else "null"
        console.print(f"  {node['name']}  {node['department']['name']}  phone: {number}")
    error = answer.errors[0]
    console.print(f"  {error['extensions']['code']}: {error['message']} {error['extensions'].get('hint', '')}")


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


async def _year(
    installation: Installation, client: Client, company: Company, demo: DemoCompany, console: Console
) -> None:
    console.rule("A year of deals, collections, targets and salaries comes in, as one workbook")
    with tempfile.TemporaryDirectory() as folder:
        recipe = DemoYear(demo).write(Path(folder))
        kinds = importer(installation).kinds
        await bring(client, company, recipe, Path(folder), kinds=kinds, locale="zh-CN", console=console)


async def _paid(
    installation: Installation,
    client: Client,
    company: Company,
    demo: DemoCompany,
    second: Person,
    console: Console,
) -> Person:
    """The last month's best rep is paid, and reads why; who that is."""
    books = Books(
        company,
        second,
        sold_in=last_month(demo.today),
        paid_for=demo.today.replace(day=1),
        measure="COLLECTED",
        plan_title="阶梯提成",
        with_country_pack=True,
    )
    told = PayStory(client, books, console)
    best = (await told.leaders())[0]["employee"]
    await told.settle()
    run_id = await told.pay()
    employee = next(person for person in demo.employees if person.number == best["number"])
    reader = await _join(client, company, employee)
    await told.show(best["id"], reader=reader, locales=("zh-CN", "en"))
    await told.replay(installation, run_id)
    return reader


def _sign_ins(console: Console, people: list[Person]) -> None:
    console.rule("Sign in as")
    table = Table("Who", "Name", "E-mail", "Password")
    for person in people:
        table.add_row(person.title, person.name, person.email, PASSWORD)
    console.print(table)
