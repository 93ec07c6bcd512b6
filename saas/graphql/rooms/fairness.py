"""The fairness report of a pool: shares against what chance gives, and the one alarm (docs/fairness.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

import strawberry

from saas.analytics import NEWCOMER_DAYS, Alarm, FairnessWish, Figure, Line, Measure, ShownReport, report_fairness
from saas.graphql.fields import Info, query
from saas.graphql.payloads import Ref, mapped
from saas.graphql.render import PageInfo
from saas.graphql.render_inputs import described_enum
from saas.graphql.rooms.plain_pages import After, First, Page, page_of
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput, Catalogue, Explanation, rounded

ALARMS_MAX = 100
GROUPS_MAX, GROUP_PEOPLE_MAX, GROUP_NAME_MAX = 10, 500, 40
DAYS_MAX = 1_000

FairnessMeasure = described_enum(
    "FairnessMeasure",
    "Of what a share is told. Since 0.1.",
    {
        "PICKS": "Customers that were given; records of one company are one. Since 0.1.",
        "VALUE": "What their open opportunities let expect on that day. Since 0.1.",
        "WIN_RATE": "How often customers of such a value were won, whoever had them. Since 0.1.",
        "WAITING": "Customers that had waited longer in the pool than half of all. Since 0.1.",
        "GINI": "Of an alarm: the Gini index of value. Since 0.1.",
        "JAIN": "Of an alarm: Jain's index of value. Since 0.1.",
    },
)
_SENTENCES: Mapping[str, Explanation] = MappingProxyType(
    {
        "picks": Explanation("analytics.fairness_picks"),
        "value": Explanation("analytics.fairness_value"),
        "win_rate": Explanation("analytics.fairness_win_rate"),
        "waiting": Explanation("analytics.fairness_waiting"),
        "gini": Explanation("analytics.fairness_gini"),
        "jain": Explanation("analytics.fairness_jain"),
    }
)


@strawberry.type(description="A figure beside what chance makes of it. Since 0.1.")
class FairnessFigure:
    """Shares are fractions of all there was; six digits."""

    observed: Decimal = strawberry.field(description="What was. Since 0.1.")
    expected: Decimal = strawberry.field(description="What the published weights let expect. Since 0.1.")
    low: Decimal = strawberry.field(description="97.5 % of redraws are not below this. Since 0.1.")
    high: Decimal = strawberry.field(description="97.5 % of redraws are not above this. Since 0.1.")
    p_adjusted: Decimal | None = strawberry.field(
        description="The chance that any figure of the report deviates as far; null where there was too little to "
        "judge it by itself. Since 0.1."
    )
    is_alarm: bool = strawberry.field(description="Whether that is at most 0.05: more than chance. Since 0.1.")


@strawberry.type(description="The shares of a person or a group. Since 0.1.")
class FairnessLine:
    """A share is null where there was nothing to be shared."""

    employee: Ref | None = mapped("Employee", description="The person; null of a group. Since 0.1.")
    group: str | None = strawberry.field(description="The group's name; null of a person, and of newcomers. Since 0.1.")
    people: int = strawberry.field(description="How many people it is of. Since 0.1.")
    picks: FairnessFigure | None = strawberry.field(description="Part of the customers. Since 0.1.")
    value: FairnessFigure | None = strawberry.field(description="Part of the expected value. Since 0.1.")
    win_rate: FairnessFigure | None = strawberry.field(
        description="Part of the chances to win: each customer counts as often as such ones were won. Since 0.1."
    )
    waiting: FairnessFigure | None = strawberry.field(
        description="Part of the customers that had waited longer than half of all. Since 0.1."
    )
    median_waited_days: int | None = strawberry.field(
        description="Median days that their customers had waited in the pool; null where they got none. Since 0.1."
    )


@strawberry.type(description="A figure that is more than chance. Since 0.1.")
class FairnessAlarm:
    """With its sentence in the caller's language."""

    measure: Enum = strawberry.field(description="Of what. Since 0.1.", graphql_type=FairnessMeasure)
    employee: Ref | None = mapped("Employee", description="Whose share, where it is a person's. Since 0.1.")
    group: str | None = strawberry.field(description="Whose share, where it is a declared group's. Since 0.1.")
    is_of_newcomers: bool = strawberry.field(description="Whether it is the newcomers' share. Since 0.1.")
    text: str = strawberry.field(description="The finding in the caller's language. Since 0.1.")
    figure: FairnessFigure = strawberry.field(description="Observed, expected, band and p. Since 0.1.")


