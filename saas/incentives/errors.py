"""Refusals of the incentives room."""

from __future__ import annotations

from saas.kernel import AppError, BadUserInput, Conflict, ErrorCode, NotFound, RuleRefused, StaleVersion, Unavailable


class TiersRefused(BadUserInput):
    """Tiers or a table of them that leave an amount without a rate, or give it two."""


class PlanRefused(BadUserInput):
    """A plan that contradicts itself; found when it is saved, never when it is paid."""


class SharesRefused(BadUserInput):
    """Shares of a credit that are not exactly the whole."""


class FactRefused(RuleRefused):
    """A deal, receipt or refund that can't be accrued for: what is missing is an error, never 0."""


class TargetMissing(RuleRefused):
    """Attainment of no target, or of a target of 0, is not infinite: it does not exist."""


class PoolRefused(BadUserInput):
    """A pool that nobody's key divides, or a key that is none."""


class AwardRefused(RuleRefused):
    """An award over a reference that is not there, or was not there in time."""


class SettlementRefused(RuleRefused):
    """Lines that one settlement can't take together."""


class PlanNotFound(NotFound):
    """This company has no such plan."""


class PlanExists(Conflict):
    """Another plan has the code."""


class PlanChanged(StaleVersion):
    """Somebody saved the draft meanwhile."""


class DraftNotFound(NotFound):
    """The plan has no draft."""


class PublishingRefused(RuleRefused):
    """A version that may not be published so: by its author, or into a settled period."""


class ParticipationRefused(BadUserInput):
    """A participant that is not one person or one department for at least one day."""


class ParticipantNotFound(NotFound):
    """Nobody's participation in a plan of this company."""


class StageRefused(BadUserInput):
    """A stage that a deal can't have reached."""


class StageExists(Conflict):
    """The deal has reached the stage already, or the collection has one."""


class SettlementNotFound(NotFound):
    """This company has no such settlement."""


class SettlementStanding(Conflict):
    """The settlement is in a state in which this is not done with it."""


class PeriodRefused(RuleRefused):
    """A period that can't be settled now."""


class ResultChanged(AppError):
    """What is named by its hash is not what there is (any more)."""

    code = ErrorCode.PLAN_CHANGED


class CalculationGivenUp(Unavailable):
    """Every attempt of a job at a chunk of a settlement failed."""


class NeedsSomebodyElse(RuleRefused):
    """Two people stand behind every payment."""


class PoolRunNotFound(NotFound):
    """This company has no such pool run."""


class PoolRunStanding(Conflict):
    """The pool was divided, or approved, already."""


class AccrualNotFound(NotFound):
    """Missing, another company's, or not the caller's to see: the three are one."""


class PayrollRefused(Conflict):
    """A statement is paid by one payroll run only, and not before it is locked."""


class TrialRefused(BadUserInput):
    """Deals that rules can't be tried on."""
