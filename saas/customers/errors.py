"""Refusals of the customers room."""

from __future__ import annotations

from saas.kernel import (
    AppError,
    BadUserInput,
    Conflict,
    ErrorCode,
    LimitReached,
    NotFound,
    RuleRefused,
    StaleVersion,
    Unavailable,
)


class CustomerNotFound(NotFound):
    """Missing, another company's, or not visible to the caller: the three are one."""


class CustomerAlreadyOwned(Conflict):
    """Somebody else was first."""


class CustomerExists(Conflict):
    """The duplicate check found one; tells its status and whom to ask, nothing else (P38)."""


class DuplicateChecksUsedUp(LimitReached):
    """The duplicate check has told this person of customers as often as it does in a day."""


class LedgerLineNotFound(NotFound):
    """The company's public ledger has no such line."""


class PoolViewsUsedUp(LimitReached):
    """P52: the person has opened as many customers of the pool as it allows on a day."""


class NotTheOwner(RuleRefused):
    """Only the owner may release a customer."""


class ReasonUnlisted(BadUserInput):
    """P32: the pool has a list of reasons for a release, and this one does not stand on it."""


class ClaimLimitReached(LimitReached):
    """P05: the claims of this person, pool and local day are used up."""


class HoldingLimitReached(LimitReached):
    """P09: the person holds as many customers as the pool allows."""


class ClaimTooSoon(RuleRefused):
    """P08: too little time has gone by since the person's last claim from the pool."""


class AssignmentThresholdPassed(LimitReached):
    """P13, P14: more is assigned to the person than the pool foresees; an assignment by hand is only warned."""


class FairWindowRuns(RuleRefused):
    """P35: the record came into the pool so lately that nobody may claim it yet."""


class BacklogFull(LimitReached):
    """P12: too many of the person's customers wait for a first follow-up."""


class WayClosed(RuleRefused):
    """P04: this way out of the pool is closed."""


class ApprovalNeeded(RuleRefused):
    """P49: the pool's claims, or its assignments by hand, are asked for and decided by a second person."""


class ApprovalNotNeeded(RuleRefused):
    """P49: nothing has to be asked for, so there is nothing to decide."""


class RequestAwaited(Conflict):
    """A request for the same customer and person waits for a decision already."""


class RequestsUsedUp(LimitReached):
    """P49: as many of the person's requests wait for a decision as may."""


class RequestNotFound(NotFound):
    """This company has no such request, or it is not visible to the caller."""


class RequestClosed(Conflict):
    """The request was decided or withdrawn before, or it lapsed."""


class OwnRequest(RuleRefused):
    """Nobody decides about what they asked for, or about what would be theirs."""


class NotTheRequester(RuleRefused):
    """Only who asked takes a request back."""


class CooldownRunning(RuleRefused):
    """P34: a former owner may not claim the customer again yet."""


class MarkOff(RuleRefused):
    """The pool does not allow this kind of mark (P15, P16, P33)."""


class MarkRuns(Conflict):
    """The customer has such a mark already, or one waits for a decision."""


class MarkSpent(RuleRefused):
    """P16: a protection of this holding brings the customer back; another would put that off for ever."""


class MarkCooldown(RuleRefused):
    """L14: the same owner may not renew a mark yet."""


class MarkLimitReached(LimitReached):
    """P15, P16, P33: the person has as many as the pool allows, or the holding was extended as often as it may be."""


class MarkNotFound(NotFound):
    """This company has no such mark, or it is not visible to the caller."""


class MarkClosed(Conflict):
    """The mark was decided or ended before, or its ownership has ended."""


class NothingToExtend(RuleRefused):
    """No rule would take the customer back, so there is no day to move."""


class OwnExtension(RuleRefused):
    """Nobody decides about an extension of their own."""


class ClaimantNotOnStaff(RuleRefused):
    """Only people on the staff can own customers."""


class PoolNotFound(NotFound):
    """This company has no such pool."""


class PoolDisabled(RuleRefused):
    """P03: a disabled pool keeps its customers and allows no claims."""


class NotAPoolMember(RuleRefused):
    """P01: only members claim from a pool."""


class NotAPoolAdministrator(RuleRefused):
    """P01: the pool names who administers it, and it is somebody else."""


class AdministratorNotOnStaff(BadUserInput):
    """P01: only people on the staff administer pools."""


class PoolNameTaken(Conflict):
    """Another pool of the company has that name."""


class PoolNeeded(RuleRefused):
    """P03: the default pool, and one that still has customers, can't be closed or disabled."""


class SettingsScheduled(RuleRefused):
    """A later change of the settings is decided already; the new one may not begin before it."""


class AssigneeNotOnStaff(NotFound):
    """No such person is on the staff of this company, so nobody can be given a customer."""


class CustomerNotOwned(RuleRefused):
    """Only what somebody owns can be transferred, and only to somebody else."""


class NotDrawnYet(RuleRefused):
    """Where customers go is not decided, or there is no certificate of it."""


class CreditBeyondAssigned(RuleRefused):
    """P47: nobody is credited back more than they were assigned."""


class AnswersBusy(LimitReached):
    """Large allocations are answered about one at a time in each process."""


class AllocationNotFound(NotFound):
    """This company has no such allocation, or it is not visible to the caller."""


class AllocationClosed(Conflict):
    """The allocation is, or was, committed or cancelled before."""


class AllocationNotPlanned(Conflict):
    """The allocation's plan is being made, or could not be made."""


class ArrivalsUnplaced(RuleRefused):
    """P04: nobody could have some of what arrived in a pool that allocates by itself; it waits there."""


class AllocationGivenUp(Unavailable):
    """Every attempt of a job at an allocation failed."""


class PoolBeingAllocated(Conflict):
    """A job gives customers of the pool at the moment."""


class PlanChanged(AppError):
    """Something that the plan was made from has changed since."""

    code = ErrorCode.PLAN_CHANGED


class PoolChanged(StaleVersion):
    """Somebody changed the pool's rules meanwhile."""


class DryRunTooLarge(LimitReached):
    """More customers are owned than one request can judge."""


class PoolRuleOutOfRange(BadUserInput):
    """A number that a pool's rule does not take."""


class CustomerUnclear(BadUserInput):
    """Several customers are called as a row of a list calls one."""


class ReceivedInFuture(BadUserInput):
    """A customer is somebody's from a day on that has come."""


class HistoryRefused(BadUserInput):
    """A former ownership that can't have been: it ends before it begins, or somebody else owned the customer then."""


class CustomerChanged(Conflict):
    """Somebody changed the record since it was imported."""


class CustomerInUse(RuleRefused):
    """Other records depend on the customer."""