@strawberry.type(description="How fairly a pool's allocations of a period were dealt. Since 0.1.")
class FairnessReport:
    """Without a pick there are no lines, no indices and no alarms."""

    picks: int = strawberry.field(description="Customers given by allocations in the period. Since 0.1.")
    redraws: int = strawberry.field(description="How often they were drawn again by the published weights. Since 0.1.")
    people_count: int = strawberry.field(description="How many people could have had any of them. Since 0.1.")
    alarm_count: int = strawberry.field(
        description="How many figures are more than chance, also of lines that the caller may not see. Since 0.1."
    )
    median_waited_days: int | None = strawberry.field(
        description="Median days that the customers had waited in the pool; null without any. Since 0.1."
    )
    gini: FairnessFigure | None = strawberry.field(
        description="Gini of value, relative to what was expected for each: 0 even, 1 all with one. Since 0.1."
    )
    jain: FairnessFigure | None = strawberry.field(
        description="Jain's index of the same: 1 even, towards 0 all with one. Since 0.1."
    )
    newcomers: FairnessLine | None = strawberry.field(
        description="Those hired lately on the day of each pick; the veterans have the rest. Null without any, and for "
        "who may not see each of them where newcomers or veterans are fewer than five. Since 0.1."
    )
    groups: list[FairnessLine] = strawberry.field(description="The declared groups by name, at most 10. Since 0.1.")
    people: list[FairnessLine] = strawberry.field(
        description="The page's people, of those whose picks the caller may see, by id; at most 100. Since 0.1."
    )
    page_info: PageInfo = strawberry.field(description="Where the page of people stands. Since 0.1.")
    alarms: list[FairnessAlarm] = strawberry.field(
        description="What is more than chance, of what the caller may see, the clearest first; at most 100. Since 0.1."
    )


@strawberry.input(description="People to be looked at together (a site, a shift). Since 0.1.")
class FairnessGroupInput:
    """Against everybody else."""

    name: str = strawberry.field(description="1 to 40 characters; each group has a name of its own.")
    people: list[strawberry.ID] = strawberry.field(
        description="Its people (emp_…), 1 to 500; only such whose picks the caller may see."
    )


_Pool = Annotated[strawberry.ID, strawberry.argument(description="The pool (poo_…). Since 0.1.")]
_From = Annotated[date, strawberry.argument(name="from", description="The first day. Since 0.1.")]
_To = Annotated[date, strawberry.argument(description="The last day; at most two years in all. Since 0.1.")]
_Days = Annotated[
    int, strawberry.argument(description="For how many days after hiring a person is a newcomer, 1 to 1000. Since 0.1.")
]
_Groups = Annotated[
    list[FairnessGroupInput] | None, strawberry.argument(description="Groups to look at, at most 10. Since 0.1.")
]


@query(
    requires="fairness:read",
    description="How fairly a pool's allocations of a period were dealt: shares, waiting and concentration against "
    "what chance makes of the published weights, one alarm for all. Each sees the lines of whom they see the picks",
)
async def fairness_report(
    info: Info,
    pool: _Pool,
    from_day: _From,
    to: _To,
    first: First,
    after: After = None,
    newcomer_days: _Days = NEWCOMER_DAYS,
    groups: _Groups = None,
) -> FairnessReport:
    page = page_of("fairnessReport", first=first, after=after)
    if not 1 <= newcomer_days <= DAYS_MAX:
        values = {"given": newcomer_days, "most": DAYS_MAX}
        raise BadUserInput("graphql.number_out_of_range", values, field=("newcomerDays",))
    wish = FairnessWish(
        placed_id(pool, prefix="poo", field=("pool",)), from_day, to, newcomer_days, _groups_of(groups or [])
    )
    return _view(info, await report_fairness(info.actor, info.rights, wish, time_zone=info.time_zone), page)


