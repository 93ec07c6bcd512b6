"""Refusals of the sales room."""

from __future__ import annotations

from saas.kernel import BadUserInput, RuleRefused


class FollowUpInTheFuture(BadUserInput):
    """A follow-up is something that has happened."""


class FollowUpOfForeignCustomer(RuleRefused):
    """Only the owner of a customer follows it up; collaborators come later."""
