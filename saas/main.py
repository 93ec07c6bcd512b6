"""Wiring, in one place: which rooms have tables, reads and sentences, and what a web process or a worker is made of."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import UUID

from redis.asyncio import Redis

import saas.analytics
import saas.circulation
import saas.customers
import saas.exchange
import saas.incentives
import saas.onboarding
import saas.payroll
import saas.people
import saas.reports
import saas.sales
from saas.access import PERMISSIONS, AccessCatalogue, AccessTables
from saas.background import (
    circulation_jobs,
    every_tenant,
    listen_for_circulation,
    listen_for_pools,
    periodic_jobs,
    recycling_run,
)
from saas.backing import Backing, Progress, apply_migrations, backing
from saas.config import ConfigError, Settings
from saas.customers import CustomerHooks, LedgerFeed, RefusalTally, tell_readers_with
from saas.customers.jobs import AllocationJobs
from saas.doors import PoolViews, ReadsAudit, TenantsPlugins
from saas.events import EventTopic, Handlers, IdempotencyStore, ring_with
from saas.exchange import STEP_FALLEN_DUE, TAKE_STEP, FolderStore, Importer, Kinds, TakeStep
from saas.extensions import PluginHost, installed_plugins
from saas.graphql.documents import ListedDocuments
from saas.graphql.rooms import MODULES
from saas.graphql.schema import ApiSchema, build_schema
from saas.graphql.services import Services
from saas.identity import Passwords, Recipient, SessionAuthenticator, find_recipient
from saas.importing import IMPORT_KINDS, ImportContexts
from saas.incentives.jobs import SettlementJobs
from saas.jobs import MailFolder, RedisBell, RedisCompanyBell
from saas.kernel import Catalogue, Clock, SystemClock
from saas.memory import keep_what_is_there
from saas.onboarding import COMPANY_SIGNED_UP
from saas.onboarding.jobs import WELCOME_MAIL, WelcomeMail
from saas.payroll import INPUTS_AWAITED, PAYSLIPS_AWAITED, PayrollHooks, PayrollSources
from saas.payroll.jobs import COMPUTE, FREEZE, PayrollJobs
from saas.reads import Reader, Registry
from saas.reads.mapping import Column, Expression, RoomReads
from saas.reporting import report_jobs
from saas.sealing import BlindIndex, FileKeyProvider, SealedOpener, Sealer, normalise_phone
from saas.worker import WorkerServices
from tenants import Database, bind_models, unbind_models
from tenants.migrate import missing_migrations
from tenants.orm import orm_config

__all__ = [
    "MODEL_APPS",
    "Backing",
    "Installation",
    "Product",
    "Progress",
    "backing",
    "bring_up_to_date",
    "every_tenant",
    "importer",
    "installed_product",
    "opened",
    "recycling_run",
    "web_services",
    "worker_services",
]

ROOMS_WITH_TABLES = (
    "events",
    "jobs",
    "audit",
    "access",
    "identity",
    "extensions",
    "exchange",
    "reports",
    "people",
    "customers",
    "sales",
    "incentives",
    "circulation",
    "attendance",
    "payroll",
    "onboarding",
)
MODEL_APPS: dict[str, tuple[str, str]] = {
    "tenants": ("tenants.models", "tenants.migrations"),
    **{room: (f"saas.{room}.models", f"saas.{room}.migrations") for room in ROOMS_WITH_TABLES},
}
"""Rooms with tables: app label → (models module, migrations package), in the order of their dependencies."""

HOOKS: tuple[type, ...] = (CustomerHooks, PayrollHooks)
"""What plugins may take part in: the rooms' hook specifications."""

MIGRATIONS = orm_config(MODEL_APPS, url="asyncpg://nobody@localhost/none")
"""For the ORM's tool that writes migrations: it compares models with migrations and opens no connection."""

ROOM_READS: tuple[RoomReads, ...] = (
    saas.exchange.reads,
    saas.people.reads,
    saas.customers.reads,
    saas.sales.reads,
    saas.incentives.reads,
    saas.circulation.reads,
    saas.payroll.reads,
    saas.analytics.reads,
)
TOPICS: tuple[EventTopic, ...] = (
    COMPANY_SIGNED_UP,
    *saas.exchange.TOPICS,
    *saas.reports.TOPICS,
    *saas.customers.TOPICS,
    *saas.sales.TOPICS,
    *saas.incentives.TOPICS,
    *saas.circulation.TOPICS,
    *saas.payroll.TOPICS,
)
SPEAKING = (
    "saas.kernel",
    "saas.access",
    "saas.analytics",
    "saas.attendance",
    "saas.circulation",
    "saas.customers",
    "saas.events",
    "saas.exchange",
    "saas.extensions",
    "saas.formulas",
    "saas.graphql",
    "saas.identity",
    "saas.incentives",
    "saas.jobs",
    "saas.onboarding",
    "saas.payroll",
    "saas.people",
    "saas.reads",
    "saas.reports",
    "saas.sales",
    "saas.sealing",
    "saas.web",
    "tenants",
)
"""Packages with sentences of their own."""

