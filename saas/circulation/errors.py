"""Refusals of the circulation room."""

from __future__ import annotations

from saas.kernel import AppError, BadUserInput, Conflict, ErrorCode, LimitReached, NotFound, RuleRefused, StaleVersion


class TermsRefused(BadUserInput):
    """Terms of a policy that are out of range or contradict each other; found when they are saved."""


class PolicyChanged(StaleVersion):
    """Somebody changed the policy meanwhile."""


class PolicyScheduled(RuleRefused):
    """A later version of the policy is decided already; the new one may not begin before it."""


class PolicyMissing(RuleRefused):
    """The pool has no such policy in force, or it is switched off."""


class PeriodRefused(RuleRefused):
    """A period that can't be assessed: it is not over."""


class AssessmentStanding(Conflict):
    """Another assessment of the pool covers days of the period, or this one is in another state."""


class AssessmentNotFound(NotFound):
    """Missing, another company's, or not visible: the three are one."""


class ReceiverRefused(BadUserInput):
    """Somebody who can't be given customers: not on the staff, named twice, or too many."""


class PlanChanged(AppError):
    """What is announced is not what was previewed (any more)."""

    code = ErrorCode.PLAN_CHANGED


class NotYetDue(RuleRefused):
    """The notice runs; nothing moves before it is over."""


class LineNotFound(NotFound):
    """No such customer of an assessment that the caller may see."""


class AppealRefused(RuleRefused):
    """An appeal by somebody else than the owner, too late, or decided by who made it."""


class AppealStanding(Conflict):
    """The customer is appealed against already, or not (any more)."""


class DeclineNotFound(NotFound):
    """No such finding that the caller may see."""


class DryRunTooLarge(LimitReached):
    """More customers have a deal than one request can judge."""
