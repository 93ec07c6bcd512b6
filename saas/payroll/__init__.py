"""Payroll: salary structures, pay periods, and runs that freeze inputs, compute payslips and publish them.

What is previewed is what is paid: two people agree on a plan hash over every input, version and payslip.
"""

from saas.payroll.actions.assignments import assign_pay, declare
from saas.payroll.actions.comparing import PayDifference, pay_differences
from saas.payroll.actions.computing import compute_run, exclude_from_run, refreeze_inputs
from saas.payroll.actions.frozen import find_frozen_days
from saas.payroll.actions.import_salaries import SalaryImport
from saas.payroll.actions.items import add_pay_item, withdraw_pay_item
from saas.payroll.actions.opening import cancel_run, open_run, resume_run
from saas.payroll.actions.replaying import Replay, ReplayDifference, replay_run
from saas.payroll.actions.reviewing import approve_run, lock_run, publish_run, send_back_run, submit_run
from saas.payroll.actions.sources import CommissionSource, PayrollSources, StatementCommission
from saas.payroll.actions.structures import save_structure
from saas.payroll.events import INPUTS_AWAITED, PAYSLIPS_AWAITED, PAYSLIPS_PUBLISHED, TOPICS
from saas.payroll.hooks import PayrollHooks
from saas.payroll.queries import (
    ArrivedFact,
    ComponentChange,
    FailedPayslip,
    Run,
    arrived_since,
    component_changes,
    failed_payslips,
    find_employment,
    get_readable_payslip,
    get_run,
    previous_run_id,
)
from saas.payroll.reads import reads
from saas.payroll.rules.inputs import OneOffEffect, SettledCommission
from saas.payroll.rules.structures import (
    ComponentKind,
    MonthlyItem,
    Nature,
    PayComponent,
    Proration,
    ProrationMethod,
    RoundingMode,
    Structure,
)
from saas.payroll.standard import STANDARD, create_standard_structure

__all__ = [
    "INPUTS_AWAITED",
    "PAYSLIPS_AWAITED",
    "PAYSLIPS_PUBLISHED",
    "STANDARD",
    "TOPICS",
    "ArrivedFact",
    "CommissionSource",
    "ComponentChange",
    "ComponentKind",
    "FailedPayslip",
    "MonthlyItem",
    "Nature",
    "OneOffEffect",
    "PayComponent",
    "PayDifference",
    "PayrollHooks",
    "PayrollSources",
    "Proration",
    "ProrationMethod",
    "Replay",
    "ReplayDifference",
    "RoundingMode",
    "Run",
    "SalaryImport",
    "SettledCommission",
    "StatementCommission",
    "Structure",
    "add_pay_item",
    "approve_run",
    "arrived_since",
    "assign_pay",
    "cancel_run",
    "component_changes",
    "compute_run",
    "create_standard_structure",
    "declare",
    "exclude_from_run",
    "failed_payslips",
    "find_employment",
    "find_frozen_days",
    "get_readable_payslip",
    "get_run",
    "lock_run",
    "open_run",
    "pay_differences",
    "previous_run_id",
    "publish_run",
    "reads",
    "refreeze_inputs",
    "replay_run",
    "resume_run",
    "save_structure",
    "send_back_run",
    "submit_run",
    "withdraw_pay_item",
]
