"""Plans: a draft is saved as often as it takes, checked as a whole each time, and published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from saas.audit import record
from saas.events import emit
from saas.incentives.errors import (
    DraftNotFound,
    PlanChanged,
    PlanExists,
    PlanRefused,
    PublishingRefused,
)
from saas.incentives.events import PLAN_PUBLISHED
from saas.incentives.queries import StoredPlan, StoredVersion, find_strangers, get_plan
from saas.incentives.rules.plan_checks import plan_problems
from saas.incentives.rules.plan_text import canonical_text, plan_plain
from saas.incentives.rules.plans import Plan, PlanVersion
from saas.incentives.rules.recorded import unrecorded
from saas.incentives.rules.settling import hashed
from saas.kernel import Actor, AppError, AppErrors, Clock, Period, Scalar, local_date, new_id
from tenants import current_tenant_id, current_transaction

CODE_MAX, TITLE_MAX, REASON_MAX = 40, 100, 500
NEW_NUMBER = 1
_TERMS = ("code", "title", "currency", "cycle", "measure", "with_vat", "vat_rate_at", "anchor", "release", "window")
"""What holds for all the time of a plan."""

_INSERT_PLAN = """
INSERT INTO incentive_plan (tenant_id, id, code, title, currency, cycle, measure, with_vat, vat_rate_at, anchor,
    payability, tier_window, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (tenant_id, code) DO NOTHING
"""
_SAVE_DRAFT = """
INSERT INTO incentive_plan_version (tenant_id, id, plan_id, number, state, content, content_hash, valid_from, valid_to,
    author_account_id, author_id, saved_at)
VALUES ($1, $2, $3, $4, 'draft', $5::jsonb, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id, plan_id, number) DO UPDATE SET content = excluded.content, content_hash = excluded.content_hash,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to, author_account_id = excluded.author_account_id,
    author_id = excluded.author_id, saved_at = excluded.saved_at
RETURNING id
"""
_PUBLISH = """
UPDATE incentive_plan_version SET state = 'published', known_at = $4, reason = $5, publisher_account_id = $6,
    publisher_id = $7 WHERE tenant_id = $1 AND plan_id = $2 AND number = $3
"""
_END = "UPDATE incentive_plan_version SET valid_to = $4 WHERE tenant_id = $1 AND plan_id = $2 AND number = $3"
_STANDS_IN_THE_WAY = """
SELECT period_first, period_until FROM settlement
WHERE tenant_id = $1 AND plan_id = $2 AND period_until > $3 AND state <> 'failed' ORDER BY period_first LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A draft as it was saved; its hash is what publishing names."""

    plan_id: UUID
    version_id: UUID
    number: int
    content_hash: str


async def save_plan(
    actor: Actor, plan: Plan, *, plan_id: UUID | None, expected_hash: str | None, clock: Clock
) -> SavedDraft:
    """Save the draft of a version: of a new plan, or the next one of a plan that is there.

    `plan` has that one version; its number says nothing. `expected_hash` is the hash of the draft that is replaced,
    None where there is none.

    :raises AppErrors: with everything that is wrong with it: what the rules refuse, what nothing recorded could feed,
        terms that are not those of the plan, people and customers that are not the company's.
    :raises PlanNotFound: there is no such plan.
    :raises PlanExists: another plan has the code; of several new ones at once one is saved.
    :raises PlanChanged: somebody saved the draft meanwhile.
    """
    stored = None if plan_id is None else await get_plan(plan_id, is_locking=True)
    if stored is not None:
        _check_expected(stored.draft, expected_hash)
    (version,) = plan.versions
    number = _number(stored)
    plan = replace(plan, versions=(replace(version, number=number, participants=()),))
    problems = [*draft_problems(plan, stored), *await _strangers(plan)]
    if problems:
        raise AppErrors(problems)
    saved_in = stored.id if stored is not None else await _insert_plan(plan, clock=clock)
    saved = await _save(actor, plan, saved_in, clock=clock)
    await record(
        actor,
        "incentive_plan.saved",
        object_type="IncentivePlan",
        object_id=saved.plan_id,
        changes={"draft": [stored.draft.content_hash if stored and stored.draft else None, saved.content_hash]},
        clock=clock,
    )
    return saved


def _number(stored: StoredPlan | None) -> int:
    if stored is None:
        return NEW_NUMBER
    return stored.draft.number if stored.draft else max(each.number for each in stored.versions) + 1


def _check_expected(draft: StoredVersion | None, expected: str | None) -> None:
    actual = draft.content_hash if draft else None
    if actual != expected:
        raise PlanChanged("incentives.plan_changed", {"expected": expected, "actual": actual}, field=("expectedHash",))


def _text_problems(plan: Plan) -> Iterator[AppError]:
    for name, text, longest in (("code", plan.code, CODE_MAX), ("title", plan.title, TITLE_MAX)):
        if not text.strip() or len(text) > longest or (name == "code" and "/" in text):
            yield PlanRefused("incentives.plan_name_malformed", {"name": text[:60], "longest": longest}, field=(name,))


def draft_problems(plan: Plan, stored: StoredPlan | None) -> Iterator[AppError]:
    """Everything about the draft, with paths that begin at ``version`` where they are about the version."""
    yield from _text_problems(plan)
    before = () if stored is None else stored.published
    if stored is not None and stored.versions:
        yield from _term_problems(plan, stored.versions[0].alone)
    version = plan.versions[0]
    if before and version.effective.first <= before[-1].version.effective.first:
        values: dict[str, Scalar] = {
            "since": version.effective.first.isoformat(),
            "before": before[-1].version.effective.first.isoformat(),
        }
        yield PlanRefused("incentives.version_not_after", values, field=("version", "validFrom"))
        before = ()
    whole = replace(plan, versions=(*_ended(before, version), version))
    for problem in (*plan_problems(whole), *unrecorded(whole)):
        yield problem.at(*_placed(problem.field, len(before)))


def _ended(before: tuple[StoredVersion, ...], version: PlanVersion) -> list[PlanVersion]:
    """The published versions, the last one ended where the draft begins."""
    versions = [each.version for each in before]
    if versions:
        last, first = versions[-1].effective, version.effective.first
        until = first if last.until is None or last.until > first else last.until
        versions[-1] = replace(versions[-1], effective=Period(last.first, until))
    return versions


def _placed(path: tuple[str, ...], place: int) -> tuple[str, ...]:
    if path[:2] != ("versions", str(place)):
        return tuple(_FIELDS.get(name, name) for name in path)
    inner = path[2:]
    return ("version", *(("validFrom",) if inner == ("effective",) else inner))


def _term_problems(plan: Plan, stored: Plan) -> Iterator[AppError]:
    for name in _TERMS:
        if getattr(plan, name) != getattr(stored, name):
            values: dict[str, Scalar] = {"term": name, "now": str(plan_plain(stored).get(name, "-"))}
            yield PlanRefused("incentives.term_changed", values, field=(_FIELDS.get(name, name),))


_FIELDS = {"with_vat": "withVat", "vat_rate_at": "vatRateAt", "release": "payability", "window": "tierWindow"}
"""What the API calls terms whose name is another there."""


async def _strangers(plan: Plan) -> list[AppError]:
    """People and customers that rules name and the company does not have."""
    rules = plan.versions[0].rules
    unknown = await find_strangers(
        people={rule.match.person for rule in rules if rule.match.person},
        customers={rule.match.customer for rule in rules if rule.match.customer},
    )
    return [
        PlanRefused(
            "incentives.match_unknown",
            {"rule": rule.title, "name": str(named)[:60]},
            field=("version", "rules", str(place), "match", axis),
        )
        for place, rule in enumerate(rules)
        for axis, named in (("person", rule.match.person), ("customer", rule.match.customer))
        if named in unknown
    ]


async def _insert_plan(plan: Plan, *, clock: Clock) -> UUID:
    plan_id = new_id()
    made = await current_transaction().execute(
        _INSERT_PLAN,
        current_tenant_id(),
        plan_id,
        plan.code,
        plan.title,
        plan.currency,
        plan.cycle.value,
        plan.measure.value,
        plan.with_vat,
        plan.vat_rate_at.value,
        plan.anchor.value,
        plan.release.value,
        plan.window.value,
        clock.now(),
    )
    if not made:
        raise PlanExists("incentives.plan_exists", {"code": plan.code}, field=("code",))
    return plan_id


async def _save(actor: Actor, plan: Plan, plan_id: UUID, *, clock: Clock) -> SavedDraft:
    version, text = plan.versions[0], canonical_text(plan)
    content_hash = hashed(plan_plain(plan))
    version_id = await current_transaction().fetchval(
        _SAVE_DRAFT,
        current_tenant_id(),
        new_id(),
        plan_id,
        version.number,
        text,
        content_hash,
        version.effective.first,
        version.effective.until,
        actor.account_id,
        actor.employee_id,
        clock.now(),
    )
    return SavedDraft(plan_id, version_id, version.number, content_hash)


async def publish_plan(
    actor: Actor, *, plan_id: UUID, content_hash: str, reason: str, time_zone: str, clock: Clock
) -> UUID:
    """Put the draft in force from its first day on; the version before it ends there.

    Its author may: what a plan comes to is approved by somebody else (`approve_settlement`).

    A first day in the past needs a reason (the written consent), and one in a period that is settled, or whose
    settlement stands as a draft, is refused: what was calculated keeps its rules.

    :raises PlanNotFound: there is no such plan.
    :raises DraftNotFound: the plan has no draft.
    :raises PlanChanged: the draft is not the one of the hash (any more).
    :raises PublishingRefused: no reason for a first day in the past; a settlement reaches beyond the first day.
    """
    stored = await get_plan(plan_id, is_locking=True)
    draft = stored.draft
    if draft is None:
        raise DraftNotFound("incentives.draft_not_found", {"plan": stored.code}, field=("plan",))
    _check_expected(draft, content_hash)
    first = draft.version.effective.first
    await _check_beginning(stored, first, reason=reason, today=local_date(clock.now(), time_zone))
    if stored.published:
        last = stored.published[-1]
        until = last.version.effective.until
        if until is None or until > first:
            await current_transaction().execute(_END, current_tenant_id(), plan_id, last.number, first)
    await current_transaction().execute(
        _PUBLISH,
        current_tenant_id(),
        plan_id,
        draft.number,
        clock.now(),
        reason.strip() or None,
        actor.account_id,
        actor.employee_id,
    )
    await record(
        actor,
        "incentive_plan.published",
        object_type="IncentivePlan",
        object_id=plan_id,
        changes={"version": [None, draft.number], "content": [None, content_hash]},
        reason=reason,
        clock=clock,
    )
    await emit(PLAN_PUBLISHED, {"plan_id": str(plan_id), "number": draft.number})
    return plan_id


def is_same_person(actor: Actor, account_id: UUID, employee_id: UUID | None) -> bool:
    """Whether the actor did the first half of something too, by account or as the same person on the staff."""
    return actor.account_id == account_id or (employee_id is not None and actor.employee_id == employee_id)


async def _check_beginning(stored: StoredPlan, first: date, *, reason: str, today: date) -> None:
    if len(reason) > REASON_MAX:
        raise PublishingRefused("incentives.reason_too_long", {"longest": REASON_MAX}, field=("reason",))
    if first < today and not reason.strip():
        values: dict[str, Scalar] = {"since": first.isoformat(), "today": today.isoformat()}
        raise PublishingRefused("incentives.beginning_in_the_past", values, field=("reason",))
    row = await current_transaction().fetchrow(_STANDS_IN_THE_WAY, current_tenant_id(), stored.id, first)
    if row is not None:
        last = row["period_until"] - timedelta(days=1)
        values = {"since": first.isoformat(), "first": row["period_first"].isoformat(), "last": last.isoformat()}
        raise PublishingRefused("incentives.beginning_in_settled_period", values, field=("plan",))
