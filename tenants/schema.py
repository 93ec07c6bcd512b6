"""What makes a table a tenant's: migration operations for keys, row-level security and grants.

This is the one place that defines them. Every migration that creates a table follows it with `TenantTable` or
`PlatformTable`; a test walks the catalogue and fails on a table without.
"""

from __future__ import annotations

from collections.abc import Sequence

from tortoise.migrations import Migration
from tortoise.migrations.operations import AddField, CreateModel, CreateSchema, Operation, RunSQL
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State
from tortoise.migrations.schema_generator.state_apps import StateApps

OWNER = "saas_owner"
APP = "saas_app"
PLATFORM = "saas_platform"
RELAY = "saas_relay"

TENANT_PREDICATE = "tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)"
"""An InitPlan: evaluated once a statement. An inline setting or a function here plans up to seven times worse."""

READ_WRITE = "SELECT, INSERT, UPDATE, DELETE"
APPEND_ONLY = "SELECT, INSERT"


class RoomMigration(Migration):
    """A migration of a room: as the tool's own, without a copy of every model before each operation that asks for none.

    The tool makes that copy for operations that compare; with a few hundred statements it is nearly all the time that
    an empty database takes.
    """

    async def apply(
        self,
        state: State,
        *,
        dry_run: bool = False,
        schema_editor: BaseSchemaEditor | None = None,
        collect_sql: bool = False,
    ) -> State:
        """Bring the state forward and the database with it, inside the transaction that the tool has opened."""
        if dry_run or collect_sql or schema_editor is None or not schema_editor.atomic_migration:
            return await super().apply(state, dry_run=dry_run, schema_editor=schema_editor, collect_sql=collect_sql)
        _spare_unchanged(state.apps)
        for operation in self.operations:
            before = state.clone() if _compares(operation) else state
            operation.state_forward(self.app_label, state)
            await operation.database_forward(self.app_label, before, state, schema_editor)
        state.validate_relations_initialized()
        return state


def _spare_unchanged(apps: StateApps) -> None:
    """Let an operation complete only the models that it changes: the tool completes all of them each time.

    A completed model knows the names of its fields; it is completed anew where a relation has added one.
    """

    def build() -> None:
        changed = {
            label: {name: model for name, model in models.items() if model._meta.fields != set(model._meta.fields_map)}
            for label, models in apps.apps.items()
        }
        whole, apps.apps = apps.apps, changed
        try:
            StateApps._build_initial_querysets(apps)
        finally:
            apps.apps = whole

    apps._build_initial_querysets = build  # type: ignore[method-assign]


def _compares(operation: Operation) -> bool:
    return not isinstance(operation, RunSQL | CreateSchema | CreateModel | AddField)


class TenantTable(RunSQL):
    """Protect a table with `tenant_id`: key (tenant_id, `key`), FORCE row-level security, grants.

    :param key: the columns after tenant_id that make the primary key.
    :param grants: `READ_WRITE`, or `APPEND_ONLY` for what is never changed.
    """

    def __init__(self, table: str, *, key: Sequence[str] = ("id",), grants: str = READ_WRITE) -> None:
        self.table, self.key, self.grants = table, tuple(key), grants
        columns = ", ".join(("tenant_id", *key))
        super().__init__(
            [
                f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {_bare(table)}_pkey",
                f"ALTER TABLE {table} ADD CONSTRAINT {_bare(table)}_pkey PRIMARY KEY ({columns})",
                *row_security(table),
                *grant(table, grants),
            ],
            reverse_sql=RunSQL.noop,
        )

    def describe(self) -> str:
        return f"Protect tenant table {self.table}"


class TenantForeignKey(RunSQL):
    """A foreign key that can't cross tenants: (tenant_id, `column`) references `target` (tenant_id, id)."""

    def __init__(self, table: str, column: str, target: str, *, on_delete: str = "NO ACTION") -> None:
        name = f"{_bare(table)}_{column}_fkey"
        super().__init__(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (tenant_id, {column}) "
            f"REFERENCES {target} (tenant_id, id) ON DELETE {on_delete}",
            reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        )
        self.name = name

    def describe(self) -> str:
        return f"Add foreign key {self.name}"


class TenantIndex(RunSQL):
    """An index that begins with tenant_id; `columns` may carry an order, `where` makes it partial."""

    def __init__(self, table: str, name: str, columns: str, *, unique: bool = False, where: str = "") -> None:
        kind = "UNIQUE INDEX" if unique else "INDEX"
        tail = f" WHERE {where}" if where else ""
        super().__init__(
            f"CREATE {kind} {name} ON {table} (tenant_id, {columns}){tail}",
            reverse_sql=f"DROP INDEX {name}",
        )
        self.name = name

    def describe(self) -> str:
        return f"Add index {self.name}"


class TenantCheck(RunSQL):
    """A rule that every row keeps; `one_of` is short for "the column holds one of these texts"."""

    def __init__(self, table: str, name: str, rule: str) -> None:
        super().__init__(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({rule})",
            reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        )
        self.name = name

    def describe(self) -> str:
        return f"Add check {self.name}"


class OrderedText(RunSQL):
    """Text columns that are ordered or searched by prefix: byte order, the same on every server."""

    def __init__(self, table: str, *columns: str) -> None:
        super().__init__(
            [f'ALTER TABLE {table} ALTER COLUMN {column} TYPE text COLLATE "C"' for column in columns],
            reverse_sql=RunSQL.noop,
        )
        self.table = table

    def describe(self) -> str:
        return f"Order text of {self.table} by bytes"


class PlatformTable(RunSQL):
    """A table of the schema ``platform``: data of no tenant, for the platform role alone."""

    def __init__(self, table: str, *, grants: str = READ_WRITE) -> None:
        super().__init__(
            [
                f"GRANT USAGE ON SCHEMA platform TO {PLATFORM}",
                f"REVOKE ALL ON {table} FROM PUBLIC",
                f"GRANT {grants} ON {table} TO {PLATFORM}",
            ],
            reverse_sql=RunSQL.noop,
        )


def row_security(table: str) -> list[str]:
    """The statements that put a table under row-level security, for its owner too."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({TENANT_PREDICATE}) WITH CHECK ({TENANT_PREDICATE})",
    ]


def grant(table: str, rights: str) -> list[str]:
    """The grants of a tenant table; TRUNCATE, REFERENCES and TRIGGER ignore row security and are never among them."""
    return [f"REVOKE ALL ON {table} FROM PUBLIC", f"GRANT {rights} ON {table} TO {APP}, {PLATFORM}"]


def one_of(column: str, *texts: str) -> str:
    """The rule that `column` holds one of `texts` (text and CHECK: enum types are not leakproof and lose the index)."""
    return f"{column} IN (" + ", ".join(f"'{text}'" for text in texts) + ")"


def _bare(table: str) -> str:
    return table.rpartition(".")[2].strip('"')
