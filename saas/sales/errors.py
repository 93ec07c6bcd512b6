"""Refusals of the sales room."""

from __future__ import annotations

from saas.kernel import BadUserInput, Conflict, NotFound, RuleRefused, StaleVersion


class FollowUpInTheFuture(BadUserInput):
    """A follow-up is something that has happened."""


class FollowUpOfForeignCustomer(RuleRefused):
    """Only the owner of a customer follows it up; collaborators come later."""


class AmountRefused(BadUserInput):
    """An amount that can't be entered: not above 0, too large, or finer than the company's currency."""


class SharesRefused(BadUserInput):
    """Credits whose shares don't make up the whole, or name somebody twice."""


class ValueOutOfRange(BadUserInput):
    """A rate, day or period that a deal, collection, opportunity or target can't have."""


class RowTwice(Conflict):
    """Two rows of one entry mean the same record."""


class DealNotFound(NotFound):
    """Missing, another company's, or not visible to the caller: the three are one."""


class DealExists(Conflict):
    """A deal with the same key in another system, or the same number, holds other values."""


class DealChanged(StaleVersion):
    """Somebody changed the deal meanwhile."""


class DealBeforeCustomer(RuleRefused):
    """The deal is dated before the customer was there."""


class DealWithoutOwner(RuleRefused):
    """Nobody is named as the deal's owner, and nobody owned the customer on that day."""


class DealCancelled(RuleRefused):
    """Nothing more is done with a deal that was cancelled."""


class DealHasCollections(RuleRefused):
    """A deal is cancelled, or made smaller, once what is beyond that has been refunded."""


class CollectionExceedsDeal(RuleRefused):
    """More would have been collected than the deal is worth."""


class RefundExceedsCollected(RuleRefused):
    """More would be paid back than was collected."""


class CollectionExists(Conflict):
    """Another collection has the same key in the other system, with other values."""


class OpportunityNotFound(NotFound):
    """Missing, another company's, or not visible to the caller: the three are one."""


class OpportunityExists(Conflict):
    """An opportunity with the same key in another system holds other values."""


class OpportunityChanged(StaleVersion):
    """Somebody changed the opportunity meanwhile."""


class StageNotFound(NotFound):
    """The company has no such stage."""


class TargetOverlaps(Conflict):
    """The person or department has a target of this metric for some of these days already."""


class TargetChanged(StaleVersion):
    """Somebody changed the target meanwhile."""


class TargetNotFound(NotFound):
    """A version is named of a target that is not there."""


class RecordChanged(Conflict):
    """Somebody changed the record since it was imported."""


class RecordInUse(RuleRefused):
    """Other records depend on the imported one."""


class CollectionStays(RuleRefused):
    """A collection that can't be reversed: what came after it rests on it."""


class CustomerUnknown(BadUserInput):
    """A row names no customer: taken as it is, and told."""