def _groups_of(given: list[FairnessGroupInput]) -> dict[str, frozenset[UUID]]:
    _bounded(len(given), GROUPS_MAX, "groups")
    found: dict[str, frozenset[UUID]] = {}
    for at, group in enumerate(given):
        place, name = ("groups", str(at)), group.name.strip()
        _bounded(len(group.people), GROUP_PEOPLE_MAX, *place, "people")
        if not 1 <= len(name) <= GROUP_NAME_MAX or name in found:
            values = {"given": len(name), "most": GROUP_NAME_MAX}
            raise BadUserInput("graphql.group_name_refused", values, field=(*place, "name"))
        found[name] = frozenset(placed_id(each, prefix="emp", field=(*place, "people")) for each in group.people)
    return found


def _bounded(given: int, most: int, *field: str) -> None:
    if given > most:
        raise BadUserInput("graphql.list_too_long", {"given": given, "most": most}, field=field)


def _view(info: Info, shown: ShownReport, page: Page) -> FairnessReport:
    report, indices = shown.report, shown.report.indices or {}
    later = [line for line in report.people if page.after_id is None or _person(line) > page.after_id]
    people, page_info = page.cut(later[: page.size + 1], lambda line: _person(line).hex)
    return FairnessReport(
        picks=report.picks,
        redraws=report.redraws,
        people_count=shown.people,
        alarm_count=shown.alarms,
        median_waited_days=report.median_waited_days,
        gini=_figure(indices.get("gini")),
        jain=_figure(indices.get("jain")),
        newcomers=None if report.newcomers is None else _line(report.newcomers),
        groups=[_line(each) for each in report.groups],
        people=[_line(each) for each in people],
        page_info=page_info,
        alarms=[_alarm(each, info.room(Catalogue), info.locale) for each in report.alarms[:ALARMS_MAX]],
    )


def _person(line: Line) -> UUID:
    assert line.person is not None, "it is a person's line"
    return line.person


def _line(line: Line) -> FairnessLine:
    return FairnessLine(
        employee=None if line.person is None else Ref("Employee", line.person),
        group=line.group,
        people=len(line.people),
        picks=_figure(line.shares.get(Measure.PICKS)),
        value=_figure(line.shares.get(Measure.VALUE)),
        win_rate=_figure(line.shares.get(Measure.WIN_RATE)),
        waiting=_figure(line.shares.get(Measure.WAITING)),
        median_waited_days=line.median_waited_days,
    )


def _figure(figure: Figure | None) -> FairnessFigure | None:
    if figure is None:
        return None
    return FairnessFigure(
        observed=figure.observed,
        expected=figure.expected,
        low=figure.low,
        high=figure.high,
        p_adjusted=figure.p_adjusted,
        is_alarm=figure.is_alarm,
    )


def _alarm(alarm: Alarm, catalogue: Catalogue, locale: str) -> FairnessAlarm:
    measure = alarm.index or (alarm.measure.value if alarm.measure is not None else "")
    person = None if alarm.line is None else alarm.line.person
    group = None if alarm.line is None else alarm.line.group
    figure = _figure(alarm.figure)
    assert figure is not None, "an alarm has its figure"
    return FairnessAlarm(
        measure=FairnessMeasure[measure.upper()],
        employee=None if person is None else Ref("Employee", person),
        group=group,
        is_of_newcomers=alarm.line is not None and person is None and group is None,
        text=catalogue.text(locale, _SENTENCES[measure].key, _told(alarm)),
        figure=figure,
    )


def _told(alarm: Alarm) -> dict[str, str]:
    """The sentence's values: shares in percent, indices as they are."""
    figure, factor = alarm.figure, 1 if alarm.line is None else 100
    told = {name: str(rounded(getattr(figure, name) * factor, 2)) for name in ("observed", "expected", "low", "high")}
    return {**told, "p": str(figure.p_adjusted)}
