"""Row scope as SQL: one definition per scope, in each room's policies, used by the reader and by queries alike."""

from __future__ import annotations

from collections.abc import Mapping

NOTHING = "false"


def scope_predicate(
    policies: Mapping[str, str], visible: frozenset[str], *, alias: str, tenant: str, employee: str
) -> str:
    """The union of the scopes that the caller sees, over the row `alias`.

    :param policies: scope name → predicate with ``{t}``, ``{tenant}`` and ``{employee}``.
    :param tenant: the SQL (a parameter such as ``$1``) of the tenant's id.
    :param employee: the SQL of the caller's employee id, which may be NULL.
    :returns: a parenthesised predicate; ``false`` where nothing is visible.
    """
    known = [name for name in sorted(visible) if name in policies]
    if not known:
        return NOTHING
    if any(policies[name] == "true" for name in known):
        return "true"
    parts = [policies[name].format(t=alias, tenant=tenant, employee=employee) for name in known]
    return "(" + " OR ".join(f"({part})" for part in parts) + ")"
