"""Changing a company's own roles and rights.

Every action runs in a transaction of the platform role, because it raises the tenant's version. It locks the tenant's
row first: changes of one tenant follow each other, so each is judged by the policy that the last one left.
"""

from __future__ import annotations

from uuid import UUID

from saas.access.catalogue import AccessCatalogue
from saas.access.errors import RightExists, RoleExists, RuleNotFound
from saas.access.models import AccessRole, AccessRule
from saas.access.policies import DEFAULT_POLICY
from saas.access.queries import load_policy, require
from saas.access.rules import Action, Effect, Policy, PolicyLine, check_may_change, check_new_role
from saas.access.table import AccessTable
from saas.audit import Changes, record
from saas.kernel import Actor, BadUserInput, Clock, new_id
from tenants import current_transaction

CONFIGURE = "access:configure"
REASON_MAX = 500

_INSERT_RULE = """
INSERT INTO access_rule (tenant_id, id, role, action, object, effect, scope, reason, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (tenant_id, role, object, action, effect, scope) DO NOTHING
"""


async def grant_right(
    actor: Actor,
    *,
    line: PolicyLine,
    reason: str,
    access: AccessTable,
    catalogue: AccessCatalogue,
    clock: Clock,
    defaults: Policy = DEFAULT_POLICY,
) -> UUID:
    """Add a line (an allowance or a deny) to a role; the new rule's id.

    :raises PermissionMissing: the actor lacks ``access:configure``.
    :raises BadUserInput: the reason is empty or longer than 500 characters.
    :raises BadUserInput: the line names what is not there (`AccessCatalogue.check`).
    :raises RuleRefused: pay, a reserved right, or a role of the actor's own.
    :raises RightExists: the same line stands already among the company's own.
    """
    require(access, CONFIGURE)
    reason = _checked_reason(reason)
    catalogue.check(line)
    policy = await _lock_policy(actor, defaults)
    check_may_change(policy, actor_roles=actor.roles, role=line.role, object_=line.object)
    rule_id = new_id()
    added = await current_transaction().execute(
        _INSERT_RULE,
        actor.tenant_id,
        rule_id,
        line.role,
        line.action.value,
        line.object,
        line.effect.value,
        line.scope,
        reason,
        actor.account_id,
        clock.now(),
    )
    if not added:
        raise RightExists(line.role, line.action.value, line.object)
    await _raise_version(actor)
    await record(
        actor,
        "access.right_granted",
        object_type="AccessRule",
        object_id=rule_id,
        changes=_change(line, added=True),
        reason=reason,
        clock=clock,
    )
    return rule_id


async def revoke_right(
    actor: Actor,
    *,
    rule_id: UUID,
    reason: str,
    access: AccessTable,
    clock: Clock,
    defaults: Policy = DEFAULT_POLICY,
) -> None:
    """Take a line of the company's own back. What every company begins with can't be taken back, only denied.

    :raises PermissionMissing: the actor lacks ``access:configure``.
    :raises BadUserInput: the reason is empty or longer than 500 characters.
    :raises RuleNotFound: no such rule in this company.
    :raises RuleRefused: a reserved right, or a role of the actor's own.
    """
    require(access, CONFIGURE)
    reason = _checked_reason(reason)
    policy = await _lock_policy(actor, defaults)
    rule = await AccessRule.get_or_none(id=rule_id)
    if rule is None:
        raise RuleNotFound(str(rule_id))
    check_may_change(policy, actor_roles=actor.roles, role=rule.role, object_=rule.object)
    line = PolicyLine(rule.role, Action(rule.action), rule.object, Effect(rule.effect), rule.scope)
    await rule.delete()
    await _raise_version(actor)
    await record(
        actor,
        "access.right_revoked",
        object_type="AccessRule",
        object_id=rule_id,
        changes=_change(line, added=False),
        reason=reason,
        clock=clock,
    )


async def create_role(
    actor: Actor,
    *,
    name: str,
    parent: str | None,
    reason: str,
    access: AccessTable,
    clock: Clock,
    defaults: Policy = DEFAULT_POLICY,
) -> UUID:
    """Add a role, which inherits every right of `parent` where one is named; the new role's id.

    :raises PermissionMissing: the actor lacks ``access:configure``.
    :raises BadUserInput: the reason is empty or longer than 500 characters.
    :raises BadUserInput: a malformed name, an unknown parent, or too long a line of parents.
    :raises RoleExists: the name is taken, by a role of the company or by one that every company begins with.
    :raises ReservedRight: the parent holds a right that only an owner gives.
    """
    require(access, CONFIGURE)
    reason = _checked_reason(reason)
    policy = await _lock_policy(actor, defaults)
    check_new_role(policy, actor_roles=actor.roles, name=name, parent=parent)
    if name in policy.roles:
        raise RoleExists(name)
    role = await AccessRole.create(name=name, parent=parent, created_by=actor.account_id, created_at=clock.now())
    changes: Changes = {"name": [None, name], "parent": [None, parent]}
    await _raise_version(actor)
    await record(
        actor,
        "access.role_created",
        object_type="Role",
        object_id=role.id,
        changes=changes,
        reason=reason,
        clock=clock,
    )
    return role.id


def _checked_reason(reason: str) -> str:
    text = reason.strip()
    if not 1 <= len(text) <= REASON_MAX:
        raise BadUserInput("access.reason_length", {"limit": REASON_MAX, "length": len(text)}, field=("reason",))
    return text


async def _lock_policy(actor: Actor, defaults: Policy) -> Policy:
    await current_transaction().execute("SELECT FROM platform.tenant WHERE id = $1 FOR UPDATE", actor.tenant_id)
    _, policy = await load_policy(actor.tenant_id, defaults=defaults)
    return policy


async def _raise_version(actor: Actor) -> None:
    """Make every process compile the tenant's tables anew."""
    await current_transaction().execute(
        "UPDATE platform.tenant SET version = version + 1 WHERE id = $1", actor.tenant_id
    )


def _change(line: PolicyLine, *, added: bool) -> Changes:
    values = {
        "role": line.role,
        "action": line.action.value,
        "object": line.object,
        "effect": line.effect.value,
        "scope": line.scope,
    }
    return {name: [None, value] if added else [value, None] for name, value in values.items()}
