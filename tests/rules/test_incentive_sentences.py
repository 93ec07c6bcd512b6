"""What lines and refusals say, in both languages: complete, with their values, readable by who is paid."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import saas.incentives
from saas.incentives import (
    TOPICS,
    Accrual,
    Award,
    Clawback,
    CustomerKind,
    Facts,
    Flat,
    Grade,
    Limit,
    LimitKind,
    Match,
    Override,
    Participant,
    PerUnit,
    Release,
    Scope,
    Stage,
    StageReached,
    TeamSpell,
    accrue,
    adjustments,
    errors,
    settle,
)
from saas.incentives.jobs import CALCULATE
from saas.kernel import LOCALES, AppError, Catalogue, Period
from tests.incentive_samples import (
    APRIL,
    LADDER,
    MARCH,
    SINCE_2026,
    d,
    day,
    deal,
    noon,
    plan,
    receipt,
    refund,
    rule,
    signed_plan,
    version,
)

CATALOGUE = Catalogue.of(["saas.incentives"])
FOLDER = Path(saas.incentives.__file__).parent
_KEY = re.compile(r"incentives\.[a-z_]+")
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, AppError)}


def keys_in_code() -> set[str]:
    """Every key that stands in the room; the topics of its events are none, nor the name of their handler."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.rglob("*.py")]
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and _KEY.fullmatch(text)} - {*TOPICS, CALCULATE}


def error_keys() -> set[str]:
    """Every key that is the first argument of an error, or of two a condition chooses between."""
    found = {"incentives.rows_unordered", "incentives.rows_overlap", "incentives.rows_apart"}
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}  # type: ignore[misc]
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_the_files_hold_what_the_code_says_and_nothing_else(locale: str) -> None:
    keys = CATALOGUE.keys(locale)
    assert {key for key in keys if not key.endswith(".hint")} == keys_in_code()
    assert {key.removesuffix(".hint") for key in keys if key.endswith(".hint")} == error_keys()


def test_both_languages_name_the_same_values() -> None:
    def values(locale: str, key: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(CATALOGUE.text(locale, key)) if name}

    for key in CATALOGUE.keys("en"):
        if not key.endswith(".hint"):
            assert values("en", key) == values("zh-CN", key), key
        assert CATALOGUE.text("en", key) != CATALOGUE.text("zh-CN", key)


def told(line: Accrual, locale: str) -> list[str]:
    """A line's explanation as it is read, deeper nodes further in."""
    return [
        f"{'  ' * depth}{sentence}" + (f" [{amount}]" if amount is not None else "")
        for depth, sentence, amount in line.explanation.lines(CATALOGUE, locale)
    ]


FACTS = Facts(
    deals=(deal("D1", "169500", credited="mei 0.6, bo 0.4", product="crm"),),
    receipts=(receipt("R1", "D1", "113000", "03-10"), receipt("R2", "D1", "56500", "03-20")),
)
SCALES = (rule(LADDER, "ladder"), rule(Flat(d("0.2")), "gift", match=Match(product="gift")))


def test_a_line_of_tiers_is_read_from_the_order_to_the_fen() -> None:
    terms = plan(version(*SCALES), with_vat=False)
    line = accrue(FACTS, terms, period=MARCH)[-1]
    assert (line.person, line.event) == ("mei", "R2")
    assert told(line, "en") == [
        "Commission of mei on the order D1: R2 of 2026-03-20 [900.00]",
        "  mei is credited with 60 % of it: 30000.00",
        "  Without VAT: 56500.00 ÷ (1 + 0.13) = 50000.00 [50000.00]",
        "  Plan “销售提成”, version 1 (from 2026-01-01), rule “rule ladder”",
        "    Not “rule gift”: it asks for product gift, and this is crm",
        "  Running total before it: 60000.00 earns 1800.00 [1800.00]",
        "    60000.00 at 3 % [1800.00]",
        "  Running total with it: 90000.00 earns 2700.00 [2700.00]",
        "    90000.00 at 3 % [2700.00]",
        "  The line is the difference: 2700.00 − 1800.00 [900.00]",
        "  900.00 as the difference of the two totals, each rounded half up to 2 digits: 900.00 [900.00]",
    ]
    assert told(line, "zh-CN")[:5] == [
        "mei 订单 D1 的提成：2026-03-20 的 R2 [900.00]",
        "  业绩归属 mei 60 %：30000.00",
        "  不含税：56500.00 ÷ (1 + 0.13) = 50000.00 [50000.00]",
        "  方案“销售提成”版本 1（自 2026-01-01 起），规则“rule ladder”",
        "    未采用“rule gift”：要求产品为 gift，实为 crm",
    ]