PAYROLL_SOURCES = PayrollSources()
"""What payroll takes from rooms beside it."""

BLIND_INDEXES = {
    "Customer.phone": BlindIndex("customer.phone", normalise_phone),
    "Employee.phone": BlindIndex("employee.phone", normalise_phone),
}


@dataclass(frozen=True)
class Product:
    """What the installed code and plugins make, whatever servers it runs on."""

    host: PluginHost

    @cached_property
    def registry(self) -> Registry:
        """Everything that can be read."""
        return Registry([*ROOM_READS, *self.host.reads])

    @cached_property
    def schema(self) -> ApiSchema:
        """The whole schema, the plugins' parts included."""
        return build_schema(self.registry, MODULES)

    @cached_property
    def version(self) -> str:
        """A hash of the schema: compiled plans of another are never used."""
        return hashlib.sha256(self.schema.print().encode()).hexdigest()[:16]

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every sentence, of the rooms and the plugins."""
        return Catalogue.of([*SPEAKING, *self.host.packages])

    @cached_property
    def rights(self) -> AccessCatalogue:
        """Everything that a right can be about."""
        fields = [
            (name, field.name, field.data_class.value, isinstance(field, Column | Expression) and field.structural)
            for name, read_type in self.registry.types.items()
            for field in read_type.fields
        ]
        scopes = {name: read_type.scopes.keys() for name, read_type in self.registry.types.items()}
        return AccessCatalogue(fields, permissions=PERMISSIONS, scopes=scopes)

    @property
    def model_apps(self) -> Mapping[str, tuple[str, str]]:
        """Rooms and plugins with tables."""
        return {**MODEL_APPS, **self.host.model_apps}


def installed_product() -> Product:
    """The product with the plugins that are installed beside it.

    :raises PluginRejected: a plugin does not fit; the message names it, the fact and the remedy.
    """
    return Product(PluginHost(HOOKS, installed_plugins()))


@dataclass(frozen=True)
class Installation:
    """A product on its servers, open for work: what every door is made from."""

    product: Product
    settings: Settings
    backing: Backing
    database: Database
    clock: Clock
    sealer: Sealer
    passwords: Passwords
    bell: RedisBell
    ledger_bell: RedisCompanyBell
    redis: Redis
    refusals: RefusalTally

    @property
    def audit_folder(self) -> Path:
        """Where the heads of the audit chains are published."""
        return self.settings.data / "audit"

    @property
    def mail_folder(self) -> Path:
        """Where outgoing mail is captured."""
        return self.settings.data / "mail"

    @property
    def files(self) -> FolderStore:
        """Where uploads wait until they are read."""
        return FolderStore(self.settings.data / "uploads")


@asynccontextmanager
async def opened(
    product: Product, settings: Settings, backing_: Backing, *, clock: Clock | None = None
) -> AsyncIterator[Installation]:
    """Open the product on migrated servers; at the end everything it holds is closed."""
    keys = FileKeyProvider(
        settings.data, master_key_file=Path(settings.master_key_file) if settings.master_key_file else None
    )
    async with AsyncExitStack() as stack:
        await bind_models(product.model_apps)
        stack.push_async_callback(unbind_models)
        database = Database(backing_.database, size=settings.pool_size)
        stack.push_async_callback(database.close)
        refusals = RefusalTally(database)
        stack.push_async_callback(refusals.close)
        bell = RedisBell(backing_.redis_url)
        stack.push_async_callback(bell.close)
        ledger_bell = RedisCompanyBell(backing_.redis_url)
        stack.push_async_callback(ledger_bell.close)
        redis = Redis.from_url(backing_.redis_url, socket_connect_timeout=1, socket_timeout=1)
        stack.push_async_callback(redis.aclose)
        ring_with(bell)
        tell_readers_with(ledger_bell)
        keep_what_is_there()
        yield Installation(
            product=product,
            settings=settings,
            backing=backing_,
            database=database,
            clock=clock or SystemClock(),
            sealer=Sealer(keys),
            passwords=Passwords(),
            bell=bell,
            ledger_bell=ledger_bell,
            redis=redis,
            refusals=refusals,
        )


async def bring_up_to_date(product: Product, backing_: Backing, *, progress: Progress | None = None) -> None:
    """Apply the migrations that the database lacks, of rooms and plugins.

    :raises ConfigError: this process doesn't know the owner's URL.
    """
    await apply_migrations(backing_, product.model_apps, progress=progress)


def web_services(installation: Installation) -> Services:
    """What the GraphQL door is made of."""
    product, database, clock = installation.product, installation.database, installation.clock
    opener = SealedOpener(installation.sealer, BLIND_INDEXES)
    sessions, access = SessionAuthenticator(database, clock), AccessTables(database, product.rights)
    return Services(
        database=database,
        reader=Reader(product.registry, product.version, opener=opener, catalogue=product.catalogue),
        schema=product.schema,
        catalogue=product.catalogue,
        clock=clock,
        sessions=sessions,
        access=access,
        plugins=TenantsPlugins(database, product.host, clock),
        idempotency=IdempotencyStore(),
        redis=installation.redis,
        trusted_documents=_trusted_documents(installation.settings),
        require_trusted_documents=installation.settings.require_trusted_documents,
        rooms={
            Database: database,
            Catalogue: product.catalogue,
            Sealer: installation.sealer,
            Passwords: installation.passwords,
            PluginHost: product.host,
            AccessCatalogue: product.rights,
            AccessTables: access,
            SessionAuthenticator: sessions,
            Importer: importer(installation),
            LedgerFeed: LedgerFeed(database, installation.ledger_bell),
            PayrollSources: PAYROLL_SOURCES,
            RefusalTally: installation.refusals,
        },
        audit_reads=ReadsAudit(clock),
        count_views=PoolViews(database, clock),
        readiness={
            "database": lambda: _database_answers(database),
            "redis": lambda: _redis_answers(installation.redis),
            "migrations": lambda: _migrations_are_applied(installation),
        },
    )


def _trusted_documents(settings: Settings) -> ListedDocuments:
    return ListedDocuments.in_folder(settings.documents) if settings.documents else ListedDocuments()


async def _database_answers(database: Database) -> None:
    await database.fetchrow("SELECT 1")


async def _migrations_are_applied(installation: Installation) -> None:
    missing = await missing_migrations(installation.database, installation.product.model_apps)
    if missing:
        raise ConfigError(f"The database lacks migrations: {', '.join(missing)}.")


async def _redis_answers(redis: Redis) -> None:
    await redis.ping()


def worker_services(installation: Installation) -> WorkerServices:
    """What the worker is made of: who hears which event, and what runs by the clock."""
    database, clock = installation.database, installation.clock
    handlers = Handlers(TOPICS)

    async def recipient(account_id: UUID) -> Recipient | None:
        return await find_recipient(database, account_id)

    mails, catalogue = MailFolder(installation.mail_folder), installation.product.catalogue
    welcome = WelcomeMail(mails, recipient=recipient, catalogue=catalogue)
    handlers.on(COMPANY_SIGNED_UP, name=WELCOME_MAIL, handler=welcome)
    access = AccessTables(database, installation.product.rights)
    listen_for_pools(handlers, database, access, installation.sealer, mails, catalogue, clock)
    listen_for_circulation(handlers, database, installation.sealer, mails, catalogue, clock)
    AllocationJobs(installation.sealer, clock, installation.product.host).listen(handlers)
    report_jobs(database, access, clock).listen(handlers)
    handlers.on(STEP_FALLEN_DUE, name=TAKE_STEP, handler=TakeStep(importer(installation)))
    payroll = PayrollJobs(installation.product.host, installation.sealer, clock, commission=PAYROLL_SOURCES.commission)
    SettlementJobs(installation.sealer, clock).listen(handlers)
    handlers.on(INPUTS_AWAITED, name=FREEZE, handler=payroll.freeze)
    handlers.on(PAYSLIPS_AWAITED, name=COMPUTE, handler=payroll.compute)
    return WorkerServices(
        database=database,
        relay_url=installation.backing.relay_url,
        redis_url=installation.backing.redis_url,
        bell=installation.bell,
        clock=clock,
        handlers=handlers,
        periodic=(
            *periodic_jobs(database, audit_folder=installation.audit_folder, files=installation.files, clock=clock),
            *circulation_jobs(database, installation.sealer, clock),
        ),
        finish_seconds=installation.settings.completion_wait_seconds,
    )


def importer(installation: Installation) -> Importer:
    """What the steps of imports are made of."""
    product, database, clock = installation.product, installation.database, installation.clock
    access = AccessTables(database, product.rights)
    contexts = ImportContexts(database, access, installation.sealer, product.host, clock)
    return Importer(Kinds(IMPORT_KINDS), installation.files, contexts, product.catalogue, clock)
