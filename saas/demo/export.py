"""The same story on real data: a CRM's export (`saas import-crm` reads it too) becomes customers, deals and pay."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

from rich.console import Console

from saas.demo.books import bring
from saas.demo.cast import Company, Person, join, sign_up
from saas.demo.client import Client
from saas.demo.draw import draw
from saas.demo.pay import Books, PayStory
from saas.exchange import RecipeSheet, Source, load_recipe
from saas.main import Installation, importer

RECIPE = "crm_sales_opportunities"
PIPELINE, TEAMS = "sales_pipeline.csv", "sales_teams.csv"
SALARY = "3000"
"""A month's base salary in US dollars: the export says nothing of pay."""


class NotAnExport(Exception):
    """A folder without the files that the recipe needs."""


def last_month_sold_in(folder: Path) -> date:
    """The first day of the last month in which a deal was won.

    :raises NotAnExport: the folder has no such file, or nothing was won.
    """
    try:
        with (folder / PIPELINE).open(encoding="utf-8-sig", newline="") as file:
            days = [row["close_date"] for row in csv.DictReader(file) if row["deal_stage"] == "Won"]
        return date.fromisoformat(max(days)).replace(day=1)
    except (OSError, KeyError, ValueError) as error:
        raise NotAnExport(f"{folder} holds no {PIPELINE} with deals that were won: {error}.") from None


async def tell_of_export(installation: Installation, client: Client, folder: Path, console: Console) -> list[Person]:
    """Tell it of the company in `folder`; who signs in there.

    :raises NotAnExport: the folder is none.
    """
    month = last_month_sold_in(folder)
    console.rule("A company signs up and brings what its CRM exported")
    company = await sign_up(
        client, "Meridian Sales", owner="Dana Reyes", email="owner@meridian.example", currency="USD"
    )
    await _bring(installation, client, company, folder, console)
    second = await join(client, company, title="HR", name="Noor Haddad", email="hr@meridian.example", role="hr_admin")
    await draw(client, company, console)
    books = Books(
        company,
        second,
        sold_in=month,
        paid_for=month,
        measure="SIGNED",
        plan_title="Commission by tiers",
        with_country_pack=False,
    )
    told = PayStory(client, books, console)
    best = (await told.leaders())[0]["employee"]
    await told.settle()
    run_id = await told.pay()
    reader = await join(
        client,
        company,
        title="Rep",
        name=best["name"],
        email="rep@meridian.example",
        role="rep",
        employee_id=best["id"],
    )
    await told.show(best["id"], reader=reader, locales=("zh-CN", "en"))
    await told.replay(installation, run_id)
    return [company.owner, second, reader]


async def _bring(installation: Installation, client: Client, company: Company, folder: Path, console: Console) -> None:
    """The export by the recipe that comes along, with a salary for everybody in it."""
    kinds, recipe = importer(installation).kinds, load_recipe(RECIPE)
    pay = {"base_salary": Source(constant=SALARY), "valid_from": Source(constant="2017-01-01")}
    salaries = (
        RecipeSheet("salaries", TEAMS, {"employee": Source(header="manager"), **pay}, distinct=("manager",)),
        RecipeSheet("salaries", TEAMS, {"employee": Source(header="sales_agent"), **pay}),
    )
    whole = replace(recipe, sheets=(*recipe.sheets, *salaries))
    await bring(client, company, whole, folder, kinds=kinds, locale="en", console=console)