def test_a_divided_line_shows_the_total_and_all_its_parts() -> None:
    facts = Facts(
        deals=(deal("D1", "3333.33", credited="li 1, bo 1, mei 1"),), receipts=(receipt("R1", "D1", "3333.33"),)
    )
    line = next(line for line in accrue(facts, plan(), period=MARCH) if line.person == "bo")
    assert told(line, "en")[-3:] == [
        "  Base 3333.33 × 3 % = 99.9999 [99.9999]",
        "  99.9999 rounded half up to 2 digits: 100.00 [100.00]",
        "  100.00 divided by the shares 1 : 1 : 1, largest remainder: 33.34, 33.33, 33.33 [33.33]",
    ]


def test_the_rules_that_lost_say_why() -> None:
    rules = (
        rule(code="all"),
        rule(code="may", match=Match(level="A"), during=Period(day("05-01"))),
        rule(code="big", match=Match(amount_from=d("500000"))),
        rule(code="crm", match=Match(product="crm")),
    )
    line = accrue(FACTS, plan(version(*rules)), period=MARCH)[0]
    assert [text.strip() for text in told(line, "en") if "Not" in text] == [
        "Not “rule all”: “rule crm” is more specific on product",
        "Not “rule may”: it is not valid on 2026-03-10",
        "Not “rule big”: it asks for amount [500000, ∞), and this is 169500.00",
    ]


def every_kind_of_line() -> list[Accrual]:
    """Lines of all causes, streams, awards, releases and clawbacks."""
    stages = (Stage("sign", d("0.5")), Stage("accept", d("0.5")))
    reached = (StageReached("S1", "D1", noon(day("03-05")), day("03-05"), "sign"),)
    kinds = (rule(LADDER), rule(Flat(d("0.01")), "b", award=Award.BONUS, match=Match(kind=CustomerKind.NEW)))
    limits = (
        Limit(LimitKind.CAP, d("100"), Scope.ORDER),
        Limit(LimitKind.CAP, d("90")),
        Limit(LimitKind.GUARANTEE, d("50")),
    )
    people = tuple(Participant(person, SINCE_2026) for person in ("mei", "bo", "li", "chen"))
    full = version(*kinds, new_customer_days=99, override=Override(LADDER), limits=limits, participants=people)
    facts = Facts(
        FACTS.deals,
        FACTS.receipts,
        (refund("B1", "D1", "60000", "04-01"),),
        teams=(TeamSpell("chen", "mei", SINCE_2026),),
    )
    unit = rule(PerUnit(d("3")))
    plans = [
        (plan(full), facts),
        *(
            (plan(version(clawback=method, grades=(Grade(5, d("0.5")),), grade_after=d("0.3"))), facts)
            for method in Clawback
        ),
        (signed_plan(full, release=Release.AT_COLLECTION), facts),
        (signed_plan(version(stages=stages), release=Release.BY_STAGE), Facts(FACTS.deals, stages=reached)),
        (signed_plan(version(unit)), Facts((deal("D9", "10", units=d("3")),))),
        (
            signed_plan(version(rule(LADDER)), release=Release.AT_COLLECTION),
            Facts((deal("D1", "200000"),), (receipt("R1", "D1", "9000"),), (refund("B1", "D1", "9000", "04-02"),)),
        ),
    ]
    lines = [line for terms, given in plans for month in (MARCH, APRIL) for line in accrue(given, terms, period=month)]
    return [*lines, *adjustments([], lines[:1], on=day("05-01"), at=noon(day("05-01")))]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_sentence_of_every_kind_of_line_has_its_values(locale: str) -> None:
    lines = every_kind_of_line()
    assert len({line.cause for line in lines}) == 6
    texts = [text for line in lines for text in told(line, locale)]
    texts += [
        settled.explanation.sentence(CATALOGUE, locale)
        for settled in settle(lines[:3], currency="CNY", cut_off=day("12-31"))
    ]
    assert [text for text in texts if "{" in text or "incentives." in text] == []
