"""The payslip as a PDF: the document's texts in one language, laid out by typst with a font of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import orjson
import typst

from saas.kernel import Catalogue, localised
from saas.payroll.rules.payslips import LineKind

_TEMPLATE = files("saas.payroll").joinpath("payslip.typ")
_GROUPS: Sequence[tuple[str, tuple[LineKind, ...], str]] = (
    ("payroll.print_earnings", (LineKind.EARNING,), "gross"),
    ("payroll.print_deductions", (LineKind.DEDUCTION, LineKind.CONTRIBUTION, LineKind.TAX), "deductions"),
    ("payroll.print_employer", (LineKind.EMPLOYER_COST,), "employerCost"),
)
_TOTALS = {
    "gross": "payroll.print_gross",
    "deductions": "payroll.print_deducted",
    "employerCost": "payroll.print_employer_cost",
}


def print_payslip(document: Mapping[str, Any], *, catalogue: Catalogue, locale: str) -> bytes:
    """A PDF of a payslip's document. Equal documents give equal bytes; about 3 ms of work.

    :raises KeyError: the document is that of a failed payslip, which nobody is given on paper.
    """
    data = orjson.dumps(_shown(document, catalogue, locale)).decode()
    compiler = typst.Compiler(_TEMPLATE.read_bytes(), font_paths=_fonts(), sys_inputs={"payslip": data})
    printed = compiler.compile(format="pdf", timestamp=0)
    assert isinstance(printed, bytes), "without a file to write to, typst answers with the bytes"
    return printed


@cache
def _fonts() -> typst.Fonts:
    """Our font and no other, so that a payslip looks alike on every machine."""
    with as_file(files("saas.payroll").joinpath("fonts")) as folder:
        return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])


def _shown(document: Mapping[str, Any], catalogue: Catalogue, locale: str) -> dict[str, Any]:
    """All texts of the page, ready to be laid out."""

    def told(key: str, **values: object) -> str:
        return catalogue.text(locale, key, values)

    person, currency = document["person"], document["currency"]
    facts = (
        ("payroll.print_name", person["name"]),
        ("payroll.print_number", person["number"]),
        ("payroll.print_department", document["department"]),
        ("payroll.print_position", person["position"] or "–"),
        ("payroll.print_period", f"{document['from']} – {document['to']}"),
        ("payroll.print_pays_on", document["paysOn"]),
    )
    return {
        "lang": locale.partition("-")[0],
        "title": told("payroll.print_title", month=document["month"]),
        "company": document["legalEntity"],
        "facts": [{"label": told(key), "value": value} for key, value in facts],
        "groups": list(_groups(document, catalogue, locale)),
        "net": {"label": told("payroll.print_net"), "amount": f"{currency} {_grouped(document['net'])}"},
        "footer": told("payroll.print_footer", calculation=document["calculation"]),
    }


def _groups(document: Mapping[str, Any], catalogue: Catalogue, locale: str) -> Iterator[dict[str, Any]]:
    for title, kinds, total in _GROUPS:
        wanted = {kind.value for kind in kinds}
        lines = [line for line in document["lines"] if line["kind"] in wanted]
        if lines:
            yield {
                "title": catalogue.text(locale, title),
                "lines": [
                    {"title": localised(line["titles"], locale), "amount": _grouped(line["amount"])} for line in lines
                ],
                "total": {"label": catalogue.text(locale, _TOTALS[total]), "amount": _grouped(document[total])},
            }


def _grouped(amount: str) -> str:
    """An amount with commas between thousands."""
    sign, digits = ("−", amount[1:]) if amount.startswith("-") else ("", amount)
    whole, point, fraction = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}"
