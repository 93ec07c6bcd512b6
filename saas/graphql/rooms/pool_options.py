"""Options of a pool as fields of an input: made from their declarations, so that each stands in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import GenericAlias
from typing import Any, Optional, TypeVar

import strawberry

from saas.customers import (
    ALLOCATION_METHOD,
    OPTIONS,
    DepartmentLimit,
    FollowUpKind,
    LevelDays,
    Option,
    OptionKind,
    PersonLimit,
    PoolAllocationRule,
    RecycleCondition,
    Subject,
    WorkingHours,
)
from saas.graphql.fields import Info, query
from saas.graphql.payloads import enum_of, optional_enum_of, stored_text
from saas.graphql.render_inputs import described_enum
from saas.graphql.rooms.references import placed_id
from saas.kernel import Catalogue
from saas.sales import FOLLOW_UP_KIND

T = TypeVar("T")


@strawberry.input(description="What a kind of follow-up needs to count. Since 0.1.")
class EffectiveKindInput:
    """A kind of the list, with its evidence."""

    kind: Enum = enum_of(FOLLOW_UP_KIND, description="The kind.")
    least_seconds: int = strawberry.field(description="Length of the call's record, 0 to 86400 seconds.", default=0)
    least_characters: int = strawberry.field(description="Characters of text, 0 to 4000.", default=0)
    needs_check_in: bool = strawberry.field(description="Whether it needs a check-in.", default=False)

    def item(self) -> FollowUpKind:
        """As the settings have it."""
        kind = stored_text(FOLLOW_UP_KIND, self.kind)
        return FollowUpKind(kind, self.least_seconds, self.least_characters, self.needs_check_in)


@strawberry.input(description="The days of a rule for customers of a level. Since 0.1.")
class LevelDaysInput:
    """In the place of the rule's own."""

    level: str = strawberry.field(description="The level, 1 to 20 characters, as customers have it.")
    days: int = strawberry.field(description="Days, 1 to 3650.")

    def item(self) -> LevelDays:
        """As the settings have it."""
        return LevelDays(self.level.strip(), self.days)


RecycleConditionSubject = described_enum(
    "RecycleConditionSubject",
    "What a condition of recycling is about. Since 0.1.",
    {
        Subject.HELD.name: "How long the present holding has lasted. Since 0.1.",
        Subject.CREATED.name: "How long ago the customer was entered. Since 0.1.",
        Subject.STAGE.name: "How long its furthest open opportunity has made no progress. Since 0.1.",
    },
)


@strawberry.input(description="A condition on which customers go back to the pool (P21). Since 0.1.")
class RecycleConditionInput:
    """True once more than `days` have passed."""

    subject: Enum = strawberry.field(description="What it is about.", graphql_type=RecycleConditionSubject)
    days: int = strawberry.field(description="Days, 1 to 3650.")
    stages: list[str] = strawberry.field(
        description="Of a condition about a stage: the keys of 1 to 20 stages, in one of which it stands.",
        default_factory=list,
    )

    def item(self) -> RecycleCondition:
        """As the settings have it."""
        return RecycleCondition(Subject[self.subject.name], self.days, tuple(self.stages))


@strawberry.input(description="The holding limit of one person. Since 0.1.")
class PersonLimitInput:
    """In the place of the pool's."""

    employee: strawberry.ID = strawberry.field(description="The person (emp_…).")
    limit: int = strawberry.field(description="Customers, 0 to 10000.")

    def item(self) -> PersonLimit:
        """As the settings have it."""
        return PersonLimit(placed_id(self.employee, prefix="emp", field=("holdingLimitsOfPeople",)), self.limit)


@strawberry.input(description="The holding limits of a department. Since 0.1.")
class DepartmentLimitInput:
    """One of the two, or both."""

    department: strawberry.ID = strawberry.field(description="The department (dep_…).")
    each: int | None = strawberry.field(
        description="Customers that each of its people may hold, 0 to 10000, in the place of the pool's limit.",
        default=None,
    )
    together: int | None = strawberry.field(
        description="Customers that its people and those of departments below may hold together, 0 to 10000.",
        default=None,
    )

    def item(self) -> DepartmentLimit:
        """As the settings have it."""
        department_id = placed_id(self.department, prefix="dep", field=("holdingLimitsOfDepartments",))
        return DepartmentLimit(department_id, self.each, self.together)


