"""What runs beside the requests, wired: the jobs of the clock, the handlers of events, and what they are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from saas.access import SALES_MANAGER, AccessTables
from saas.audit import HeadLog, chain, read_head
from saas.circulation.jobs import AssessmentJobs, AssessmentRun, DeclineRun
from saas.circulation.mails import CirculationMails, FindRecipients
from saas.customers import (
    RECYCLE_WARNED,
    ArrivalAlerts,
    ArrivalJobs,
    OwnershipNotices,
    ProposalMails,
    RecycleWarning,
    RecyclingRun,
    RequestMails,
    RuleChangeNotice,
    Separation,
    find_administrations,
    find_leavers,
    job_actor,
    try_waiting_again,
)
from saas.customers.jobs import WARNING_MAIL
from saas.events import Handlers, purge_idempotency, purge_outbox
from saas.exchange import FolderStore, purge_imports
from saas.identity import Holder, Recipient, find_holders, find_recipient, find_staff_recipients, purge_identity
from saas.jobs import PeriodicJob, Postbox
from saas.kernel import Catalogue, Clock
from saas.onboarding.jobs import purge_sign_up_keys
from saas.people import find_manager, find_supervisors
from saas.reports import purge_reports
from saas.sales import find_activity
from saas.sealing import Sealer
from tenants import Database, DatabaseRole, TenantStatus, TenantSummary, current_tenant_id, list_tenants

LEFT = "离职 / left the company"
"""The reason in the ledger where a list, not a person, said that somebody left: in both languages, for it is stored."""


def recycle_warning(database: Database, postbox: Postbox, catalogue: Catalogue, clock: Clock) -> RecycleWarning:
    """The mails before recycling, to the owner and those who supervise."""
    return RecycleWarning(postbox, recipients=owner_and_supervisors(database, clock), catalogue=catalogue, clock=clock)


def owner_and_supervisors(database: Database, clock: Clock) -> FindRecipients:
    """Who is told of a rep's customers: the owner, and whom the owner reports to; where that is not known, the sales
    managers of the nearest department above."""

    async def recipients(owner_id: UUID) -> tuple[Recipient | None, list[Recipient]]:
        manager = await find_manager(owner_id)
        asked = [owner_id] if manager is None else [owner_id, manager]
        known = await find_staff_recipients(
            database, current_tenant_id(), employee_ids=asked, role=SALES_MANAGER, clock=clock
        )
        told = [manager] if manager in known else await find_supervisors(owner_id, among=known)
        return known.get(owner_id), [known[each] for each in told if each is not None]

    return recipients


def listen_for_owners(
    handlers: Handlers, database: Database, postbox: Postbox, catalogue: Catalogue, clock: Clock
) -> None:
    """The mails to owners: what a night took from them, what was assigned to them, what new rules will take."""

    async def recipient(owner_id: UUID) -> Recipient | None:
        known = await find_staff_recipients(
            database, current_tenant_id(), employee_ids=[owner_id], role=SALES_MANAGER, clock=clock
        )
        return known.get(owner_id)

    async def deciders(owner_id: UUID, barred: Collection[UUID]) -> list[Recipient]:
        known = await find_staff_recipients(
            database, current_tenant_id(), employee_ids=[], role=SALES_MANAGER, clock=clock
        )
        able = {key: who for key, who in known.items() if key not in barred}
        nearest = await find_supervisors(owner_id, among=able)
        return [able[each] for each in nearest or sorted(able)]

    OwnershipNotices(postbox, recipient, catalogue).listen(handlers)
    RequestMails(postbox, deciders, recipient, catalogue).listen(handlers)
    RuleChangeNotice(postbox, recipient, find_activity, catalogue).listen(handlers)


def listen_for_proposals(
    handlers: Handlers, database: Database, access: AccessTables, postbox: Postbox, catalogue: Catalogue, clock: Clock
) -> None:
    """The mails about proposed changes of pools: to all who configure pools, and to who proposed one."""

    async def holders() -> list[Holder]:
        return await find_holders(database, access, current_tenant_id(), permission="pool:configure", clock=clock)

    async def account(account_id: UUID) -> Recipient | None:
        return await find_recipient(database, account_id)

    ProposalMails(postbox, holders, account, catalogue).listen(handlers)


def listen_for_arrivals(
    handlers: Handlers,
    database: Database,
    access: AccessTables,
    sealer: Sealer,
    postbox: Postbox,
    catalogue: Catalogue,
    clock: Clock,
) -> None:
    """Allocations of what arrives in pools: to those who may claim; alerts to those who may allocate."""

    async def holders(permission: str) -> list[Holder]:
        return await find_holders(database, access, current_tenant_id(), permission=permission, clock=clock)

    async def claimants() -> frozenset[UUID]:
        return frozenset(each.employee_id for each in await holders("customer:claim") if each.employee_id is not None)

    async def administrators(pool_id: UUID) -> list[Recipient]:
        named = (await find_administrations([pool_id])).get(pool_id)
        found = await holders("pool:allocate")
        return [each.recipient for each in found if named is None or each.employee_id in named.people]

    ArrivalJobs(sealer, claimants, clock).listen(handlers)
    ArrivalAlerts(postbox, administrators, catalogue).listen(handlers)


def listen_for_pools(
    handlers: Handlers,
    database: Database,
    access: AccessTables,
    sealer: Sealer,
    postbox: Postbox,
    catalogue: Catalogue,
    clock: Clock,
) -> None:
    """All that follows from what happens in pools, but for allocations by hand."""
    handlers.on(RECYCLE_WARNED, name=WARNING_MAIL, handler=recycle_warning(database, postbox, catalogue, clock))
    listen_for_owners(handlers, database, postbox, catalogue, clock)
    listen_for_proposals(handlers, database, access, postbox, catalogue, clock)
    listen_for_arrivals(handlers, database, access, sealer, postbox, catalogue, clock)


def listen_for_circulation(
    handlers: Handlers, database: Database, sealer: Sealer, postbox: Postbox, catalogue: Catalogue, clock: Clock
) -> None:
    """Declines and assessments: the mails about them, and what is worked out and carried out."""
    CirculationMails(postbox, owner_and_supervisors(database, clock), catalogue, clock).listen(handlers)
    AssessmentJobs(database, sealer, clock).listen(handlers)


def recycling_run(database: Database, tenant: TenantSummary, clock: Clock) -> RecyclingRun:
    """The recycling of one company on its present day, with the follow-ups that the sales room knows."""
    return RecyclingRun(database, tenant.id, time_zone=tenant.time_zone, activity=find_activity, clock=clock)


async def take_over(database: Database, clock: Clock) -> None:
    """The customers of people whom a list said to have left go to their pools, a transaction each."""
    for tenant in await every_tenant(database):
        if tenant.status is TenantStatus.ACTIVE:
            await _take_over(database, tenant, clock)


async def _take_over(database: Database, tenant: TenantSummary, clock: Clock) -> None:
    async with database.transaction(tenant.id):
        leavers = await find_leavers()
    separation = Separation(job_actor(tenant.id), LEFT, find_activity, tenant.time_zone, clock)
    for employee_id in leavers:
        async with database.transaction(tenant.id):
            await separation.leave_customers(employee_id=employee_id, successor_id=None)


def periodic_jobs(
    database: Database, *, audit_folder: Path, files: FolderStore, clock: Clock
) -> tuple[PeriodicJob, ...]:
    """All that runs by the clock."""
    log = HeadLog(audit_folder)

    async def link() -> None:
        for tenant in await every_tenant(database):
            await chain(database, tenant.id, clock=clock)

    async def publish() -> None:
        heads = [await read_head(database, tenant.id, clock=clock) for tenant in await every_tenant(database)]
        await asyncio.to_thread(log.publish, [head for head in heads if head], at=clock.now())

    async def purge_platform() -> None:
        async with database.transaction(None, role=DatabaseRole.PLATFORM):
            await purge_identity(clock=clock)
            await purge_sign_up_keys(clock=clock)

    async def purge() -> None:
        for tenant in await every_tenant(database):
            async with database.transaction(tenant.id):
                await purge_outbox(clock=clock)
                await purge_idempotency(clock=clock)
                await purge_imports(files=files, clock=clock)
                await purge_reports(clock=clock)

    async def recycle() -> None:
        for tenant in await every_tenant(database):
            if tenant.status is TenantStatus.ACTIVE:
                await recycling_run(database, tenant, clock).run_wanted()

    async def try_again() -> None:
        for tenant in await active_tenants(database):
            async with database.transaction(tenant.id):
                await try_waiting_again(time_zone=tenant.time_zone, clock=clock)

    return (
        PeriodicJob("audit.chain", timedelta(seconds=1), link),
        PeriodicJob("audit.publish_heads", timedelta(minutes=1), publish),
        PeriodicJob("events.purge", timedelta(hours=1), purge),
        PeriodicJob("customers.recycle", timedelta(minutes=15), recycle, longest=timedelta(hours=1)),
        PeriodicJob(
            "customers.leavers",
            timedelta(minutes=15),
            partial(take_over, database, clock),
            longest=timedelta(minutes=30),
        ),
        PeriodicJob("customers.arrivals", timedelta(minutes=15), try_again, longest=timedelta(minutes=10)),
        PeriodicJob("identity.purge", timedelta(days=1), purge_platform),
    )


def circulation_jobs(database: Database, sealer: Sealer, clock: Clock) -> tuple[PeriodicJob, ...]:
    """The search for declines, before recycling goes by them, and carrying out assessments whose notice is over."""

    async def find_declines() -> None:
        for tenant in await active_tenants(database):
            run = DeclineRun(database, tenant.id, time_zone=tenant.time_zone, clock=clock)
            if await run.is_wanted():
                await run.run()

    async def carry_out() -> None:
        for tenant in await active_tenants(database):
            keyring = await sealer.keyring(tenant.id)
            await AssessmentRun(database, tenant.id, keyring=keyring, time_zone=tenant.time_zone, clock=clock).run()

    return (
        PeriodicJob("circulation.decline", timedelta(minutes=15), find_declines, longest=timedelta(hours=1)),
        PeriodicJob("circulation.move", timedelta(hours=1), carry_out, longest=timedelta(hours=1)),
    )


async def every_tenant(database: Database) -> list[TenantSummary]:
    """The whole directory, read page by page."""
    found: list[TenantSummary] = []
    async with database.transaction(None, role=DatabaseRole.PLATFORM):
        while page := await list_tenants(after=found[-1].id if found else None):
            found += page
    return found


async def active_tenants(database: Database) -> list[TenantSummary]:
    """Those of the directory that are neither suspended nor on their way out."""
    return [each for each in await every_tenant(database) if each.status is TenantStatus.ACTIVE]
