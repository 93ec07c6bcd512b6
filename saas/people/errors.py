"""Refusals of the people room."""

from __future__ import annotations

from saas.kernel import BadUserInput, Conflict, NotFound, RuleRefused


class EmployeeNumberTaken(Conflict):
    """Another person of the company has that number."""


class AccountTaken(Conflict):
    """The person has an account already, or the account belongs to another person of the company."""


class DepartmentNotFound(NotFound):
    """No such department in this company."""


class EmployeeNotFound(NotFound):
    """No such person in this company, or not visible."""


class SeparationRefused(RuleRefused):
    """They left before, or the last day can't be."""


class LeaveNotFound(NotFound):
    """No such leave in this company, or not one that the caller may change."""


class LeaveRefused(RuleRefused):
    """The days are none, overlap with other leave or lie beyond the employment; or it is the caller's own."""


class LegalEntityNotFound(NotFound):
    """No such company in law among this company's own."""


class PersonUnclear(BadUserInput):
    """Several people of the company are called so."""


class StaffRowRefused(BadUserInput):
    """A row of a list of staff that can't be: a last day before the first one, somebody who manages themselves."""


class PhoneOfAnother(Conflict):
    """L08: another record of the staff has this mobile number, so the two count as one person."""


class StaffChanged(Conflict):
    """Somebody changed the person's record since it was imported."""


class StaffInUse(RuleRefused):
    """Other records depend on the person's."""