@strawberry.input(description="An ordered rule of allocation. Since 0.1.")
class PoolAllocationRuleInput:
    """No values of any kind: for all other customers; such a rule stands at the end."""

    title: str = strawberry.field(description="Its name, 1 to 50 characters, as explanations tell it.")
    territories: list[str] = strawberry.field(
        description="Beginnings of district codes (GB/T 2260).", default_factory=list
    )
    industries: list[str] = strawberry.field(description="Industries.", default_factory=list)
    sources: list[str] = strawberry.field(description="Sources.", default_factory=list)
    levels: list[str] = strawberry.field(description="Levels.", default_factory=list)
    languages: list[str] = strawberry.field(description="Languages.", default_factory=list)
    skills: list[str] = strawberry.field(description="Skills that are needed.", default_factory=list)
    products: list[str] = strawberry.field(description="Products that are wanted.", default_factory=list)
    people: list[strawberry.ID] = strawberry.field(
        description="Who gets such customers (emp_…); everybody on the roster when empty.", default_factory=list
    )
    method: Enum = enum_of(
        ALLOCATION_METHOD, description="How they are dealt: FLEXIBLE, LOAD_ABSOLUTE, LOAD_RELATIVE or LEVEL."
    )

    def item(self) -> PoolAllocationRule:
        """As the settings have it."""
        people = tuple(placed_id(each, prefix="emp", field=("allocationRules", "people")) for each in self.people)
        method = stored_text(ALLOCATION_METHOD, self.method)
        return PoolAllocationRule(
            self.title.strip(),
            tuple(self.territories),
            tuple(self.industries),
            tuple(self.sources),
            tuple(self.levels),
            people,
            method,
            tuple(self.languages),
            tuple(self.skills),
            tuple(self.products),
        )


@strawberry.input(description="When people are there to be given customers by a method (P46). Since 0.1.")
class WorkingHoursInput:
    """Of everybody where it names neither departments nor people; else in the place of that for them."""

    days: list[int] = strawberry.field(description="Days of the week, 1 (Monday) to 7 (Sunday), at least one.")
    opens_at: str = strawberry.field(description="From this time of day on, in the company's time zone: 09:00.")
    closes_at: str = strawberry.field(
        description="Until just before this one, later on the same day; 24:00 is its end. Past midnight: two entries."
    )
    departments: list[strawberry.ID] = strawberry.field(
        description="Of these departments (dep_…) and those below.", default_factory=list
    )
    people: list[strawberry.ID] = strawberry.field(description="Of these people (emp_…).", default_factory=list)

    def item(self) -> WorkingHours:
        """As the settings have it."""
        place = ("workingHours",)
        return WorkingHours(
            tuple(sorted(set(self.days))),
            self.opens_at,
            self.closes_at,
            tuple(placed_id(each, prefix="dep", field=(*place, "departments")) for each in self.departments),
            tuple(placed_id(each, prefix="emp", field=(*place, "people")) for each in self.people),
        )


_ITEMS: Mapping[type, type] = {
    WorkingHours: WorkingHoursInput,
    PoolAllocationRule: PoolAllocationRuleInput,
    FollowUpKind: EffectiveKindInput,
    LevelDays: LevelDaysInput,
    RecycleCondition: RecycleConditionInput,
    PersonLimit: PersonLimitInput,
    DepartmentLimit: DepartmentLimitInput,
}
"""What stands in a list of the settings → what stands in the input's, with a method `item`."""


def takes_options(cls: type[T]) -> type[T]:
    """Give a class that becomes an input a field for each option; absent, the option stays as it is.

    Null says the same, but where null is a value of its own: there it switches the option off.
    """
    for each in OPTIONS.values():
        cls.__annotations__[each.name], default = _field(each)
        setattr(cls, each.name, default)
    return cls


def _field(each: Option) -> tuple[Any, Any]:
    """Type and default of an option's field."""
    if each.kind is OptionKind.CHOICE:
        return Enum | None, optional_enum_of(each.choices, description=_description(each))
    absent = strawberry.UNSET if each.may_be_off else None
    return _types(each), strawberry.field(description=_description(each), default=absent)


