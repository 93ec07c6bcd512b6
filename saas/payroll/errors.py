"""Refusals of the payroll room."""

from __future__ import annotations

from saas.kernel import AppError, BadUserInput, Conflict, ErrorCode, NotFound, RuleRefused, StaleVersion


class StructureProblem(BadUserInput):
    """One thing that is wrong with a salary structure; its field is the path in the structure."""


class PayslipRefused(RuleRefused):
    """A payslip can't be computed from its inputs; a run names the person and computes the others."""


class PackMissing(RuleRefused):
    """Two country packs answer for one legal entity, or a closed run's pack is not installed any more."""


class CalculationUnknown(RuleRefused):
    """A run names a version of the calculations that this release does not hold."""


class StructureNotFound(NotFound):
    """This company has no such salary structure."""


class EmploymentNotFound(NotFound):
    """No such person is employed there."""


class LegalEntityNotFound(NotFound):
    """This company has no such legal entity."""


class RunNotFound(NotFound):
    """This company has no such payroll run, or the person is not part of it."""


class PayslipNotFound(NotFound):
    """No such payslip, or not one that the caller may read: the two are one."""


class PayInputRefused(BadUserInput):
    """An amount, a day or a text that payroll can't take."""


class StructureChanged(StaleVersion):
    """Somebody saved the structure meanwhile."""


class RunUnderWay(Conflict):
    """The legal entity has a run that is neither published nor cancelled."""


class PeriodClosed(RuleRefused):
    """The pay period is closed: nothing in it is edited, corrections are lines of a later one."""


class RunNotReady(RuleRefused):
    """The run is not in the state that the step starts from."""


class PayslipsUnresolved(RuleRefused):
    """Payslips failed, and are neither put right nor excluded."""


class OwnRun(RuleRefused):
    """Whoever opened or computed a run does not approve it: pay always takes two people."""


class OwnPay(RuleRefused):
    """Nobody enters amounts of their own pay."""


class PayChanged(Conflict):
    """A person was assigned other pay since a sheet brought it."""


class PayFrozen(RuleRefused):
    """A run has frozen what a sheet brought."""


class PlanStale(AppError):
    """The plan that was to be committed is not the present one."""

    code = ErrorCode.PLAN_CHANGED
