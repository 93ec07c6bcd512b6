"""Root fields of payroll runs: their steps, their preview, and what changed for whom."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from saas.access.table import FieldAccess
from saas.extensions import PluginHost
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import IdempotentPayload, Payload, Ref, mapped
from saas.graphql.render import PageInfo
from saas.graphql.rooms.plain_pages import After, First, page_of
from saas.graphql.rooms.references import placed_id
from saas.kernel import localised, public_id
from saas.payroll import (
    ComponentChange,
    PayDifference,
    PayrollSources,
    approve_run,
    arrived_since,
    cancel_run,
    component_changes,
    compute_run,
    exclude_from_run,
    failed_payslips,
    get_run,
    lock_run,
    open_run,
    pay_differences,
    publish_run,
    refreeze_inputs,
    resume_run,
    send_back_run,
    submit_run,
)
from saas.reads.errors import field_forbidden
from saas.sealing import Sealer

RUN, EMPLOYEE, PAYSLIP = "prn", "emp", "psl"
RunId = Annotated[strawberry.ID, strawberry.argument(description="The run (prn_…). Since 0.1.")]


@strawberry.input(description="The run of a legal entity's month. Since 0.1.")
class PayrollRunOpenInput:
    """What to pay, and when."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key opens it once.")
    legal_entity_id: strawberry.ID = strawberry.field(description="Who pays (ent_…).")
    month: str = strawberry.field(description="YYYY-MM.")
    pays_on: date = strawberry.field(description="Day of payment; the tax month is its month.")
    takes_open_settlements: bool = strawberry.field(
        description="Whether commission that is calculated and not locked yet is taken in, to look at; the run can't be"
        " approved before it is locked.",
        default=False,
    )
    computes_at_once: bool = strawberry.field(
        description="Whether payslips are computed as soon as inputs are frozen.", default=False
    )


@strawberry.type(description="The run, its inputs being frozen. Since 0.1.")
class PayrollRunOpenPayload(IdempotentPayload):
    """Answer of payrollRunOpen."""

    run: Ref | None = mapped("PayrollRun", description="The run; null when refused. Since 0.1.")


@mutation(requires="payroll:run", idempotent=True, description="Open a payroll run: jobs freeze everybody's inputs")
async def payroll_run_open(info: Info, input: PayrollRunOpenInput) -> PayrollRunOpenPayload:  # noqa: A002
    run_id = await open_run(
        info.actor,
        legal_entity_id=placed_id(input.legal_entity_id, prefix="ent", field=("legalEntityId",)),
        month=input.month,
        pays_on=input.pays_on,
        takes_open_settlements=input.takes_open_settlements,
        computes_at_once=input.computes_at_once,
        host=info.room(PluginHost),
        clock=info.clock,
    )
    return PayrollRunOpenPayload(run=Ref("PayrollRun", run_id))


@strawberry.input(description="A payroll run. Since 0.1.")
class PayrollRunInput:
    """Which run."""

    id: strawberry.ID = strawberry.field(description="The run (prn_…).")


@strawberry.input(description="A payroll run, and why. Since 0.1.")
class PayrollRunReasonInput:
    """Which run, for which reason."""

    id: strawberry.ID = strawberry.field(description="The run (prn_…).")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; it stands in the audit trail.")


@strawberry.type(description="The run after the step. Since 0.1.")
class PayrollRunPayload(Payload):
    """Answer of a run's steps."""

    run: Ref | None = mapped("PayrollRun", description="The run; null when refused. Since 0.1.")


