"""What a fairness report says, reckoned by hand, and what must not matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import sqrt
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.analytics.fairness import (
    AuditedPeriod,
    AuditedPick,
    Design,
    Figure,
    Measure,
    Wheel,
    audit,
    gini,
    is_newcomer,
    jain,
    redraw,
    seed_of,
)
from tests.rules.fairness_samples import PEOPLE, dealt, equal_wheel, fair, pool

ONE, TWO = PEOPLE[:2]
TENTHS = st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(any)


def equal(count: int) -> list[float]:
    return [1 / count] * count


@pytest.mark.parametrize(
    ("got", "unevenness", "index"),
    [
        ([1, 1, 1, 1], 0, 1),
        ([0, 0, 0, 4], 3 / 4, 1 / 4),
        ([0, 2], 1 / 2, 1 / 2),
        ([0.5, 1, 1.5], 2 / 9, 6 / 7),  # the pairs differ by 1/2, 1/2 and 1: 4 / (2 x 3 x 3); 9 / (3 x 3.5)
    ],
)
def test_gini_and_jain_of_equal_people_are_the_known_indices(got: list[float], unevenness: float, index: float) -> None:
    assert gini(got, equal(len(got))) == pytest.approx(unevenness)
    assert jain(got, equal(len(got))) == pytest.approx(index)


def test_who_is_expected_to_get_more_is_no_unevenness() -> None:
    assert gini([1, 1], [0.8, 0.2]) == pytest.approx(0)
    assert jain([1, 1], [0.8, 0.2]) == pytest.approx(1)
    # all to the one of whom a fifth was expected: the Lorenz curve runs along the floor for four fifths
    assert gini([0, 5], [0.8, 0.2]) == pytest.approx(0.8)
    assert jain([0, 5], [0.8, 0.2]) == pytest.approx(0.2)


@given(got=TENTHS, factor=st.integers(1, 10**6))
def test_gini_is_that_of_all_pairs_and_neither_scale_nor_order_matters(got: list[int], factor: int) -> None:
    count, whole = len(got), sum(got)
    ratios = [each * count / whole for each in got]
    pairs = Fraction(sum(abs(one - other) for one in got for other in got), 2 * count * whole)
    assert gini(ratios, equal(count)) == pytest.approx(float(pairs), abs=1e-9)
    squares = Fraction(whole * whole, count * sum(each * each for each in got))
    assert jain(ratios, equal(count)) == pytest.approx(float(squares))
    scaled = [each * factor * count / (whole * factor) for each in reversed(got)]
    assert gini(scaled, equal(count)) == pytest.approx(gini(ratios, equal(count)), abs=1e-9)


def small() -> AuditedPeriod:
    """Three customers for two people, of whom the second has three times the weight."""
    wheel = Wheel((ONE, TWO), (1, 3), frozenset({ONE}))
    facts = ((ONE, 100, 9, True), (TWO, 300, 2, False), (ONE, 600, 4, False))
    return AuditedPeriod(tuple(AuditedPick(wheel, *each) for each in facts))


def share(low: float, high: float, observed: float, expected: float) -> Figure:
    return Figure(_digits(observed), _digits(expected), _digits(low), _digits(high), p_adjusted=None)


def _digits(value: float) -> Decimal:
    return Decimal(f"{value:.6f}")


def test_shares_bands_and_waiting_of_a_small_case() -> None:
    report = audit(small(), seed=1)
    one, two = report.people
    assert (one.person, two.person, report.picks, report.redraws) == (ONE, TWO, 3, 2000)
    # of ONE: none with 27/64, one with 27/64, two with 9/64, all with 1/64: 2.5 % are cut off at two of three
    assert one.shares[Measure.PICKS] == share(0, 2 / 3, observed=2 / 3, expected=1 / 4)
    assert two.shares[Measure.PICKS] == share(1 / 3, 1, observed=1 / 3, expected=3 / 4)
    assert one.shares[Measure.VALUE].observed == Decimal("0.7")
    assert one.shares[Measure.VALUE].expected == Decimal("0.25")
    assert one.shares[Measure.WAITING] == share(0, 1, observed=1, expected=1 / 4)  # one of three waited longer than 4
    assert (one.median_waited_days, two.median_waited_days, report.median_waited_days) == (4, 2, 4)
    assert report.newcomers is not None
    assert report.newcomers.people == {ONE}
    assert report.newcomers.shares == one.shares
    assert report.alarms == ()
    assert report.indices is not None
    # value 700 of 250 expected and 300 of 750: ratios 14/5 and 2/5 with parts 1/4 and 3/4
    assert report.indices["gini"].observed == Decimal("0.45")
    assert report.indices["jain"].observed == Decimal("0.480769")  # 1 / (1/4 x 196/25 + 3/4 x 4/25) = 25/52


def outcomes(period: AuditedPeriod) -> list[tuple[float, int, int]]:
    """Every way the picks may fall, by its chance, with how many and how much the first person gets."""
    found = []
    for winners in product((ONE, TWO), repeat=len(period.picks)):
        chance = 1.0
        count = value = 0
        for pick, winner in zip(period.picks, winners, strict=True):
            chance *= dict(zip(pick.wheel.people, pick.wheel.weights, strict=True))[winner] / sum(pick.wheel.weights)
            count += winner == ONE
            value += pick.value if winner == ONE else 0
        found.append((chance, count, value))
    return found


def quantile(outcomes: list[tuple[float, int]], part: float) -> int:
    """The first value by which at least that part of the chance is reached."""
    reached = 0.0
    for chance, value in sorted(outcomes, key=lambda each: each[1]):
        reached += chance
        if reached >= part:
            return value
    raise AssertionError("chances add up to 1")


def test_expectation_and_band_are_those_of_all_outcomes() -> None:
    period = small()
    design = Design(period)
    null = redraw(design, seed=7)
    all_of_them = outcomes(period)
    assert sum(chance for chance, _, _ in all_of_them) == pytest.approx(1)
    for measure, at in ((Measure.PICKS, 1), (Measure.VALUE, 2)):
        values = [(each[0], int(each[at])) for each in all_of_them]
        mean = sum(chance * value for chance, value in values)
        variance = sum(chance * (value - mean) ** 2 for chance, value in values)
        spread = null.spreads[0][list(Measure).index(measure)]
        assert spread.expected == pytest.approx(mean)
        assert spread.deviation == pytest.approx(sqrt(variance))
        assert (spread.low, spread.high) == (quantile(values, 0.025), quantile(values, 0.975))


def test_group_that_shares_a_wheel_varies_as_one() -> None:
    """Together on one wheel two people exclude each other: their variances don't simply add up."""
    wheel = Wheel(PEOPLE[:3], (1, 1, 2))
    picks = tuple(AuditedPick(wheel, PEOPLE[2], 10, 1) for _ in range(8))
    design = Design(AuditedPeriod(picks, {"both": frozenset(PEOPLE[:2])}))
    (of_group,) = [
        each for subject, each in zip(design.subjects, design.expectations, strict=True) if subject.group == "both"
    ]
    assert (of_group[0].expected, of_group[0].variance, of_group[0].effective) == (4, 2, 4)
    assert design.expectations[0][0].variance == pytest.approx(8 * 3 / 16)


