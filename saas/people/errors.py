"""Refusals of the people room."""

from __future__ import annotations

from saas.kernel import Conflict, NotFound


class EmployeeNumberTaken(Conflict):
    """Another person of the company has that number."""


class AccountTaken(Conflict):
    """The person has an account already, or the account belongs to another person of the company."""


class DepartmentNotFound(NotFound):
    """No such department in this company."""


class EmployeeNotFound(NotFound):
    """No such person in this company, or not visible."""