@mutation(requires="payroll:run", description="Have a run's payslips computed by jobs")
async def payroll_run_compute(info: Info, input: PayrollRunInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    await compute_run(info.actor, run_id=run_id, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@mutation(requires="payroll:run", description="Let a run's jobs go on where they stopped")
async def payroll_run_resume(info: Info, input: PayrollRunInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    await resume_run(info.actor, run_id=run_id, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@mutation(requires="payroll:run", description="Give up a run that is not locked")
async def payroll_run_cancel(info: Info, input: PayrollRunReasonInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    await cancel_run(info.actor, run_id=run_id, reason=input.reason, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@strawberry.input(description="A person of a run, and why to leave them out. Since 0.1.")
class PayrollRunExcludeInput:
    """Whom to leave out."""

    id: strawberry.ID = strawberry.field(description="The run (prn_…).")
    employee_id: strawberry.ID = strawberry.field(description="The person (emp_…).")
    reason: str = strawberry.field(description="Why, 1 to 500 characters.")


@mutation(requires="payroll:run", description="Leave a person out of a run; totals and plan are made anew")
async def payroll_run_exclude(info: Info, input: PayrollRunExcludeInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    employee_id = placed_id(input.employee_id, prefix=EMPLOYEE, field=("employeeId",))
    await exclude_from_run(info.actor, run_id=run_id, employee_id=employee_id, reason=input.reason, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@strawberry.input(description="People of a run whose inputs were put right. Since 0.1.")
class PayrollRunRefreezeInput:
    """Whose inputs to freeze anew."""

    id: strawberry.ID = strawberry.field(description="The run (prn_…).")
    employee_ids: list[strawberry.ID] = strawberry.field(description="The people (emp_…), at most 100.")


@mutation(requires="payroll:run", description="Freeze some people's inputs anew, as known now, and compute again")
async def payroll_run_refreeze(info: Info, input: PayrollRunRefreezeInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    people = [
        placed_id(each, prefix=EMPLOYEE, field=("employeeIds", str(place)))
        for place, each in enumerate(input.employee_ids)
    ]
    await refreeze_inputs(
        info.actor,
        run_id=run_id,
        employee_ids=people,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        commission=info.room(PayrollSources).commission,
        clock=info.clock,
    )
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@mutation(requires="payroll:run", description="Put a computed run before the person who approves it")
async def payroll_run_submit(info: Info, input: PayrollRunInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    await submit_run(info.actor, run_id=run_id, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@mutation(requires="payroll:approve", description="Give a run back to whoever prepared it")
async def payroll_run_send_back(info: Info, input: PayrollRunReasonInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    await send_back_run(info.actor, run_id=run_id, reason=input.reason, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@strawberry.input(description="A run and the plan that was looked at. Since 0.1.")
class PayrollRunApproveInput:
    """What is approved."""

    id: strawberry.ID = strawberry.field(description="The run (prn_…).")
    plan_hash: str = strawberry.field(description="The run's planHash as it was previewed.")


@mutation(
    requires="payroll:approve",
    description="Approve just what was previewed; whoever opened, computed or changed the run can't",
)
async def payroll_run_approve(info: Info, input: PayrollRunApproveInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    await approve_run(
        info.actor,
        run_id=run_id,
        agreed=input.plan_hash,
        keyring=await info.room(Sealer).keyring(info.actor.tenant_id),
        commission=info.room(PayrollSources).commission,
        clock=info.clock,
    )
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@mutation(requires="payroll:run", description="Close an approved run and its period for good (封账)")
async def payroll_run_lock(info: Info, input: PayrollRunInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    keyring = await info.room(Sealer).keyring(info.actor.tenant_id)
    commission = info.room(PayrollSources).commission
    await lock_run(info.actor, run_id=run_id, keyring=keyring, commission=commission, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@mutation(requires="payroll:run", description="Let everybody read their own payslip of a locked run")
async def payroll_run_publish(info: Info, input: PayrollRunInput) -> PayrollRunPayload:  # noqa: A002
    run_id = placed_id(input.id, prefix=RUN, field=("id",))
    await publish_run(info.actor, run_id=run_id, clock=info.clock)
    return PayrollRunPayload(run=Ref("PayrollRun", run_id))


@strawberry.type(description="Somebody whose payslip failed. Since 0.1.")
class FailedPayslipNode:
    """By name, with the first reason."""

    employee_id: strawberry.ID = strawberry.field(description="The person (emp_…). Since 0.1.")
    number: str = strawberry.field(description="Staff number. Since 0.1.")
    name: str = strawberry.field(description="Name. Since 0.1.")
    failure: str = strawberry.field(description="Key of what failed first; the payslip's document says all. Since 0.1.")


@strawberry.type(description="A component's total against the last locked run. Since 0.1.")
class ComponentChangeNode:
    """Amounts of fewer than five people are hidden."""

    code: str = strawberry.field(description="The component. Since 0.1.")
    before: Decimal | None = strawberry.field(description="Its total then; null: hidden or not paid. Since 0.1.")
    after: Decimal | None = strawberry.field(description="Its total now; null: hidden or not paid. Since 0.1.")


@strawberry.type(description="Something that became known after inputs were frozen. Since 0.1.")
class ArrivedFactNode:
    """It is not part of the run."""

    kind: str = strawberry.field(description="pay_item, pay_assignment, pay_declaration or attendance. Since 0.1.")
    employee_id: strawberry.ID = strawberry.field(description="Whose (emp_…). Since 0.1.")
    known_at: datetime = strawberry.field(description="Since when. Since 0.1.")


@strawberry.type(description="What a run would pay, before anybody agrees. Since 0.1.")
class PayrollPreview:
    """Counts and totals stand in the run itself."""

    plan_hash: str | None = strawberry.field(description="What approval names; null until computed. Since 0.1.")
    failed: list[FailedPayslipNode] = strawberry.field(description="Who can't be paid, at most 200. Since 0.1.")
    components: list[ComponentChangeNode] = strawberry.field(
        description="What changed by component, at most 1,000. Since 0.1."
    )
    arrived_since: list[ArrivedFactNode] = strawberry.field(
        description="What became known since, at most 200; it blocks nothing. Since 0.1."
    )


@query(requires="payroll:preview", description="A run's failures, changes and what arrived since")
async def payroll_preview(info: Info, id: RunId) -> PayrollPreview:  # noqa: A002
    run = await get_run(placed_id(id, prefix=RUN, field=("id",)))
    return PayrollPreview(
        plan_hash=run.facts.plan_hash,
        failed=[
            FailedPayslipNode(
                employee_id=strawberry.ID(public_id(EMPLOYEE, each.employee_id)),
                number=each.number,
                name=each.name,
                failure=each.failure,
            )
            for each in await failed_payslips(run.id)
        ],
        components=[_component_change(each) for each in await component_changes(run)],
        arrived_since=[
            ArrivedFactNode(
                kind=each.kind,
                employee_id=strawberry.ID(public_id(EMPLOYEE, each.employee_id)),
                known_at=each.known_at,
            )
            for each in await arrived_since(run)
        ],
    )


def _component_change(change: ComponentChange) -> ComponentChangeNode:
    return ComponentChangeNode(code=change.code, before=change.before, after=change.after)


@strawberry.type(description="A line that is not what it was. Since 0.1.")
class PayLineDifference:
    """Before and after."""

    code: str = strawberry.field(description="The component. Since 0.1.")
    title: str = strawberry.field(description="Its title in the caller's language. Since 0.1.")
    before: Decimal | None = strawberry.field(description="Then; null: no such line. Since 0.1.")
    after: Decimal | None = strawberry.field(description="Now; null: no such line. Since 0.1.")


@strawberry.type(description="One person's pay against the last locked run. Since 0.1.")
class PayDifferenceNode:
    """What changed for whom."""

    payslip_id: strawberry.ID = strawberry.field(description="The payslip (psl_…). Since 0.1.")
    employee_id: strawberry.ID = strawberry.field(description="The person (emp_…). Since 0.1.")
    net_before: Decimal | None = strawberry.field(description="Net pay then; null: not paid. Since 0.1.")
    net: Decimal = strawberry.field(description="Net pay now. Since 0.1.")
    lines: list[PayLineDifference] = strawberry.field(description="What changed, at most 1,000 lines. Since 0.1.")


@strawberry.type(description="A page of differences. Since 0.1.")
class PayDifferenceConnection:
    """By the people's ids."""

    nodes: list[PayDifferenceNode] = strawberry.field(description="The people of the page. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@query(
    requires="payroll:preview",
    description="What changed for whom; needs the right to everybody's Payslip.document too, and is noted",
)
async def payroll_differences(
    info: Info,
    id: RunId,  # noqa: A002
    first: First,
    after: After = None,
) -> PayDifferenceConnection:
    if info.rights.read("Payslip", "document").access is not FieldAccess.ALLOW:
        raise field_forbidden("reads.field_forbidden", "Payslip.document", info.rights)
    page = page_of("payrollDifferences", first=first, after=after)
    run = await get_run(placed_id(id, prefix=RUN, field=("id",)))
    keyring = await info.room(Sealer).keyring(info.actor.tenant_id)
    found = await pay_differences(
        info.actor, run, after=page.after_id, most=page.size + 1, keyring=keyring, clock=info.clock
    )
    shown, page_info = page.cut(found, lambda each: each.employee_id.hex)
    return PayDifferenceConnection(nodes=[_difference(each, info.locale) for each in shown], page_info=page_info)


def _difference(found: PayDifference, locale: str) -> PayDifferenceNode:
    return PayDifferenceNode(
        payslip_id=strawberry.ID(public_id(PAYSLIP, found.payslip_id)),
        employee_id=strawberry.ID(public_id(EMPLOYEE, found.employee_id)),
        net_before=found.net_before,
        net=found.net,
        lines=[
            PayLineDifference(
                code=line.code, title=str(localised(line.titles, locale)), before=line.before, after=line.after
            )
            for line in found.lines
        ],
    )