def test_win_rate_looks_at_the_customers_not_at_who_won_them() -> None:
    """Cheap customers are won half the time, dear ones never: whoever gets the cheap ones has the better chances."""
    wheel = equal_wheel((ONE, TWO), frozenset())
    cheap = [AuditedPick(wheel, ONE, 100, 1, is_won=number % 2 == 0) for number in range(6)]
    dear = [AuditedPick(wheel, TWO, 900, 1) for _ in range(6)]
    report = audit(AuditedPeriod((*cheap, *dear)), seed=1)
    # cuts at 100, 900, 900: (3 + 1) / (6 + 2) against (0 + 1) / (6 + 2)
    assert report.people[0].shares[Measure.WIN_RATE].observed == Decimal("0.8")
    assert report.people[0].shares[Measure.WIN_RATE].expected == Decimal("0.5")


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), factor=st.integers(2, 1000))
def test_neither_currency_nor_names_matter(seed: int, factor: int) -> None:
    random = Random(seed)
    period = dealt(pool(random, 60, equal_wheel(PEOPLE[:4])), fair, random)
    report = audit(period, seed=5, times=200)
    dearer = replace(period, picks=tuple(replace(pick, value=pick.value * factor) for pick in period.picks))
    assert audit(dearer, seed=5, times=200).people == report.people
    names = dict(zip(PEOPLE[:4], PEOPLE[6:], strict=True))
    wheel = Wheel(tuple(names[each] for each in PEOPLE[:4]), (1,) * 4, frozenset())
    renamed = tuple(replace(pick, wheel=wheel, employee_id=names[pick.employee_id]) for pick in period.picks)
    told = audit(replace(period, picks=renamed), seed=5, times=200)
    assert [line.shares for line in told.people] == [line.shares for line in report.people]
    assert told.indices == report.indices


