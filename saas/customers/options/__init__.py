"""The options of a pool, each declared once with its number in the rule book, its default, range and meaning."""

from __future__ import annotations

from saas.customers.options.allocating import ABSENCE_CATCH_UP, AllocatingOptions, PoolAllocationRule
from saas.customers.options.assigning import ASSIGNMENT_CYCLE, AssigningOptions
from saas.customers.options.claiming import ClaimingOptions
from saas.customers.options.declaring import Option, OptionKind, as_text, camel, from_json, option, options_of, written
from saas.customers.options.entering import DUPLICATE_CHECK, EnteringOptions
from saas.customers.options.governing import GoverningOptions
from saas.customers.options.holding import DepartmentLimit, HoldingOptions, PersonLimit
from saas.customers.options.recycling import LevelDays, RecyclingOptions
from saas.customers.options.returning import ReturningOptions
from saas.customers.options.showing import PHONE_MASKING, ShowingOptions
from saas.customers.options.telling import TellingOptions
from saas.customers.options.working import WorkingHours, is_at_work, opens_next

__all__ = [
    "ABSENCE_CATCH_UP",
    "ASSIGNMENT_CYCLE",
    "DUPLICATE_CHECK",
    "PHONE_MASKING",
    "AllocatingOptions",
    "AssigningOptions",
    "ClaimingOptions",
    "DepartmentLimit",
    "EnteringOptions",
    "GoverningOptions",
    "HoldingOptions",
    "LevelDays",
    "Option",
    "OptionKind",
    "PersonLimit",
    "PoolAllocationRule",
    "RecyclingOptions",
    "ReturningOptions",
    "ShowingOptions",
    "TellingOptions",
    "WorkingHours",
    "as_text",
    "camel",
    "from_json",
    "is_at_work",
    "opens_next",
    "option",
    "options_of",
    "written",
]