def _types(each: Option) -> Any:
    if each.kind is OptionKind.ITEMS:
        assert each.item is not None, "a list of items has their class"
        return Optional[GenericAlias(list, (_ITEMS[each.item],))]  # noqa: UP045
    return _TYPES[each.kind]


_TYPES: Mapping[OptionKind, Any] = {
    OptionKind.NUMBER: int | None,
    OptionKind.SWITCH: bool | None,
    OptionKind.TIME: str | None,
    OptionKind.REFERENCE: strawberry.ID | None,
    OptionKind.REFERENCES: list[strawberry.ID] | None,
    OptionKind.NUMBERS: list[int] | None,
    OptionKind.WORDS: list[str] | None,
}


def _description(each: Option) -> str:
    told = each.declared
    limits = []
    if told.length is not None:
        limits.append(f"at most {told.length}")
    if told.least is not None:
        limits.append(f"{told.least} to {told.most}")
    if told.longest is not None:
        limits.append(f"1 to {told.longest} characters each")
    return f"{told.doc} {', '.join(limits).capitalize()}." if limits else told.doc


def options_in(given: Any) -> dict[str, Any]:
    """The options that an input of `takes_options` changes, by their names in the settings."""
    wanted = {}
    for name, each in OPTIONS.items():
        value = getattr(given, name)
        if value is strawberry.UNSET or (value is None and not each.may_be_off):
            continue
        wanted[name] = None if value is None else _READERS.get(each.kind, _as_given)(each, value)
    return wanted


def _as_given(_: Option, value: Any) -> Any:
    return value


def _ids(each: Option, value: Any) -> Any:
    prefix = each.declared.reference
    assert prefix is not None, "a list of ids says of what"
    return tuple(placed_id(one, prefix=prefix, field=(each.api_name, str(at))) for at, one in enumerate(value))


def _id(each: Option, value: Any) -> Any:
    prefix = each.declared.reference
    assert prefix is not None, "an id says of what"
    return placed_id(value, prefix=prefix, field=(each.api_name,))


_READERS: Mapping[OptionKind, Callable[[Option, Any], Any]] = {
    OptionKind.CHOICE: lambda each, value: stored_text(each.choices, value),
    OptionKind.REFERENCE: _id,
    OptionKind.REFERENCES: _ids,
    OptionKind.ITEMS: lambda _, value: tuple(one.item() for one in value),
    OptionKind.NUMBERS: lambda _, value: tuple(value),
    OptionKind.WORDS: lambda _, value: tuple(value),
}


@strawberry.type(description="An option of pools, as a page of settings shows it. Since 0.1.")
class CustomerPoolOption:
    """What it is, not what it is set to."""

    number: str = strawberry.field(description="Its number in the rule book, e.g. P05. Since 0.1.")
    name: str = strawberry.field(description="Its name in CustomerPool and CustomerPoolUpdateInput. Since 0.1.")
    meaning: str = strawberry.field(description="What it means, in the caller's language. Since 0.1.")
    product_value: str = strawberry.field(description="What a new pool begins with, as JSON. Since 0.1.")
    may_be_off: bool = strawberry.field(description="Whether null is a value of its own: off. Since 0.1.")
    least: int | None = strawberry.field(description="The least number, or of each. Since 0.1.", default=None)
    most: int | None = strawberry.field(
        description="The greatest number, or of each in a list. Since 0.1.", default=None
    )
    length: int | None = strawberry.field(description="How many a list has at most. Since 0.1.", default=None)
    choices: list[str] = strawberry.field(description="The values of a choice, at most 20; else none. Since 0.1.")


@query(signed_in=True, description="The options of pools in the order of the rule book, at most 200")
async def customer_pool_options(info: Info) -> list[CustomerPoolOption]:
    return [_shown(info, each) for each in sorted(OPTIONS.values(), key=lambda one: one.declared.number)]


def _shown(info: Info, each: Option) -> CustomerPoolOption:
    told = each.declared
    return CustomerPoolOption(
        number=told.number,
        name=each.api_name,
        meaning=info.room(Catalogue).text(info.locale, f"customers.option.{each.name}"),
        product_value=each.default_text,
        may_be_off=each.may_be_off,
        least=told.least,
        most=told.most,
        length=told.length,
        choices=[] if told.choices is None else sorted(told.choices.values),
    )