def test_same_seed_tells_the_same_and_the_seed_is_of_pool_and_period() -> None:
    random = Random(3)
    period = dealt(pool(random, 100, equal_wheel()), fair, random)
    assert audit(period, seed=11) == audit(period, seed=11)
    days = date(2026, 1, 1), date(2026, 3, 31)
    assert seed_of(UUID(int=1), *days) == 11313382835141047079
    assert len({seed_of(UUID(int=1), *days), seed_of(UUID(int=2), *days), seed_of(UUID(int=1), days[0], days[0])}) == 3


def test_person_who_stops_being_a_newcomer_keeps_one_line() -> None:
    wheels = equal_wheel((ONE, TWO), frozenset({ONE})), equal_wheel((ONE, TWO), frozenset())
    period = AuditedPeriod(tuple(AuditedPick(wheel, ONE, 5, 1) for wheel in wheels for _ in range(4)))
    report = audit(period, seed=1)
    assert [line.shares[Measure.PICKS].observed for line in report.people] == [Decimal(1), Decimal(0)]
    assert report.newcomers is not None
    newcomers = report.newcomers.shares[Measure.PICKS]
    assert (newcomers.observed, newcomers.expected) == (Decimal("0.5"), Decimal("0.25"))


def test_nothing_dealt_is_a_report_that_says_so() -> None:
    report = audit(AuditedPeriod(()), seed=1)
    assert (report.picks, report.people, report.alarms, report.indices) == (0, (), (), None)


def test_what_one_person_alone_could_have_is_no_finding() -> None:
    period = AuditedPeriod(tuple(AuditedPick(Wheel((ONE,), (4,)), ONE, 7, 0) for _ in range(50)))
    report = audit(period, seed=1)
    (line,) = report.people
    assert line.shares[Measure.PICKS] == share(1, 1, observed=1, expected=1)
    assert set(line.shares) == {Measure.PICKS, Measure.VALUE, Measure.WIN_RATE}  # nobody waited longer than half
    assert (report.indices, report.alarms, report.newcomers) == ({}, (), None)


def test_customer_who_went_to_somebody_else_is_refused() -> None:
    with pytest.raises(ValueError, match="without being on its wheel"):
        audit(AuditedPeriod((AuditedPick(Wheel((ONE,), (1,)), TWO, 7, 0),)), seed=1)


@pytest.mark.parametrize(("people", "weights"), [((), ()), ((ONE,), (0,)), ((ONE, ONE), (1, 1)), ((ONE,), (1, 2))])
def test_wheel_that_cannot_turn_is_refused(people: tuple[UUID, ...], weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="wheel"):
        Wheel(people, weights)


def test_newcomer_for_so_many_days() -> None:
    hired = date(2026, 1, 1)
    assert is_newcomer(hired, day=date(2026, 3, 31), days=90)
    assert not is_newcomer(hired, day=date(2026, 4, 1), days=90)
    assert not is_newcomer(None, day=hired, days=90)
