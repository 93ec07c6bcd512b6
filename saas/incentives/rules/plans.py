"""What an incentive plan (激励方案) says: terms that hold for all its time, and dated versions with rules.

Measure, anchor, release and tier window are terms of the plan, not of a version: a deal that was signed under one of
them and collected under another would be paid twice or not at all. To change a term is to begin another plan.
Everything else changes by a new version, which the anchor's day picks. `plan_checks` refuses what contradicts itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

from saas.incentives.rules.tiers import Flat, Shape, Tiers
from saas.kernel import Period, minor_digits


class Cycle(Enum):
    """How long a period of the plan is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    def period_of(self, day: date) -> Period:
        """The calendar period in which `day` lies."""
        if self is Cycle.YEAR:
            return Period.of_year(day.year)
        return Period.of_quarter(day) if self is Cycle.QUARTER else Period.of_month(f"{day:%Y-%m}")


class Measure(Enum):
    """What is paid for."""

    SIGNED = "signed"
    COLLECTED = "collected"


class Moment(Enum):
    """When something is settled: at signing, or at collection."""

    SIGNING = "signing"
    COLLECTION = "collection"


class Release(Enum):
    """When a commission becomes payable."""

    AT_SIGNING = "at_signing"
    AT_COLLECTION = "at_collection"
    """Each receipt releases its part, pro rata; the one that completes the contract takes the remainder."""
    BY_STAGE = "by_stage"
    """Each stage releases its share; the last of the list takes the remainder."""


class Window(Enum):
    """Over what a tier's base adds up: one order, the person's period, the person's year to date."""

    ORDER = "order"
    PERIOD = "period"
    YEAR = "year"


class Award(Enum):
    """Commission (提成): every credited event needs a rule. Bonus (奖金): on top, where a rule fits."""

    COMMISSION = "commission"
    BONUS = "bonus"


class CustomerKind(Enum):
    """New: in the days from the customer's first order that the version names. Old: after them."""

    NEW = "new"
    OLD = "old"


class Clawback(Enum):
    """How much of a paid commission a refund takes back (3.4)."""

    RECOMPUTE = "recompute"
    AVERAGE_RATE = "average_rate"
    ORIGINAL_LINE = "original_line"


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule asks of a deal; None asks nothing. The order of the members is the order of the axes.

    The amount is the order's, as the plan measures it (with or without VAT), in ``[amount_from, amount_to)``.
    """

    person: str | None = None
    customer: str | None = None
    level: str | None = None
    kind: CustomerKind | None = None
    variant: str | None = None
    product: str | None = None
    category: str | None = None
    channel: str | None = None
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """For which deals, how much. `during` narrows the version's own days; None is all of them."""

    code: str
    title: str
    shape: Shape
    match: Match = field(default_factory=Match)
    award: Award = Award.COMMISSION
    during: Period | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a contract and the share of the commission that it releases."""

    name: str
    share: Decimal


class LimitKind(Enum):
    """Cap (封顶): what is above is forfeited and shown. Guarantee (保底): what is missing is added."""

    CAP = "cap"
    GUARANTEE = "guarantee"


class Scope(Enum):
    """What a limit bounds: a person's lines of one order, or of one period."""

    ORDER = "order"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap or a guarantee, in the plan's currency; limits apply in the order in which the version lists them."""

    kind: LimitKind
    amount: Decimal
    scope: Scope = Scope.PERIOD


@dataclass(frozen=True, slots=True)
class Grade:
    """Through this whole day since the event, inclusive, a refund takes back this share."""

    through_days: int
    share: Decimal


@dataclass(frozen=True, slots=True)
class Override:
    """What a manager gets on the team's credited amount (管理提成); with own deals only if it says so."""

    shape: Flat | Tiers
    own_deals: bool = False


@dataclass(frozen=True, slots=True)
class Participant:
    """Who is in the plan, and when."""

    person: str
    during: Period


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """The rules of a plan in `effective`, half-open.

    `new_customer_days`: an event in ``[first order, first order + days)`` is a new customer's. `grades` with
    `grade_after` behind them say which share of a clawback is taken; without grades all of it. Without participants
    the plan is everybody's.
    """

    number: int
    effective: Period
    rules: tuple[Rule, ...]
    stages: tuple[Stage, ...] = ()
    new_customer_days: int | None = None
    commission_free: tuple[str, ...] = ()
    clawback: Clawback = Clawback.RECOMPUTE
    grades: tuple[Grade, ...] = ()
    grade_after: Decimal = Decimal(0)
    limits: tuple[Limit, ...] = ()
    override: Override | None = None
    participants: tuple[Participant, ...] = ()

    def clawed_share(self, days: int) -> Decimal:
        """The share of a clawback that is taken so many whole days after the event."""
        if not self.grades:
            return Decimal(1)
        return next((grade.share for grade in self.grades if days <= grade.through_days), self.grade_after)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its terms and all its versions, in order. Defaults are what a new plan proposes."""

    code: str
    title: str
    versions: tuple[PlanVersion, ...]
    currency: str = "CNY"
    cycle: Cycle = Cycle.MONTH
    measure: Measure = Measure.COLLECTED
    with_vat: bool = False
    vat_rate_at: Moment = Moment.SIGNING
    anchor: Moment = Moment.COLLECTION
    release: Release = Release.AT_COLLECTION
    window: Window = Window.PERIOD

    @property
    def digits(self) -> int:
        """Digits behind the point of the plan's amounts."""
        return minor_digits(self.currency)

    def version_on(self, day: date) -> PlanVersion | None:
        """The version in force on a day; one that begins on it is."""
        return next((version for version in self.versions if day in version.effective), None)

    def version_of(self, period: Period) -> PlanVersion | None:
        """The version whose limits bound a period: the last that is in force in it."""
        return next((v for v in reversed(self.versions) if v.effective.overlap(period) is not None), None)
